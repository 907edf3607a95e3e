"""What a trained model is compared with, on the same folds: simpler models, and trees without its constraints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from cds_service.risk.calibration import T
from cds_service.training.hazard import Cohort, Floats, Matrix, People
from cds_service.training.metrics import Ranked
from cds_service.training.study import folds_of

ROUNDS = 250  # trees of a classifier with fixed parameters
DRAWN_ROUNDS = (120, 400)  # from, below: trees of one whose parameters are drawn


def logistic(cohort: People[T], matrix: Matrix, horizon: T, fold: NDArray[np.int64]) -> Floats:
    """Out-of-fold log-odds of a ridge logistic regression of one horizon.

    Logarithms of the inputs beside the inputs, medians for what is missing with an indicator for it.
    """
    outcomes, result = cohort.within(horizon), np.empty(len(cohort))
    for number in np.unique(fold):
        train = (fold != number) & cohort.known[horizon]
        model = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            FunctionTransformer(_with_logarithms),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=2000),
        )
        model.fit(matrix[train], outcomes[train])
        result[fold == number] = model.decision_function(matrix[fold == number])
    return result


def age_and_sex(cohort: Cohort, age: int, sex: int, horizon: int, fold: NDArray[np.int64]) -> Floats:
    """Out-of-fold log-odds from age, its square, sex, and age by sex, by logistic regression."""
    years, sexes = cohort.matrix[:, age], cohort.matrix[:, sex]
    return logistic(cohort, np.column_stack([years, years**2, sexes, years * sexes]), horizon, fold)


def boosted(cohort: People[T], matrix: Matrix, horizon: T, fold: NDArray[np.int64], seed: int) -> Floats:
    """Out-of-fold log-odds of a gradient-boosted classifier of one horizon: no constraints, no input dropout."""
    outcomes, result = cohort.within(horizon), np.empty(len(cohort))
    settings = {
        "objective": "binary:logistic", "eta": 0.05, "max_depth": 3, "subsample": 0.7, "colsample_bytree": 0.5,
        "lambda": 5, "min_child_weight": 5, "tree_method": "hist", "nthread": 1, "seed": seed,
    }  # fmt: skip
    for number in np.unique(fold):
        train = (fold != number) & cohort.known[horizon]
        trees = xgboost.train(settings, xgboost.DMatrix(matrix[train], outcomes[train], nthread=1), ROUNDS)
        test = xgboost.DMatrix(matrix[fold == number], nthread=1)
        result[fold == number] = trees.predict(test, output_margin=True)
    return result


def tuned(
    cohort: People[T],
    matrix: Matrix,
    horizon: T,
    fold: NDArray[np.int64],
    seed: int,
    trials: int,
    inner_folds: int = 3,
) -> Floats:
    """Out-of-fold log-odds of a gradient-boosted classifier tuned within the other folds: nothing else asked of it.

    trials: sets of parameters drawn at random, each judged by an inner cross-validation; with one inner fold, on half
    of the rows that were held out.
    """
    outcomes, result = cohort.within(horizon), np.empty(len(cohort))
    for number in np.unique(fold):
        train = np.flatnonzero((fold != number) & cohort.known[horizon])
        inner = folds_of(cohort, train, max(inner_folds, 2), seed + 2)[:inner_folds]
        tried = [_drawn(np.random.default_rng([seed, trial])) for trial in range(trials)]
        scores = []
        for settings, rounds in tried:
            held_out = np.full(len(cohort), np.nan)
            for a, b in inner:
                held_out[b] = _classified(matrix, outcomes, a, b, settings, rounds, seed)
            seen = train[~np.isnan(held_out[train])]
            scores.append(Ranked(held_out[seen], outcomes[seen]).auroc())
        settings, rounds = tried[int(np.argmax(scores))]
        test = np.flatnonzero(fold == number)
        result[test] = _classified(matrix, outcomes, train, test, settings, rounds, seed)
    return result


def _drawn(generator: np.random.Generator) -> tuple[dict[str, float | int], int]:
    settings = {
        "eta": float(np.exp(generator.uniform(np.log(0.03), np.log(0.1)))),
        "max_depth": int(generator.integers(2, 6)),
        "subsample": float(generator.uniform(0.5, 0.9)),
        "colsample_bytree": float(generator.uniform(0.2, 0.8)),
        "lambda": float(np.exp(generator.uniform(0.0, 3.0))),
        "min_child_weight": float(np.exp(generator.uniform(0.0, 3.0))),
    }
    return settings, int(generator.integers(*DRAWN_ROUNDS))


def _classified(
    matrix: Matrix,
    outcomes: Floats,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    settings: dict[str, float | int],
    rounds: int,
    seed: int,
) -> Floats:
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "seed": seed}
    trees = xgboost.train(fixed | settings, xgboost.DMatrix(matrix[train], outcomes[train], nthread=1), rounds)
    predicted = trees.predict(xgboost.DMatrix(matrix[test], nthread=1), output_margin=True)
    return np.asarray(predicted, dtype=np.float64)


def columns(frame_values: Sequence[NDArray[np.float64]]) -> Matrix:
    """Further columns of the source data as a matrix, for a ceiling of what the data could tell."""
    return np.column_stack(frame_values).astype(np.float32)


def _with_logarithms(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([matrix, np.log(np.clip(matrix, 0.0, None) + 0.1)])
