"""Ensembles grown apart, as one: their mean, follow-up that ends, and the same bytes each time."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.training import hazard
from cds_service.training.hazard import Cohort, Recipe
from cds_service.training.joining import averaged

SETTINGS = {"eta": 0.3, "max_depth": 3, "subsample": 0.7}


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Three hundred people whose first input hastens death; one cell in ten is missing."""
    g = np.random.default_rng(4)
    matrix = g.normal(size=(300, 3)).astype(np.float32)
    months = g.exponential(100 * np.exp(-matrix[:, 0])) + 0.5
    died = (g.random(300) < 0.7).astype(np.int64)
    matrix[g.random(matrix.shape) < 0.1] = np.nan
    return Cohort(matrix, months, died, died, {5: np.ones(300, dtype=np.bool_)})


def recipe(chains: int, seed: int = 3) -> Recipe:
    return Recipe(8, [1, 0, 0], None, seed, chains=chains)


def test_the_mean_of_ensembles_has_the_mean_of_their_margins(cohort: Cohort) -> None:
    """It is one plain ensemble: tables of leaves and XGBoost agree on it."""
    rows = np.arange(300)
    parts = [hazard.fit(cohort, rows, SETTINGS, replace(recipe(2), chains=1, seed=seed)) for seed in (3, 4, 5)]
    whole = averaged(parts)
    apart = np.mean([hazard.margins(part, cohort.matrix) for part in parts], axis=0)
    assert hazard.margins(whole, cohort.matrix) == pytest.approx(apart, abs=1e-5)
    tables = LeafTables.read(bytes(whole.save_raw("ubj")))
    assert tables is not None
    assert tables.difference(whole) <= AGREEMENT


def test_chains_differ_and_the_same_seed_gives_the_same_bytes(cohort: Cohort) -> None:
    """Each chain draws its own rows; a rerun draws the same ones."""
    rows = np.arange(300)
    one, two, again = (hazard.fit(cohort, rows, SETTINGS, recipe(chains)) for chains in (1, 2, 2))
    assert two.num_boosted_rounds() == 2 * one.num_boosted_rounds()
    assert bytes(two.save_raw("ubj")) == bytes(again.save_raw("ubj"))
    first, second = (hazard.margins(two[start : start + 8], cohort.matrix) for start in (0, 8))
    assert np.abs(first - second).max() > 0.01


def test_follow_up_ends_where_a_chain_is_told_to_end_it(cohort: Cohort) -> None:
    """Whoever died later is alive at the end for that chain, and dead for the other; outcomes stay as they were."""
    ended = replace(cohort, ends=(np.inf, 60.0))
    rows = np.arange(300)
    whole, short = ended.labelled(rows, 0).labels, ended.labelled(rows, 1).labels
    assert np.array_equal(whole, cohort.labelled(rows).labels)
    late = cohort.months > 60
    assert np.all(short[late] == -60.0)
    assert np.array_equal(short[~late], whole[~late])
    assert np.array_equal(ended.labelled(rows, 3).labels, short)
    assert np.array_equal(ended.within(5), cohort.within(5))
