"""What was done to a patient: which Procedures count, and which of them are operations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.features.from_rows import valued
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import SNOMED, canonical_system, codings, label
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import Span
from cds_service.language import Message, msg

_PROCEDURE_SYSTEMS = frozenset({
    "http://www.cms.gov/Medicare/Coding/ICD10", "http://www.cms.gov/medicare/coding/ICD10",
    "http://hl7.org/fhir/sid/icd-9-cm", "http://hl7.org/fhir/sid/icd-10-pcs",
    "http://fhir.de/CodeSystem/bfarm/ops", "http://fhir.de/CodeSystem/dimdi/ops",
})  # fmt: skip
_CPT = "http://www.ama-assn.org/go/cpt"
_SURGICAL = "387713003"
_DONE_CATEGORIES = frozenset({_SURGICAL, "103693007"})  # surgical, diagnostic
_OPERATION = re.compile(
    r"ectomy\b|plasty\b|laparotomy|thoracotomy|craniotomy|sternotomy|osteotomy|\bsurgery\b|\boperation\b|\bresection\b"
    r"|\bbypass\b|\bamputation\b|\bjoint replacement\b|\b(?:hip|knee|valve) replacement\b|internal fixation"
    r"|ca?esarean section|laparoscopic",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Surgery(Feature):
    """True if an operation was done within a time before now."""

    within: timedelta


def surgery(record: PatientRecord, feature: Surgery) -> FeatureValue | Unusable:
    """True with the operations, False read from a list of procedures, or a reason."""
    begun = record.as_of - feature.within
    found = [row for row in done(record) if happened_since(record.date_of(row), begun) and is_operation(row)]
    if found:
        return valued(record, feature, True, found)
    if not record.rows(fhir.Procedure) and not record.has_list("Procedure"):
        return not_supplied(feature)
    return FeatureValue(feature, False, None, (), inferred=True)


def is_operation(row: fhir.Procedure) -> bool:
    """True if a procedure is certainly an operation: by category, by code, or by the words of its name."""
    if (SNOMED, _SURGICAL) in set(codings((row.category,))):
        return True
    for system, code in _codes(row):
        if system == _CPT and code.isdecimal() and 10004 <= int(code) <= 69990:
            return True
        if system in _PROCEDURE_SYSTEMS and "ICD10" in system.upper() and code.startswith("0"):
            return True  # section 0 of ICD-10-PCS: medical and surgical
    return _OPERATION.search(label(row.code) or "") is not None


def done(record: PatientRecord) -> Iterator[fhir.Procedure]:
    """Procedures that were done."""
    for row in record.rows(fhir.Procedure):
        if row.status in ("completed", "in-progress"):
            yield row


def _codes(row: fhir.Procedure) -> Iterator[tuple[str, str]]:
    for coding in row.code.coding if row.code is not None else ():
        system = canonical_system(coding.system)
        if system and coding.code:
            yield system, coding.code


def category(row: fhir.Procedure) -> Iterator[str]:
    """The SNOMED CT codes of a procedure's category."""
    return (code for system, code in codings((row.category,)) if system == SNOMED)


def is_coded(row: fhir.Procedure) -> bool:
    """True if a procedure has a code of a procedure classification, a surgical or diagnostic category, or is one."""
    systems = {system for system, _ in _codes(row)}
    return bool(systems & _PROCEDURE_SYSTEMS) or bool(set(category(row)) & _DONE_CATEGORIES) or is_operation(row)


def happened_since(span: Span | None, moment: datetime) -> bool:
    """True if something happened at a moment or later."""
    return span is not None and span.end >= moment


def not_supplied(feature: Feature) -> Unusable:
    """Why an input that rests on procedures cannot be told without any."""
    words: Message = msg("{what} cannot be told: no procedures were supplied", what=feature.label)
    return Unusable(feature, Reason.NO_LIST, words)
