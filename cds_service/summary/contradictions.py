"""Where a record says two things that cannot both be, as facts of their own: both sides cited, neither chosen."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from cds_service.features.medicines import NAMES
from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    AllergyIntolerance,
    CodeableConcept,
    Condition,
    DocumentReference,
    MedicationRequest,
)
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.risk.values_in_words import printed_unit
from cds_service.summary.facts import CONTRADICTION, Fact
from cds_service.summary.results import label_of, printed_number
from cds_service.summary.rows import as_known, name_of

_PENICILLINS = frozenset(
    {"penicillin", "amoxicillin", "ampicillin", "piperacillin", "flucloxacillin", "benzylpenicillin"}
)
_NEVER, _EVER = ("266919005",), ("8517006", "77176002", "449868002", "428071000124103", "428061000124105")
_SMOKING = ("72166-2",)
_NONE_KNOWN = frozenset({"716186003", "409137002", "no-known-allergies", "no-known-medication-allergies"})
_CORRECTED = frozenset({"corrected", "amended"})
_WORD = re.compile(r"[a-z]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|[。；;\n！？]+")
_ALLERGY = re.compile(r"(?i)allerg|anaphyla|hypersensitiv|\brash\b|\bhives\b|过敏|皮疹")
_DENIED = re.compile(
    r"(?i)\b(no|not|denies|denied|without|nkda|nka|never|family|mother|father|brother|sister)\b"
    r"|无|否认|未|家族|父|母"
)
_MAX_NOTE, _MAX_NOTES = 100_000, 50


def contradictions(record: PatientRecord) -> tuple[Fact, ...]:
    """What in the record contradicts itself."""
    return (
        *_allergies(record),
        *_problems(record),
        *_medicines(record),
        *_allergic_medicines(record),
        *_smoking(record),
        *_values(record),
    )


def in_notes(record: PatientRecord) -> tuple[Fact, ...]:
    """Allergies that a note names and the allergy list does not."""
    rows = record.rows(AllergyIntolerance)
    listed = {word for row in rows for word in _words(row.code)}
    state = _allergy_list(record, rows)
    names = frozenset(NAMES | _PENICILLINS)
    found = []
    for document in record.rows(DocumentReference)[:_MAX_NOTES]:
        for sentence in _SENTENCE.split(_text(document)):
            drugs = {w for w in _WORD.findall(sentence.lower()) if w in names} | _chinese(sentence)
            new = {
                drug for drug in drugs if drug not in listed and not (drug in _PENICILLINS and listed & _PENICILLINS)
            }
            if new and _ALLERGY.search(sentence) and not _DENIED.search(sentence):
                span = record.date_of(document)
                said = shorten(" ".join(sentence.split()), 160)
                when = as_known(span) if span is not None else msg("no date")
                text = msg("A note ({date}) says “{said}”, and {state}", date=when, said=said, state=state)
                reference = record.reference(document)
                found.append(_fact(text, (reference,), f"note/{reference}/{'-'.join(sorted(new))}", certainty="stated"))
    return tuple(found)


def _allergy_list(record: PatientRecord, rows: Sequence[AllergyIntolerance]) -> Message:
    """What the allergy list says of an allergy that it does not name: four things that must not be mixed up."""
    if not rows:
        supplied = record.has_list("AllergyIntolerance")
        return msg("the allergy list is empty") if supplied else msg("no allergy list was supplied")
    if all(_none_known(row) for row in rows):
        return msg("the allergy list says none known")
    return msg("the allergy list does not name it")


def _none_known(row: AllergyIntolerance) -> bool:
    return any(code in _NONE_KNOWN for _, code in codes.codings((row.code,)))


def _allergies(record: PatientRecord) -> Iterator[Fact]:
    none: list[AllergyIntolerance] = []
    some: list[AllergyIntolerance] = []
    for row in record.rows(AllergyIntolerance):
        if "resolved" in codes.status_codes(row.clinical_status) or "inactive" in codes.status_codes(
            row.clinical_status
        ):
            continue
        (none if _none_known(row) else some).append(row)
    if none and some:
        name = name_of(some[0].code) or msg("an entry without a name")
        text = msg("The allergy list says both “no known allergies” and {allergy}", allergy=name)
        yield _fact(text, tuple(record.reference(r) for r in (*none, *some)), "allergies")


def _problems(record: PatientRecord) -> Iterator[Fact]:
    active: dict[tuple[str, str], Condition] = {}
    over: dict[tuple[str, str], Condition] = {}
    for row in record.rows(Condition):
        status = codes.status_codes(row.clinical_status)
        for pair in codes.codings((row.code,)):
            if status & {"active", "recurrence", "relapse"}:
                active.setdefault(pair, row)
            elif status & {"resolved", "inactive", "remission"}:
                over.setdefault(pair, row)
    seen: set[frozenset[str]] = set()
    for pair in sorted(active.keys() & over.keys()):
        rows = (active[pair], over[pair])
        references = tuple(record.reference(r) for r in rows)
        began, ended = record.date_of(rows[0]), rows[1].abatement_date_time
        recurred = began is not None and ended is not None and f"{began.start:%Y-%m-%d}" >= ended[:10]
        name = name_of(rows[0].code)
        if name and not recurred and frozenset(references) not in seen:
            seen.add(frozenset(references))
            text = msg("{problem} is listed as active and as resolved", problem=name)
            yield _fact(text, references, f"{pair[0]}|{pair[1]}")


def _medicines(record: PatientRecord) -> Iterator[Fact]:
    active: dict[str, MedicationRequest] = {}
    over: dict[str, MedicationRequest] = {}
    for row in record.rows(MedicationRequest):
        name = name_of(row.medication_codeable_concept)
        if name is not None and row.intent in (None, "order", "plan", "original-order"):
            (active if row.status == "active" else over if row.status == "stopped" else {}).setdefault(
                name.lower(), row
            )
    for key in sorted(active.keys() & over.keys()):
        one, other = active[key], over[key]
        if (other.authored_on or "") >= (one.authored_on or ""):
            name = name_of(one.medication_codeable_concept) or key
            references = (record.reference(one), record.reference(other))
            yield _fact(msg("{medicine} is listed as active and as stopped", medicine=name), references, key)


def _allergic_medicines(record: PatientRecord) -> Iterator[Fact]:
    """An active order for what the patient is recorded to be allergic to, by ingredient or by the penicillin class."""
    for allergy in record.rows(AllergyIntolerance):
        if codes.status_codes(allergy.clinical_status) & {"resolved", "inactive"}:
            continue
        to = _words(allergy.code) & (NAMES | _PENICILLINS)
        if not to:
            continue
        to = to | (_PENICILLINS if to & _PENICILLINS else frozenset())
        for order in record.rows(MedicationRequest):
            concept = order.medication_codeable_concept
            if order.status == "active" and _words(concept) & to:
                allergen, medicine = name_of(allergy.code), name_of(concept)
                text = msg("{medicine} is a current medicine, and “{allergy}” is on the allergy list",
                           medicine=medicine, allergy=allergen)  # fmt: skip
                references = (record.reference(order), record.reference(allergy))
                yield _fact(text, references, f"{references[0]}/{references[1]}")


def _smoking(record: PatientRecord) -> Iterator[Fact]:
    said = list(record.newest(_SMOKING))
    never = next((m for m in said if codes.has_code(m.concept, codes.SNOMED, _NEVER)), None)
    ever = next((m for m in said if codes.has_code(m.concept, codes.SNOMED, _EVER)), None)
    listed = next((row for row in record.rows(Condition) if codes.has_code(row.code, codes.SNOMED, _EVER)), None)
    if never is not None and listed is not None and never.effective is not None:
        text = msg(
            "Smoking is recorded as “{never}” ({date}), and the problem list says “{ever}”",
            never=name_of(never.concept), date=never.effective.date(), ever=name_of(listed.code),
        )  # fmt: skip
        yield _fact(text, (never.reference, record.reference(listed)), "smoking-listed")
    if never is None or ever is None or never.effective is None or ever.effective is None:
        return
    if never.effective > ever.effective:
        text = msg(
            "Smoking is recorded as “{never}” ({later}) after “{ever}” ({earlier})",
            never=name_of(never.concept), later=never.effective.date(),
            ever=name_of(ever.concept), earlier=ever.effective.date(),
        )  # fmt: skip
        yield _fact(text, (never.reference, ever.reference), "smoking")


def _values(record: PatientRecord) -> Iterator[Fact]:
    """Two different values of one measurement at one moment, the latest of its kind."""
    for code, rows in record.timelines():
        if len(rows) < 2 or rows[0][0] is None or rows[0][0].partial or rows[0][0] != rows[1][0]:
            continue
        one, other = (row[2].value_quantity for row in rows[:2])
        apart = one is not None and other is not None and one.unit == other.unit and one.value != other.value
        if not apart or one is None or other is None or rows[0][1] is rows[1][1]:
            continue
        shown = printed_number(one.value or 0.0), printed_number(other.value or 0.0)
        if shown[0] == shown[1]:
            continue
        first, second = record.measurement(rows[0]), record.measurement(rows[1])
        if (first.status in _CORRECTED) != (second.status in _CORRECTED):
            continue  # the one corrects the other
        text = msg(
            "Two values of {name} at one time, {one} and {other} {unit}, {date}",
            name=label_of(code, first.part), one=shown[0], other=shown[1],
            unit=printed_unit(one.unit or ""),
            date=as_known(rows[0][0]),
        )  # fmt: skip
        yield _fact(text, (first.reference, second.reference), f"{codes.LOINC}|{code}")


def _fact(text: Message, references: Sequence[str], key: str, certainty: str = "confirmed") -> Fact:
    return Fact(CONTRADICTION, text, tuple(references), None, key=key, certainty=certainty)


def _words(concept: CodeableConcept | None) -> frozenset[str]:
    return frozenset(_WORD.findall((codes.label(concept) or "").lower())) | _chinese(codes.label(concept) or "")


def _chinese(text: str) -> frozenset[str]:
    return frozenset({"penicillin"}) if "青霉素" in text else frozenset()


def _text(document: DocumentReference) -> str:
    """The plain text of a document that it holds itself; empty for all else."""
    for content in document.content:
        held = content.attachment
        if held is not None and held.data and (held.content_type or "").startswith("text/plain"):
            try:
                return base64.b64decode(held.data[: 2 * _MAX_NOTE], validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                return ""
    return ""
