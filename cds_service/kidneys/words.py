"""Chronic kidney disease in words: both categories, and since when (KDIGO 2024)."""

from __future__ import annotations

from datetime import datetime

from cds_service.features.kidney_disease import KidneyDisease
from cds_service.features.si import holds_si
from cds_service.language import InUnits, Message, msg
from cds_service.risk import published

GFR = {
    "G1": msg("G1, normal or high, 90 or more"),
    "G2": msg("G2, mildly decreased, 60 to 89"),
    "G3a": msg("G3a, mildly to moderately decreased, 45 to 59"),
    "G3b": msg("G3b, moderately to severely decreased, 30 to 44"),
    "G4": msg("G4, severely decreased, 15 to 29"),
    "G5": msg("G5, kidney failure, below 15"),
}
# In mg/g, and in the mg/mmol that KDIGO has beside it.
ALBUMINURIA = {
    "A1": (
        msg("A1, normal to mildly increased, below 30 mg/g"),
        msg("A1, normal to mildly increased, below 3 mg/mmol"),
    ),
    "A2": (msg("A2, moderately increased, 30 to 299 mg/g"), msg("A2, moderately increased, 3 to 29 mg/mmol")),
    "A3": (msg("A3, severely increased, 300 mg/g or more"), msg("A3, severely increased, 30 mg/mmol or more")),
}


def staged(found: KidneyDisease) -> Message:
    """The stage with the eGFR that it rests on and that value's day."""
    return msg(
        "Chronic kidney disease {stage} (eGFR {egfr} on {date})",
        stage=found.stage,
        egfr=found.reported,
        date=day(found.egfr.effective),
    )


def in_words(found: KidneyDisease) -> Message:
    """Both categories in words, and since when."""
    words = msg(
        "eGFR {egfr} on {date}: {g}.",
        egfr=found.reported,
        date=day(found.egfr.effective),
        g=GFR[found.stage.split()[0]],
    )
    if found.uacr is not None and found.albuminuria is not None:
        words = msg(
            "{words} UACR {uacr} on {date}: {a}.",
            words=words,
            uacr=published.in_words(found.uacr),
            date=day(found.uacr.effective),
            a=InUnits(*ALBUMINURIA[found.albuminuria], holds_si("mg/mmol", found.uacr.stated)),
        )
    if found.since is not None:
        words = msg("{words} Below 60 since {date}.", words=words, date=found.since.date())
    return words


def day(moment: datetime | None) -> object:
    """A date, or that it is not known."""
    return moment.date() if moment is not None else msg("an unknown date")
