"""Rows of a record on their way to fact lines: their names, days, and which of them are one and the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime

import msgspec
from msgspec import structs

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import CodeableConcept, Condition, Resource
from cds_service.fhir.times import Span
from cds_service.language import Message, msg
from cds_service.markdown import shorten

MAX_NAME = 120  # characters of a name from the record; the rest is left out, with an ellipsis
_OVER = {
    "remission": msg("{problem}, in remission").text,
    "inactive": msg("{problem}, inactive").text,
    "resolved": msg("{problem}, resolved").text,
}
_SEVERE = (codes.SNOMED, "24484000")
_SUSPECTED = frozenset({"provisional", "differential"})
# SNOMED CT's fully specified names end in what kind of thing they name, which tells a clinician nothing.
_SEMANTIC_TAG = re.compile(
    r" ?\((disorder|finding|situation|substance|product|medicinal product|morphologic abnormality|event|procedure"
    r"|qualifier value)\)$"
)


class Row(msgspec.Struct, frozen=True):
    """One row on its way to a line; rows with a key in common are merged.

    suspected, ended, severe: of a Condition; how it is over, as `remission`, or nothing.
    """

    keys: frozenset[str]
    name: str | Message
    detail: Message | None
    reference: str
    time: Span | None
    suspected: bool = False
    ended: str = ""
    severe: bool = False


def name_of(concept: CodeableConcept | None) -> str | None:
    """The words of a concept, capped; its first code where it has no words; None where it has neither."""
    words = codes.label(concept)
    if words is None and concept is not None:
        words = next((c.code for c in concept.coding if c.code), None)
    words = _SEMANTIC_TAG.sub("", " ".join(words.split())) if words is not None else ""
    return shorten(words, MAX_NAME) if words else None


def as_known(span: Span) -> date:
    """The first day that a time may mean; it prints as the month or the year where the record says no more."""
    return span.start.date()


def row_of(record: PatientRecord, row: Resource, concept: CodeableConcept | None, detail: Message | None) -> Row:
    """A row with its codes, or else its name, as keys."""
    name, reference = name_of(concept), record.reference(row)
    keys = {f"{system}|{code}" for system, code in codes.codings((concept,))} or {(name or reference).casefold()}
    title = name or msg("an entry without a name")
    found = Row(frozenset(keys), title, detail, reference, record.date_of(row))
    if not isinstance(row, Condition):
        return found
    status = codes.status_codes(row.clinical_status)
    return structs.replace(
        found,
        suspected=not _SUSPECTED.isdisjoint(codes.status_codes(row.verification_status)),
        ended=next((way for way in _OVER if way in status), ""),
        severe=_SEVERE in codes.codings((row.severity,)),
    )


def over(problem: Message, group: tuple[Row, ...]) -> Message:
    """A problem with the way in which it is over: a cancer in remission is not resolved."""
    ended = next((row.ended for row in group if row.ended), "resolved")
    return msg(_OVER[ended], problem=problem)


def merged(rows: Iterable[Row]) -> Iterator[tuple[Row, ...]]:
    """Rows with a code, or else a name, in common; the groups and the rows within in the record's order."""
    groups: list[list[Row]] = []
    home: dict[str, list[Row]] = {}
    for row in rows:
        found = next((home[key] for key in sorted(row.keys) if key in home), None)
        if found is None:
            found = []
            groups.append(found)
        found.append(row)
        for key in row.keys:
            home.setdefault(key, found)
    return (tuple(group) for group in groups)


def references_of(group: tuple[Row, ...]) -> tuple[str, ...]:
    """The references of a group, each once."""
    return tuple(dict.fromkeys(row.reference for row in group))


def latest_of(group: tuple[Row, ...]) -> datetime | None:
    """The latest time of a group; None if it has none."""
    return max((row.time.start for row in group if row.time is not None), default=None)


def key_of(group: tuple[Row, ...]) -> str:
    """What a group is about, as `http://snomed.info/sct|22298006`."""
    return min(group[0].keys)


def with_detail(group: tuple[Row, ...]) -> Message:
    """The name, and the first detail that a row of the group has."""
    detail = next((row.detail for row in group if row.detail is not None), None)
    if detail is None:
        return msg("{text}", text=group[0].name)
    return msg("{name}: {detail}", name=group[0].name, detail=detail)
