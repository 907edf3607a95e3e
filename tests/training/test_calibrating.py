"""A calibration is fitted on models of nearly the size of the one that it calibrates, and never on rows that it saw."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from cds_service.risk.calibration import slope_and_intercept
from cds_service.training import study
from cds_service.training.hazard import Recipe, margins
from cds_service.training.outcomes import Outcomes
from cds_service.training.study import Plan, Study

ROWS = 600


def rows() -> Outcomes:
    """Six hundred rows of which the first input drives the outcome."""
    g = np.random.default_rng(2)
    matrix = g.normal(size=(ROWS, 3)).astype(np.float32)
    came = (g.random(ROWS) < 1 / (1 + np.exp(-matrix[:, 0]))).astype(np.float64)
    return Outcomes(matrix, {"x": came}, came.astype(np.int64))


@pytest.fixture(scope="module")
def done() -> tuple[Study, list[int]]:
    """A study that holds out two of five inner folds, and on how many rows each of its models was fitted."""
    start = {"eta": 0.3, "max_depth": 2}
    everyone = np.ones(ROWS, dtype=np.bool_)
    plan = Plan(Recipe(6, [0, 0, 0], None, 1), start, {}, everyone, 1, inner=5, held_out=2, from_outer=True)
    sizes: list[int] = []
    fit = study.fit

    def counted(cohort: Any, rows: Sequence[int], *rest: Any) -> Any:
        sizes.append(len(rows))
        return fit(cohort, rows, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "fit", counted)
        return study.run(rows(), plan), sizes


def test_two_of_five_inner_folds_calibrate_each_fold_and_the_outer_folds_the_final_model(
    done: tuple[Study, list[int]],
) -> None:
    """Models of 384 rows calibrate those of 480, and these that of all 600."""
    _, sizes = done
    assert sizes == [384, 384, 480] * 5 + [600]


def test_the_final_calibration_is_that_of_the_margins_out_of_fold(done: tuple[Study, list[int]]) -> None:
    """On margins that each come from a model that had not seen the row, its slope is 1 and its intercept 0."""
    result, _ = done
    cohort = rows()
    margin = np.empty(ROWS)
    for number, model in enumerate(result.folds):
        margin[result.fold == number] = margins(model.booster, cohort.matrix[result.fold == number])
    found = slope_and_intercept(result.final.calibration.log_odds("x", margin), cohort.within("x"))
    assert found == pytest.approx((1.0, 0.0), abs=1e-6)
