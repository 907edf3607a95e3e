"""A fused model as it was trained: a model a part, a combiner a pattern of modalities, and what they give for rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xgboost
from numpy.typing import NDArray

from cds_service.training.linear import Floats, Line, Matrix
from cds_service.training.modalities import Kind

Indices = NDArray[np.int64]
Parameters = Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Part:
    """One modality and outcome: a model of its margin, and log-odds = intercept + slope x margin."""

    model: xgboost.Booster | Line
    intercept: float
    slope: float

    def log_odds(self, matrix: Matrix) -> Floats:
        """Log-odds at the longest horizon from the modality alone."""
        return self.intercept + self.slope * margins(self.model, matrix)


@dataclass(frozen=True, slots=True)
class Combiner:
    """One pattern and outcome. weights: by modality. intercepts, slopes: by horizon. people: that it was fitted on."""

    weights: Mapping[str, float]
    intercepts: Mapping[int, float]
    people: int
    slopes: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused model as it was trained."""

    kinds: Sequence[Kind]
    parts: Mapping[tuple[str, str], Part]
    combiners: Mapping[tuple[str, tuple[str, ...]], Combiner]
    parameters: Parameters

    def log_odds(self, matrix: Matrix, outcome: str, horizon: int, pattern: tuple[str, ...]) -> Floats:
        """Log-odds with one pattern, whatever is measured."""
        combiner = self.combiners[outcome, pattern]
        total = np.zeros(len(matrix))
        for kind in self.kinds:
            if kind.id in pattern:
                total += combiner.weights[kind.id] * self.parts[outcome, kind.id].log_odds(
                    matrix[:, list(kind.columns)]
                )
        return np.asarray(combiner.intercepts[horizon] + combiner.slopes[horizon] * total)

    def contributions(self, matrix: Matrix, outcome: str, pattern: tuple[str, ...]) -> Floats:
        """What each input adds to the log-odds at the longest horizon with one pattern: exact, shape of the matrix."""
        phi, combiner = np.zeros(matrix.shape), self.combiners[outcome, pattern]
        for kind in self.kinds:
            if kind.id in pattern and combiner.weights[kind.id] > 0.0:
                part, columns = self.parts[outcome, kind.id], list(kind.columns)
                phi[:, columns] += combiner.weights[kind.id] * part.slope * added(part.model, matrix[:, columns])
        return phi


@dataclass(frozen=True, slots=True)
class Fusing:
    """A nested cross-validation: `fold` of each row, the model that did not see it, and the model of all rows."""

    fold: Indices
    folds: tuple[Fused, ...]
    final: Fused

    def log_odds(self, matrix: Matrix, outcome: str, horizon: int, pattern: tuple[str, ...]) -> Floats:
        """Log-odds of each row from the model that was not trained on it."""
        result = np.empty(len(matrix))
        for number, model in enumerate(self.folds):
            rows = self.fold == number
            result[rows] = model.log_odds(matrix[rows], outcome, horizon, pattern)
        return result


def margins(model: xgboost.Booster | Line, matrix: Matrix) -> Floats:
    """A model's margin of each row: for trees the logarithm of the time to the outcome, so that less is worse."""
    if isinstance(model, Line):
        return model.margins(matrix)
    return np.asarray(model.predict(xgboost.DMatrix(matrix, nthread=1), output_margin=True), dtype=np.float64)


def added(model: xgboost.Booster | Line, matrix: Matrix) -> Floats:
    """What each column adds to a model's margin, shape of the matrix: exact SHAP values."""
    if isinstance(model, Line):
        return model.parts(matrix)
    phi = model.predict(xgboost.DMatrix(matrix, nthread=1), pred_contribs=True)
    return np.asarray(phi, dtype=np.float64)[:, :-1]
