"""What Encounters and Procedures tell of a stay in hospital: its days, how it began, what came before, what was done.

The stay is the latest inpatient Encounter that goes on, or that ended no longer than two days ago: at the moment of
discharge an EHR may have closed it already. A contact within a stay is no stay of its own. Numbers of earlier visits
are told only if the Encounters reach back far enough: what was not supplied is not "none".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from cds_service.features.contacts import held, is_inpatient, is_part, whole
from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.features.from_rows import valued
from cds_service.features.hospital import PRESENT, is_over
from cds_service.features.operations import category, done, happened_since, is_coded, not_supplied
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import SNOMED, codings, label
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import Span, parse
from cds_service.language import msg

JUST_ENDED = timedelta(days=2)
SIX_MONTHS = timedelta(days=183)
TWELVE_MONTHS = timedelta(days=366)
LEADS_TO = timedelta(days=1)  # an emergency visit that ended no longer before a stay led to it
_V3_PRIORITY = {
    "EM": True, "UR": True, "A": True, "S": True, "T": True,  # emergency, urgent, as soon as possible, stat, critical
    "EL": False, "R": False, "P": False,  # elective, routine, preoperative
}  # fmt: skip
_TYPES = {"183452005": True, "50849002": True, "8715000": False}  # emergency admission, visit; elective admission
# Oncology: clinical, gynaecological, medical, paediatric, radiation, surgical.
_ONCOLOGY = frozenset({"394592004", "408446006", "394593009", "418002000", "419815003", "419321007"})
_ONCOLOGY_WORDS = ("oncology", "oncological", "cancer")
_TALKED = frozenset({"409063005", "409073007", "410606002"})  # counselling, education, social service


class Fact(Enum):
    """What is asked of the stay."""

    DAYS = "days"
    EMERGENCY = "emergency"
    EMERGENCY_VISITS = "emergency-visits"
    ADMISSIONS = "admissions"
    PROCEDURE = "procedure"
    ONCOLOGY = "oncology"


@dataclass(frozen=True, slots=True)
class OfStay(Feature):
    """A number or a yes/no of the present stay or of the time before it. unit: UCUM, empty for yes/no."""

    fact: Fact
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Stay:
    """An inpatient Encounter with its beginning."""

    row: fhir.Encounter
    begun: Span


def stay_began(record: PatientRecord, encounter: fhir.Encounter | None) -> datetime | None:
    """When a stay began, an emergency visit that led to it included; None if that is not recorded.

    encounter: the stay that is meant; without one, the present stay.
    """
    present = present_stay(record) if encounter is None else None
    row = present.row if present is not None else whole(record, encounter) if encounter is not None else None
    begun = record.date_of(row) if row is not None else None
    if row is None or begun is None:
        return None
    stay = Stay(row, begun)
    led = (record.date_of(visit) for visit in visits(record) if led_to(record, visit, stay))
    return min([begun.start, *(span.start for span in led if span is not None)])


def goes_to(encounter: fhir.Encounter) -> frozenset[str]:
    """Where a patient goes at discharge: codes of HL7's discharge-disposition such as `home` or `hosp` (hospice)."""
    stated = encounter.hospitalization.discharge_disposition if encounter.hospitalization is not None else None
    return frozenset(code for _, code in codings((stated,)))


def present_stay(record: PatientRecord) -> Stay | None:
    """The latest inpatient stay that goes on or has just ended, or None."""
    found = [
        Stay(row, begun)
        for row in record.rows(fhir.Encounter)
        if is_inpatient(row)
        and (begun := record.date_of(row)) is not None
        and _now(record, row)
        and not is_part(record, row)
    ]
    return max(found, key=lambda stay: stay.begun.start, default=None)


def of_stay(record: PatientRecord, feature: OfStay, stay: Stay | None) -> FeatureValue | Unusable:
    """The fact with its Encounters or Procedures, or why it cannot be told. stay: the present one."""
    if stay is None:
        words = msg("{what} cannot be told: no stay in hospital is on record", what=feature.label)
        return Unusable(feature, Reason.NO_LIST, words)
    return _FACTS[feature.fact](record, feature, stay)


def _days(record: PatientRecord, feature: OfStay, stay: Stay) -> FeatureValue | Unusable:
    """Midnights between admission and discharge, in the zone in which the admission is written."""
    period = stay.row.period
    first = _local(period.start if period is not None else None, None)
    ended = period.end if period is not None else None
    last = _local(ended, None) or _local(period.start if period is not None else None, record.as_of)
    if first is None or last is None or last < first:
        words = msg("the beginning of the stay cannot be read")
        return Unusable(feature, Reason.NO_NUMBER, words, sources=(record.reference(stay.row),))
    return valued(record, feature, float((last - first).days), [stay.row])


def _local(text: str | None, moment: datetime | None) -> date | None:
    """The calendar day of a FHIR time, or of a moment in that time's zone."""
    span = parse(text)
    if span is None or text is None:
        return None
    if moment is None:
        return date.fromisoformat(text[:10]) if len(text) >= 10 else None
    zone = datetime.fromisoformat(text).tzinfo if len(text) > 10 else None
    return moment.astimezone(zone or UTC).date()


