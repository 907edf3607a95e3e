"""One patient of a population as known at a moment: only what had happened and been reported by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from cds_service.cohort.spool import Row, Spool
from cds_service.errors import BadRequest
from cds_service.features.contacts import within
from cds_service.fhir import resources as fhir
from cds_service.fhir.code_map import NONE, CodeMap
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.rows import date_of
from cds_service.fhir.times import DAY, Span, parse
from cds_service.protocol.request import decode_resource


@dataclass(frozen=True, slots=True)
class Loaded:
    """All resources of one patient, decoded; unreadable: how many could not be. bodies: the rows as they came."""

    id: str
    resources: tuple[fhir.AnyResource, ...]
    full_urls: tuple[str | None, ...]
    unreadable: int
    listed: frozenset[str]
    bodies: tuple[bytes, ...] = ()

    @property
    def patient(self) -> fhir.Patient | None:
        """The Patient resource."""
        return next((r for r in self.resources if isinstance(r, fhir.Patient) and r.id == self.id), None)

    @property
    def died(self) -> Span | None:
        """When the patient died, as precisely as it is recorded; None if that is not on record."""
        return parse(self.patient.deceased_date_time) if self.patient is not None else None

    def encounters(self) -> list[fhir.Encounter]:
        """Encounters with a start, in the order of their starts."""
        found = [(start.start, e) for e in self.resources if isinstance(e, fhir.Encounter) and (start := _start(e))]
        return [encounter for _, encounter in sorted(found, key=lambda pair: (pair[0], pair[1].id or ""))]

    def is_part(self, row: fhir.Encounter) -> bool:
        """True if an Encounter is a contact within another of the patient's: a department of a stay."""
        of = row.part_of.reference if row.part_of is not None else None
        if not of:
            return False
        named = zip(self.resources, self.full_urls, strict=True)
        return any(
            within(row, other)
            for other, url in named
            if isinstance(other, fhir.Encounter) and (url == of or other.id == of.rsplit("/", 1)[-1])
        )

    def record(self, at: datetime, code_map: CodeMap = NONE, *, seen: bool = False) -> PatientRecord:
        """The record as the EHR held it at a moment: later results were not there, and later diagnoses not made.

        code_map: the hospital's own codes and units. seen: somebody saw the patient then, who lived unless known dead.
        """
        sure = (at.astimezone(UTC) - DAY).date().isoformat()
        rows: list[fhir.AnyResource] = []
        urls: list[str | None] = []
        unended = self._unended(at)
        for row, url in zip(self.resources, self.full_urls, strict=True):
            if known_at(row, at, sure) and not (unended and _undated_of(row, unended)):
                rows.append(as_of(row, at, seen=seen) if type(row) in _CHANGING else row)
                urls.append(url)
        return PatientRecord.from_resources(code_map.translated(rows), urls, self.id, at, listed=self.listed)

    def _unended(self, at: datetime) -> frozenset[str]:
        """References to the encounters that had not ended by then."""
        visits = (row for row in self.resources if isinstance(row, fhir.Encounter) and row.period is not None)
        spans = ((row.id, parse(row.period.end or row.period.start)) for row in visits if row.period is not None)
        return frozenset(f"Encounter/{id_}" for id_, span in spans if span is not None and span.after(at))


_TIMES = ("recorded_date", "authored_on", "issued", "date", "date_asserted", "recorded_on", "created")
_CHANGING = (fhir.Encounter, fhir.Condition, fhir.Patient)
_ACTIVE = fhir.CodeableConcept(
    coding=(fhir.Coding(system="http://terminology.hl7.org/CodeSystem/condition-clinical", code="active"),)
)


def load(spool: Spool, patient: str, listed: frozenset[str]) -> Loaded:
    """One patient. listed: types that the population holds whole."""
    rows = spool.rows(patient)
    found, urls, bad = decoded(rows)
    more, more_urls, more_bad = decoded(spool.shared(wanted(found)))
    return Loaded(patient, (*found, *more), (*urls, *more_urls), bad + more_bad, listed, tuple(r.body for r in rows))


