"""Codes whose meaning is a term, so that a record in any language supports a sentence in another."""

from __future__ import annotations

from cds_service.features.catalogue import all_features
from cds_service.features.feature import Quantity
from cds_service.features.medicines import NAME_OF_CODE, PRODUCTS
from cds_service.fhir.codes import ATC, LOINC, RXNORM, SNOMED
from cds_service.summary.lexicon import lexicon
from cds_service.summary.spelling import atoms

# Feature of the catalogue -> term.
_FEATURES = {
    "hba1c": "hba1c", "egfr": "egfr", "creatinine": "creatinine", "bun": "bun", "glucose": "glucose",
    "sodium": "sodium", "potassium": "potassium", "chloride": "chloride", "bicarbonate": "bicarbonate",
    "calcium": "calcium", "phosphate": "phosphate", "albumin": "albumin", "bilirubin": "bilirubin", "alp": "alp",
    "ast": "ast", "alt": "alt", "ggt": "ggt", "total_cholesterol": "cholesterol", "hdl": "hdl", "ldl": "ldl",
    "triglycerides": "triglyceride", "hemoglobin": "hemoglobin", "hematocrit": "hematocrit", "wbc": "wbc",
    "platelets": "platelet", "mcv": "mcv", "rdw": "rdw", "urate": "urate", "crp": "crp", "inr": "inr",
    "lactate": "lactate", "systolic_bp": "sbp", "diastolic_bp": "dbp", "sbp": "sbp", "dbp": "dbp",
    "heart_rate": "hr", "respiratory_rate": "rr", "temperature": "temp", "spo2": "spo2", "weight": "weight",
    "height": "height", "bmi": "bmi", "uacr": "uacr", "cholesterol": "cholesterol", "hdl_cholesterol": "hdl",
    "ldl_cholesterol": "ldl", "lvef": "lvef",
}  # fmt: skip
_CONDITIONS = {
    (SNOMED, "716186003"): "nka", (SNOMED, "409137002"): "nkda", (SNOMED, "44054006"): "t2dm",
    (SNOMED, "59621000"): "essential_htn", (SNOMED, "38341003"): "htn", (SNOMED, "55822004"): "hlp",
    (SNOMED, "90560007"): "gout", (SNOMED, "197321007"): "fatty_liver", (SNOMED, "53741008"): "cad",
    (SNOMED, "49436004"): "af", (SNOMED, "84114007"): "hf", (SNOMED, "13645005"): "copd",
    (LOINC, "89247-1"): "ecog", (SNOMED, "195967001"): "asthma", (SNOMED, "91936005"): "penicillin",
}  # fmt: skip
_ATC = {"A10BA02": "metformin", "C09CA01": "losartan", "M04AA01": "allopurinol", "B01AA03": "warfarin",
        "B01AF02": "apixaban", "C10AA05": "atorvastatin", "B01AC06": "aspirin", "C08CA01": "amlodipine"}  # fmt: skip


def _term(name: str) -> str | None:
    key = tuple(a for a, _, _ in atoms(name))
    for phrase, meanings in lexicon().phrases.get(key[0], ()) if key else ():
        if phrase == key:
            return next((value for kind, value in meanings if kind == "term"), None)
    return None


def _feature(feature: Quantity) -> str | None:
    name = _FEATURES.get(feature.id)
    return f"#{name}" if name is not None else _term(str(feature.label))


def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], set[str]] = {}
    for feature in all_features():
        if isinstance(feature, Quantity) and (term := _feature(feature)):
            for code in feature.codes:
                found.setdefault((LOINC, code), set()).add(term)
    for code, name in NAME_OF_CODE.items():
        if term := _term(name):
            found.setdefault((RXNORM, code), set()).add(term)
    for code, names in PRODUCTS.items():
        found.setdefault((RXNORM, code), set()).update(t for n in names if (t := _term(n)))
    for pair, term in _CONDITIONS.items():
        found.setdefault(pair, set()).add(f"#{term}")
    for pair, term in lexicon().codes.items():
        found.setdefault(pair, set()).add(term)
    for code, term in _ATC.items():
        found.setdefault((ATC, code), set()).add(f"#{term}")
    return {pair: tuple(sorted(terms)) for pair, terms in found.items()}


TERMS_BY_CODE = _table()
