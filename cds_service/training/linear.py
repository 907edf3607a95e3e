"""Linear models of survival: a ridge Cox regression, or the sum of sets of columns that were known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]
Sets = Sequence[tuple[Sequence[int], int]]  # columns, and 1 or -1


@dataclass(frozen=True, slots=True)
class Line:
    """A linear model: weights of standardised columns."""

    mean: Floats
    scale: Floats
    weight: Floats
    logarithm: bool = False

    def parts(self, matrix: Matrix) -> Floats:
        """What each column adds to each row's margin; one that is not measured adds nothing."""
        given = tamed(matrix) if self.logarithm else matrix
        return np.asarray(np.nan_to_num((given - self.mean) / self.scale) * self.weight, dtype=np.float64)

    def margins(self, matrix: Matrix) -> Floats:
        """One margin a row; a column that is not measured counts as the average, which no answer is given on."""
        return np.asarray(self.parts(matrix).sum(axis=1), dtype=np.float64)


def line(
    matrix: Floats, months: Floats, came: Flags, sets: Sets = (), logarithm: bool = False, ridge: float = 20.0
) -> Line:
    """A ridge Cox regression of standardised columns; or the sum of sets of them, each the mean of its columns."""
    given = tamed(matrix) if logarithm else matrix
    mean, scale = np.nanmean(given, axis=0), np.maximum(np.nanstd(given, axis=0), 1e-6)
    z = np.nan_to_num((given - mean) / scale)
    if not sets:
        return Line(mean, scale, cox(z, months, came, ridge), logarithm)
    weight = np.zeros(z.shape[1])
    for columns, sign in sets:
        members = list(columns)
        spread = max(float(z[:, members].mean(axis=1).std()), 1e-6)
        weight[members] += sign / (len(members) * spread)
    return Line(mean, scale, weight, logarithm)


def tamed(matrix: Floats | Matrix) -> Floats:
    """The logarithm of one plus the size, with the sign: heavy tails become short."""
    return np.asarray(np.sign(matrix) * np.log1p(np.abs(matrix)), dtype=np.float64)


def cox(matrix: Floats, months: Floats, came: Flags, ridge: float) -> Floats:
    """Coefficients of a Cox regression with a ridge penalty (ties after Breslow)."""
    order = np.argsort(-months, kind="stable")
    z, event = matrix[order], np.asarray(came[order], dtype=np.float64)
    found = np.zeros(z.shape[1])
    for _ in range(50):
        line = z @ found
        w = np.exp(line - line.max())
        risk = np.cumsum(w)
        mean = np.cumsum(w[:, None] * z, axis=0) / risk[:, None]
        gradient = (event[:, None] * (z - mean)).sum(axis=0) - ridge * found
        later = np.cumsum((event / risk)[::-1])[::-1]
        curvature = (z * (w * later)[:, None]).T @ z - (mean * event[:, None]).T @ mean + ridge * np.eye(len(found))
        step = np.linalg.solve(curvature, gradient)
        found = found + step
        if np.max(np.abs(step)) < 1e-8:
            break
    return found
