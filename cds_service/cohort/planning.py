"""Which threshold keeps to so many cards a day on each ward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.metrics import Floats, Patients

Texts = NDArray[np.str_]
_FEW = 20  # patients of a ward whose cards can be judged, below which no share of the cards is told


@dataclass(frozen=True, slots=True)
class Plan:
    """The lowest threshold with which a ward sees at most so many cards a day, on average.

    judged: cards of which it is known what came; right and found rest on them, and are None where too few patients had
    them.
    """

    ward: str
    threshold: float | None
    per_day: float
    busiest: float
    right: float | None
    found: float | None
    judged: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """All estimates of one kind, with when and where. came: 1, 0, or NaN where it is not known what came."""

    values: Floats
    came: Floats
    wards: Texts
    dates: NDArray[np.datetime64]
    patients: Patients

    def planned(self, at_most: float) -> Iterator[Plan]:
        """The plan of each ward. at_most: cards a day."""
        days = self.dates.astype("datetime64[D]")
        for ward in sorted(set(self.wards.tolist())):
            here = self.wards == ward
            yield self._plan(ward, here, days[here], at_most)

    def _plan(self, ward: str, here: NDArray[np.bool_], days: NDArray[np.datetime64], at_most: float) -> Plan:
        values, came = self.values[here], self.came[here]
        span = int((days.max() - days.min()).astype(int)) + 1
        threshold = lowest(values, int(at_most * span))
        flagged = values >= threshold if threshold is not None else np.zeros(len(values), dtype=bool)
        known = flagged & ~np.isnan(came)
        cards, judged, hits = int(flagged.sum()), int(known.sum()), float(np.nansum(came[flagged]))
        busiest = float(np.unique(days[flagged], return_counts=True)[1].max()) if cards else 0.0
        events, enough = float(np.nansum(came)), len(np.unique(self.patients[here][known])) >= _FEW
        right, found = (hits / judged, hits / events if events else None) if enough else (None, None)
        return Plan(ward, threshold, cards / span, busiest, right, found, judged)


def lowest(values: Floats, cards: int) -> float | None:
    """The lowest value that at most so many reach; None where even the highest value is reached by more."""
    found, counts = np.unique(values, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    fitting = found[reached <= cards]
    return float(fitting[0]) if len(fitting) else None
