"""Entries of a record that no other line tells, each with its name, what it is and the status that it has.

So that a question never hears that nothing speaks of a medicine that was stopped elsewhere, an allergy that is over,
an appointment that was kept or a result whose value has a form that is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import parse
from cds_service.language import Message, msg
from cds_service.summary import facts
from cds_service.summary.facts import Fact
from cds_service.summary.follow_up import appointment_name
from cds_service.summary.history import device_name
from cds_service.summary.results import has_value
from cds_service.summary.rows import as_known, name_of

Named = Callable[[PatientRecord, Any], "str | Message | None"]
_STATUSES: Mapping[str, Message] = MappingProxyType({
    "active": msg("entered as active"),
    "arrived": msg("the patient arrived"),
    "booked": msg("booked for a day that is over"),
    "completed": msg("completed"),
    "draft": msg("a draft"),
    "fulfilled": msg("took place"),
    "inactive": msg("not active any more"),
    "intended": msg("intended, not begun"),
    "noshow": msg("the patient did not come"),
    "not-taken": msg("not taken"),
    "on-hold": msg("on hold"),
    "preparation": msg("in preparation, not begun"),
    "proposed": msg("proposed, not confirmed"),
    "rejected": msg("rejected"),
    "resolved": msg("not active any more"),
    "revoked": msg("revoked"),
    "stopped": msg("stopped"),
    "unknown": msg("with unknown status"),
})  # fmt: skip


class _Kind(NamedTuple):
    """A type of entries: the kind of its facts, what a reader calls it, and how one of them is named."""

    fact: str
    noun: Message
    named: Named


def _coded(_: PatientRecord, row: Any) -> str | None:
    return name_of(row.code)


def _consent(_: PatientRecord, row: fhir.Consent) -> str | None:
    return next((name for one in (*row.category, row.scope) if (name := name_of(one))), None)


def _plan(_: PatientRecord, row: fhir.CarePlan) -> str | None:
    return row.title or next((name for one in row.category if (name := name_of(one))), None)


_KINDS: Mapping[type[fhir.Resource], _Kind] = MappingProxyType({
    fhir.AdverseEvent: _Kind(facts.ADVERSE_EVENT, msg("adverse event that was possible"),
                             lambda _, row: name_of(row.event)),
    fhir.AllergyIntolerance: _Kind(facts.ALLERGY, msg("allergy"), _coded),
    fhir.Appointment: _Kind(facts.PLAN, msg("appointment"), lambda _, row: appointment_name(row)),
    fhir.CarePlan: _Kind(facts.PLAN, msg("care plan"), _plan),
    fhir.Condition: _Kind(facts.PROBLEM, msg("problem"), _coded),
    fhir.Consent: _Kind(facts.PLAN, msg("consent"), _consent),
    fhir.Device: _Kind(facts.DEVICE, msg("device"), lambda _, row: device_name(row)),
    fhir.DeviceUseStatement: _Kind(facts.DEVICE, msg("device"),
                                   lambda _, row: row.device.display if row.device is not None else None),
    fhir.Flag: _Kind(facts.PROBLEM, msg("warning"), _coded),
    fhir.Goal: _Kind(facts.GOAL, msg("goal"), lambda _, row: name_of(row.description)),
    fhir.MedicationRequest: _Kind(facts.MEDICATION, msg("prescription"), facts.medicine_name),
    fhir.MedicationStatement: _Kind(facts.MEDICATION, msg("medicine"), facts.medicine_name),
    fhir.Observation: _Kind(facts.RESULT, msg("result"), _coded),
    fhir.Procedure: _Kind(facts.PROCEDURE, msg("procedure"), _coded),
    fhir.ServiceRequest: _Kind(facts.PLAN, msg("order"), _coded),
})  # fmt: skip


def with_status(record: PatientRecord, told: Collection[str]) -> Iterator[Fact]:
    """A line for each entry with a name whose reference is not among those that are told; latest first by type."""
    for row in record.every():
        if record.reference(row) in told or (isinstance(row, fhir.Observation) and _has_value(row)):
            continue
        kind = _KINDS.get(type(row))
        name = kind.named(record, row) if kind is not None else None
        if kind is None or not name:
            continue
        text = _observed(row, name) if isinstance(row, fhir.Observation) else _entered(row, name, kind.noun)
        span = parse(row.start) if isinstance(row, fhir.Appointment) else record.date_of(row)
        if span is not None and isinstance(row, fhir.Observation | fhir.Appointment):
            text = msg("{text}, {date}", text=text, date=as_known(span))
        elif span is not None:  # the day of the entry is not that on which it was stopped or completed
            text = msg("{text} (entry of {date})", text=text, date=as_known(span))
        key = f"{type(row).__name__}|{str(name).casefold()}"
        yield Fact(kind.fact, text, (record.reference(row),), span.start if span is not None else None, key=key)


def _has_value(row: fhir.Observation) -> bool:
    """True for what other lines tell, or leave out because there are too many of a kind."""
    return has_value(row) or any(map(has_value, row.component))


def _observed(row: fhir.Observation, name: str | Message) -> Message:
    """A result that is yes or no, or whose value has a form that is not read (a day, a ratio, a range)."""
    if row.value_boolean is not None:
        return msg("{name}: {value}", name=name, value=msg("yes") if row.value_boolean else msg("no"))
    return msg("{name}: recorded, without a value that can be read here", name=name)


def _entered(row: fhir.Resource, name: str | Message, noun: Message) -> Message:
    if status := _status(row):
        said = _STATUSES.get(status) or msg("status {status}", status=status)
        text = msg("{name}: {kind}, {status}", name=name, kind=noun, status=said)
    else:
        text = msg("{name}: {kind}", name=name, kind=noun)
    return msg("Not to be done: {what}", what=text) if getattr(row, "do_not_perform", None) else text


def _status(row: Any) -> str:
    concept = getattr(row, "clinical_status", None)
    if concept is not None:
        return next((one.code for one in concept.coding if one.code), "")
    return getattr(row, "status", None) or getattr(row, "lifecycle_status", None) or ""
