"""Draft orders that can be written in the sandbox EHR, and the resources that hooks carry for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cds_service.errors import InputError
from cds_service.sandbox.resources import Json, instant

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_LOINC = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class Orderable:
    """Something that can be ordered. code: RxNorm ingredient of a medicine, LOINC of a test. dosage: of a medicine."""

    label: str
    code: str
    dosage: str = ""

    def draft(self, patient: str, user: str, now: datetime) -> Json:
        """The draft order as a FHIR R4 resource, without an id."""
        common: Json = {
            "status": "draft",
            "intent": "order",
            "subject": {"reference": f"Patient/{patient}"},
            "authoredOn": instant(now),
            "requester": {"reference": user},
        }
        system = _RXNORM if self.dosage else _LOINC
        concept = {"coding": [{"system": system, "code": self.code, "display": self.label}], "text": self.label}
        if self.dosage:
            dosage = [{"text": self.dosage}]
            return {
                "resourceType": "MedicationRequest",
                **common,
                "medicationCodeableConcept": concept,
                "dosageInstruction": dosage,
            }
        return {"resourceType": "ServiceRequest", **common, "code": concept}


ORDERABLES: Mapping[str, Orderable] = MappingProxyType(
    {
        "metformin": Orderable("Metformin 1000 mg tablet", "6809", "1 tablet by mouth twice daily"),
        "simvastatin": Orderable("Simvastatin 40 mg tablet", "36567", "1 tablet by mouth once daily"),
        "clarithromycin": Orderable("Clarithromycin 500 mg tablet", "21212", "1 tablet by mouth twice daily"),
        "ibuprofen": Orderable("Ibuprofen 600 mg tablet", "5640", "1 tablet by mouth three times daily"),
        "apixaban": Orderable("Apixaban 5 mg tablet", "1364430", "1 tablet by mouth twice daily"),
        "warfarin": Orderable("Warfarin 5 mg tablet", "11289", "1 tablet by mouth once daily"),
        "amoxicillin": Orderable("Amoxicillin 500 mg capsule", "723", "1 capsule by mouth three times daily"),
        "spironolactone": Orderable("Spironolactone 25 mg tablet", "9997", "1 tablet by mouth once daily"),
        "nitrofurantoin": Orderable("Nitrofurantoin 100 mg capsule", "7454", "1 capsule by mouth twice daily"),
        "creatinine": Orderable("Creatinine, serum", "2160-0"),
        "lipids": Orderable("Lipid panel", "57698-3"),
    }
)


def draft(key: str, text: str, patient: str, user: str, now: datetime) -> Json:
    """The draft of an orderable, or of free text. Raises InputError if nothing was chosen."""
    if key in ORDERABLES:
        return ORDERABLES[key].draft(patient, user, now)
    if text.strip():
        order = Orderable(text.strip()[:200], "", "as directed").draft(patient, user, now)
        return order | {"medicationCodeableConcept": {"text": text.strip()[:200]}}
    raise InputError("Choose an order from the list, or write one.")
