"""Cohorts with outcomes that came or did not: one, or several of which each includes the one before it.

One margin serves all: a row enters once for each outcome, its margin starting at the outcome's own log-odds in the
cohort, so that the trees learn what moves all of them and the calibration gives each its intercept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import Observed
from cds_service.training.hazard import Floats, Labelled, Matrix


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Rows with inputs and outcomes.

    matrix: shape (n, n_inputs). came: outcome -> 1 or 0 for each row, narrowest outcome first.
    strata, groups: as in `People`.
    """

    matrix: Matrix
    came: Mapping[str, Floats]
    strata: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None

    @property
    def known(self) -> Mapping[str, NDArray[np.bool_]]:
        """Every outcome is known of everyone."""
        return {name: np.ones(len(self), dtype=np.bool_) for name in self.came}

    @property
    def objective(self) -> str:
        """XGBoost's name of what is fitted."""
        return "binary:logistic"

    def __len__(self) -> int:
        return len(self.matrix)

    def alone(self, name: str) -> Outcomes:
        """The same rows with one of the outcomes."""
        return Outcomes(self.matrix, {name: self.came[name]}, self.strata, self.groups)

    def within(self, name: str) -> Floats:
        """1 for those in whom the outcome came, else 0."""
        return self.came[name]

    def observed(self, margins: Floats, rows: NDArray[np.bool_]) -> dict[str, Observed]:
        """What was seen of each outcome among some rows: input of the calibration."""
        return {name: Observed(margins[rows], came[rows]) for name, came in self.came.items()}

    def labelled(self, rows: NDArray[np.int64], chain: int = 0) -> Labelled:
        """The rows once for each outcome, the same for every chain."""
        labels = [came[rows] for came in self.came.values()]
        starts = [np.full(len(rows), np.log(y.mean() / (1.0 - y.mean()))) for y in labels]
        matrix = np.vstack([self.matrix[rows]] * len(labels))
        return Labelled(matrix, np.concatenate(labels), np.concatenate(starts))
