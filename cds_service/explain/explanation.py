"""An explanation: a baseline and contributions that add up to the model's own output."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum

import msgspec

from cds_service.language import Message


class Baseline(Enum):
    """What the contributions are measured from; cards word the two differently."""

    REFERENCE_PERSON = "reference-person"  # a stated person (equations)
    POPULATION = "population"  # average over the training population (SHAP expected value)
    ZERO = "zero"  # zero points (point scores)
    NONE = "none"  # no exact explanation: there are no contributions, and the baseline is the output itself


class Scale(Enum):
    """The scale on which contributions add up."""

    LOG_ODDS = "log-odds"
    LOG_HAZARD = "log-hazard"
    POINTS = "points"
    NATURAL = "natural"  # the estimate's own unit


class Contribution(msgspec.Struct, frozen=True, eq=False):
    """What one input, or one group of correlated inputs, adds on the explanation's scale.

    features: ids of the inputs in the group.
    shown: the value in words with unit, or what gives them when they are read: most contributions are kept and never
        shown. None for "not measured".
    effective, sources: time and references of the inputs; empty for what was not measured.
    """

    features: tuple[str, ...]
    label: Message
    amount: float
    shown: Message | Callable[[], Message] | None
    effective: datetime | None = None
    sources: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """False for what was not measured."""
        return self.shown is not None

    @property
    def value(self) -> Message | None:
        """The value in words with unit, or None for "not measured"."""
        shown = self.shown
        return shown if shown is None or isinstance(shown, Message) else shown()

    def __eq__(self, other: object) -> bool:
        """True for two that say the same, however their words are given."""
        return isinstance(other, Contribution) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((self.features, self.amount))

    def _said(self) -> tuple[object, ...]:
        return self.features, self.label, self.amount, self.value, self.effective, self.sources


class Explanation(msgspec.Struct, frozen=True):
    """Baseline plus contributions; `output` is the model's independently computed value."""

    scale: Scale
    baseline_kind: Baseline
    baseline: float
    baseline_words: Message
    contributions: tuple[Contribution, ...]
    output: float

    def residual(self) -> float:
        """|baseline + contributions - output|: within 1e-9 for equations, 5e-5 for trees (float32)."""
        return abs(self.baseline + sum(c.amount for c in self.contributions) - self.output)

    def largest(self) -> tuple[Contribution, ...]:
        """Contributions by size, largest first; ties in declaration order."""
        return tuple(sorted(self.contributions, key=lambda c: -abs(c.amount)))
