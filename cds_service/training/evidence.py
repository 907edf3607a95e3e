"""What a model card reports on: a cohort, a study of it, and the parts of both that a reader asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import Target
from cds_service.risk.manifest import Manifest
from cds_service.training.evaluation import Judge, Rows
from cds_service.training.hazard import Cohort, Floats, Matrix, Recipe
from cds_service.training.masking import Dropout
from cds_service.training.ordered import Ordered
from cds_service.training.outcomes import Outcomes
from cds_service.training.steadiness import REFITS, Tested
from cds_service.training.study import Fitted, Study


class Studied(Protocol):
    """What a card asks of a study, be it of one margin or of several.

    fold: the outer fold of each row. final: from all rows, of the widest outcome.
    """

    @property
    def fold(self) -> NDArray[np.int64]: ...
    @property
    def final(self) -> Fitted: ...
    def log_odds(self, matrix: Matrix, target: Target, /) -> Floats: ...


class Explained(Protocol):
    """What is needed to say what moves a model's estimates. spoken: rows for which it speaks."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def study(self) -> Studied: ...
    @property
    def matrix(self) -> Matrix: ...
    @property
    def spoken(self) -> Rows: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a card reports on.

    spoken: rows of the ages for which the model speaks. subgroups, age_bands: name -> rows, within `spoken`.
    patterns: name -> panels hidden. ceiling: every column of the source data that does not leak.
    thresholds: horizon -> risks at which net benefit is reported. refits: of the final method, for its steadiness.
    """

    manifest: Manifest
    cohort: Cohort
    study: Study
    spoken: Rows
    subgroups: Mapping[str, Rows]
    age_bands: Mapping[str, Rows]
    waves: Mapping[str, Rows]
    dropout: Dropout
    patterns: Mapping[str, frozenset[str]]
    ceiling: Matrix
    thresholds: Mapping[int, Sequence[float]]
    seed: int
    replicates: int
    recipe: Recipe
    refits: int = REFITS

    @property
    def tested(self) -> tuple[Tested, ...]:
        """Its one margin, for what the card says of steadiness."""
        titles: dict[Target, str] = {h: f"death within {h} years" for h in self.horizons}
        limits: dict[Target, Sequence[float]] = dict(self.thresholds.items())
        return (
            Tested(self.study, self.cohort, self.recipe, titles, limits, self.manifest.inputs, self.spoken, self.seed,
                   self.refits),
        )  # fmt: skip

    @property
    def matrix(self) -> Matrix:
        """The cohort's inputs."""
        return self.cohort.matrix

    @property
    def horizons(self) -> tuple[int, ...]:
        """Horizons in years, shortest first."""
        return tuple(sorted(self.cohort.known))

    def judge(self, horizon: int) -> Judge:
        """The judge of one horizon."""
        return Judge(self.cohort.within(horizon), self.seed, self.replicates)


@dataclass(frozen=True, slots=True)
class OutcomeEvidence:
    """All that the card of a model of named outcomes reports on.

    titles: outcome -> how a reader calls it. spoken: rows for which the model speaks. who: in words, who these are.
    subgroups: name -> rows, within `spoken`. panels: name -> columns; patterns: name -> panels hidden together.
    scores: name -> a published score or guess of each row by outcome, NaN where it has none; only its ranks count.
    ceiling: every column of the source data that does not leak. thresholds: outcome -> risks for net benefit.
    trials, inner: sets of parameters and folds (1: half held out) in the tuning of the gradient boosting that it is
    compared with.
    refits: of the final method, for its steadiness.
    """

    manifest: Manifest
    cohort: Outcomes
    study: Study | Ordered
    titles: Mapping[str, str]
    spoken: Rows
    who: str
    subgroups: Mapping[str, Rows]
    dropout: Dropout
    patterns: Mapping[str, frozenset[str]]
    scores: Mapping[str, Mapping[str, Floats]]
    ceiling: Matrix
    thresholds: Mapping[str, Sequence[float]]
    seed: int
    replicates: int
    trials: int
    recipe: Recipe
    inner: int = 3
    refits: int = REFITS

    @property
    def tested(self) -> tuple[Tested, ...]:
        """Each margin by itself, for what the card says of steadiness."""
        ordered = isinstance(self.study, Ordered)
        apart = self.study.studies if isinstance(self.study, Ordered) else {"": self.study}
        found = []
        for name, one in apart.items():
            cohort = self.cohort.alone(name) if ordered else self.cohort
            titles: dict[Target, str] = {o: title for o, title in self.titles.items() if not ordered or o == name}
            limits: dict[Target, Sequence[float]] = dict(self.thresholds.items())
            found.append(
                Tested(one, cohort, self.recipe, titles, limits, self.manifest.inputs, self.spoken, self.seed,
                       self.refits)
            )  # fmt: skip
        return tuple(found)

    @property
    def matrix(self) -> Matrix:
        """The cohort's inputs."""
        return self.cohort.matrix

    def judge(self, outcome: str) -> Judge:
        """The judge of one outcome."""
        return Judge(self.cohort.within(outcome), self.seed, self.replicates)
