"""What says the same as an entry of the problem list and stands elsewhere: an order, a visit, an answer, a procedure.

Comfort care is ordered, a pregnancy answered for, a valve replaced and a dialysis done more often than they are listed.
Only what is in force counts: an active order that is no proposal, a visit that goes on, the latest answer of the time
in which it can hold, a procedure that was done, not long ago where it has to be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds_service.features.feature import Elsewhere
from cds_service.features.hospital import PRESENT, is_over
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import SNOMED, codings, label
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import Span

_DONE = frozenset({"completed", "in-progress"})
_IN_FORCE = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order", None})
Said = tuple[str, Span | None]


def said_elsewhere(record: PatientRecord, wanted: Elsewhere) -> tuple[Said, ...]:
    """References and times of all that says it; nothing where nothing does."""
    found = [*_answered(record, wanted), *_done(record, wanted)]
    if wanted.codes:
        found += [*_ordered(record, wanted), *_visiting(record, wanted)]
    return tuple(found)


def _done(record: PatientRecord, wanted: Elsewhere) -> Iterator[Said]:
    for row in record.rows(fhir.Procedure) if wanted.done else ():
        if row.status not in _DONE or not any(s == SNOMED and c in wanted.done for s, c in codings((row.code,))):
            continue
        time = record.date_of(row)
        longest = None if wanted.done_days is None else timedelta(days=wanted.done_days)
        if longest is None or (time is not None and record.as_of - time.end <= longest):
            yield record.reference(row), time


def _ordered(record: PatientRecord, wanted: Elsewhere) -> Iterator[Said]:
    for row in record.rows(fhir.ServiceRequest):
        if row.status == "active" and row.intent in _IN_FORCE and not row.do_not_perform and _means(row.code, wanted):
            yield record.reference(row), record.date_of(row)


def _visiting(record: PatientRecord, wanted: Elsewhere) -> Iterator[Said]:
    for row in record.rows(fhir.Encounter):
        goes_on = row.status in PRESENT and not is_over(row, record.as_of)
        if goes_on and any(_means(concept, wanted) for concept in (*row.type, row.service_type)):
            yield record.reference(row), record.date_of(row)


def _answered(record: PatientRecord, wanted: Elsewhere) -> Iterator[Said]:
    """The latest answer alone: a later "no" ends it."""
    latest = next(record.newest(wanted.questions), None) if wanted.questions else None
    if latest is None or latest.effective is None or record.as_of - latest.effective > timedelta(days=wanted.days):
        return
    if any(code in wanted.answers for _, code in codings((latest.concept,))):
        yield latest.reference, latest.time


def _means(concept: fhir.CodeableConcept | None, wanted: Elsewhere) -> bool:
    if any(code in wanted.codes for _, code in codings((concept,))):
        return True
    text = (label(concept) or "").casefold()
    return any(word in text for word in wanted.words)
