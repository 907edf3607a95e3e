"""Records from a few lines of FHIR."""

from datetime import UTC, datetime, timedelta

import orjson

from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
SNOMED, LOINC, RXNORM = "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
_DECODER = fhir.decoder(fhir.AnyResource)


def concept(code=None, text=None, system=SNOMED, display=None):
    coding = [{"system": system, "code": code, **({"display": display} if display else {})}] if code else []
    return {"coding": coding, **({"text": text} if text else {})}


def row(kind, id_, **members):
    owner = "patient" if kind in ("AllergyIntolerance", "Immunization", "Device") else "subject"
    return {"resourceType": kind, "id": id_, owner: {"reference": "Patient/p1"}, **members}


def status(code):
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": code}]}


def problem(id_, code="38341003", text="Hypertension", state="active", **members):
    return row("Condition", id_, clinicalStatus=status(state), code=concept(code, text), **members)


def result(id_, value, *, code="2160-0", name="Creatinine", unit="mg/dL", ago=10, **members):
    return row(
        "Observation",
        id_,
        status=members.pop("status", "final"),
        code=concept(code, name, LOINC),
        effectiveDateTime=(NOW - timedelta(days=ago)).isoformat(),
        valueQuantity={"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        **members,
    )


def record(*rows, listed=()):
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-01-01"}
    found = [_DECODER.decode(orjson.dumps(r)) for r in (patient, *rows)]
    return PatientRecord.from_resources(found, [None] * len(found), "p1", NOW, listed=frozenset(listed))


def context(*rows, listed=()):
    return ClinicalContext(record(*rows, listed=listed), "patient-view", None, None, None, (), NOW)
