"""What holds for a patient and is no entry of the problem list: pregnancy as answered, flags on the chart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Flag
from cds_service.fhir.times import parse
from cds_service.hook_needs import PREGNANCY_STATUS
from cds_service.language import msg
from cds_service.summary.facts import PROBLEM, Fact
from cds_service.summary.must import PREGNANCY
from cds_service.summary.rows import as_known, name_of

_LASTS = timedelta(weeks=43)  # an older answer is about another pregnancy
_PREGNANT = frozenset({"77386006", "LA15173-0"})  # SNOMED CT, LOINC answer
_NOT_PREGNANT = frozenset({"60001007", "261665006"})  # not pregnant, unknown; SNOMED CT


def pregnancy(record: PatientRecord) -> tuple[Fact, ...]:
    """The latest answer to whether the patient is pregnant, unless it is no, unknown or too old."""
    answered = (m for m in record.newest(PREGNANCY_STATUS) if m.concept is not None and m.effective is not None)
    latest = next(answered, None)
    if latest is None or latest.effective is None or record.as_of - latest.effective > _LASTS:
        return ()
    stated = {code for _, code in codes.codings((latest.concept,))}
    answer = name_of(latest.concept)
    if not stated.isdisjoint(_NOT_PREGNANT) or not answer or answer.casefold().startswith(("not ", "unknown", "no")):
        return ()
    said = msg("pregnant") if answer in _PREGNANT else answer  # a code without words
    text = msg("Pregnancy status: {value}, {date}", value=said, date=latest.effective.date())
    key = f"{codes.LOINC}|{PREGNANCY_STATUS[0]}"
    return (Fact(PROBLEM, text, (latest.reference,), latest.effective, key=key, tags=frozenset({PREGNANCY})),)


def flags(record: PatientRecord) -> tuple[Fact, ...]:
    """Warnings on the chart that hold, such as isolation."""
    return tuple(_flags(record))


def _flags(record: PatientRecord) -> Iterator[Fact]:
    for row in record.rows(Flag):
        name = name_of(row.code) or next((n for c in row.category if (n := name_of(c))), None)
        ended = parse(row.period.end) if row.period is not None else None
        if row.status not in (None, "active") or not name or (ended is not None and ended.end <= record.as_of):
            continue
        span = record.date_of(row)
        text = msg("Warning on the chart: {name}", name=name)
        if span is not None:
            text = msg("{problem}, since {date}", problem=text, date=as_known(span))
        time = span.start if span is not None else None
        yield Fact(PROBLEM, text, (record.reference(row),), time, key=f"flag/{name.casefold()}", status="active")
