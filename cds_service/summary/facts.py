"""A record as cited fact lines: allergies, active problems and medicines (results and trends: `results.py`).

Every line names the resources that it rests on. Nothing is concluded from silence: an allergy list that is empty,
one that was not supplied and a recorded "no known allergies" are three different lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import reduce

import msgspec

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    AllergyIntolerance,
    CodeableConcept,
    Condition,
    Medication,
    MedicationRequest,
    MedicationStatement,
    Resource,
)
from cds_service.fhir.times import Span, parse
from cds_service.language import Message, msg
from cds_service.markdown import shorten

PROBLEM = "problem"
MEDICATION = "medication"
ALLERGY = "allergy"
RESULT = "result"
TREND = "trend"
PROCEDURE = "procedure"
ENCOUNTER = "encounter"
IMMUNISATION = "immunisation"
DEVICE = "device"
GOAL = "goal"
CODE_STATUS = "code-status"
SOCIAL = "social"
ADVERSE_EVENT = "adverse-event"
PLAN = "plan"
DOCUMENT = "document"
FAMILY = "family"
CONTRADICTION = "contradiction"
KINDS = (
    CODE_STATUS, ALLERGY, CONTRADICTION, PROBLEM, MEDICATION, RESULT, TREND, DEVICE, PROCEDURE, ENCOUNTER,
    IMMUNISATION, ADVERSE_EVENT, SOCIAL, FAMILY, GOAL, PLAN, DOCUMENT,
)  # fmt: skip

MAX_NAME = 120  # characters of a name from the record; the rest is left out, with an ellipsis
_ACTIVE_CONDITION = frozenset({"active", "recurrence", "relapse"})
_SUSPECTED = frozenset({"provisional", "differential"})
ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order", "plan"})
# SNOMED CT's fully specified names end in what kind of thing they name, which tells a clinician nothing.
_SEMANTIC_TAG = re.compile(
    r" ?\((disorder|finding|situation|substance|product|medicinal product|morphologic abnormality|event|procedure"
    r"|qualifier value)\)$"
)
_NO_KNOWN = {  # codes that say "none known": SNOMED CT, and the IPS's own
    (codes.SNOMED, "716186003"): msg("No known allergies"),
    (codes.SNOMED, "409137002"): msg("No known drug allergies"),
    (codes.SNOMED, "428607008"): msg("No known environmental allergies"),
    (codes.SNOMED, "429625007"): msg("No known food allergies"),
    (codes.IPS_ABSENT, "no-known-allergies"): msg("No known allergies"),
    (codes.IPS_ABSENT, "no-known-medication-allergies"): msg("No known drug allergies"),
    (codes.IPS_ABSENT, "no-known-environmental-allergies"): msg("No known environmental allergies"),
    (codes.IPS_ABSENT, "no-known-food-allergies"): msg("No known food allergies"),
    (codes.IPS_ABSENT, "no-allergy-info"): msg("The record says that nothing is known about allergies"),
}
_NO_PROBLEM = {
    (codes.SNOMED, "160245001"),  # no current problems or disability
    (codes.IPS_ABSENT, "no-known-problems"),
    (codes.IPS_ABSENT, "no-problem-info"),
}
_NO_MEDICINE = {(codes.IPS_ABSENT, "no-known-medications"), (codes.IPS_ABSENT, "no-medication-info")}


_SEVERITY = {"mild": msg("mild"), "moderate": msg("moderate"), "severe": msg("severe")}
_CRITICALITY = {"high": msg("high criticality"), "low": msg("low criticality")}
_MOST_REACTIONS = 3
_SAYS_STAGE = re.compile(r"(?i)stage|grade|class|期|级")
_NO_LONGER = {
    "stopped": msg("{medicine}: stopped").text,
    "completed": msg("{medicine}: completed").text,
    "on-hold": msg("{medicine}: on hold").text,
}


class Fact(msgspec.Struct, frozen=True):
    """One line of a record.

    kind: one of `KINDS`.
    references: the resources that say so, `Observation/123`, latest first; empty for what a list does not hold.
    effective: when it was measured, prescribed or began; None where the record has no time.
    abnormal: outside the reference range, or said to be so by the laboratory.
    critical: said to be critical by the laboratory.
    key: what it is about (`http://loinc.org|2160-0`), for order and merging.
    id: `F1`, `F2` ...; empty before `numbered`.
    status: of the matter, as `active`, `resolved`, `stopped`, `planned`; empty where it has none.
    certainty: `confirmed`, `suspected` or `stated` (by a document, unconfirmed).
    about: whom it is about: `patient`, or a relation such as `mother`.
    tags: why it may not be cut (`must.py`), as `anticoagulant` or `pregnancy`.
    """

    kind: str
    text: Message
    references: tuple[str, ...]
    effective: datetime | None
    abnormal: bool = False
    critical: bool = False
    key: str = ""
    id: str = ""
    status: str = ""
    certainty: str = "confirmed"
    about: str = "patient"
    tags: frozenset[str] = frozenset()


def numbered(found: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts with ids `F1`, `F2` ... in their order."""
    return tuple(msgspec.structs.replace(fact, id=f"F{n}") for n, fact in enumerate(found, 1))


