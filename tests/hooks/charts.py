"""A patient in a few lines, and the services run on real models."""

import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson

from cds_service.cards import compose
from cds_service.features.extract import extract
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.drafts import read, unread
from cds_service.fhir.record import PatientRecord
from cds_service.hook import Case
from cds_service.knowledge.library import base
from cds_service.language import ENGLISH
from cds_service.needs import with_inputs
from cds_service.outlook import with_outlook
from cds_service.risk.model import PublishedScore, is_on
from cds_service.summary.template import summarise

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
LISTS = frozenset({"Condition", "MedicationRequest", "AllergyIntolerance", "ServiceRequest", "Observation"})
PREGNANT = "77386006"
# What does not last for years, as other problems of these charts: pregnancy, pneumonia, urinary infection.
BEGAN = {PREGNANT: "2026-09-01", "233604007": "2026-10-30", "68566005": "2026-10-30"}
SNOMED, LOINC, RXNORM = "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
CODES = {
    "glucose": ("2345-7", "mg/dL"),
    "white_cells": ("6690-2", "10*3/uL"),
    "total": ("2093-3", "mg/dL"),
    "hdl": ("2085-9", "mg/dL"),
    "ldl": ("13457-7", "mg/dL"),
    "creatinine": ("2160-0", "mg/dL"),
    "cystatin_c": ("33863-2", "mg/L"),
    "uacr": ("9318-7", "mg/g"),
    "hba1c": ("4548-4", "%"),
    "ast": ("1920-8", "U/L"),
    "alt": ("1742-6", "U/L"),
    "platelets": ("777-3", "10*3/uL"),
    "weight": ("29463-7", "kg"),
    "height": ("8302-2", "cm"),
    "bilirubin": ("1975-2", "mg/dL"),
    "inr": ("6301-6", "1"),
    "sodium": ("2951-2", "mmol/L"),
    "albumin": ("1751-7", "g/dL"),
    "potassium": ("2823-3", "mmol/L"),
    "lactate": ("2524-7", "mmol/L"),
    "crp": ("1988-5", "mg/L"),
    "sbp": ("8480-6", "mm[Hg]"),
    "dbp": ("8462-4", "mm[Hg]"),
    "bmi": ("39156-5", "kg/m2"),
    "rr": ("9279-1", "/min"),
    "spo2": ("59408-5", "%"),
    "temperature": ("8310-5", "Cel"),
    "hr": ("8867-4", "/min"),
    "oxygen_flow": ("3151-8", "L/min"),
    "bun": ("3094-0", "mg/dL"),
    "hemoglobin": ("718-7", "g/dL"),
    "wbc": ("6690-2", "10*3/uL"),
    "gcs": ("9269-2", "1"),
}


def plugin(path: Path):
    """The module of a plugin file."""
    name = f"test_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


MODELS = {
    m.id: m
    for path in sorted((ROOT / "models").glob("*.py"))
    for m in vars(plugin(path)).values()
    if isinstance(m, PublishedScore)
}


