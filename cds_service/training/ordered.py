"""Several outcomes of which each includes the one before it, each with a study of its own on the same folds.

The log-odds of an outcome are the lowest of its own and of those that include it (`risk.narrower`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import Target
from cds_service.risk.narrower import in_order
from cds_service.training import study
from cds_service.training.hazard import Floats
from cds_service.training.outcomes import Outcomes
from cds_service.training.study import Fitted, Plan, Study


@dataclass(frozen=True, slots=True)
class Ordered:
    """The studies by outcome, narrowest first."""

    studies: Mapping[str, Study]

    @property
    def fold(self) -> NDArray[np.int64]:
        """The outer fold of each row, the same for all."""
        return self._widest.fold

    @property
    def folds(self) -> tuple[Fitted, ...]:
        """The models of the widest outcome that did not see a fold's rows."""
        return self._widest.folds

    @property
    def final(self) -> Fitted:
        """The final model of the widest outcome."""
        return self._widest.final

    @property
    def _widest(self) -> Study:
        return list(self.studies.values())[-1]

    def log_odds(self, matrix: NDArray[np.float32], target: Target, /) -> Floats:
        """Calibrated log-odds of each row from models that were not trained on it."""
        names = list(self.studies)
        wider = names[names.index(str(target)) :]
        return np.asarray(in_order([self.studies[name].log_odds(matrix, name) for name in wider])[0])

    def capped(self, matrix: NDArray[np.float32], name: str) -> float:
        """The share of rows in which an outcome's own margin exceeds that of what includes it."""
        own = self.studies[name].log_odds(matrix, name)
        return float(np.mean(own > self.log_odds(matrix, name)))


def run(cohort: Outcomes, plan: Plan) -> Ordered:
    """A nested cross-validation and a final model for each outcome."""
    return Ordered({name: study.run(cohort.alone(name), plan) for name in cohort.came})