def wanted(found: Iterable[fhir.AnyResource]) -> list[str]:
    """The resources, by `Type/id`, that a patient's refer to and that belong to nobody."""
    return sorted({name for row in found for name in _references(row)})


def decoded(rows: Iterable[Row]) -> tuple[list[fhir.AnyResource], list[str | None], int]:
    """The resources of rows, their full URLs, and how many could not be read."""
    found: list[fhir.AnyResource] = []
    urls: list[str | None] = []
    bad = 0
    for row in rows:
        try:
            found.append(decode_resource(row.body))
            urls.append(row.full_url)
        except BadRequest:
            bad += 1
    return found, urls, bad


def _references(row: fhir.AnyResource) -> Iterable[str]:
    reference = getattr(row, "medication_reference", None)
    target = reference.reference if reference is not None else None
    if target and not target.startswith("#"):
        yield "/".join(target.rsplit("/", 2)[-2:])


def known_at(row: fhir.AnyResource, at: datetime, sure: str = "") -> bool:
    """True if the record could hold it at a moment: measured, issued, ordered or recorded by then.

    sure: the day before in UTC, such as `2026-10-31`; a text that sorts before it is of an earlier day in every zone,
    and need not be parsed.
    """
    for text in _times(row):
        if text is not None and not text < sure and (span := parse(text)) is not None and span.after(at):
            return False
    return True


def _undated_of(row: fhir.AnyResource, encounters: frozenset[str]) -> bool:
    """True if nothing dates a row but one of these encounters, as the diagnoses that are coded after a stay."""
    if not isinstance(row, fhir.Condition | fhir.Procedure | fhir.MedicationRequest) or row.encounter is None:
        return False
    if "/".join((row.encounter.reference or "").rsplit("/", 2)[-2:]) not in encounters:
        return False
    return date_of(row) is None and not any(map(parse, _times(row)))


def _times(row: fhir.AnyResource) -> Sequence[str | None]:
    """The times before which a resource was not there."""
    if isinstance(row, fhir.Observation):
        return (row.issued, row.effective_date_time)
    return [value for name in _TIMES if isinstance(value := getattr(row, name, None), str)]


def as_of(row: fhir.AnyResource, at: datetime, *, seen: bool = False) -> fhir.AnyResource:
    """The resource as it was at a moment: what ended later went on, and who died later, or that day, lived."""
    if isinstance(row, fhir.Encounter) and row.period is not None:
        end = parse(row.period.end)
        if end is not None and end.after(at):
            period = msgspec.structs.replace(row.period, end=None)
            inside = row.hospitalization
            if inside is not None and inside.discharge_disposition is not None:
                inside = msgspec.structs.replace(inside, discharge_disposition=None)
            return msgspec.structs.replace(row, period=period, status="in-progress", hospitalization=inside)
    if isinstance(row, fhir.Condition):
        ended = parse(row.abatement_date_time)
        if ended is not None and ended.after(at):
            return msgspec.structs.replace(row, abatement_date_time=None, clinical_status=_ACTIVE)
    if isinstance(row, fhir.Patient) and lived(parse(row.deceased_date_time), at, seen=seen):
        return msgspec.structs.replace(row, deceased_date_time=None, deceased_boolean=None)
    return row


def lived(died: Span | None, at: datetime, *, seen: bool) -> bool:
    """True if who died then may have been alive at a moment; a date without a time is that day where the moment was.

    died: None where it is not known when. seen: somebody saw the patient at that moment.
    """
    if died is None:
        return seen
    if died.vague and seen:
        return at < died.end
    if died.partial and not died.vague:
        return at.date() <= died.start.date()
    return died.after(at)


def _start(encounter: fhir.Encounter) -> Span | None:
    return parse(encounter.period.start) if encounter.period is not None else None
