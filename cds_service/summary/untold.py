"""What a record holds and its facts do not tell: for who searches it, a line each.

A summary tells the latest result of a measurement and leaves out what is over a year old; a question may be about an
earlier one, about a test that has a local code alone, about one that gave no value, or about what was not done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    DiagnosticReport,
    Immunization,
    Observation,
    Procedure,
    Resource,
    ServiceRequest,
)
from cds_service.language import Message, msg
from cds_service.summary.facts import DOCUMENT, IMMUNISATION, PLAN, PROCEDURE, RESULT, Fact
from cds_service.summary.genes import of_genes
from cds_service.summary.results import Valued, has_value, named_value
from cds_service.summary.rows import as_known, name_of

MOST = 12  # values of one kind, the latest
_OVER: Mapping[str, Message] = {
    "completed": msg("order completed"),
    "revoked": msg("order revoked"),
    "on-hold": msg("order on hold"),
}


@dataclass(frozen=True, slots=True)
class Untold:
    """The lines, those of one kind under one key, latest first. beyond: values for which there are too many lines."""

    facts: tuple[Fact, ...]
    beyond: int


def untold(record: PatientRecord, told: Iterable[Fact]) -> Untold:
    """What the facts of a record do not tell."""
    known = {(fact.key, reference) for fact in told for reference in fact.references}
    seen: Counter[str] = Counter()
    kept = []
    for key, observation, part, words in _values(record):
        if (key, record.reference(observation)) not in known:
            seen[key] += 1
            if seen[key] <= MOST:
                kept.append(_fact(record, observation, RESULT, words(part), key))
    beyond = sum(max(0, n - MOST) for n in seen.values())
    return Untold((*kept, *_valueless(record), *_rest(record)), beyond)


def _values(record: PatientRecord) -> Iterator[tuple[str, Observation, Valued, Callable[[Valued], Message]]]:
    """Every value with what puts it into words, by LOINC code, then those that have none by name; latest first."""
    for code, rows in record.timelines():
        for _, observation, part in rows:
            if has_value(part) and not of_genes(observation):
                yield f"{codes.LOINC}|{code}", observation, part, partial(named_value, code)
    for observation in record.rows(Observation):
        parts: tuple[Valued, ...] = (observation, *observation.component)
        for part in parts:
            name = name_of(part.code)
            if name and has_value(part) and not _loinc(part) and not of_genes(observation):
                yield f"name|{name.casefold()}", observation, part, partial(named_value, "")


def _valueless(record: PatientRecord) -> Iterator[Fact]:
    """Tests that gave no value, and why."""
    for row in record.rows(Observation):
        name, reason = name_of(row.code), name_of(row.data_absent_reason)
        if name and reason and not has_value(row):
            text = msg("{name}: no value ({reason})", name=name, reason=reason)
            yield _fact(record, row, RESULT, text, f"none|{name.casefold()}")


def _rest(record: PatientRecord) -> Iterator[Fact]:
    """Reports without a conclusion, orders that are over, and what was not done."""
    for report in record.rows(DiagnosticReport):
        name = name_of(report.code)
        if name and not (report.conclusion or "").strip():
            text = msg("{name}: a report without a conclusion in words", name=name)
            yield _fact(record, report, DOCUMENT, text, record.reference(report), certainty="stated")
    for order in record.rows(ServiceRequest):
        name, over = name_of(order.code), _OVER.get(order.status or "")
        if name and over is not None and not order.do_not_perform:
            text = msg("{name}: {value}", name=name, value=over)
            yield _fact(record, order, PLAN, text, record.reference(order))
    not_done: tuple[tuple[type[Procedure] | type[Immunization], str, Callable[..., str | None]], ...] = (
        (Procedure, PROCEDURE, lambda row: name_of(row.code)),
        (Immunization, IMMUNISATION, lambda row: name_of(row.vaccine_code)),
    )
    for type_, kind, named in not_done:
        for row in record.not_done(type_):
            if (name := named(row)) is not None:
                yield _fact(record, row, kind, msg("{name}: not done", name=name), record.reference(row))


def _loinc(part: Valued) -> bool:
    return any(system == codes.LOINC for system, _ in codes.codings((part.code,)))


def _fact(
    record: PatientRecord, row: Resource, kind: str, text: Message, key: str, *, certainty: str = "confirmed"
) -> Fact:
    if isinstance(row, Observation) and row.status == "preliminary":
        text = msg("{result}, preliminary", result=text)
    span = record.date_of(row)
    if span is not None:
        text = msg("{result}, {date}", result=text, date=as_known(span))
    time = span.start if span is not None else None
    return Fact(kind, text, (record.reference(row),), time, key=key, certainty=certainty)
