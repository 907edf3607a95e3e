"""Conditions: present, absent from a list, or not known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from built import ICD10_CM, SNOMED, condition, reason, status, usable

from cds_service.features import catalogue as c
from cds_service.features.conditions import CONDITIONS, PREGNANCY_LISTED
from cds_service.features.feature import ConditionFeature, Reason

COLD = condition("82272006")  # something on the list that no feature asks for


def test_a_condition_carries_onset_and_source() -> None:
    """The earliest onset counts."""
    found = usable(c.DIABETES, condition("44054006"), condition("E11.9", ICD10_CM, onsetDateTime="2012-01-01"))
    assert found.value is True
    assert found.effective == datetime(2012, 1, 1, tzinfo=UTC)
    assert found.sources == ("Condition/c-44054006", "Condition/c-E11.9")


@pytest.mark.parametrize(
    ("feature", "code", "system"),
    [
        (c.DIABETES, "127013003", SNOMED),
        (c.DIABETES, "E10.65", ICD10_CM),
        (c.DIABETES, "E119", ICD10_CM),
        (c.DIABETES, "e11.9", "urn:oid:2.16.840.1.113883.6.90"),
        (c.DIABETES, "E14.9", "http://hl7.org/fhir/sid/icd-10"),
        (c.DIABETES, "44054006", "http://snomed.info/sct/731000124108/version/20250301"),
        (c.HYPERTENSION, "I10", ICD10_CM),
        (c.HEART_FAILURE, "88805009", SNOMED),
        (c.HEART_FAILURE, "I11.0", ICD10_CM),
        (c.ATRIAL_FIBRILLATION, "I48.91", ICD10_CM),
        (c.STROKE_TIA, "230690007", SNOMED),
        (c.STROKE_TIA, "Z86.73", ICD10_CM),
        (c.VASCULAR_DISEASE, "I25.2", ICD10_CM),
        (c.CORONARY_DISEASE, "53741008", SNOMED),
        (c.CKD, "N18.31", ICD10_CM),
        (c.DIALYSIS, "Z99.2", ICD10_CM),
        (c.CIRRHOSIS, "K70.31", ICD10_CM),
        (c.CANCER, "C50.911", ICD10_CM),
        (c.CANCER, "363406005", SNOMED),
        (c.METASTASIS, "C78.7", ICD10_CM),
        (c.COPD, "87433001", SNOMED),
        (c.DEMENTIA, "230265002", SNOMED),
        (c.MECHANICAL_VALVE, "Z95.2", ICD10_CM),
        (c.MECHANICAL_VALVE, "174929002", SNOMED),  # mechanical prosthetic aortic valve replacement
        (c.DIABETES, "368051000119109", SNOMED),  # hyperglycaemia due to type 2
        (c.DIABETES, "731000119105", SNOMED),  # chronic kidney disease stage 3 due to type 2
        (c.CKD, "731000119105", SNOMED),
        (c.TYPE_1_DIABETES, "90741000119107", SNOMED),  # the same due to type 1
        (c.CHARLSON_DIABETES_COMPLICATED, "731000119105", SNOMED),
        (c.HYPERTENSION, "140121000119100", SNOMED),  # hypertension in chronic kidney disease due to type 2
        (c.HEART_FAILURE, "153941000119100", SNOMED),  # chronic combined systolic and diastolic
        (c.ATRIAL_FIBRILLATION, "120041000119109", SNOMED),  # with rapid ventricular response
        (c.CORONARY_DISEASE, "70422006", SNOMED),  # acute subendocardial infarction
        (c.STROKE, "230698000", SNOMED),  # lacunar infarction
        (c.KIDNEY_TRANSPLANT, "313030004", SNOMED),
        (c.PALLIATIVE_CARE, "170935008", SNOMED),  # full care by hospice
        (c.OBESITY, "162864005", SNOMED),
        (PREGNANCY_LISTED, "72892002", SNOMED),
    ],
)
def test_value_sets_hold_what_they_name(feature: ConditionFeature, code: str, system: str) -> None:
    """SNOMED CT codes, ICD-10 prefixes with and without dots, OIDs and editions."""
    assert usable(feature, condition(code, system)).value is True


@pytest.mark.parametrize(
    ("feature", "code", "system"),
    [
        (c.DIABETES, "15777000", SNOMED),  # prediabetes
        (c.DIABETES, "R73.03", ICD10_CM),  # prediabetes
        (c.DIABETES, "11687002", SNOMED),  # gestational diabetes
        (c.DIABETES, "O24.410", ICD10_CM),
        (c.DIABETES, "Z83.3", ICD10_CM),  # family history
        (c.DIABETES, "E11.9", SNOMED),  # the code of another system
        (c.DIABETES, "44054006", ICD10_CM),
        (c.HEART_FAILURE, "I11.9", ICD10_CM),  # hypertensive heart disease without failure
        (c.STROKE_TIA, "G45.4", ICD10_CM),  # transient global amnesia
        (c.CANCER, "C44.91", ICD10_CM),  # skin
        (c.CANCER, "D05.1", ICD10_CM),  # in situ
        (c.CANCER, "92691004", SNOMED),  # in situ
        (c.CANCER, "162573006", SNOMED),  # suspected
        (c.OBESITY, "E66.3", ICD10_CM),  # overweight
        (c.CIRRHOSIS, "K70.1", ICD10_CM),
        (c.PREGNANCY, "19169002", SNOMED),  # miscarriage
    ],
)
def test_value_sets_do_not_hold_their_neighbours(feature: ConditionFeature, code: str, system: str) -> None:
    """What resembles a diagnosis is not that diagnosis."""
    found = usable(feature, condition(code, system))
    assert found.value is False
    assert found.inferred


def test_absence_is_read_from_a_list_that_holds_something() -> None:
    """A list with other entries says "no"; it is marked as inferred and has no source."""
    found = usable(c.DIABETES, COLD)
    assert (found.value, found.inferred, found.sources, found.note) == (False, True, (), None)


@pytest.mark.parametrize(
    "code",
    [{"text": "DM2 - diet"}, {"coding": [{"system": "http://hospital.example/codes", "code": "44054006"}]}],
)
def test_absence_is_not_read_from_a_list_without_a_code_that_is_read_here(code: dict[str, object]) -> None:
    """Entries in words alone, or in a hospital's own codes, may be the very disease."""
    row = condition("44054006") | {"code": code}
    assert reason(c.DIABETES, row) is Reason.NO_LIST
    assert usable(c.DIABETES, row, COLD).value is False


