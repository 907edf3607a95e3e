"""Boosting with random cut points: plain trees that are repeatable, constrained, and explained as any other."""

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("optuna", reason="needs the train extra")

import xgboost

from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.training import random_cuts

SETTINGS = {
    "objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "seed": 3, "eta": 0.2, "max_depth": 3,
    "num_parallel_tree": 2, "subsample": 0.8, "monotone_constraints": "(1,0,0)",
}  # fmt: skip
ROUNDS, CUTS = 12, 3


@pytest.fixture(scope="module")
def rows() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Four hundred rows of which the first column drives the outcome; one cell in ten is missing."""
    g = np.random.default_rng(1)
    matrix = g.normal(size=(400, 3)).astype(np.float32)
    came = (g.random(400) < 1 / (1 + np.exp(-2 * matrix[:, 0]))).astype(np.float64)
    matrix[g.random(matrix.shape) < 0.1] = np.nan
    return matrix, came


@pytest.fixture(scope="module")
def booster(rows: tuple[NDArray[np.float32], NDArray[np.float64]]) -> xgboost.Booster:
    return random_cuts.train(*rows, None, SETTINGS, ROUNDS, CUTS)


def test_the_same_rows_and_seed_give_the_same_bytes(
    rows: tuple[NDArray[np.float32], NDArray[np.float64]], booster: xgboost.Booster
) -> None:
    """The draws come from the seed alone; another seed gives another ensemble."""
    again = random_cuts.train(*rows, None, SETTINGS, ROUNDS, CUTS)
    other = random_cuts.train(*rows, None, SETTINGS | {"seed": 4}, ROUNDS, CUTS)
    assert bytes(again.save_raw("ubj")) == bytes(booster.save_raw("ubj"))
    assert bytes(other.save_raw("ubj")) != bytes(booster.save_raw("ubj"))


def test_all_rounds_are_one_ensemble_that_is_explained_exactly(booster: xgboost.Booster) -> None:
    """Tables of leaves and XGBoost agree on it as on any other."""
    tables = LeafTables.read(bytes(booster.save_raw("ubj")))
    assert tables is not None
    assert len(tables.forest.roots) == 2 * ROUNDS
    assert tables.difference(booster) <= AGREEMENT


def test_it_learns_and_keeps_the_direction_that_medicine_knows(
    rows: tuple[NDArray[np.float32], NDArray[np.float64]], booster: xgboost.Booster
) -> None:
    """More of the first input never lowers the margin, and tells those with the outcome from those without."""
    grid = np.zeros((50, 3), dtype=np.float32)
    grid[:, 0] = np.linspace(-3, 3, 50)
    margin = booster.predict(xgboost.DMatrix(grid), output_margin=True)
    assert np.all(np.diff(margin) >= 0)
    assert margin[-1] - margin[0] > 2
    predicted = booster.predict(xgboost.DMatrix(rows[0]))
    assert predicted[rows[1] == 1].mean() > predicted[rows[1] == 0].mean() + 0.2


def test_a_round_cuts_an_input_at_few_places(rows: tuple[NDArray[np.float32], NDArray[np.float64]]) -> None:
    """The trees of one round know the places that were drawn and no others, all of them values that occur."""
    one = random_cuts.train(*rows, None, SETTINGS | {"num_parallel_tree": 30}, 1, CUTS)
    tables = LeafTables.read(bytes(one.save_raw("ubj")))
    assert tables is not None
    forest = tables.forest
    for column in range(3):
        places = np.unique(forest.at[forest.feature == column])
        assert len(places) <= CUTS
        assert np.isin(places, rows[0][:, column]).all()


def test_a_start_of_the_margins_is_kept(rows: tuple[NDArray[np.float32], NDArray[np.float64]]) -> None:
    """Rows that start high need less of the trees: nothing is added to the margin that no tree gave."""
    matrix, came = rows
    started = random_cuts.train(matrix, came, np.full(400, 2.0), SETTINGS, ROUNDS, CUTS)
    plain = random_cuts.train(matrix, came, None, SETTINGS, ROUNDS, CUTS)
    means = [b.predict(xgboost.DMatrix(matrix), output_margin=True).mean() for b in (started, plain)]
    assert means[0] < means[1] - 1
