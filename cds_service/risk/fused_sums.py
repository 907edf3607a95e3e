"""What the parts of a fused model add up to for one patient, and the line from there to each horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.risk.fusion import Pattern


@dataclass(frozen=True, slots=True)
class Sums:
    """One outcome of one patient: the pattern used, and sums without the pattern's intercept and slope."""

    outcome: str
    pattern: Pattern
    baseline: float
    output: float
    amounts: Mapping[str, float]
    by_modality: Mapping[str, float]

    def at(self, horizon: int) -> At:
        """The same at a horizon."""
        intercept, slope = self.pattern.line(horizon)
        return At(self, horizon, intercept, slope, intercept + slope * self.output)


@dataclass(frozen=True, slots=True)
class At:
    """One outcome of one patient at one horizon: log-odds = intercept + slope x what was fused."""

    fused: Sums
    horizon: int
    intercept: float
    slope: float
    log_odds: float