@pytest.mark.parametrize("listed", [(), ("Condition",)])
def test_absence_is_not_read_from_an_empty_list(listed: tuple[str, ...]) -> None:
    """No entry may mean that nobody wrote one."""
    assert reason(c.DIABETES, listed=listed) is Reason.NO_LIST


def test_an_explicit_statement_of_no_problems_is_a_list() -> None:
    """IPS and SNOMED CT have codes for it; "no information" is not one of them."""
    ips = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
    assert usable(c.DIABETES, condition("no-known-problems", ips)).value is False
    assert usable(c.DIABETES, condition("160245001")).value is False
    assert reason(c.DIABETES, condition("no-problem-info", ips)) is Reason.NO_LIST


def test_rows_of_another_patient_are_no_list() -> None:
    """Absence is not read from somebody else's problems."""
    assert reason(c.DIABETES, condition("82272006", subject={"reference": "Patient/p2"})) is Reason.NO_LIST


@pytest.mark.parametrize(
    ("members", "present"),
    [
        ({"clinicalStatus": status("clinical", "active")}, True),
        ({"clinicalStatus": status("clinical", "recurrence")}, True),
        ({"clinicalStatus": status("clinical", "relapse")}, True),
        ({"clinicalStatus": status("clinical", "inactive")}, False),
        ({"clinicalStatus": status("clinical", "remission")}, False),
        ({"clinicalStatus": status("clinical", "resolved")}, False),
        ({"clinicalStatus": None}, True),
        ({"clinicalStatus": None, "abatementDateTime": "2025-01-01"}, False),
        ({"abatementDateTime": "2025-01-01"}, False),
        ({"abatementPeriod": {"start": "2025-01-01"}}, False),
        ({"abatementString": "last year"}, False),
        ({"clinicalStatus": status("clinical", "resolved"), "abatementDateTime": "2026-12-01"}, True),
    ],
)
def test_a_condition_counts_while_it_is_active(members: dict[str, Any], present: bool) -> None:
    """By clinical status and abatement, as of the moment that is asked about."""
    assert usable(c.HYPERTENSION, condition("38341003", **members)).value is present