class _Row(msgspec.Struct, frozen=True):
    """One row on its way to a line; rows with a key in common are merged."""

    keys: frozenset[str]
    name: str | Message
    detail: Message | None
    reference: str
    time: Span | None
    suspected: bool = False


def allergies(record: PatientRecord) -> tuple[Fact, ...]:
    """Active allergies; or the recorded absence of any; or that the list is empty or was not supplied."""
    stated: list[Fact] = []
    rows: list[_Row] = []
    for row in record.rows(AllergyIntolerance):
        if not _is_active(row.clinical_status, frozenset({"active"})):
            continue
        none_known = next((_NO_KNOWN[pair] for pair in codes.codings((row.code,)) if pair in _NO_KNOWN), None)
        reference = record.reference(row)
        if none_known is not None:
            span = record.date_of(row)
            stated.append(Fact(ALLERGY, none_known, (reference,), span.start if span else None, key="none-known"))
        else:
            rows.append(_row(record, row, row.code, _reaction(row)))
    found = tuple(
        Fact(ALLERGY, _with_detail(group), _references(group), _latest(group), abnormal=True, key=_key(group))
        for group in _merged(rows)
    )
    if found or stated:
        return (*found, *_once(stated))
    if record.has_list("AllergyIntolerance"):
        return (Fact(ALLERGY, msg("The allergy list is empty: allergies were neither named nor ruled out"), (), None),)
    return (Fact(ALLERGY, msg("No allergy list was supplied"), (), None),)


def problems(record: PatientRecord) -> tuple[Fact, ...]:
    """Active problems, each once, with the earliest time that any of its entries gives as onset."""
    rows = [
        _row(record, row, row.code, _stage(row))
        for row in record.rows(Condition)
        if _is_active(row.clinical_status, _ACTIVE_CONDITION)
        and not _ended(record, row)
        and _NO_PROBLEM.isdisjoint(codes.codings((row.code,)))
    ]
    facts = []
    for group in _merged(rows):
        onset = min((row.time for row in group if row.time is not None), default=None)
        text = _with_detail(group)
        if onset is not None:
            text = msg("{problem}, since {date}", problem=text, date=as_known(onset))
        suspected = all(row.suspected for row in group)
        if suspected:
            text = msg("{problem}, suspected", problem=text)
        start = onset.start if onset else None
        certainty = "suspected" if suspected else "confirmed"
        facts.append(
            Fact(PROBLEM, text, _references(group), start, key=_key(group), status="active", certainty=certainty)
        )
    return tuple(facts)


