"""What a stay tells at its end, the diagnoses of a stay, and the map of diagnoses to groups."""

import contextlib
from typing import Any

import msgspec
import pytest
from built import ICD10_CM, NOW, SNOMED, SUBJECT, concept, condition, reason, usable
from hypothesis import given
from hypothesis import strategies as st

from cds_service.features import diagnosis_groups as groups
from cds_service.features import discharge
from cds_service.features.feature import Reason
from cds_service.features.stay_diagnoses import groups_of
from cds_service.fhir import resources as fhir

DISPOSITION = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
NUBC = "https://www.nubc.org/CodeSystem/PatDischargeStatus"
HEART_FAILURE = next(g for g in groups.GROUPS if g.id == "dx_heart_failure")
PNEUMONIA = next(g for g in groups.GROUPS if g.id == "dx_pneumonia")


def stay(**more: Any) -> dict[str, Any]:
    """An inpatient stay of five days that is about to end."""
    return {
        "resourceType": "Encounter",
        "id": "stay",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": SUBJECT,
        "period": {"start": "2026-05-27T08:00:00Z"},
    } | more


def diagnosis(id_: str, code: str, system: str = ICD10_CM, **more: Any) -> dict[str, Any]:
    return condition(code, system) | {"id": id_} | more


def ranked(*entries: tuple[str, int | None]) -> list[dict[str, Any]]:
    return [
        {"condition": {"reference": f"Condition/{id_}"}} | ({"rank": rank} if rank else {}) for id_, rank in entries
    ]


@pytest.mark.parametrize(
    ("system", "code", "word"),
    [
        (DISPOSITION, "home", discharge.HOME),
        (DISPOSITION, "snf", discharge.NURSING),
        (DISPOSITION, "exp", discharge.DIED),
        (NUBC, "06", discharge.HOME_CARE),
        (NUBC, "62", discharge.REHABILITATION),
        (NUBC, "50", discharge.HOSPICE),
    ],
)
def test_where_the_patient_goes_is_read_from_its_code(system: str, code: str, word: str) -> None:
    """HL7's codes, and those of the billing form in the United States."""
    row = stay(hospitalization={"dischargeDisposition": concept(code, system)})
    found = usable(discharge.DISPOSITION, row)
    assert found.value == word
    assert found.sources == ("Encounter/stay",)


def test_an_unknown_disposition_is_never_home() -> None:
    """Neither a code that is not known nor none at all."""
    unread = stay(hospitalization={"dischargeDisposition": concept("oth", DISPOSITION)})
    assert reason(discharge.DISPOSITION, unread) is Reason.NO_NUMBER
    assert reason(discharge.DISPOSITION, stay()) is Reason.ABSENT


def test_two_dispositions_are_a_conflict() -> None:
    """Nothing tells which is right."""
    both = {"coding": [{"system": DISPOSITION, "code": "home"}, {"system": DISPOSITION, "code": "snf"}]}
    assert reason(discharge.DISPOSITION, stay(hospitalization={"dischargeDisposition": both})) is Reason.CONFLICT


def test_outside_a_stay_nothing_is_asked_for() -> None:
    """No order could mend what belongs to a stay that is not there."""
    assert reason(discharge.DISPOSITION) is Reason.OUTSIDE


def test_the_principal_diagnosis_is_the_one_ranked_first() -> None:
    """The second is another diagnosis; a group without one is "no"; both are cited."""
    rows = [
        stay(diagnosis=ranked(("b", 2), ("a", 1))),
        diagnosis("a", "J18.9"),
        diagnosis("b", "I50.22"),
    ]
    assert usable(PNEUMONIA, *rows).value == groups.PRINCIPAL
    assert usable(HEART_FAILURE, *rows).value == groups.OTHER
    assert usable(HEART_FAILURE, *rows).sources == ("Condition/b",)
    assert usable(groups.GROUPS[0], *rows).value == groups.NONE
    assert usable(discharge.DIAGNOSES, *rows).value == 2.0


def test_of_ranked_diagnoses_the_first_three_count() -> None:
    """The training data hold three a stay; the number of diagnoses counts all."""
    codes = ["E11.9", "I10", "N18.3", "I50.9"]
    rows = [diagnosis(f"d{n}", code) for n, code in enumerate(codes)]
    encounter = stay(diagnosis=ranked(*((f"d{n}", n + 1) for n in range(4))))
    assert usable(HEART_FAILURE, encounter, *rows).value == groups.NONE
    assert usable(discharge.DIAGNOSES, encounter, *rows).value == 4.0


def test_without_ranks_no_diagnosis_is_the_principal_one() -> None:
    """Diagnoses recorded in the stay count all the same."""
    own = {"encounter": {"reference": "Encounter/stay"}}
    rows = [stay(), diagnosis("a", "J18.9", **own), diagnosis("b", "84114007", SNOMED, **own)]
    assert usable(PNEUMONIA, *rows).value == groups.OTHER
    assert usable(HEART_FAILURE, *rows).value == groups.OTHER


