"""What a record holds and its facts do not tell: for who searches it, a line each.

A summary tells the latest result of a measurement and leaves out what is over a year old; a question may be about an
earlier one, about a test that has a local code alone, about one that gave no value, or about what was not done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    DiagnosticReport,
    Immunization,
    MedicationRequest,
    Observation,
    Procedure,
    Resource,
    ServiceRequest,
)
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.summary.facts import (
    DOCUMENT,
    IMMUNISATION,
    MEDICATION,
    ORDERED,
    PLAN,
    PROCEDURE,
    RESULT,
    Fact,
    medicine_name,
)
from cds_service.summary.genes import of_genes
from cds_service.summary.results import Valued, has_value, named_value
from cds_service.summary.rows import MAX_NAME, as_known, name_of
from cds_service.summary.statuses import with_status

MOST = 12  # values of one kind, the latest
_OVER: Mapping[str, Message] = {
    "completed": msg("order completed"),
    "revoked": msg("order revoked"),
    "on-hold": msg("order on hold"),
}
_ORDERS: Mapping[str, Message] = {**_OVER, "active": msg("order active"), "stopped": msg("order stopped")}


@dataclass(frozen=True, slots=True)
class Untold:
    """The lines, those of one kind under one key, latest first.

    entries: of what has no line else, with their status: each says no more than its own words. beyond: values and
    entries for which there are too many lines.
    """

    facts: tuple[Fact, ...]
    entries: tuple[Fact, ...]
    beyond: int


def untold(record: PatientRecord, told: Collection[Fact]) -> Untold:
    """What the facts of a record do not tell."""
    known = {(fact.key, reference) for fact in told for reference in fact.references}
    values = [(key, row, words, record.date_of(row)) for key, row, words in _values(record)]
    days = Counter((key, span.start.date()) for key, _, _, span in values if span is not None)
    seen: Counter[str] = Counter()
    kept = []
    for key, row, words, span in values:
        timed = span is not None and not span.partial and days[key, span.start.date()] > 1
        if timed or (key, record.reference(row)) not in known:
            seen[key] += 1
            if seen[key] <= MOST:
                kept.append(_fact(record, row, RESULT, words(), key, timed=timed))
    alone = {fact.references[0] for fact in told if len(fact.references) == 1}
    found = (*kept, *_valueless(record), *_orders(record, alone), *_rest(record))
    once = {reference for fact in (*told, *found) for reference in fact.references}
    entries = []
    for fact in with_status(record, once):
        seen[fact.key] += 1
        if seen[fact.key] <= MOST:
            entries.append(fact)
    return Untold(found, tuple(entries), sum(max(0, n - MOST) for n in seen.values()))


def _values(record: PatientRecord) -> Iterator[tuple[str, Observation, Callable[[], Message]]]:
    """Every value with what puts it into words, by LOINC code, then those that have none by name; latest first."""
    for code, rows in record.timelines():
        for _, observation, part in rows:
            if has_value(part) and not of_genes(observation):
                yield f"{codes.LOINC}|{code}", observation, partial(named_value, code, part)
    for observation in record.rows(Observation):
        parts: tuple[Valued, ...] = (observation, *observation.component)
        for part in parts:
            name = name_of(part.code)
            if name and has_value(part) and not _loinc(part) and not of_genes(observation):
                yield f"name|{name.casefold()}", observation, partial(named_value, "", part)


def _orders(record: PatientRecord, alone: Collection[str]) -> Iterator[Fact]:
    """Orders of a medicine one by one, with dose and status: a summary tells those of one medicine together.

    alone: references of what a fact tells by itself.
    """
    for order in record.rows(MedicationRequest):
        name, status = medicine_name(record, order), _ORDERS.get(order.status or "")
        if name and status and record.reference(order) not in alone and _meant(order):
            dose = next((shorten(" ".join(d.text.split()), MAX_NAME) for d in order.dosage_instruction if d.text), "")
            named = msg("{name} ({dose})", name=name, dose=dose) if dose else msg("{name}", name=name)
            text = msg("{name}: {value}", name=named, value=status)
            yield _fact(record, order, MEDICATION, text, f"medicine|{name.casefold()}", dated=_prescribed)


def _meant(order: MedicationRequest) -> bool:
    return order.intent in {None, *ORDERED} and not order.do_not_perform


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
            yield _fact(record, order, PLAN, text, record.reference(order), dated=_ordered)
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


def _on(text: Message, day: date) -> Message:
    return msg("{result}, {date}", result=text, date=day)


def _ordered(text: Message, day: date) -> Message:
    return msg("{order}, ordered {date}", order=text, date=day)


def _prescribed(text: Message, day: date) -> Message:
    return msg("{medicine}, prescribed {date}", medicine=text, date=day)


def _fact(
    record: PatientRecord,
    row: Resource,
    kind: str,
    text: Message,
    key: str,
    *,
    certainty: str = "confirmed",
    timed: bool = False,
    dated: Callable[[Message, date], Message] = _on,
) -> Fact:
    """timed: with the time of day, because there are several of one day. dated: puts the day of the row into words."""
    if isinstance(row, Observation) and row.status == "preliminary":
        text = msg("{result}, preliminary", result=text)
    span = record.date_of(row)
    if span is not None:
        text = dated(text, span.start if timed else as_known(span))
    time = span.start if span is not None else None
    return Fact(kind, text, (record.reference(row),), time, key=key, certainty=certainty)
