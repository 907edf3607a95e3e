"""A range over refits is what the card says that it is: how far the same method differs on other patients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from cds_service.risk.likeness import Alike
from cds_service.training import steadiness
from cds_service.training.hazard import Recipe, fit, margins
from cds_service.training.outcomes import Outcomes

PARAMETERS = {"eta": 0.2, "max_depth": 2, "lambda": 1.0, "subsample": 0.7}
RECIPE = Recipe(30, (0, 0, 0), None, 3)
N, REFITS = 1600, 24


def drawn(seed: int) -> Outcomes:
    """Patients of one population, whose chances are known."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(N, 3)).astype(np.float32)
    chance = 1 / (1 + np.exp(1.2 - matrix[:, 0] + 0.6 * matrix[:, 1] * (matrix[:, 2] > 0)))
    return Outcomes(matrix, {"it": (rng.random(N) < chance).astype(np.float64)}, np.zeros(N, dtype=np.int64))


def width(found: list[np.ndarray]) -> float:
    low, high = np.percentile(np.stack(found), [5, 95], axis=0)
    return float(np.median(high - low))


def test_the_range_over_refits_is_that_over_other_samples_of_the_population() -> None:
    """Checked by simulation: beside models of samples drawn anew, within a third; so it is no interval for a person."""
    cohort, asked = drawn(0), drawn(999).matrix[:200]
    fold = np.ones(N, dtype=np.int64)
    study: Any = SimpleNamespace(fold=fold, folds=[SimpleNamespace(parameters=PARAMETERS)])
    tested = steadiness.Tested(study, cohort, RECIPE, {"it": "it"}, {}, (), fold == 1, 7)
    refits = [margins(steadiness._refit(tested, number), asked) for number in range(REFITS)]
    rows = np.arange(N)
    others = [
        margins(fit(drawn(100 + k), rows, PARAMETERS, Recipe(30, (0, 0, 0), None, 50 + k)), asked)
        for k in range(REFITS)
    ]
    assert 0.67 < width(refits) / width(others) < 1.5


def test_how_far_refits_differ_is_told_of_each_group_of_like_estimates() -> None:
    """The width that nine in ten of its rows stay below; of a group of few rows, and beyond all groups, nothing."""
    groups = [Alike(1.0, 9.9, 30, 5.0), Alike(10.0, 19.9, 30, 15.0), Alike(20.0, 30.0, 30, 25.0)]
    risk = np.concatenate(
        [np.full(50, 0.05), np.full(10, 0.15), np.full(40, 0.299), np.full(30, 0.005), np.full(30, 0.6)]
    )
    half = np.concatenate([np.linspace(0.0, 0.05, 50), np.full(70, 0.2), np.full(40, 0.3)])
    half[60:100] = 0.02
    found = steadiness.apart(groups, risk, np.stack([risk - half, risk, risk + half]))
    assert [group.apart for group in found] == [9.0, None, 4.0]
    assert [group.people for group in found] == [30, 30, 30]
