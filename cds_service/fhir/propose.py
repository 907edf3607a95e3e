"""Draft FHIR R4 resources that a suggestion may carry, validated before anyone sees them.

fhir.resources checks names, types and cardinality (its R4B models; ServiceRequest is the same in R4).
It does not check required bindings (it accepts `status: "banana"`) nor what a reference may point to,
so `validate` adds those for the elements that we emit. What fails is a bug here: `InvalidOutput`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson

from cds_service.errors import InvalidOutput
from cds_service.fhir.codes import LOINC, RXNORM, SNOMED
from cds_service.hidden import hidden


class Draft(dict[str, Any]):
    """A resource that is valid; nothing changes it afterwards."""


@dataclass(frozen=True, slots=True)
class Order:
    """What may be ordered: its category and code. A code may be missing where none could be verified."""

    category: tuple[str, str, str]
    text: str
    system: str | None = None
    code: str | None = None
    display: str | None = None


LABORATORY = (SNOMED, "108252007", "Laboratory procedure")
IMAGING = (SNOMED, "363679005", "Imaging")
REFERRAL = (SNOMED, "3457005", "Patient referral")
THERAPY = (SNOMED, "277132007", "Therapeutic procedure")
SCREENING = (SNOMED, "15886004", "Screening for cancer")
MONITORING = (SNOMED, "122869004", "Measurement procedure")


def laboratory(code: str, display: str, text: str) -> Order:
    """A laboratory test by its LOINC code."""
    return Order(LABORATORY, text, LOINC, code, display)


def measurement(code: str, display: str, text: str) -> Order:
    """A bedside measurement by its LOINC code."""
    return Order(MONITORING, text, LOINC, code, display)


def referral(text: str) -> Order:
    """A referral, named in words: the specialties' codes differ by national edition."""
    return Order(REFERRAL, text)


def service_request(
    patient_id: str,
    order: Order,
    reason: str,
    when: datetime,
    *,
    encounter_id: str | None = None,
    priority: str = "routine",
    due: date | None = None,
) -> dict[str, Any]:
    """A draft ServiceRequest for one patient, valid FHIR R4.

    status `draft`, intent `proposal`: nothing is ordered until a clinician signs it.
    when: aware moment, becomes `authoredOn`. due: when it should happen, becomes `occurrenceDateTime`.
    Raises InvalidOutput if the result breaks the standard.
    Source: hl7.org/fhir/R4/servicerequest.html.
    """
    code: dict[str, Any] = {"text": order.text}
    if order.system and order.code and order.display:
        code["coding"] = [_coding(order.system, order.code, order.display)]
    resource: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "category": [{"coding": [_coding(*order.category)]}],
        "priority": priority,
        "code": code,
        "subject": {"reference": reference("Patient", patient_id)},
        "authoredOn": when.isoformat(timespec="seconds"),
        "reasonCode": [{"text": reason}],
    }
    if due is not None:
        resource["occurrenceDateTime"] = due.isoformat()
    if encounter_id is not None:
        resource["encounter"] = {"reference": reference("Encounter", encounter_id)}
    return _draft(resource)


def medication_request(
    patient_id: str,
    name: str,
    rxcui: str | None,
    reason: str,
    when: datetime,
    *,
    encounter_id: str | None = None,
) -> dict[str, Any]:
    """A draft MedicationRequest of an ingredient, valid FHIR R4, without a dose: that is the clinician's to give.

    status `draft`, intent `proposal`: nothing is prescribed until a clinician signs it. rxcui: RxNorm code, if known.
    Raises InvalidOutput if the result breaks the standard. Source: hl7.org/fhir/R4/medicationrequest.html.
    """
    medication: dict[str, Any] = {"text": name}
    if rxcui:
        medication["coding"] = [_coding(RXNORM, rxcui, name)]
    resource: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "proposal",
        "medicationCodeableConcept": medication,
        "subject": {"reference": reference("Patient", patient_id)},
        "authoredOn": when.isoformat(timespec="seconds"),
        "reasonCode": [{"text": reason}],
    }
    if encounter_id is not None:
        resource["encounter"] = {"reference": reference("Encounter", encounter_id)}
    return _draft(resource)


# Of a draft, what is the patient's own; the same words for all, in a structure that is checked.
_STAND_INS: Mapping[str, Any] = {
    "subject": {"reference": "Patient/1"},
    "encounter": {"reference": "Encounter/1"},
    "authoredOn": "2026-01-01T00:00:00+00:00",
    "occurrenceDateTime": "2026-01-01",
    "reasonCode": [{"text": "why"}],
}


def _draft(resource: dict[str, Any]) -> Draft:
    """The resource, valid in all that we emit. Raises InvalidOutput as `validate` does.

    The structure is checked once for all orders that differ only in whose they are, when and why, for it takes thirty
    times what all other rules do, which each order is held against itself.
    """
    kind = str(resource["resourceType"])
    _sound(orjson.dumps(resource | {name: same for name, same in _STAND_INS.items() if name in resource}))
    if problem := _r4_check(kind, resource):
        raise InvalidOutput(f"propose: {kind} {problem}")
    return Draft(resource)


@lru_cache(maxsize=1024)
def _sound(structure: bytes) -> None:
    validate(orjson.loads(structure))


