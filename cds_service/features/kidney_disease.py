"""Chronic kidney disease as a record shows it: its stage by eGFR and albuminuria, since when, and how it moves.

Chronic means on the problem list, or shown by an unbroken run of abnormal values that spans more than 90 days: eGFR
below 60, or a urine albumin-creatinine ratio (UACR) of 30 mg/g or more.
Sources: KDIGO 2024 CKD guideline, doi:10.1016/j.kint.2023.10.018, chapter 1 (definition and categories); KDIGO 2012
CKD guideline, recommendation 2.1.3 (progression: a lower category with a fall of a quarter or more).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cds_service.features.catalogue import CKD, CREATININE, EGFR, UACR
from cds_service.features.feature import FeatureValue, FeatureValues
from cds_service.features.history import egfr_history, history
from cds_service.fhir.record import PatientRecord

CHRONIC = timedelta(days=90)
BASELINE = timedelta(days=5 * 366)  # how far back an earlier eGFR is compared with
DECREASED = 60  # mL/min/{1.73_m2}, of the eGFR as reported (whole number)
MODERATE, SEVERE = 30.0, 300.0  # mg/g, where albuminuria categories A2 and A3 begin
FALL = 0.25  # of the earlier eGFR
_GFR = ((90, "G1"), (60, "G2"), (45, "G3a"), (30, "G3b"), (15, "G4"))


class Fall(NamedTuple):
    """A fall of eGFR that two values in a row show: the share of the earlier value, and when that was."""

    share: float
    since: datetime


@dataclass(frozen=True, slots=True)
class KidneyDisease:
    """Chronic kidney disease.

    uacr: the latest of the last year. since, albuminuria_since: the first of the unbroken run that lasts; None if none
    does. listed: on the problem list. severe: a UACR of 300 mg/g or more now and at least once before.
    """

    egfr: FeatureValue
    uacr: FeatureValue | None
    since: datetime | None
    albuminuria_since: datetime | None
    listed: bool
    severe: bool
    fall: Fall | None

    @property
    def reported(self) -> int:
        """eGFR as reported, in mL/min/{1.73_m2}."""
        return reported(self.egfr)

    @property
    def albumin(self) -> float | None:
        """UACR in mg/g."""
        return None if self.uacr is None else float(self.uacr.value)

    @property
    def albuminuria(self) -> str | None:
        """`A1` to `A3`."""
        if self.albumin is None:
            return None
        return "A3" if self.albumin >= SEVERE else "A2" if self.albumin >= MODERATE else "A1"

    @property
    def stage(self) -> str:
        """`G3b A3`, or `G3b` without a UACR."""
        return " ".join(filter(None, (category(self.egfr), self.albuminuria)))

    @property
    def sources(self) -> tuple[str, ...]:
        """The measurements behind the stage."""
        found = (*self.egfr.sources, *(self.uacr.sources if self.uacr is not None else ()))
        return tuple(dict.fromkeys(source for source in found if source.startswith("Observation/")))


def kidney_disease(record: PatientRecord, values: FeatureValues) -> KidneyDisease | None:
    """The disease, or None if it is neither listed nor shown, or if there is no eGFR to stage it by.

    values: with eGFR, UACR and CKD.
    """
    egfr, uacr, listed = values.usable(EGFR), values.usable(UACR), bool(values.flag(CKD))
    if egfr is None:
        return None
    egfrs, ratios = egfr_history(record, CREATININE, EGFR), history(record, UACR)
    since = _lasting((v, reported(v) < DECREASED) for v in egfrs)
    albuminuria_since = _lasting((v, float(v.value) >= MODERATE) for v in ratios) if uacr is not None else None
    if since is None and albuminuria_since is None and not listed:
        return None
    severe = uacr is not None and float(uacr.value) >= SEVERE
    return KidneyDisease(
        egfr=egfr,
        uacr=uacr,
        since=since,
        albuminuria_since=albuminuria_since,
        listed=listed,
        severe=severe and sum(float(v.value) >= SEVERE for v in ratios) > 1,
        fall=_fall([v for v in egfrs if v.effective is not None and record.as_of - v.effective <= BASELINE]),
    )


def reported(egfr: FeatureValue) -> int:
    """A whole number, as laboratories report it and as categories are read."""
    return round(float(egfr.value))


def category(egfr: FeatureValue) -> str:
    """KDIGO's GFR category, `G1` to `G5`."""
    return next((name for limit, name in _GFR if reported(egfr) >= limit), "G5")


def _lasting(values: Iterable[tuple[FeatureValue, bool]]) -> datetime | None:
    """The time of the first of an unbroken run of abnormal values that ends now and spans more than 90 days.

    values: latest first, with whether each is abnormal.
    """
    run: list[datetime] = []
    for value, abnormal in values:
        if not abnormal or value.effective is None:
            break
        run.append(value.effective)
    return run[-1] if run and run[0] - run[-1] > CHRONIC else None


def _fall(egfrs: Sequence[FeatureValue]) -> Fall | None:
    """A quarter or more lost since the earliest value, in a lower category now and the time before; latest first."""
    if len(egfrs) < 3 or reported(egfrs[0]) >= DECREASED:
        return None
    latest, before, first = egfrs[0], egfrs[1], egfrs[-1]
    share = 1 - float(latest.value) / float(first.value)
    lower = all(category(value) > category(first) for value in (latest, before))
    return Fall(share, first.effective) if share >= FALL and lower and first.effective is not None else None