def _emergency(record: PatientRecord, feature: OfStay, stay: Stay) -> FeatureValue | Unusable:
    """Whether the admission was unplanned: its priority, its source, its type, or an emergency visit just before."""
    stated = [_V3_PRIORITY[code] for _, code in codings((stay.row.priority,)) if code in _V3_PRIORITY]
    stated += [_TYPES[code] for system, code in codings(stay.row.type) if system == SNOMED and code in _TYPES]
    source = stay.row.hospitalization.admit_source if stay.row.hospitalization is not None else None
    stated += [True for _, code in codings((source,)) if code == "emd"]
    if stated and all(value == stated[0] for value in stated):
        return valued(record, feature, stated[0], [stay.row])
    leading = [row for row in visits(record) if led_to(record, row, stay)]
    if leading and not stated:
        return valued(record, feature, True, [*leading, stay.row])
    words = msg("it is not on record whether the admission was an emergency")
    reason = Reason.CONFLICT if stated else Reason.ABSENT
    return Unusable(feature, reason, words, sources=(record.reference(stay.row),))


def _emergency_visits(record: PatientRecord, feature: OfStay, stay: Stay) -> FeatureValue | Unusable:
    """Emergency visits in the six months before the stay, without the one that led to it."""
    since = stay.begun.start - SIX_MONTHS
    rows = [r for r in visits(record) if not led_to(record, r, stay) and before(record, r, since, stay)]
    return counted(record, feature, rows, since)


def _admissions(record: PatientRecord, feature: OfStay, stay: Stay) -> FeatureValue | Unusable:
    """Inpatient stays that began in the twelve months before this one."""
    since = stay.begun.start - TWELVE_MONTHS
    others = (r for r in record.rows(fhir.Encounter) if is_inpatient(r) and r is not stay.row and held(r))
    rows = [r for r in others if before(record, r, since, stay) and not is_part(record, r)]
    return counted(record, feature, rows, since)


def counted(
    record: PatientRecord, feature: Feature, rows: list[fhir.Encounter], since: datetime
) -> FeatureValue | Unusable:
    """The number, if the Encounters that were supplied reach back to the beginning of the time asked for."""
    oldest = min((s.start for r in record.rows(fhir.Encounter) if (s := record.date_of(r))), default=None)
    if record.has_list("Encounter") or (oldest is not None and oldest <= since):
        return valued(record, feature, float(len(rows)), rows, inferred=not rows)
    words = msg("{what}: the encounters that were supplied do not reach back far enough", what=feature.label)
    return Unusable(feature, Reason.NO_LIST, words)


def _procedure(record: PatientRecord, feature: OfStay, stay: Stay) -> FeatureValue | Unusable:
    """Whether anything was done in the stay that a hospital would code as a procedure."""
    in_stay = [row for row in done(record) if happened_since(record.date_of(row), stay.begun.start)]
    sure = [row for row in in_stay if is_coded(row)]
    if sure:
        return valued(record, feature, True, sure)
    if not record.rows(fhir.Procedure) and not record.has_list("Procedure"):
        return not_supplied(feature)
    open_ = [row for row in in_stay if not set(category(row)) & _TALKED]
    if open_:
        words = msg("it cannot be told whether what was done in the stay counts as a procedure")
        sources = tuple(sorted(record.reference(row) for row in open_))
        return Unusable(feature, Reason.UNREADABLE, words, sources=sources)
    return FeatureValue(feature, False, None, (), inferred=True)


def _oncology(record: PatientRecord, feature: OfStay, stay: Stay) -> FeatureValue | Unusable:
    """Whether the stay is on an oncology service, from the service that the Encounter names."""
    service = stay.row.service_type
    words = (label(service) or "").casefold()
    if service is None or not (words or service.coding):
        reason = msg("the service of the stay is not on record")
        return Unusable(feature, Reason.ABSENT, reason, sources=(record.reference(stay.row),))
    coded = any(system == SNOMED and code in _ONCOLOGY for system, code in codings((service,)))
    return valued(record, feature, coded or any(word in words for word in _ONCOLOGY_WORDS), [stay.row])


_FACTS: Mapping[Fact, Callable[[PatientRecord, OfStay, Stay], FeatureValue | Unusable]] = {
    Fact.DAYS: _days,
    Fact.EMERGENCY: _emergency,
    Fact.EMERGENCY_VISITS: _emergency_visits,
    Fact.ADMISSIONS: _admissions,
    Fact.PROCEDURE: _procedure,
    Fact.ONCOLOGY: _oncology,
}


def _now(record: PatientRecord, row: fhir.Encounter) -> bool:
    """True if a stay goes on, or ended just now."""
    if row.status in PRESENT and not is_over(row, record.as_of):
        return True
    ended = record.ends(row)
    return held(row) and ended is not None and record.as_of - ended.end <= JUST_ENDED


def visits(record: PatientRecord) -> Iterator[fhir.Encounter]:
    """Emergency visits that were held."""
    for row in record.rows(fhir.Encounter):
        if row.class_ is not None and row.class_.code == "EMER" and held(row) and not is_part(record, row):
            yield row


def led_to(record: PatientRecord, row: fhir.Encounter, stay: Stay) -> bool:
    """True if an emergency visit began before the stay and ended in it, or no more than a day before it."""
    begun = record.date_of(row)
    ended = record.ends(row)
    if begun is None or begun.start > stay.begun.end:
        return False
    last = ended.end if ended is not None else begun.end
    return stay.begun.start - last <= LEADS_TO


def before(record: PatientRecord, row: fhir.Encounter, since: datetime, stay: Stay) -> bool:
    """Whether a visit began since a moment and before the stay."""
    begun = record.date_of(row)
    return begun is not None and since <= begun.start < stay.begun.start