def validate(resource: Mapping[str, Any]) -> None:
    """Nothing, if the resource is valid R4 in all that we emit.

    Raises InvalidOutput with the element at fault, never with its value.
    """
    kind = resource.get("resourceType")
    if kind not in _BINDINGS:
        raise InvalidOutput(f"propose: resourceType must be one of {sorted(_BINDINGS)}, got another")
    problem = _model_check(str(kind))(resource) or _r4_check(str(kind), resource)
    if problem:
        raise InvalidOutput(f"propose: {kind} {problem}")


def warm() -> None:
    """Nothing; loads the validating models, so that no request pays for the import (0.2 s)."""
    for kind in _BINDINGS:
        _model_check(kind)


# Required bindings and reference targets of R4, for the elements that we emit.
_BINDINGS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "ServiceRequest": {
        "status": frozenset(
            ("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"),
        ),
        "intent": frozenset(
            (
                "proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order",
                "instance-order", "option",
            )
        ),
        "priority": frozenset(("routine", "urgent", "asap", "stat")),
    },
    "MedicationRequest": {
        "status": frozenset(
            ("active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"),
        ),
        "intent": frozenset(
            (
                "proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order",
                "option",
            )
        ),
    },
    "RiskAssessment": {
        "status": frozenset(
            (
                "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error",
                "unknown",
            )
        ),
    },
}  # fmt: skip
_TARGETS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "ServiceRequest": {
        "subject": frozenset(("Patient", "Group", "Location", "Device")),
        "encounter": frozenset(("Encounter",)),
    },
    "MedicationRequest": {
        "subject": frozenset(("Patient", "Group")),
        "encounter": frozenset(("Encounter",)),
    },
    "RiskAssessment": {
        "subject": frozenset(("Patient", "Group")),
        "encounter": frozenset(("Encounter",)),
    },
}
_MOMENTS = {"ServiceRequest": "authoredOn", "MedicationRequest": "authoredOn", "RiskAssessment": "occurrenceDateTime"}
_OPTIONAL = {"priority", "encounter"}
_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/[^\s/#?]+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_CODE = re.compile(r"[^\s]+( [^\s]+)*")


def _r4_check(kind: str, resource: Mapping[str, Any]) -> str | None:
    """What breaks R4 beyond the structure, or None."""
    for name, allowed in _BINDINGS[kind].items():
        if (name in resource or name not in _OPTIONAL) and resource.get(name) not in allowed:
            return f"{name} must be a code of its R4 value set"
    for name, targets in _TARGETS[kind].items():
        if name in resource or name not in _OPTIONAL:
            found = _REFERENCE.fullmatch(str(resource.get(name, {}).get("reference", "")))
            if found is None or found[1] not in targets:
                return f"{name} must refer to {' or '.join(sorted(targets))}"
    if not _INSTANT.fullmatch(str(resource.get(_MOMENTS[kind], ""))):
        return f"{_MOMENTS[kind]} must be a moment with a time zone"
    for concept in _concepts(kind, resource):
        problem = _concept_check(concept)
        if problem:
            return problem
    return _predictions_check(resource.get("prediction", ()))


def _concepts(kind: str, resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The CodeableConcepts that we emit; one that is missing where we always give it counts as empty."""
    if kind == "ServiceRequest":
        yield from (*resource.get("category", ()), resource.get("code", {}), *resource.get("reasonCode", ()))
        return
    if kind == "MedicationRequest":
        yield from (resource.get("medicationCodeableConcept", {}), *resource.get("reasonCode", ()))
        return
    yield resource.get("method", {})
    for prediction in resource.get("prediction", ()):
        yield prediction.get("outcome", {})
        if "qualitativeRisk" in prediction:
            yield prediction["qualitativeRisk"]


def _predictions_check(predictions: Sequence[Mapping[str, Any]]) -> str | None:
    """R4's invariants of a prediction: ras-2 (a percentage), per-1 (start before end)."""
    for prediction in predictions:
        if not 0 <= prediction.get("probabilityDecimal", 0) <= 100:
            return "prediction.probabilityDecimal must be a percentage"
        period = prediction.get("whenPeriod", {"start": "", "end": ""})
        if period["start"] > period["end"]:
            return "prediction.whenPeriod must not end before it starts"
    return None


def _concept_check(concept: Mapping[str, Any]) -> str | None:
    codings = concept.get("coding", ())
    if not codings and not str(concept.get("text", "")).strip():
        return "has a concept with neither coding nor text"
    for coding in codings:
        if not str(coding.get("system", "")).startswith(("http", "urn:")) or not _CODE.fullmatch(
            str(coding.get("code", ""))
        ):
            return "has a coding without a system URI or a code"
    return None


@lru_cache(maxsize=8)
def _model_check(kind: str) -> Callable[[Mapping[str, Any]], str | None]:
    """The structural check of one type; fhir.resources is slow to import, so only that module, and once."""
    from importlib import import_module

    from pydantic import ValidationError

    with hidden("lxml", "yaml"):  # for XML and YAML, which we do not write: 5 MB
        model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)

    def check(resource: Mapping[str, Any]) -> str | None:
        try:
            model.model_validate(resource)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return f"{'.'.join(map(str, first['loc']))}: {first['type']}"
        return None

    return check


def _coding(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": system, "code": code, "display": display}


def reference(kind: str, id_: str) -> str:
    """`Patient/123`; an id outside FHIR's alphabet is percent-encoded, which keeps the URL valid."""
    if not id_.strip():
        raise InvalidOutput(f"propose: the id of a {kind} must not be empty")
    return f"{kind}/{quote(id_, safe='-._~')}"
