"""Stays in hospital before the present one: how many are on record, how long they were, what came before the last.

All of it comes from inpatient Encounters with a beginning. It is told only if the Encounters that were supplied reach
back a year before the stay: what was not supplied is not "none".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cds_service.features import contacts, stays
from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.features.from_rows import valued
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import Span, parse
from cds_service.language import msg


class Before(Enum):
    """What is asked of the earlier stays."""

    STAYS = "stays"
    DAYS = "days"
    PREVIOUS_DAYS = "previous-days"
    PREVIOUS_ADMISSIONS = "previous-admissions"


@dataclass(frozen=True, slots=True)
class EarlierStays(Feature):
    """A number of the stays before the present one. unit: UCUM."""

    fact: Before
    unit: str


STAYS = EarlierStays("earlier_stays", msg("Earlier stays in hospital on record"), Before.STAYS, "1")
DAYS = EarlierStays("earlier_days", msg("Days of earlier stays in hospital"), Before.DAYS, "d")
PREVIOUS_DAYS = EarlierStays("previous_stay_days", msg("Days of the previous stay"), Before.PREVIOUS_DAYS, "d")
PREVIOUS_ADMISSIONS = EarlierStays(
    "previous_admissions_year",
    msg("Admissions in the 12 months before the previous stay"),
    Before.PREVIOUS_ADMISSIONS,
    "1",
)
FEATURES = (STAYS, DAYS, PREVIOUS_DAYS, PREVIOUS_ADMISSIONS)


def earlier_stays(record: PatientRecord, feature: EarlierStays, present: stays.Stay | None) -> FeatureValue | Unusable:
    """The number with its Encounters, or why it cannot be told. present: the present stay."""
    if present is None:
        words = msg("{what} cannot be told: no stay in hospital is on record", what=feature.label)
        return Unusable(feature, Reason.NO_LIST, words)
    found = _before(record, present.begun, present.row)
    rows = [row for row, _ in found]
    number = stays.counted(record, feature, rows, present.begun.start - stays.TWELVE_MONTHS)
    if isinstance(number, Unusable) or feature.fact is Before.STAYS:
        return number
    if feature.fact is Before.DAYS:
        return _days(record, feature, rows)
    if not found:
        return Unusable(feature, Reason.ABSENT, msg("no earlier stay in hospital is on record"))
    previous, begun = found[-1]
    if feature.fact is Before.PREVIOUS_DAYS:
        return _days(record, feature, [previous])
    since = begun.start - stays.TWELVE_MONTHS
    earlier = [row for row, span in found[:-1] if span.start >= since]
    return stays.counted(record, feature, earlier, since)


def _before(record: PatientRecord, begun: Span, present: fhir.Encounter) -> list[tuple[fhir.Encounter, Span]]:
    """Inpatient stays that began before the present one, first to last."""
    found = [
        (row, span)
        for row in record.rows(fhir.Encounter)
        if row is not present
        and contacts.is_inpatient(row)
        and contacts.held(row)
        and (span := record.date_of(row))
        and not contacts.is_part(record, row)
    ]
    return sorted((pair for pair in found if pair[1].start < begun.start), key=lambda pair: pair[1].start)


def _days(record: PatientRecord, feature: EarlierStays, rows: list[fhir.Encounter]) -> FeatureValue | Unusable:
    """Nights of all of these stays; no number if the end of one is not told."""
    total = 0.0
    for row in rows:
        period = row.period
        first, last = (parse(t) for t in (period.start, period.end)) if period is not None else (None, None)
        if first is None or last is None or last.end < first.start:
            words = msg("the beginning or the end of an earlier stay cannot be read")
            return Unusable(feature, Reason.NO_NUMBER, words, sources=(record.reference(row),))
        total += float((last.start.date() - first.start.date()).days)
    return valued(record, feature, total, rows, inferred=not rows)
