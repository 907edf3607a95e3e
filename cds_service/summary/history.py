"""A record as cited fact lines, continued: what was done, given and wished; relatives; devices; documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import structs

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    AdverseEvent,
    CodeableConcept,
    Condition,
    Consent,
    Device,
    DeviceUseStatement,
    DiagnosticReport,
    DocumentReference,
    Encounter,
    FamilyMemberHistory,
    Flag,
    Immunization,
    Procedure,
    Resource,
    ServiceRequest,
)
from cds_service.hook_needs import DIRECTIVES
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.summary.facts import (
    ADVERSE_EVENT,
    CODE_STATUS,
    DEVICE,
    DOCUMENT,
    ENCOUNTER,
    FAMILY,
    IMMUNISATION,
    PROCEDURE,
    SOCIAL,
    Fact,
)
from cds_service.summary.rows import as_known, name_of

MAX_STATEMENT = 300  # characters of a report's conclusion or a document's description
_STAYS = frozenset({"IMP", "ACUTE", "NONAC", "EMER", "OBSENC", "SS"})
# What a resuscitation status is coded as. SNOMED CT, ICD-10-CM.
_CODE_STATUS = {
    (codes.SNOMED, "304253006"), (codes.SNOMED, "304252001"), (codes.SNOMED, "450475007"),
    (codes.SNOMED, "450476008"), (codes.ICD10_CM, "Z66"), (codes.ICD10, "Z66"),
    (codes.LOINC, "LA33470-8"), (codes.LOINC, "LA33471-6"),  # an order for or against it (PACIO, US Core)
}  # fmt: skip
_CODE_STATUS_WORDS = re.compile(r"(?i)resuscitat|\bcode status|\bDNA?R\b|\bfull code|advance directive|复苏")
# Smoking, alcohol, other substances, occupation, housing, education, stress, social contact. LOINC.
SOCIAL_CODES = (
    "72166-2", "11367-0", "74013-4", "11331-6", "74204-9", "11343-1", "11341-5", "71802-3", "82589-3", "76437-3",
    "76504-0", "63504-5", "88028-6", "82593-5",
)  # fmt: skip
_VACCINE = re.compile(r"(?i)vaccin|疫苗")
ENDED = frozenset({"inactive", "completed", "stopped", "entered-in-error", "cancelled", "rejected"})


def procedures(record: PatientRecord) -> tuple[Fact, ...]:
    """Procedures that were done, each kind once: when last, and how often."""
    rows = [(row, row.code) for row in record.rows(Procedure) if row.status in (None, "completed", "in-progress")]
    return tuple(
        Fact(PROCEDURE, _told(record, group, name), _references(record, group), _when(record, group[0]), key=key)
        for key, name, group in _grouped(rows)
    )


def encounters(record: PatientRecord) -> tuple[Fact, ...]:
    """Stays in hospital and emergency visits one by one; other visits by kind: when last, and how often."""
    rows = [row for row in record.rows(Encounter) if row.status not in ("planned", "cancelled")]
    stays = tuple(_stay(record, row) for row in rows if row.class_ is not None and row.class_.code in _STAYS)
    others = [(row, _type_of(row)) for row in rows if row.class_ is None or row.class_.code not in _STAYS]
    visits = tuple(
        Fact(ENCOUNTER, _told(record, group, name), _references(record, group), _when(record, group[0]), key=key)
        for key, name, group in _grouped(others)
    )
    return (*stays, *visits)


def immunisations(record: PatientRecord) -> tuple[Fact, ...]:
    """Vaccines that were given: when last, and how often."""
    rows = [(row, row.vaccine_code) for row in record.rows(Immunization) if row.status in (None, "completed")]
    found = []
    for key, name, group in _grouped(rows):
        # A vaccine may be called as the disease is: it must not be read as one.
        title = name if _VACCINE.search(name) else msg("{name} vaccine", name=name)
        text = _told(record, group, title)
        found.append(Fact(IMMUNISATION, text, _references(record, group), _when(record, group[0]), key=key))
    return tuple(found)


def devices(record: PatientRecord) -> tuple[Fact, ...]:
    """Devices in use and implants."""
    found: dict[str, Fact] = {}
    for use in record.rows(DeviceUseStatement):
        device = record.resolve(use.device, use)
        name = device_name(device) if isinstance(device, Device) else None
        name = name or (use.device.display if use.device is not None else None)
        if use.status not in ENDED and name:
            references = (record.reference(use), *((record.reference(device),) if device is not None else ()))
            found[name] = dated(record, DEVICE, name, use, references, status="active")
    for device in record.rows(Device):
        name = device_name(device)
        if name and device.status not in ENDED:
            found.setdefault(name, dated(record, DEVICE, name, device, (record.reference(device),), status="active"))
    return tuple(found.values())


def code_status(record: PatientRecord) -> tuple[Fact, ...]:
    """What is recorded about resuscitation and advance directives, the latest first; nothing if nothing is."""
    found: list[tuple[datetime | None, Fact]] = []
    for row, concepts in _directives(record):
        names = [name for concept in concepts if (name := name_of(concept))]
        forbids = isinstance(row, ServiceRequest) and bool(row.do_not_perform)
        coded = not _CODE_STATUS.isdisjoint(codes.codings(concepts))
        if names and (coded or any(_CODE_STATUS_WORDS.search(name) for name in names)):
            text = names[-1] if len(names) == 1 or names[0] == names[-1] else f"{names[0]}: {names[-1]}"
            fact = dated(record, CODE_STATUS, text, row, (record.reference(row),), status="active")
            fact = structs.replace(fact, text=msg("Not to be done: {what}", what=fact.text)) if forbids else fact
            found.append((fact.effective, fact))
    found.sort(key=lambda pair: (pair[0] is None, -(pair[0].timestamp() if pair[0] else 0.0)))
    return tuple(fact for _, fact in found)


def social(record: PatientRecord) -> tuple[Fact, ...]:
    """The latest answer about smoking, alcohol, work, housing and other circumstances."""
    found = []
    for code in SOCIAL_CODES:
        answered = (m for m in record.newest((code,)) if m.concept is not None or m.text)
        latest = next(answered, None)
        if latest is None:
            continue
        answer = name_of(latest.concept) or shorten(" ".join((latest.text or "").split()), MAX_STATEMENT)
        name = name_of(latest.part.code) or code
        text = msg("{name}: {value}", name=name, value=answer)
        if latest.time is not None:
            text = msg("{result}, {date}", result=text, date=as_known(latest.time))
        found.append(Fact(SOCIAL, text, (latest.reference,), latest.effective, key=f"{codes.LOINC}|{code}"))
    return tuple(found)


def adverse_events(record: PatientRecord) -> tuple[Fact, ...]:
    """Adverse events that happened."""
    return tuple(
        dated(record, ADVERSE_EVENT, name, row, (record.reference(row),))
        for row in record.rows(AdverseEvent)
        if row.actuality != "potential" and (name := name_of(row.event))
    )


def family(record: PatientRecord) -> tuple[Fact, ...]:
    """What relatives have or had, each with the relation."""
    found = []
    for row in record.rows(FamilyMemberHistory):
        relation = name_of(row.relationship) or "relative"
        names = [name for one in row.condition if (name := name_of(one.code))]
        if names:
            text = msg("{relation}: {conditions}", relation=relation, conditions=", ".join(names))
            reference = (record.reference(row),)
            found.append(Fact(FAMILY, text, reference, _when(record, row), about=relation.lower(), key=relation))
    return tuple(found)


def documents(record: PatientRecord) -> tuple[Fact, ...]:
    """What reports conclude and which documents there are: statements of others, confirmed by nothing else."""
    found = []
    for report in record.rows(DiagnosticReport):
        if report.conclusion and report.conclusion.strip():
            said = shorten(" ".join(report.conclusion.split()), MAX_STATEMENT)
            found.append(_statement(record, report, name_of(report.code), said))
    for document in record.rows(DocumentReference):
        if document.status not in ("superseded", "entered-in-error"):
            said = shorten(" ".join((document.description or "").split()), MAX_STATEMENT)
            found.append(_statement(record, document, name_of(document.type), said))
    return tuple(found)


def _statement(record: PatientRecord, row: Resource, name: str | None, said: str) -> Fact:
    title: str | Message = name or msg("a document")
    span = record.date_of(row)
    text = msg("{name}: {value}", name=title, value=said) if said else msg("{text}", text=title)
    if span is not None:
        text = msg("{result}, {date}", result=text, date=as_known(span))
    time = span.start if span is not None else None
    reference = record.reference(row)
    return Fact(DOCUMENT, text, (reference,), time, certainty="stated", key=reference)


def _directives(record: PatientRecord) -> Iterator[tuple[Resource, Sequence[CodeableConcept | None]]]:
    """Rows that may speak of resuscitation, with their concepts."""
    for consent in record.rows(Consent):
        if consent.status in (None, "active"):
            yield consent, (consent.scope, *consent.category)
    for flag in record.rows(Flag):
        if flag.status in (None, "active"):
            yield flag, (flag.code,)
    for order in record.rows(ServiceRequest):
        meant = order.intent == "directive" or order.do_not_perform
        if meant or not _CODE_STATUS.isdisjoint(codes.codings((order.code,))):
            yield order, (order.code,)
    coded: list[Condition | Procedure] = [*record.rows(Condition), *record.rows(Procedure)]
    for row in coded:
        if not _CODE_STATUS.isdisjoint(codes.codings((row.code,))):
            yield row, (row.code,)
    for directive in record.newest(DIRECTIVES):
        if directive.concept is not None:
            yield directive.observation, (directive.part.code, directive.concept)


def _stay(record: PatientRecord, row: Encounter) -> Fact:
    name = name_of(_type_of(row)) or (row.class_.display if row.class_ is not None else None) or msg("a stay")
    reason = next((n for c in row.reason_code if (n := name_of(c))), None)
    start = record.date_of(row)
    ended = record.ends(row)
    text = msg("{text}", text=name)
    if start is not None and ended is not None and start.start.date() == ended.start.date():
        text = msg("{name}, {date}", name=name, date=as_known(start))
    elif start is not None and ended is not None:
        text = msg("{stay}, {start} to {end}", stay=name, start=as_known(start), end=as_known(ended))
    elif start is not None:
        text = msg("{stay}, since {date}", stay=name, date=as_known(start))
    if reason is not None:
        text = msg("{stay}: {reason}", stay=text, reason=reason)
    status = "active" if row.status == "in-progress" else "past"
    time = start.start if start is not None else None
    return Fact(ENCOUNTER, text, (record.reference(row),), time, status=status, key=record.reference(row))


def _type_of(row: Encounter) -> CodeableConcept | None:
    return row.type[0] if row.type else None


def _grouped(
    rows: Iterable[tuple[Resource, CodeableConcept | None]],
) -> Iterator[tuple[str, str, list[Resource]]]:
    """(key, name, rows) for rows of one code, else of one name, in their order."""
    groups: dict[str, tuple[str, list[Resource]]] = {}
    for row, concept in rows:
        name = name_of(concept)
        if name is None:
            continue
        pair = next(codes.codings((concept,)), None)
        key = f"{pair[0]}|{pair[1]}" if pair is not None else name.casefold()
        groups.setdefault(key, (name, []))[1].append(row)
    return ((key, name, group) for key, (name, group) in groups.items())


def _told(record: PatientRecord, group: Sequence[Resource], name: str | Message) -> Message:
    """When last, and how often."""
    span = record.date_of(group[0])
    if span is None:
        return msg("{text}", text=name)
    if len(group) == 1:
        return msg("{name}, {date}", name=name, date=as_known(span))
    return msg("{name}, {count} times, last {date}", name=name, count=len(group), date=as_known(span))


def dated(
    record: PatientRecord,
    kind: str,
    name: str,
    row: Resource,
    references: tuple[str, ...],
    *,
    status: str = "",
    tags: frozenset[str] = frozenset(),
) -> Fact:
    """The fact of one row: what it is called, and its day."""
    span = record.date_of(row)
    text = msg("{text}", text=name) if span is None else msg("{name}, {date}", name=name, date=as_known(span))
    time = span.start if span is not None else None
    return Fact(kind, text, references, time, status=status, key=name.casefold(), tags=tags)


def device_name(device: Device) -> str | None:
    """What a device is called: its type, else a name of it; None if neither."""
    return name_of(device.type) or next((n.name for n in device.device_name if n.name), None)


def _references(record: PatientRecord, group: Sequence[Resource]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record.reference(row) for row in group))


def _when(record: PatientRecord, row: Resource) -> datetime | None:
    span = record.date_of(row)
    return span.start if span is not None else None
