"""A record as cited fact lines: allergies, active problems and medicines (results and trends: `results.py`).

Every line names the resources that it rests on. Nothing is concluded from silence: an allergy list that is empty,
one that was not supplied and a recorded "no known allergies" are three different lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
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
)
from cds_service.fhir.times import Span, parse
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.summary.rows import (
    MAX_NAME,
    Row,
    as_known,
    key_of,
    latest_of,
    merged,
    name_of,
    over,
    references_of,
    row_of,
    with_detail,
)

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

_ACTIVE_CONDITION = frozenset({"active", "recurrence", "relapse"})
_IS_PAST = re.compile(r"(?i)^(history of|h/o|personal history|past|old|previous|prior|status post)\b|史$")
_IS_EVENT = re.compile(  # what happens on a day and does not last, though its entry stays active
    r"(?i)\b(stroke|infarction|arrest|overdose|miscarriage|abortion|fracture|concussion|laceration|sprain|burn|"
    r"transient isch\w+ attack|cerebrovascular accident|ectopic|tubal pregnancy|poisoning)\b|卒中|梗死|骨折|流产|中毒"
)
ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order", "plan"})
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
    grave: a problem that the record calls severe.
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
    grave: bool = False


def numbered(found: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts with ids `F1`, `F2` ... in their order."""
    return tuple(msgspec.structs.replace(fact, id=f"F{n}") for n, fact in enumerate(found, 1))


def allergies(record: PatientRecord) -> tuple[Fact, ...]:
    """Active allergies; or the recorded absence of any; or that the list is empty, past alone, or was not supplied."""
    stated: list[Fact] = []
    rows: list[Row] = []
    past = False
    for row in record.rows(AllergyIntolerance):
        none_known = next((_NO_KNOWN[pair] for pair in codes.codings((row.code,)) if pair in _NO_KNOWN), None)
        if not _is_active(row.clinical_status, frozenset({"active"})):
            past = past or none_known is None
            continue
        reference = record.reference(row)
        if none_known is not None:
            span = record.date_of(row)
            stated.append(Fact(ALLERGY, none_known, (reference,), span.start if span else None, key="none-known"))
        else:
            rows.append(row_of(record, row, row.code, _reaction(row)))
    found = tuple(
        Fact(ALLERGY, with_detail(group), references_of(group), latest_of(group), abnormal=True, key=key_of(group))
        for group in merged(rows)
    )
    if found or stated:
        return (*found, *_once(stated))
    return (Fact(ALLERGY, _no_allergy(whole=record.has_list("AllergyIntolerance"), past=past), (), None),)


def _no_allergy(*, whole: bool, past: bool) -> Message:
    """What is said where no allergy is active and none is ruled out. whole: of a list that came whole."""
    if whole and past:
        return msg("The allergy list names allergies that are over, and none that is active")
    if whole:
        return msg("The allergy list is empty: allergies were neither named nor ruled out")
    if past:
        return msg("The allergy list did not come whole; of what came no allergy is active, and some are over")
    return msg("No allergy list was supplied")


def problems(record: PatientRecord) -> tuple[Fact, ...]:
    """Active problems, each once, with the earliest time that any of its entries gives as onset."""
    rows = [
        row_of(record, row, row.code, _stage(row))
        for row in record.rows(Condition)
        if _is_active(row.clinical_status, _ACTIVE_CONDITION)
        and not _ended(record, row)
        and _NO_PROBLEM.isdisjoint(codes.codings((row.code,)))
    ]
    facts = []
    for group in merged(rows):
        onset = min((row.time for row in group if row.time is not None), default=None)
        text = with_detail(group)
        if onset is not None:
            name = str(group[0].name)
            text = _since(text, onset, over=any(known.search(name) for known in (_IS_PAST, _IS_EVENT)))
        suspected = all(row.suspected for row in group)
        if suspected:
            text = msg("{problem}, suspected", problem=text)
        start = onset.start if onset else None
        certainty = "suspected" if suspected else "confirmed"
        facts.append(
            Fact(
                PROBLEM,
                text,
                references_of(group),
                start,
                key=key_of(group),
                status="active",
                certainty=certainty,
                grave=any(row.severe for row in group),
            )
        )
    return tuple(facts)


