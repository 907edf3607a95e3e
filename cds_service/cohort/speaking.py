"""How often a service would show a card, and how often what it says came true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk import metrics
from cds_service.risk.metrics import Floats, Interval, Patients

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Speaking:
    """How often a service would show a card, and how often that would be right.

    per_clinician: mean cards a clinician and month, None where no clinician is stated. right: None without an outcome.
    """

    service: str
    outcome: str
    calls: int
    cards: int
    per_100: float
    per_clinician: float | None
    right: Interval | None
    found: Interval | None
    lead: float | None


def speaking(
    service: str,
    outcome: str,
    cards: NDArray[np.bool_],
    came: Floats,
    days: Floats,
    clinicians: Texts,
    months: Texts,
    patients: Patients,
) -> Speaking:
    """How often a service would speak. came: 1, 0, or NaN where it is not known or no outcome is declared."""
    known, had = ~np.isnan(came), came > 0
    shown = known & cards
    right = metrics.share_among(came[shown], patients[shown]) if shown.any() else None
    found = metrics.share_among(cards[had].astype(np.float64), patients[had]) if had.any() else None
    leads = days[cards & had]
    stated = clinicians != "not stated"
    pairs = len({*zip(clinicians[stated].tolist(), months[stated].tolist(), strict=True)})
    return Speaking(
        service,
        outcome,
        len(cards),
        int(cards.sum()),
        100.0 * float(cards.mean()) if len(cards) else 0.0,
        float(cards[stated].sum()) / pairs if pairs else None,
        right,
        found,
        float(np.median(leads)) if len(leads) else None,
    )
