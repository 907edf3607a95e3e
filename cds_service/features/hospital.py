"""Whether the patient is in hospital now, and whether what was measured was measured there, as Encounters tell it.

A class that is not of HL7's v3 ActCode is read from its display, as far as that says where the patient is. An
emergency visit counts: what is measured in one is measured in acute illness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cds_service.features.feature import Feature, FeatureValue, Quantity, Reason, Unusable
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import parse
from cds_service.language import msg

HOSPITAL = frozenset({"IMP", "ACUTE", "NONAC", "EMER", "OBSENC", "SS"})  # v3 ActCode; SS is a short stay
ELSEWHERE = frozenset({"AMB", "VR", "HH", "FLD", "PRENC"})  # outpatient, virtual, home, field, pre-admission
PRESENT = frozenset({"arrived", "triaged", "in-progress", "onleave"})
_OVER = frozenset({"finished", "cancelled", "entered-in-error"})
_HOSPITAL_WORDS = ("inpatient", "emergency", "observation", "short stay", "hospital admission", "acute")
_ELSEWHERE_WORDS = ("outpatient", "ambulatory", "virtual", "telephone", "home", "office", "clinic visit")
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class InHospital(Feature):
    """True if a stay in hospital or an emergency visit goes on."""


@dataclass(frozen=True, slots=True)
class MeasuredInHospital(Feature):
    """True if the value that counts of any of the measurements was taken during a stay in hospital."""

    measured: tuple[Quantity, ...]


def is_hospital(encounter: fhir.Encounter) -> bool | None:
    """Whether an Encounter is in hospital; None if its class does not say."""
    stated = encounter.class_
    if stated is None:
        return None
    if stated.code in HOSPITAL or stated.code in ELSEWHERE:
        return stated.code in HOSPITAL
    words = (stated.display or "").casefold()
    if any(word in words for word in _ELSEWHERE_WORDS):
        return False
    return True if any(word in words for word in _HOSPITAL_WORDS) else None


def is_over(encounter: fhir.Encounter, as_of: datetime) -> bool:
    """True if an Encounter has ended, or was never held."""
    ended = parse(encounter.period.end) if encounter.period is not None else None
    return encounter.status in _OVER or (ended is not None and ended.end <= as_of)


def in_hospital(record: PatientRecord, feature: InHospital) -> FeatureValue | Unusable:
    """True with the stays, False if Encounters are known and none of them is one, or a reason."""
    rows = record.rows(fhir.Encounter)
    present = [row for row in rows if row.status in PRESENT and not is_over(row, record.as_of)]
    stays = [row for row in present if is_hospital(row)]
    if stays:
        sources = tuple(sorted(record.reference(row) for row in stays))
        begun = [span.start for row in stays if (span := record.date_of(row)) is not None]
        return FeatureValue(feature, True, min(begun, default=None), sources)
    if not rows and not record.has_list("Encounter"):
        words = msg("No encounters were supplied that could tell whether the patient is in hospital")
        return Unusable(feature, Reason.NO_LIST, words)
    unclear = tuple(sorted(record.reference(row) for row in present if is_hospital(row) is None))
    if unclear:
        words = msg("The class of the present encounter does not tell whether the patient is in hospital")
        return Unusable(feature, Reason.NO_LIST, words, sources=unclear)
    return FeatureValue(feature, False, None, (), inferred=True)


def measured_in_hospital(
    record: PatientRecord, feature: MeasuredInHospital, find: Callable[[Feature], FeatureValue | Unusable]
) -> FeatureValue | Unusable:
    """True with the measurements that were taken in a stay, False if none was, or a reason.

    find: the value of a feature.
    """
    if not record.rows(fhir.Encounter) and not record.has_list("Encounter"):
        words = msg("No encounters were supplied that could tell where the measurements were taken")
        return Unusable(feature, Reason.NO_LIST, words)
    stays = periods(record)
    found = [find(measured) for measured in feature.measured] if stays else []
    taken = [v for v in found if isinstance(v, FeatureValue) and within(v.effective, stays)]
    if not taken:
        return FeatureValue(feature, False, None, (), inferred=True)
    sources = tuple(dict.fromkeys(source for value in taken for source in value.sources))
    return FeatureValue(feature, True, max(v.effective for v in taken if v.effective is not None), sources)


def periods(record: PatientRecord) -> tuple[tuple[datetime, datetime], ...]:
    """First and last moment of each stay; without a beginning nothing can be said of it."""
    return tuple(_periods(record))


def _periods(record: PatientRecord) -> Iterator[tuple[datetime, datetime]]:
    for row in record.rows(fhir.Encounter):
        begun = parse(row.period.start) if row.period is not None else None
        if begun is None or not is_hospital(row) or row.status in ("planned", "cancelled"):
            continue
        ended = parse(row.period.end) if row.period is not None else None
        if ended is None and row.status == "finished":
            ended = begun
        yield begun.start, ended.end if ended is not None else _FOREVER


def within(moment: datetime | None, stays: Iterable[tuple[datetime, datetime]]) -> bool:
    """True if a moment lies in one of the stays."""
    return moment is not None and any(first <= moment <= last for first, last in stays)