def test_a_past_stroke_stays_a_stroke() -> None:
    """History counts where the feature says so."""
    assert usable(c.STROKE_TIA, condition("230690007", clinical="resolved")).value is True
    assert usable(c.PREGNANCY, condition("72892002", clinical="resolved")).value is False


@pytest.mark.parametrize("doubt", ["unconfirmed", "provisional", "differential"])
def test_an_unconfirmed_diagnosis_is_no_diagnosis(doubt: str) -> None:
    """It does not count as present, and the value says that it is there."""
    found = usable(c.DIABETES, condition("44054006", verificationStatus=status("ver-status", doubt)))
    assert found.value is False
    assert found.sources == ("Condition/c-44054006",)
    assert str(found.note) == "Diabetes is on the list, but not confirmed"


def test_a_refuted_diagnosis_is_not_on_the_list() -> None:
    """Refuted rows are dropped with the record's other unusable rows."""
    row = condition("44054006", verificationStatus=status("ver-status", "refuted"))
    found = usable(c.DIABETES, row, COLD)
    assert (found.value, found.note) == (False, None)


def test_value_sets_have_no_code_twice_and_no_malformed_code() -> None:
    """SNOMED CT identifiers pass their check digit; ICD-10 prefixes look like ICD-10."""
    for feature in CONDITIONS:
        assert len(set(feature.snomed)) == len(feature.snomed), feature.id
        assert len(set(feature.icd10)) == len(feature.icd10), feature.id
        for code in feature.snomed:
            assert verhoeff(code), f"{feature.id}: {code}"
        for prefix in feature.icd10:
            assert prefix[0].isalpha()
            assert prefix[1].isdigit()
            assert len(prefix) == 3 or prefix[3] == "."


_D = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
_P = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
]


def verhoeff(code: str) -> bool:
    """The check digit of a SNOMED CT identifier is right."""
    check = 0
    for position, digit in enumerate(reversed(code)):
        check = _D[check][_P[position % 8][int(digit)]]
    return check == 0


def test_a_complication_named_within_a_disease_is_not_dated_by_the_disease() -> None:
    """The onset of a combined code is that of the cirrhosis; ascites with an entry of its own has its own date."""
    combined = condition("K70.31", ICD10_CM, id="a", onsetDateTime="2015-03-01")
    found = usable(c.ASCITES, combined)
    assert (found.value, found.effective, found.sources) == (True, None, ("Condition/a",))
    own = condition("389026000", id="b", onsetDateTime="2024-02-03")
    both = usable(c.ASCITES, combined, own)
    assert both.effective is not None
    assert both.effective.date().isoformat() == "2024-02-03"


def test_a_complication_whose_own_entry_is_over_says_so() -> None:
    """A combined code that is still active keeps the complication, and the note tells of the other entry."""
    combined = condition("K70.31", ICD10_CM, id="a")
    over = condition("389026000", id="b", clinical="resolved")
    found = usable(c.ASCITES, combined, over)
    assert found.value is True
    assert str(found.note) == "Ascites: the entry of its own is over, one that includes it is not"
    assert usable(c.ASCITES, over).value is False