def past_problems(record: PatientRecord) -> tuple[Fact, ...]:
    """Problems that are over, each once, unless an active entry names the same; the latest first.

    An old stroke still decides treatment: estimates count it, and a summary without it would contradict them.
    """
    active = {fact.key for fact in problems(record)}
    rows = [
        row_of(record, row, row.code, _stage(row))
        for row in record.rows(Condition)
        if not _is_active(row.clinical_status, _ACTIVE_CONDITION) or _ended(record, row)
    ]
    facts = []
    for group in merged(rows):
        if active.isdisjoint(key for row in group for key in row.keys):
            onset = max((row.time for row in group if row.time is not None), default=None)
            text = with_detail(group)
            if onset is not None:
                text = _since(text, onset, over=True)
            text = over(text, group)
            start = onset.start if onset else None
            facts.append(Fact(PROBLEM, text, references_of(group), start, key=key_of(group), status="resolved"))
    return tuple(facts)


def _since(problem: Message, onset: Span, *, over: bool) -> Message:
    """A problem with its day: one that is over began then, and does not go on since."""
    if over:
        return msg("{problem}, {date}", problem=problem, date=as_known(onset))
    return msg("{problem}, since {date}", problem=problem, date=as_known(onset))


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
    for group in merged(row for row in rows if row is not None):
        text, latest = with_detail(group), latest_of(group)
        dated = [(row.time, row.reference.startswith("MedicationRequest/")) for row in group if row.time is not None]
        if dated:
            span, ordered = max(dated)
            wording = msg("{medicine}, prescribed {date}") if ordered else msg("{medicine}, recorded {date}")
            text = msg(wording.text, medicine=text, date=as_known(span))
        facts.append(Fact(MEDICATION, text, references_of(group), latest, key=key_of(group), status="active"))
    return tuple(facts)


def stopped(record: PatientRecord) -> tuple[Fact, ...]:
    """Medicines whose order was stopped, completed or put on hold, and that no current entry names."""
    current = {fact.key for fact in medications(record)}
    rows: dict[str, list[Row]] = {}
    for order in record.rows(MedicationRequest):
        if order.status in _NO_LONGER and order.intent in {None, *ORDERED} and not order.do_not_perform:
            row = _medicine(record, order, order.medication_codeable_concept, [])
            if row is not None and min(row.keys) not in current:
                rows.setdefault(order.status or "", []).append(row)
    facts = []
    for status, found in rows.items():
        for group in merged(found):
            text, latest = msg(_NO_LONGER[status], medicine=group[0].name), latest_of(group)
            span = max((row.time for row in group if row.time is not None), default=None)
            if span is not None:
                text = msg("{medicine}, prescribed {date}", medicine=text, date=as_known(span))
            facts.append(Fact(MEDICATION, text, references_of(group), latest, key=key_of(group), status=status))
    return tuple(facts)


def _medicine(
    record: PatientRecord,
    row: MedicationRequest | MedicationStatement,
    concept: CodeableConcept | None,
    doses: list[str],
) -> Row | None:
    concept = _product(record, row, concept)
    if not _NO_MEDICINE.isdisjoint(codes.codings((concept,))):
        return None
    dose = shorten(" ".join(doses[0].split()), MAX_NAME) if doses else ""
    return row_of(record, row, concept, msg("{text}", text=dose) if dose else None)


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


def _ended(record: PatientRecord, row: Condition) -> bool:
    """True if an abatement is given that lies in the past."""
    text = row.abatement_date_time or (row.abatement_period.end if row.abatement_period else None)
    span = parse(text)
    return (span is not None and span.start <= record.as_of) or row.abatement_string is not None


def _once(facts: list[Fact]) -> list[Fact]:
    """Facts of the same text as one, with all references."""
    by_text: dict[str, Fact] = {}
    for fact in facts:
        known = by_text.get(fact.text.text)
        references = (*known.references, *fact.references) if known else fact.references
        by_text[fact.text.text] = Fact(fact.kind, fact.text, references, fact.effective, key=fact.key)
    return list(by_text.values())
