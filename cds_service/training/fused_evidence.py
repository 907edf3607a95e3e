"""What the card of a fused survival model reports on: out-of-fold estimates, rivals, refits on resampled patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import expit
from cds_service.risk.fused_rows import in_order
from cds_service.risk.fusion import subsets
from cds_service.training import censoring, fusing
from cds_service.training.fused_model import Fusing, margins
from cds_service.training.fusing import Plan
from cds_service.training.linear import Flags, Floats, Matrix, cox
from cds_service.training.modalities import Kind, Patients

Score = Callable[[str, NDArray[np.int64], Flags], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Evidence:
    """All that the card reports on.

    spoken: rows for which the model speaks; who: in words, who these are. outcomes: id -> words. linear: the inputs as
    a Cox regression takes them. ceiling: all that was known at the start. thresholds: (outcome, horizon) -> risks.
    panels: in words -> inputs that are missing together. refits: models on resampled patients. replicates: of the
    bootstrap. linear_words, ridge: of that regression. published: name -> outcome -> scores, NaN where they cannot be.
    """

    patients: Patients
    plan: Plan
    fusing: Fusing
    spoken: Flags
    outcomes: Mapping[str, str]
    subgroups: Mapping[str, Flags]
    linear: Floats
    ceiling: Matrix
    thresholds: Mapping[tuple[str, int], Sequence[float]]
    panels: Mapping[str, Sequence[int]]
    who: str
    refits: int
    replicates: int
    linear_words: str = "Cox regression (ridge, splines), same inputs"
    ridge: float = 20.0
    published: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)

    @property
    def cases(self) -> list[tuple[str, int]]:
        """Outcomes and horizons."""
        return [(outcome, h) for outcome in self.outcomes for h in self.plan.horizons]

    @cached_property
    def full(self) -> tuple[str, ...]:
        """The pattern with every modality."""
        return tuple(kind.id for kind in self.plan.kinds)

    @cached_property
    def ours(self) -> dict[tuple[str, int], Floats]:
        """Out-of-fold log-odds as the model gives them: each row in its own pattern, a wider outcome never lower."""
        return by_pattern(self.patients.matrix, tuple(self.patients.came), self.plan, self.fusing.log_odds)

    @cached_property
    def rivals(self) -> Mapping[str, Mapping[str, Floats]]:
        """Out-of-fold scores of other models by name and outcome; only their ranks count."""
        models: dict[str, Score] = {
            self.linear_words: self._cox,
            "XGBoost (accelerated failure time), same inputs, not fused": self._trees(self.patients.matrix),
            "ceiling: XGBoost on all that was known at the start": self._trees(self.ceiling),
        }
        return {name: {o: self._apart(o, score) for o in self.outcomes} for name, score in models.items()}

    def title(self, outcome: str, horizon: int) -> str:
        """An outcome and horizon as a reader calls them."""
        return f"{self.outcomes[outcome]} within {horizon} {'year' if horizon == 1 else 'years'}"

    def seen(self, outcome: str, horizon: int) -> tuple[Floats, Floats]:
        """Whether an outcome came by a horizon, and the weight of each row; 0 for whoever was lost before."""
        p = self.patients
        happened = np.asarray(p.came[outcome] & (p.months <= 12 * horizon), dtype=np.float64)
        return happened, censoring.weights(p.months, p.ended, 12 * horizon)

    def limits(self, outcome: str, horizon: int) -> Sequence[float]:
        """The thresholds of an outcome and horizon; the average risk where nobody decides by any."""
        average = float(np.mean(expit(self.ours[outcome, horizon][self.spoken])))
        return self.thresholds.get((outcome, horizon), (round(average, 2),))

    def _apart(self, outcome: str, score: Score) -> Floats:
        result = np.empty(len(self.patients))
        for number in np.unique(self.fusing.fold):
            test = self.fusing.fold == number
            found, among = score(outcome, np.flatnonzero(~test), test)
            result[test] = (found - among.mean()) / max(float(among.std()), 1e-9)
        return result

    def _cox(self, outcome: str, train: NDArray[np.int64], test: Flags) -> tuple[Floats, Floats]:
        mean, scale = self.linear[train].mean(axis=0), np.maximum(self.linear[train].std(axis=0), 1e-9)
        z, p = (self.linear - mean) / scale, self.patients
        weight = cox(z[train], p.months[train], p.came[outcome][train], self.ridge)
        return z[test] @ weight, z[train] @ weight

    def _trees(self, matrix: Matrix) -> Score:
        def score(outcome: str, train: NDArray[np.int64], test: Flags) -> tuple[Floats, Floats]:
            width = matrix.shape[1]
            kind = Kind("all", range(width), (0,), 0, [0] * width)
            patients = Patients(matrix, self.patients.months, self.patients.came)
            parameters = self.fusing.folds[int(self.fusing.fold[test][0])].parameters
            trees = fusing.train(patients, train, outcome, kind, self.plan, parameters)
            return -margins(trees, matrix[test]), -margins(trees, matrix[train])

        return score


def patterns_of(matrix: Matrix, plan: Plan) -> list[tuple[tuple[str, ...], Flags]]:
    """The patterns that are there, each with its rows.

    Rows with too little of everything are taken as if all were there, as `*_unrestricted` predictions are.
    """
    ids = [kind.id for kind in plan.kinds]
    there = np.column_stack([kind.there(matrix) for kind in plan.kinds])
    there[~there.any(axis=1)] = True
    found = [(pattern, np.all(there == [id_ in pattern for id_ in ids], axis=1)) for pattern in subsets(ids)]
    return [(pattern, rows) for pattern, rows in found if rows.any()]


def by_pattern(
    matrix: Matrix,
    outcomes: Sequence[str],
    plan: Plan,
    log_odds: Callable[[Matrix, str, int, tuple[str, ...]], Floats],
) -> dict[tuple[str, int], Floats]:
    """Log-odds of each outcome and horizon, each row in the pattern of what is measured in it."""
    own: dict[tuple[str, int], Floats] = {}
    patterns = patterns_of(matrix, plan)
    for outcome in outcomes:
        for horizon in plan.horizons:
            result = np.empty(len(matrix))
            for pattern, rows in patterns:
                result[rows] = log_odds(matrix, outcome, horizon, pattern)[rows]
            own[outcome, horizon] = result
    found = in_order(own, outcomes, plan.horizons)
    return {(o, h): found[o, h] for o in outcomes for h in plan.horizons}
