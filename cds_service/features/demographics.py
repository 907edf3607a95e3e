"""Age, sex and recorded race from the Patient resource: a value, or a worded reason why there is none."""

from __future__ import annotations

from cds_service.features.feature import (
    Demographic,
    FeatureValue,
    Reason,
    Unusable,
)
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import years_between
from cds_service.language import msg

_OLDEST_AGE_A = 130


def demographic(record: PatientRecord, feature: Demographic) -> FeatureValue | Unusable:
    """Age, sex or race of the patient, or why it is not known."""
    patient = record.patient
    source = (f"Patient/{record.patient_id}",)
    if feature.id == "sex":
        if record.sex is not None:
            return FeatureValue(feature, record.sex, None, source)
        stated = patient is not None and patient.gender is not None
        words = msg("Sex is neither female nor male on record") if stated else msg("Sex is not on record")
        return Unusable(feature, Reason.NO_NUMBER if stated else Reason.ABSENT, words, sources=source)
    if feature.id == "race":
        return _race(feature, patient, source)
    if feature.id != "age":
        raise TypeError(f"no extraction for the demographic feature {feature.id}")
    born = record.birth_date
    if born is None:
        stated = patient is not None and patient.birth_date is not None
        words = msg("The date of birth is incomplete") if stated else msg("The date of birth is not on record")
        return Unusable(feature, Reason.NO_NUMBER if stated else Reason.ABSENT, words, sources=source)
    age = years_between(born, record.as_of.date())
    if not 0 <= age <= _OLDEST_AGE_A:
        return Unusable(feature, Reason.IMPLAUSIBLE, msg("The date of birth is implausible"), sources=source)
    return FeatureValue(feature, age, None, source)


_US_CORE_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_RACES = {"2106-3": "white", "2054-5": "black"}  # OMB categories of CDC race codes (urn:oid:2.16.840.1.113883.6.238)


def _race(feature: Demographic, patient: fhir.Patient | None, source: tuple[str, ...]) -> FeatureValue | Unusable:
    """Race as recorded in the US Core extension, if it is one category and that is White or Black; never guessed."""
    categories = {
        part.value_coding.code
        for extension in (patient.extension if patient is not None else ())
        if extension.url == _US_CORE_RACE
        for part in extension.extension
        if part.url == "ombCategory" and part.value_coding is not None
    }
    if len(categories) == 1 and (race := _RACES.get(next(iter(categories)) or "")):
        return FeatureValue(feature, race, None, source)
    words = msg("Race is not recorded as one category, White or Black") if categories else msg("Race is not on record")
    return Unusable(feature, Reason.NO_NUMBER if categories else Reason.ABSENT, words, sources=source)