class Chart:
    """Builds one patient's resources."""

    def __init__(self, age=60, sex="male", **patient):
        self.listed = LISTS
        born = f"{NOW.year - age}-06-15"
        self.rows = [{"resourceType": "Patient", "id": "p1", "gender": sex, "birthDate": born, **patient}]
        self.drafts = []

    def add(self, kind, **members):
        number = len(self.rows)
        self.rows.append({"resourceType": kind, "id": f"{kind.lower()}-{number}", **members})
        return self

    def measured(self, *, ago=timedelta(days=10), **values):
        for name, value in values.items():
            code, unit = CODES[name]
            value, unit = value if isinstance(value, tuple) else (value, unit)
            self.add(
                "Observation",
                status="final",
                subject={"reference": "Patient/p1"},
                code={"coding": [{"system": LOINC, "code": code}]},
                effectiveDateTime=(NOW - ago).isoformat(),
                valueQuantity={"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
            )
        return self

    def smoking(self, code="266919005"):
        return self.add(
            "Observation",
            status="final",
            subject={"reference": "Patient/p1"},
            code={"coding": [{"system": LOINC, "code": "72166-2"}]},
            effectiveDateTime=(NOW - timedelta(days=10)).isoformat(),
            valueCodeableConcept={"coding": [{"system": SNOMED, "code": code}]},
        )

    def alert(self, code="248234008"):
        return self.add(
            "Observation",
            status="final",
            subject={"reference": "Patient/p1"},
            code={"coding": [{"system": LOINC, "code": "67775-7"}]},
            effectiveDateTime=(NOW - timedelta(hours=1)).isoformat(),
            valueCodeableConcept={"coding": [{"system": SNOMED, "code": code}]},
        )

    def problem(self, snomed, text="problem", onset=None, **more):
        active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
        return self.add(
            "Condition",
            clinicalStatus=active,
            subject={"reference": "Patient/p1"},
            onsetDateTime=onset or BEGAN.get(snomed, "2020-01-01"),
            code={"coding": [{"system": SNOMED, "code": snomed}], "text": text},
            **more,
        )

    def diagnosis(self, icd10, text="diagnosis"):
        coding = [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": icd10}]
        subject = {"reference": "Patient/p1"}
        return self.add("Condition", subject=subject, onsetDateTime="2020-01-01", code={"coding": coding, "text": text})

    def medicine(self, rxnorm, text="medicine", dosage=None, since="2026-01-01"):
        return self.add(
            "MedicationRequest",
            status="active",
            intent="order",
            subject={"reference": "Patient/p1"},
            authoredOn=since,
            medicationCodeableConcept={"coding": [{"system": RXNORM, "code": rxnorm}], "text": text},
            dosageInstruction=[{"text": dosage}] if dosage else [],
        )

    def draft(self, text, dosage=None, **structured):
        row = {"resourceType": "MedicationRequest", "id": f"draft-{len(self.drafts) + 1}", "status": "draft",
               "intent": "order", "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": text},
               "dosageInstruction": [{"text": dosage, **structured}] if dosage or structured else []}  # fmt: skip
        self.drafts.append(row)
        return self

    def unreadable_medicine(self):
        return self.add(
            "MedicationRequest",
            status="active",
            intent="order",
            subject={"reference": "Patient/p1"},
            medicationReference={"reference": "Medication/elsewhere"},
        )

    def intolerance(self, text):
        return self.add("AllergyIntolerance", patient={"reference": "Patient/p1"}, code={"text": text})

    def stay(self, code="IMP", status="in-progress", start="2026-10-31T20:00:00Z", end=None):
        period = {"start": start} | ({"end": end} if end else {})
        subject = {"reference": "Patient/p1"}
        return self.add("Encounter", status=status, subject=subject, period=period, **{"class": {"code": code}})

    def ordered(self, loinc=None, text="order", status="active"):
        coding = [{"system": LOINC, "code": loinc}] if loinc else []
        return self.add(
            "ServiceRequest",
            status=status,
            intent="order",
            subject={"reference": "Patient/p1"},
            code={"coding": coding, "text": text},
        )

    def knows(self, *types):
        """The whole list of these types was supplied."""
        self.listed = self.listed | set(types)
        return self

    def context(self, hook, encounter_class=None, encounter_status="in-progress", **members):
        encounter = None
        if encounter_class is not None:
            encounter = {
                "resourceType": "Encounter",
                "id": "e1",
                "status": encounter_status,
                "class": {"code": encounter_class},
                "subject": {"reference": "Patient/p1"},
                **members,
            }
        rows = [*self.rows, *([encounter] if encounter else [])]
        decoder = fhir.decoder(fhir.AnyResource)
        found = [decoder.decode(orjson.dumps(row)) for row in rows]
        record = PatientRecord.from_resources(found, [None] * len(found), "p1", NOW, listed=self.listed)
        stay = next((row for row in record.rows(fhir.Encounter) if row.id == "e1"), None)
        given = {"draftOrders": {"entry": [{"resource": row} for row in self.drafts]}}
        return ClinicalContext(record, hook, None, "e1" if stay else None, stay, read(given), NOW, unread=unread(given))


def case_of(service, context, models, enabled=(), beside=()):
    """What a service looks at."""
    chosen = {id_: models[id_] for id_ in service.models if is_on(models[id_], enabled)}
    features = list(with_inputs([*(f for m in chosen.values() for f in m.features), *service.features]))
    values = extract(context.record, features)
    results = {id_: m.estimate(values) for id_, m in chosen.items()}
    defaults = {name: threshold.default for name, threshold in service.thresholds.items()}
    library = base() if service.knowledge else None
    return Case(context, values, chosen, results, defaults, library, frozenset(beside))


class Answer:
    """What a service made of a chart."""

    def __init__(self, service, context, models, enabled=(), beside=(), say=ENGLISH):
        self.case = case_of(service, context, models, enabled, beside)
        self.findings = with_outlook(self.case, service.find(self.case))
        summary = summarise(context, self.case.values, self.findings, service.summary, shown=service.shown)
        self.cards = compose(service, self.findings, summary, say, assessment_id=UUID(int=7))

    @property
    def summary(self):
        return self.cards[0].summary if self.cards else None

    @property
    def suggestions(self):
        return [s.label for card in self.cards for s in card.suggestions]

    def finding(self, key):
        return next((f for f in self.findings if f.key.startswith(key)), None)
