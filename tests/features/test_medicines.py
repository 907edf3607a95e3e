"""Medicines in use, by ingredient."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from built import PATIENT, RXNORM, SNOMED, SUBJECT, concept, prescription, reason, record, usable

from cds_service.features import catalogue as c
from cds_service.features.extract import extract
from cds_service.features.feature import MedicationFeature, Reason
from cds_service.features.medicines_on_record import MedicationList, current_medicines, intolerances
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord

ATC = "http://www.whocc.no/atc"
PARACETAMOL = prescription("Paracetamol 500 mg tablet")


def statement(text: str, **members: Any) -> dict[str, Any]:
    row = {
        "resourceType": "MedicationStatement",
        "id": f"s-{text}",
        "status": "active",
        "medicationCodeableConcept": {"text": text},
        "subject": SUBJECT,
    }
    return row | members


@pytest.mark.parametrize(
    ("feature", "row"),
    [
        (c.STATIN, prescription(code="83367")),
        (c.STATIN, prescription("Simvistatin 10 MG", "316672")),  # misspelt in Synthea, known by its product code
        (c.STATIN, prescription("Atorvastatin 20 mg tablet, 30")),
        (c.STATIN, prescription("LIPITOR 10 mg")),
        (c.ANTIHYPERTENSIVE, prescription("Hydrochlorothiazide 25 MG", "316049")),
        (c.ANTIHYPERTENSIVE, prescription("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]")),
        (c.ANTIHYPERTENSIVE, prescription("Amlodipine 5 MG / Benazepril 10 MG Oral Capsule")),
        (c.ANTICOAGULANT, prescription("Warfarin Sodium 5 MG Oral Tablet", "855332")),
        (c.ANTICOAGULANT, statement("Apixaban 5 mg")),
        (c.GLUCOSE_LOWERING, prescription("insulin glargine 100 UNT/ML")),
        (c.GLUCOSE_LOWERING, prescription("Metformin 1g modified release tablets")),
        (c.METFORMIN, prescription("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", "860975")),
    ],
)
def test_a_medicine_is_recognised_by_code_or_name(feature: MedicationFeature, row: dict[str, Any]) -> None:
    """Ingredient codes, known products, names in displays and brands."""
    found = usable(feature, row)
    assert found.value is True
    assert found.sources == (f"{row['resourceType']}/{row['id']}",)


@pytest.mark.parametrize(
    ("feature", "code", "expected"),
    [
        (c.STATIN, "C10AA05", True),
        (c.ANTIHYPERTENSIVE, "C09DA04", True),
        (c.METFORMIN, "A10BD07", True),
        (c.ANTICOAGULANT, "B01AC06", False),  # aspirin
        (c.STATIN, "C10AX09", False),  # ezetimibe
    ],
)
def test_a_medicine_is_recognised_by_its_atc_class(feature: MedicationFeature, code: str, expected: bool) -> None:
    """European records carry ATC codes."""
    row = prescription("Karvea", medicationCodeableConcept=concept(code, ATC))
    assert usable(feature, row).value is expected


@pytest.mark.parametrize(
    "text",
    ["Timolol 0.5 % ophthalmic solution", "timolol eye drops", "Minoxidil 5 % topical foam", "clonidine cream"],
)
def test_local_treatment_is_no_treatment_of_blood_pressure(text: str) -> None:
    """Eye drops with a beta blocker treat the eye."""
    assert usable(c.ANTIHYPERTENSIVE, prescription(text)).value is False


@pytest.mark.parametrize(
    "members",
    [
        {"status": "stopped"},
        {"status": "completed"},
        {"status": "on-hold"},
        {"status": "draft"},
        {"status": "unknown"},
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"intent": "proposal"},
        {"intent": "option"},
        {"doNotPerform": True},
        {"authoredOn": "2026-07-01"},
        {"subject": {"reference": "Patient/p2"}},
    ],
)
def test_a_prescription_that_is_not_in_force_does_not_count(members: dict[str, Any]) -> None:
    """Active orders for this patient only, and no order not to give something."""
    assert usable(c.STATIN, prescription("Atorvastatin 20 mg", **members), PARACETAMOL).value is False


@pytest.mark.parametrize("intent", ["order", "plan", "original-order", "instance-order", None])
def test_a_prescription_in_force_counts(intent: str | None) -> None:
    """Plans too: summaries state current treatment with them."""
    assert usable(c.STATIN, prescription("Atorvastatin 20 mg", intent=intent)).value is True


@pytest.mark.parametrize(
    ("members", "taken"),
    [
        ({"status": "intended"}, True),
        ({"status": "not-taken"}, False),
        ({"status": "completed"}, False),
        ({"effectivePeriod": {"start": "2020-01-01"}}, True),
        ({"effectivePeriod": {"start": "2020-01-01", "end": "2025-01-01"}}, False),
        ({"effectivePeriod": {"start": "2020-01-01", "end": "2026-12-31"}}, True),
    ],
)
def test_a_statement_counts_while_the_medicine_is_taken(members: dict[str, Any], taken: bool) -> None:
    """By status, and by the end of its period."""
    assert usable(c.STATIN, statement("Atorvastatin", **members), PARACETAMOL).value is taken


@pytest.mark.parametrize("reference", ["#m", "Medication/m", "urn:uuid:9"])
def test_a_medicine_may_be_referred_to(reference: str) -> None:
    """Contained, by type and id, or by full URL."""
    medication = {"resourceType": "Medication", "id": "m", "code": concept("83367", RXNORM)}
    row = prescription("x", medicationCodeableConcept=None, medicationReference={"reference": reference})
    if reference == "#m":
        row["contained"] = [medication]
    read = [msgspec.convert(r, fhir.AnyResource) for r in (PATIENT, row, medication)]
    found = PatientRecord.from_resources(read, [None, None, "urn:uuid:9"], "p1", record().as_of)
    assert MedicationList(found).value(c.STATIN).sources == ("MedicationRequest/m-x",)


def test_a_reference_that_leads_nowhere_is_read_by_its_display() -> None:
    """The words of the reference are all that there is."""
    reference = {"reference": "Medication/elsewhere", "display": "Rosuvastatin 10 mg"}
    row = prescription("x", medicationCodeableConcept=None, medicationReference=reference)
    assert usable(c.STATIN, row).value is True


def test_absence_is_read_from_a_list_even_if_it_is_empty() -> None:
    """A client that answers with no prescriptions says that there are none."""
    for rows, listed in (((PARACETAMOL,), ()), ((), ("MedicationRequest",)), ((), ("MedicationStatement",))):
        found = usable(c.STATIN, *rows, listed=listed)
        assert (found.value, found.inferred, found.sources) == (False, True, ())


def test_without_a_list_nothing_is_concluded() -> None:
    """A record without medication data says nothing about treatment."""
    assert reason(c.STATIN) is Reason.NO_LIST


def test_statements_about_the_list_itself_are_understood() -> None:
    """ "No known medications" is an empty list, "no information" is none."""
    ips = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
    for code, system in (("no-known-medications", ips), ("787481004", SNOMED)):
        row = statement("none", medicationCodeableConcept=concept(code, system))
        assert usable(c.STATIN, row).value is False
        assert current_medicines(record(row)) == ()
    unknown = statement("none", medicationCodeableConcept=concept("no-medication-info", ips))
    assert reason(c.STATIN, unknown) is Reason.NO_LIST


@pytest.mark.parametrize(
    "members",
    [
        {"medicationCodeableConcept": concept("00000-0000", "http://hl7.org/fhir/sid/ndc")},
        {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/elsewhere"}},
        {"medicationCodeableConcept": {"text": "ロスバスタチン錠"}},
    ],
    ids=["a code without words", "a reference that leads nowhere", "a name in letters that the tables do not have"],
)
def test_an_entry_that_cannot_be_read_forbids_to_conclude_an_absence(members: dict[str, Any]) -> None:
    """It may be the very medicine: "not on a statin" is unusable, with the entry named, and a readable one counts."""
    row = prescription("x", **members)
    rows = (row, PARACETAMOL)
    assert reason(c.STATIN, *rows) is Reason.UNREADABLE
    found = extract(record(*rows), [c.STATIN, c.ANTICOAGULANT])
    assert found[c.STATIN].sources == ("MedicationRequest/m-x",)
    assert str(found[c.STATIN].words).startswith("one entry of the medication list cannot be read")
    assert found[c.STATIN].words == found[c.ANTICOAGULANT].words  # so that it is said once
    assert usable(c.STATIN, *rows, prescription("Atorvastatin 20 mg")).value is True
    assert [m.reference for m in MedicationList(record(row)).unreadable()] == ["MedicationRequest/m-x"]


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ({"text": "Atorvastatin"}, True),
        ({"text": "Statins"}, True),
        (concept("83367", RXNORM), True),
        ({"text": "Nystatin"}, False),
        ({"text": "Penicillin"}, False),
    ],
)
def test_an_intolerance_is_recognised_as_its_medicine_is(code: dict[str, Any], counts: bool) -> None:
    """By ingredient code, by name or by the name of the class; nystatin is no statin."""
    row = {"resourceType": "AllergyIntolerance", "id": "a", "code": code, "patient": SUBJECT}
    assert intolerances(record(row), c.STATIN) == (("AllergyIntolerance/a",) if counts else ())


def test_medicines_keep_their_words() -> None:
    """What is not in our tables is still listed as the record has it."""
    found = current_medicines(record(prescription("Camila 28 Day Pack", "748962")))
    assert [(m.label, m.recognised, m.codes) for m in found] == [("Camila 28 Day Pack", False, frozenset({"748962"}))]
