"""One disease is in the same group of diagnoses in ICD-9-CM, ICD-10 and SNOMED CT.

The codes were chosen before the map was looked at; pairs of ICD-9-CM and ICD-10-CM as the General Equivalence
Mappings of CMS (2018) have them.
"""

import pytest

from cds_service.features.diagnosis_groups import of_icd9
from cds_service.features.stay_diagnoses import groups_of
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import ICD10_CM, SNOMED

DISEASES = {  # ICD-9-CM, ICD-10-CM, SNOMED CT or nothing, groups
    "sepsis": ("038.42", "A41.51", "91302008", "sepsis"),
    "lung cancer": ("162.9", "C34.90", "254637007", "lung_cancer"),
    "metastasis of the brain": ("198.3", "C79.31", "94225005", "metastasis"),
    "myeloid leukaemia": ("205.00", "C92.00", "91861009", "blood_cancer"),
    "T-cell lymphoma": ("202.70", "C86.0", "", "blood_cancer"),
    "type 2 diabetes": ("250.00", "E11.9", "44054006", "diabetes_plain"),
    "ketoacidosis": ("250.13", "E10.10", "420422005", "diabetes_acute"),
    "diabetic kidney": ("250.40", "E11.21", "127013003", "diabetes_kidney"),
    "diabetic foot ulcer": ("250.80", "E11.621", "371087003", "diabetes_other"),
    "low glucose without diabetes": ("251.2", "E16.2", "302866003", ""),
    "hyponatraemia": ("276.1", "E87.1", "89627008", "fluids"),
    "iron deficiency": ("280.9", "D50.9", "87522002", "anaemia"),
    "Alzheimer": ("331.0", "G30.9", "26929004", "dementia"),
    "delirium": ("293.0", "F05", "2776000", ""),
    "schizophrenia": ("295.90", "F20.9", "58214004", "psychosis"),
    "depression": ("311", "F32.9", "35489007", "mood"),
    "dependence on alcohol": ("303.90", "F10.20", "7200002", ""),
    "Parkinson": ("332.0", "G20", "49049000", "nervous"),
    "encephalopathy": ("348.30", "G93.40", "81308009", "nervous"),
    "cataract": ("366.9", "H26.9", "193570009", "eye_ear"),
    "hypertension": ("401.9", "I10", "59621000", "hypertension"),
    "hypertensive kidney": ("403.90", "I12.9", "194783001", "hypertensive_kidney"),
    "infarction": ("410.71", "I21.4", "401314000", "infarction"),
    "old infarction": ("412", "I25.2", "399211009", "coronary"),
    "pulmonary embolism": ("415.19", "I26.99", "59282003", "pulmonary_circulation"),
    "ventricular tachycardia": ("427.1", "I47.20", "25569003", "rhythm"),
    "heart failure": ("428.0", "I50.9", "42343007", "heart_failure"),
    "stroke": ("434.91", "I63.9", "422504002", "stroke"),
    "late effect of stroke": ("438.9", "I69.30", "", ""),
    "aortic aneurysm": ("441.4", "I71.40", "233985008", "aneurysm"),
    "claudication": ("443.9", "I73.9", "399957001", "arteries"),
    "thrombosis": ("453.40", "I82.409", "128053003", "veins"),
    "haemorrhoids": ("455.6", "K64.9", "70153002", "veins"),
    "heart failure after surgery": ("997.1", "I97.130", "", "complication_care"),
    "pneumonia": ("486", "J18.9", "233604007", "pneumonia"),
    "exacerbation of COPD": ("491.21", "J44.1", "195951007", "copd"),
    "bronchiectasis": ("494.0", "J47.9", "12295008", ""),
    "ARDS": ("518.82", "J80", "67782005", "respiratory_failure"),
    "duodenal ulcer": ("532.90", "K26.9", "51868009", "gut_ulcer"),
    "reflux": ("530.81", "K21.9", "235595009", ""),
    "peritonitis": ("567.9", "K65.9", "48661000", "bowel"),
    "gallstones": ("574.20", "K80.20", "235919008", ""),
    "cirrhosis": ("571.5", "K74.60", "19943007", "liver"),
    "kidney disease, stage 3": ("585.3", "N18.30", "433144002", "kidney_chronic"),
    "acute kidney injury": ("584.9", "N17.9", "14669001", ""),
    "blood in urine": ("599.70", "R31.9", "34436003", "urinary"),
    "kidney stone": ("592.0", "N20.0", "95570007", "genitourinary"),
    "pre-eclampsia": ("642.40", "O14.90", "398254007", "pregnancy"),
    "cellulitis": ("682.6", "L03.115", "128045006", "cellulitis"),
    "psoriasis": ("696.1", "L40.9", "9014002", "skin"),
    "rheumatoid arthritis": ("714.0", "M06.9", "69896004", "arthritis"),
    "low back pain": ("724.2", "M54.50", "279039007", "spine"),
    "hip fracture": ("820.8", "S72.009A", "5913000", "hip_fracture"),
    "fracture of the shaft": ("821.01", "S72.309A", "", "fracture"),
    "wound of the neck": ("874.8", "S11.90XA", "", "injury"),
    "burn": ("949.0", "T30.0", "", "injury"),
    "infected joint prosthesis": ("996.66", "T84.50XA", "", "complication_device"),
    "altered mental status": ("780.97", "R41.82", "419284004", "general_symptom"),
    "chest pain": ("786.50", "R07.9", "29857009", "chest_symptom"),
    "breast cancer": ("174.9", "C50.919", "254837009", ""),
}


def groups(system: str, code: str) -> set[str]:
    row = fhir.Condition(code=fhir.CodeableConcept(coding=[fhir.Coding(system=system, code=code)]))
    return {id_.removeprefix("dx_") for id_ in groups_of(row)}


@pytest.mark.parametrize("disease", DISEASES)
def test_a_disease_is_in_one_group_whatever_it_is_coded_in(disease: str) -> None:
    """And in none where the map has none."""
    icd9, icd10, snomed, group = DISEASES[disease]
    expected = {group} - {""}
    assert {id_.removeprefix("dx_") for id_ in of_icd9(icd9)} == expected
    assert groups(ICD10_CM, icd10) == expected
    assert not snomed or groups(SNOMED, snomed) == expected


def test_heart_failure_with_hypertensive_kidney_disease_is_both() -> None:
    """ICD-10 says in one code what ICD-9-CM says in two."""
    assert groups(ICD10_CM, "I13.2") == {"heart_failure", "hypertensive_kidney"}
