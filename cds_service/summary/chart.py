"""The resources that sentences may cite: one patient's, by reference, each with what it states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
import orjson

from cds_service.errors import BadRequest
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.stated import Json, Stated, stated
from cds_service.fhir.times import parse, whole_day

_PLACE = re.compile(r"#s\d+$")  # of a sentence in a document, as facts of documents cite it


@dataclass
class Chart:
    """One patient's resources at one moment; made by `from_bundle` or `from_record`.

    rows: reference -> the resource; a full URL leads to the same row. foreign: references of rows about others.
    """

    as_of: datetime
    rows: Mapping[str, Json]
    urls: Mapping[str, str]
    foreign: frozenset[str] = frozenset()
    patient: Json | None = None
    _read: dict[str, Stated] = field(default_factory=dict)

    @classmethod
    def from_bundle(cls, bundle: Json, as_of: datetime) -> Chart:
        """The chart of a Bundle that holds one Patient. Raises BadRequest where it holds none or several."""
        rows: dict[str, Json] = {}
        urls: dict[str, str] = {}
        for url, resource in _entries(bundle):
            reference = f"{resource.get('resourceType')}/{resource.get('id')}" if resource.get("id") else url or ""
            rows[reference] = resource
            if url:
                urls[url] = reference
        patients = {ref: row for ref, row in rows.items() if row.get("resourceType") == "Patient"}
        if len(patients) != 1:
            raise BadRequest(f"The Bundle must hold one Patient, got {len(patients)}. Give one patient's Bundle.")
        ((own, patient),) = patients.items()
        foreign = frozenset(ref for ref, row in rows.items() if _of_another(row, own, urls))
        return cls(as_of, rows, urls, foreign, patient)

    @classmethod
    def from_record(cls, record: PatientRecord) -> Chart:
        """The chart of a record: its usable rows, each with the members that Curbside decodes."""
        rows = {record.reference(row): _json(row) for row in record.every()}
        return cls(record.as_of, rows, {}, frozenset(), _json(record.patient) if record.patient else None)

    def find(self, reference: str) -> Stated | None:
        """What the resource of a reference states; None if there is none."""
        reference = self.urls.get(reference, reference)
        if reference not in self.rows:
            reference = _PLACE.sub("", reference)
        if reference not in self._read:
            row = self.rows.get(reference)
            if row is None:  # an absolute or versioned reference to what is here under its type and id
                reference = "/".join(reference.split("/_history")[0].split("/")[-2:])
                row = self.rows.get(reference)
            if row is None:
                return None
            self._read[reference] = stated(row, reference)
        return self._read[reference]

    def linked(self, of: Stated) -> Iterator[Stated]:
        """The resources that a resource refers to: its reason, its product."""
        for reference in of.linked:
            if reference.startswith("#"):
                inside = of.json.get("contained")
                for row in inside if isinstance(inside, list) else ():
                    if isinstance(row, dict) and row.get("id") == reference[1:]:
                        yield stated(row, f"{of.reference}{reference}")
            else:
                found = self.find(reference)
                if found is not None:
                    yield found

    def of_kind(self, kind: str) -> Iterator[Stated]:
        """What each of the patient's resources of a type states."""
        for reference, row in self.rows.items():
            if row.get("resourceType") == kind and reference not in self.foreign:
                found = self.find(reference)
                if found is not None:
                    yield found

    @property
    def birth_date(self) -> date | None:
        """The patient's day of birth, or None if it is not known to the day."""
        text = self.patient.get("birthDate") if self.patient is not None else None
        return whole_day(text) if isinstance(text, str) else None

    @property
    def gender(self) -> str | None:
        """`female`, `male` or another code; None if it is not recorded."""
        value = self.patient.get("gender") if self.patient is not None else None
        return value if isinstance(value, str) else None

    @property
    def deceased(self) -> bool:
        """True if the patient is recorded as dead by the moment of the chart."""
        row = self.patient or {}
        died = parse(row.get("deceasedDateTime") if isinstance(row.get("deceasedDateTime"), str) else None)
        return bool(row.get("deceasedBoolean")) or (died is not None and not died.after(self.as_of))


def _json(row: Any) -> Json:
    found: Json = orjson.loads(msgspec.json.encode(row))
    return found


def _entries(bundle: Json) -> Iterable[tuple[str | None, dict[str, Any]]]:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            if resource.get("resourceType") == "Bundle":
                yield from _entries(resource)
            else:
                url = entry.get("fullUrl")
                yield (url if isinstance(url, str) else None), resource


def _of_another(row: Json, patient: str, urls: Mapping[str, str]) -> bool:
    owner = row.get("subject") or row.get("patient")
    reference = owner.get("reference") if isinstance(owner, dict) else None
    if not isinstance(reference, str) or reference.startswith("#"):
        return False
    if reference == f"urn:uuid:{patient.rpartition('/')[2]}":
        return False
    named = urls.get(reference, reference)
    parts = named.split("/_history")[0].split("/")
    return "/".join(parts[-2:]) != patient and named != patient
