"""A resource that an assessment rests on, as a reader sees it: its lines in words first, then as the EHR sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Encounter, Immunization, Procedure
from cds_service.language import Message, msg
from cds_service.summary.collecting import everything
from cds_service.summary.untold import untold

KINDS = {  # what a reader calls a resource; other types go by their own names
    "AdverseEvent": msg("adverse event"),
    "AllergyIntolerance": msg("allergy"),
    "Appointment": msg("appointment"),
    "CarePlan": msg("care plan"),
    "Condition": msg("problem"),
    "Consent": msg("consent"),
    "Device": msg("device"),
    "DeviceUseStatement": msg("device"),
    "DiagnosticReport": msg("report"),
    "DocumentReference": msg("document"),
    "Encounter": msg("visit"),
    "FamilyMemberHistory": msg("family history"),
    "Flag": msg("warning"),
    "Goal": msg("goal"),
    "Immunization": msg("vaccination"),
    "MedicationRequest": msg("prescription"),
    "MedicationStatement": msg("medicine"),
    "Observation": msg("result"),
    "Patient": msg("patient"),
    "Procedure": msg("procedure"),
    "ServiceRequest": msg("order"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """name: `Type/id`. lines: what the record's summary says of it, if anything. text: its members as JSON."""

    name: str
    kind: Message
    lines: tuple[Message, ...]
    text: str


def source(record: PatientRecord, name: str) -> Source | None:
    """A usable resource of the record by `Type/id`, or None."""
    planned = (row for row in record.unordered(Encounter) if row.status == "planned")  # of days ahead: told as such
    not_done = chain(record.not_done(Procedure), record.not_done(Immunization))
    row = next((row for row in chain(record.every(), planned, not_done) if record.reference(row) == name), None)
    if row is None:
        return None
    told = everything(record)
    lines = tuple(fact.text for fact in told if name in fact.references)
    if not lines:
        further = untold(record, told)
        lines = tuple(fact.text for fact in (*further.facts, *further.entries) if name in fact.references)
    text = msgspec.json.format(msgspec.json.encode(row), indent=2).decode()
    return Source(name, kind(name), lines, text)


def kind(reference: str) -> Message:
    """What a reader calls the resource of a reference."""
    type_ = reference.partition("/")[0]
    return KINDS.get(type_, msg("{name}", name=type_))


def kinds(references: Sequence[str]) -> tuple[tuple[str, Message, int], ...]:
    """Each reference with what a reader calls it, and its number among several of that kind, else 0."""
    types = [reference.partition("/")[0] for reference in references]
    return tuple(
        (reference, kind(reference), 1 + types[:place].count(types[place]) if types.count(types[place]) > 1 else 0)
        for place, reference in enumerate(references)
    )