def medications(record: PatientRecord) -> tuple[Fact, ...]:
    """Current medicines, orders and statements of the same medicine as one line."""
    rows = []
    for order in record.rows(MedicationRequest):
        if order.status == "active" and order.intent in {None, *ORDERED} and not order.do_not_perform:
            doses = [d.text for d in order.dosage_instruction if d.text]
            rows.append(_medicine(record, order, order.medication_codeable_concept, doses))
    for said in record.rows(MedicationStatement):
        span = parse(said.effective_period.end) if said.effective_period is not None else None
        if said.status == "active" and (span is None or span.end >= record.as_of):
            doses = [d.text for d in said.dosage if d.text]
            rows.append(_medicine(record, said, said.medication_codeable_concept, doses))
    facts = []
    for group in _merged(row for row in rows if row is not None):
        text, latest = _with_detail(group), _latest(group)
        span = max((row.time for row in group if row.time is not None), default=None)
        if span is not None:
            text = msg("{medicine}, recorded {date}", medicine=text, date=as_known(span))
        facts.append(Fact(MEDICATION, text, _references(group), latest, key=_key(group), status="active"))
    return tuple(facts)


def stopped(record: PatientRecord) -> tuple[Fact, ...]:
    """Medicines whose order was stopped, completed or put on hold, and that no current entry names."""
    current = {fact.key for fact in medications(record)}
    rows: dict[str, list[_Row]] = {}
    for order in record.rows(MedicationRequest):
        if order.status in _NO_LONGER and order.intent in {None, *ORDERED} and not order.do_not_perform:
            row = _medicine(record, order, order.medication_codeable_concept, [])
            if row is not None and min(row.keys) not in current:
                rows.setdefault(order.status or "", []).append(row)
    facts = []
    for status, found in rows.items():
        for group in _merged(found):
            text, latest = msg(_NO_LONGER[status], medicine=group[0].name), _latest(group)
            span = max((row.time for row in group if row.time is not None), default=None)
            if span is not None:
                text = msg("{medicine}, prescribed {date}", medicine=text, date=as_known(span))
            facts.append(Fact(MEDICATION, text, _references(group), latest, key=_key(group), status=status))
    return tuple(facts)


def name_of(concept: CodeableConcept | None) -> str | None:
    """The words of a concept, capped; its first code where it has no words; None where it has neither."""
    words = codes.label(concept)
    if words is None and concept is not None:
        words = next((c.code for c in concept.coding if c.code), None)
    words = _SEMANTIC_TAG.sub("", " ".join(words.split())) if words is not None else ""
    return shorten(words, MAX_NAME) if words else None


def _row(record: PatientRecord, row: Resource, concept: CodeableConcept | None, detail: Message | None) -> _Row:
    name, reference = name_of(concept), record.reference(row)
    keys = {f"{system}|{code}" for system, code in codes.codings((concept,))} or {(name or reference).casefold()}
    title = name or msg("an entry without a name")
    suspected = isinstance(row, Condition) and not _SUSPECTED.isdisjoint(codes.status_codes(row.verification_status))
    return _Row(frozenset(keys), title, detail, reference, record.date_of(row), suspected)


def _medicine(
    record: PatientRecord,
    row: MedicationRequest | MedicationStatement,
    concept: CodeableConcept | None,
    doses: list[str],
) -> _Row | None:
    concept = _product(record, row, concept)
    if not _NO_MEDICINE.isdisjoint(codes.codings((concept,))):
        return None
    dose = shorten(" ".join(doses[0].split()), MAX_NAME) if doses else ""
    return _row(record, row, concept, msg("{text}", text=dose) if dose else None)


def medicine_name(record: PatientRecord, row: MedicationRequest | MedicationStatement) -> str | None:
    """What an entry calls its medicine, its product's name where it only refers to one; None where nothing does."""
    return name_of(_product(record, row, row.medication_codeable_concept))