@pytest.mark.parametrize(
    "reference",
    ["Encounter/stay", "Encounter/stay/_history/2", "https://ehr.example/f/Encounter/stay", "Encounter/x"],
)
def test_a_stay_is_recognised_in_every_form_of_its_reference(reference: str) -> None:
    """Diagnoses and orders name their Encounter relative, versioned or by URL."""
    own = {"encounter": {"reference": reference}}
    order = {
        "resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": SUBJECT,
        "medicationCodeableConcept": {"text": "ceftriaxone 1 g"}, **own,
    }  # fmt: skip
    rows = [stay(), diagnosis("a", "J18.9", **own), order]
    if reference == "Encounter/x":
        assert reason(PNEUMONIA, *rows) is Reason.NO_LIST
        assert reason(discharge.MEDICINES, *rows) is Reason.NO_LIST
    else:
        assert usable(PNEUMONIA, *rows).value == groups.PRINCIPAL
        assert usable(discharge.MEDICINES, *rows).value == 1.0


def test_without_diagnoses_of_the_stay_nothing_is_concluded() -> None:
    """An old problem on the list is no diagnosis of the stay."""
    assert reason(PNEUMONIA, stay(), diagnosis("old", "J18.9")) is Reason.NO_LIST


def test_medicines_count_only_where_orders_of_the_stay_are_on_record() -> None:
    """A list of home medicines alone would count too few; one medicine ordered twice counts once."""

    def order(id_: str, name: str, on: str) -> dict[str, Any]:
        return {
            "resourceType": "MedicationRequest", "id": id_, "status": "active", "intent": "order", "subject": SUBJECT,
            "medicationCodeableConcept": {"text": name}, "authoredOn": on,
        }  # fmt: skip

    before = order("m1", "metformin 500 mg", "2024-01-01")
    assert reason(discharge.MEDICINES, stay(), before) is Reason.NO_LIST
    during = [order("m2", "ceftriaxone 1 g", "2026-05-28"), order("m3", "metformin 850 mg", "2026-05-28")]
    assert usable(discharge.MEDICINES, stay(), before, *during).value == 2.0


@pytest.mark.parametrize(
    ("code", "group"),
    [("428", "dx_heart_failure"), ("38", "dx_sepsis"), ("250.6", "dx_diabetes_nerve"), ("250.01", "dx_diabetes_plain"),
     ("V58", "dx_aftercare"), ("820", "dx_hip_fracture")],
)  # fmt: skip
def test_a_code_of_the_training_data_finds_its_group(code: str, group: str) -> None:
    """Three digits, leading zeros left out as the data do."""
    assert groups.of_icd9(code) == (group,)


@pytest.mark.parametrize(("icd9", "icd10"), [
    ("428", "I50.9"), ("486", "J18.9"), ("250.6", "E11.40"), ("250.4", "E10.21"), ("434", "I63.9"), ("585", "N18.4"),
    ("599", "N39.0"), ("682", "L03.115"), ("276", "E87.1"), ("820", "S72.001A"), ("707", "L89.152"), ("V57", "Z51.89"),
])  # fmt: skip
def test_both_editions_of_a_diagnosis_fall_into_one_group(icd9: str, icd10: str) -> None:
    """What was learnt from one is applied to the other."""
    row = msgspec.convert(diagnosis("x", icd10), fhir.Condition)
    assert groups_of(row) == set(groups.of_icd9(icd9))


@given(st.text(max_size=6))
def test_any_text_is_a_code_or_is_refused(text: str) -> None:
    """No other error."""
    with contextlib.suppress(ValueError):
        assert all(id_.startswith("dx_") for id_ in groups.of_icd9(text))


def test_no_code_of_one_edition_is_in_two_groups() -> None:
    """A diagnosis counts once."""
    for code in [f"{n:03}" for n in range(1, 1000)] + [f"250.{n}" for n in range(10)]:
        assert len(groups.of_icd9(code)) <= 1, code


def test_visits_of_the_year_need_encounters_that_reach_back() -> None:
    """What was not supplied is not none."""
    earlier = {"id": "er", "class": {"system": "x", "code": "EMER"}, "status": "finished"}
    visit = stay(**earlier, period={"start": "2026-01-02T08:00:00Z", "end": "2026-01-02T12:00:00Z"})
    assert reason(discharge.EMERGENCY_YEAR, stay(), visit) is Reason.NO_LIST
    old = stay(**{**earlier, "id": "old"}, period={"start": "2024-01-02T08:00:00Z", "end": "2024-01-02T12:00:00Z"})
    assert usable(discharge.EMERGENCY_YEAR, stay(), visit, old).value == 1.0
    assert NOW.year == 2026
