"""Hook calls of a wanted size for many different patients, seeded, as an EHR sends them with prefetch filled.

All are in their seventies, unwell and with a steady creatinine, so that every one gets a card: the dearest case. The
times count back
from today, so that the latest values are always recent.
"""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from cds_service.clock import SystemClock

AS_OF = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
YOUNGEST, OLDEST = 71, 78
# LOINC, unit, mean, spread: what the mortality model and the summary read, and common rows beside them.
LABS = (
    ("2160-0", "mg/dL", 1.2, 0.06), ("3094-0", "mg/dL", 21, 4), ("1751-7", "g/dL", 3.7, 0.3), ("6768-6", "U/L", 75, 20),
    ("1920-8", "U/L", 24, 8), ("1742-6", "U/L", 25, 9), ("2324-2", "U/L", 28, 12), ("1975-2", "mg/dL", 0.7, 0.2),
    ("2951-2", "mmol/L", 140, 2), ("2823-3", "mmol/L", 4.2, 0.3), ("2075-0", "mmol/L", 102, 2),
    ("1963-8", "mmol/L", 25, 2), ("17861-6", "mg/dL", 9.4, 0.3), ("2345-7", "mg/dL", 105, 15),
    ("4548-4", "%", 5.8, 0.5),
    ("2093-3", "mg/dL", 195, 25), ("2085-9", "mg/dL", 52, 9), ("2571-8", "mg/dL", 130, 40),
    ("13457-7", "mg/dL", 115, 20),
    ("718-7", "g/dL", 13.8, 1), ("6690-2", "10*3/uL", 7, 1.5), ("777-3", "10*3/uL", 240, 40), ("787-2", "fL", 90, 4),
    ("788-0", "%", 14.4, 0.7), ("789-8", "10*6/uL", 4.6, 0.3), ("736-9", "%", 29, 6), ("770-8", "%", 60, 7),
    ("5905-5", "%", 7, 1.5), ("1988-5", "mg/L", 3, 1), ("3084-1", "mg/dL", 5.4, 1), ("9318-7", "mg/g", 20, 8),
)  # fmt: skip
VITALS = (("8867-4", "/min", 74, 8), ("39156-5", "kg/m2", 28, 3), ("29463-7", "kg", 82, 9), ("8302-2", "cm", 170, 5))


def hook_call(patient: int, kilobytes: int, service_hook: str = "patient-view") -> bytes:
    """The body of one hook call of about that size; a patient's number seeds all its values."""
    draw = random.Random(patient)
    id_ = f"bench-{patient}"
    conditions = [_condition(id_, i, code) for i, code in enumerate(("38341003", "44054006", "55822004"))]
    prefetch: dict[str, Any] = {
        "patient": {
            "resourceType": "Patient",
            "id": id_,
            "gender": draw.choice(("female", "male")),
            "birthDate": (AS_OF - timedelta(days=draw.randint(365 * YOUNGEST, 365 * OLDEST))).date().isoformat(),
        },
        "conditions": _bundle(conditions),
        "medications": _bundle([_medication(id_, 0, "83367", "Atorvastatin 20 MG Oral Tablet")]),
        "answers": _bundle([_smoking(id_)]),
    }
    call: dict[str, Any] = {
        "hook": service_hook,
        "hookInstance": str(UUID(int=draw.getrandbits(128), version=4)),
        "context": {"userId": "Practitioner/bench", "patientId": id_, "encounterId": f"{id_}-e"},
        "prefetch": prefetch,
    }
    labs: list[dict[str, Any]] = []
    vitals: list[dict[str, Any]] = []
    size, day = len(orjson.dumps(call)), 0
    while size < kilobytes * 1024:
        day += draw.randint(3, 9)
        at = AS_OF - timedelta(days=day, minutes=draw.randint(0, 600))
        rows = [_observation(id_, f"l{day}-{i}", row, at, "laboratory", draw) for i, row in enumerate(LABS)]
        signs = [_observation(id_, f"v{day}-{i}", row, at, "vital-signs", draw) for i, row in enumerate(VITALS)]
        signs.append(_pressure(id_, f"p{day}", at, draw))
        for row, shelf in [*((r, labs) for r in rows), *((s, vitals) for s in signs)]:
            size += len(orjson.dumps(row)) + 70
            shelf.append(row)
            if size >= kilobytes * 1024:
                break
    prefetch["labs"], prefetch["vitalSigns"] = _bundle(labs), _bundle(vitals)
    return orjson.dumps(call)


_INSTANCE = re.compile(rb'"hookInstance":"[0-9a-f-]{36}"')


def renewed(body: bytes, instance: UUID) -> bytes:
    """The same call under another hookInstance: a call that was never made before."""
    return _INSTANCE.sub(b'"hookInstance":"%b"' % str(instance).encode(), body, count=1)


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _observation(
    patient: str, id_: str, row: tuple[str, str, float, float], at: datetime, category: str, draw: random.Random
) -> dict[str, Any]:
    code, unit, mean, spread = row
    value = round(max(draw.gauss(mean, spread), mean / 4), 2)
    return _framed(patient, id_, code, at, category) | {
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        "referenceRange": [
            {
                "low": {"value": round(mean - 2 * spread, 2), "unit": unit},
                "high": {"value": round(mean + 2 * spread, 2), "unit": unit},
            }
        ],
    }


def _pressure(patient: str, id_: str, at: datetime, draw: random.Random) -> dict[str, Any]:
    def part(code: str, value: int) -> dict[str, Any]:
        unit = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": unit}

    parts = [part("8480-6", draw.randint(105, 165)), part("8462-4", draw.randint(60, 95))]
    return _framed(patient, id_, "85354-9", at, "vital-signs") | {"component": parts}


def _framed(patient: str, id_: str, code: str, at: datetime, category: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {
        "resourceType": "Observation",
        "id": f"{patient}-{id_}",
        "meta": {"versionId": "1", "lastUpdated": at.isoformat()},
        "status": "final",
        "category": [{"coding": [{"system": system, "code": category, "display": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": f"LOINC {code}"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "encounter": {"reference": f"Encounter/{patient}-e"},
        "effectiveDateTime": at.isoformat(),
        "issued": at.isoformat(),
    }


def _condition(patient: str, number: int, code: str) -> dict[str, Any]:
    def status(name: str, value: str) -> dict[str, Any]:
        return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{name}", "code": value}]}

    return {
        "resourceType": "Condition",
        "id": f"{patient}-c{number}",
        "clinicalStatus": status("condition-clinical", "active"),
        "verificationStatus": status("condition-ver-status", "confirmed"),
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "onsetDateTime": "2015-03-01",
    }


def _medication(patient: str, number: int, code: str, text: str) -> dict[str, Any]:
    system = "http://www.nlm.nih.gov/research/umls/rxnorm"
    return {
        "resourceType": "MedicationRequest",
        "id": f"{patient}-m{number}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": system, "code": code, "display": text}], "text": text},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2026-02-01",
    }


def _smoking(patient: str) -> dict[str, Any]:
    never = {"coding": [{"system": "http://snomed.info/sct", "code": "266919005", "display": "Never smoked tobacco"}]}
    return _framed(patient, "s", "72166-2", AS_OF - timedelta(days=40), "social-history") | {
        "valueCodeableConcept": never
    }