def _product(
    record: PatientRecord, row: MedicationRequest | MedicationStatement, concept: CodeableConcept | None
) -> CodeableConcept | None:
    if concept is None:
        product = record.resolve(row.medication_reference, row)
        concept = product.code if isinstance(product, Medication) else None
    if concept is None and row.medication_reference is not None:
        concept = CodeableConcept(text=row.medication_reference.display)
    return concept


def _reaction(row: AllergyIntolerance) -> Message | None:
    """What it did, how badly at its worst, and how dangerous the next exposure is held to be."""
    shown = [name for reaction in row.reaction for m in reaction.manifestation if (name := name_of(m))]
    worst = max((s for r in row.reaction if (s := r.severity) in _SEVERITY), key=list(_SEVERITY).index, default=None)
    said = [msg("{text}", text=", ".join(list(dict.fromkeys(shown))[:_MOST_REACTIONS]))] if shown else []
    said += [_SEVERITY[worst]] if worst is not None else []
    said += [_CRITICALITY[row.criticality]] if row.criticality in _CRITICALITY else []
    return reduce(lambda one, other: msg("{one}, {other}", one=one, other=other), said) if said else None


def _stage(row: Condition) -> Message | None:
    """The stage of a condition as it is recorded, each summary once."""
    names = list(dict.fromkeys(name for stage in row.stage if (name := name_of(stage.summary))))
    if not names:
        return None
    said = ", ".join(names)
    return msg("{text}", text=said) if _SAYS_STAGE.search(said) else msg("stage {stage}", stage=said)


def _is_active(status: CodeableConcept | None, active: frozenset[str]) -> bool:
    """True if the status says so, or if there is none: an entry without a status is still an entry."""
    found = codes.status_codes(status)
    return not found or not found.isdisjoint(active)


def as_known(span: Span) -> date | Message:
    """A day, or only the month or year where the record says no more."""
    if span.end - span.start <= timedelta(days=1):
        return span.start.date()
    if span.end - span.start <= timedelta(days=31):
        return msg("{year}-{month}", year=f"{span.start:%Y}", month=f"{span.start:%m}")
    return msg("{year}", year=f"{span.start:%Y}")


def _ended(record: PatientRecord, row: Condition) -> bool:
    """True if an abatement is given that lies in the past."""
    text = row.abatement_date_time or (row.abatement_period.end if row.abatement_period else None)
    span = parse(text)
    return (span is not None and span.start <= record.as_of) or row.abatement_string is not None


def _merged(rows: Iterable[_Row]) -> Iterator[tuple[_Row, ...]]:
    """Rows with a code, or else a name, in common; the groups and the rows within in the record's order."""
    groups: list[list[_Row]] = []
    home: dict[str, list[_Row]] = {}
    for row in rows:
        found = next((home[key] for key in sorted(row.keys) if key in home), None)
        if found is None:
            found = []
            groups.append(found)
        found.append(row)
        for key in row.keys:
            home.setdefault(key, found)
    return (tuple(group) for group in groups)


def _references(group: tuple[_Row, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.reference for row in group))


def _latest(group: tuple[_Row, ...]) -> datetime | None:
    return max((row.time.start for row in group if row.time is not None), default=None)


def _key(group: tuple[_Row, ...]) -> str:
    return min(group[0].keys)


def _with_detail(group: tuple[_Row, ...]) -> Message:
    """The name, and the first detail that a row of the group has."""
    detail = next((row.detail for row in group if row.detail is not None), None)
    if detail is None:
        return msg("{text}", text=group[0].name)
    return msg("{name}: {detail}", name=group[0].name, detail=detail)


def _once(facts: list[Fact]) -> list[Fact]:
    """Facts of the same text as one, with all references."""
    by_text: dict[str, Fact] = {}
    for fact in facts:
        known = by_text.get(fact.text.text)
        references = (*known.references, *fact.references) if known else fact.references
        by_text[fact.text.text] = Fact(fact.kind, fact.text, references, fact.effective, key=fact.key)
    return list(by_text.values())
