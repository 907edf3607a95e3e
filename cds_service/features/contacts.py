"""Which Encounter is a stay, and which a contact within one: a department, a ward, intensive care.

Many EHRs send a stay as one Encounter and each department of it as another that names the stay in `partOf`: counted
apart, one admission would be three. Source: hl7.org/fhir/R4/encounter-definitions.html#Encounter.partOf.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import parse

INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})
_DEPTH = 5  # contacts within contacts; beyond it is a ring of references, which tells nothing


def is_inpatient(encounter: fhir.Encounter) -> bool:
    """True if an Encounter is a stay on a ward: inpatient, acute or not; neither an emergency visit nor a day case."""
    return encounter.class_ is not None and encounter.class_.code in INPATIENT


def held(row: fhir.Encounter) -> bool:
    """Whether a visit took place."""
    return row.status not in ("planned", "cancelled", "entered-in-error")


def within(row: fhir.Encounter, other: fhir.Encounter) -> bool:
    """True if an Encounter that names another in `partOf` is a part of it: both are stays, or visits of one class.

    An emergency visit within a stay stays a visit. What begins after the other has ended is not within it, as a
    readmission that an EHR hangs on the stay before.
    """
    if row is other or not held(other) or row.class_ is None or other.class_ is None:
        return False
    if _after(row, other):
        return False
    return row.class_.code == other.class_.code or (is_inpatient(row) and is_inpatient(other))


def _after(row: fhir.Encounter, other: fhir.Encounter) -> bool:
    begun = parse(row.period.start) if row.period is not None else None
    ended = parse(other.period.end) if other.period is not None else None
    if begun is None or ended is None:
        return False
    return begun.start >= ended.end if ended.partial else begun.start > ended.end


def whole(record: PatientRecord, row: fhir.Encounter) -> fhir.Encounter:
    """The Encounter that a contact is part of, as far as the record holds it; else the Encounter itself."""
    found = row
    for _ in range(_DEPTH):
        other = record.resolve(found.part_of, found)
        if not isinstance(other, fhir.Encounter) or not within(found, other):
            return found
        found = other
    return row


def is_part(record: PatientRecord, row: fhir.Encounter) -> bool:
    """True if an Encounter is a contact within another that the record holds."""
    return row.part_of is not None and whole(record, row) is not row


def parts(record: PatientRecord, stay: fhir.Encounter) -> Iterator[fhir.Encounter]:
    """The contacts within a stay."""
    return (row for row in record.rows(fhir.Encounter) if is_part(record, row) and whole(record, row) is stay)
