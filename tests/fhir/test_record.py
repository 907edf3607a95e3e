"""One patient's usable rows, whatever a bundle holds and in whatever order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest, PreconditionFailed
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext, clinical_context
from cds_service.fhir.record import PatientRecord
from cds_service.protocol.request import HookRequest, decode, decode_resource

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SBP = "8480-6"
CREATININE = "2160-0"


def observation(id_: str | None = "o1", **members: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": CREATININE}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-05-01",
        "valueQuantity": {"value": 1.0, "unit": "mg/dL"},
    }
    row.update(members)
    return {k: v for k, v in row.items() if v is not None}


def condition(id_: str = "c1", **members: Any) -> dict[str, Any]:
    row = {"resourceType": "Condition", "id": id_, "subject": {"reference": "Patient/p1"}, "code": {"text": "Gout"}}
    return row | members


PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-05-06"}


def record(*rows: dict[str, Any], urls: list[str | None] | None = None, **options: Any) -> PatientRecord:
    read = [msgspec.convert(row, fhir.AnyResource) for row in (PATIENT, *rows)]
    full_urls = [None, *urls] if urls is not None else [None] * len(read)
    return PatientRecord.from_resources(read, full_urls, "p1", NOW, **options)


def kept(found: PatientRecord, kind: Any = fhir.Observation) -> list[str | None]:
    return [row.id for row in found.rows(kind)]


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "Patient/p1/_history/3",
        "https://ehr.example/fhir/Patient/p1",
        "https://ehr.example/fhir/Patient/p1/_history/3",
        "urn:uuid:p1",
    ],
)
def test_a_reference_to_the_patient_is_recognised_in_every_form(reference: str) -> None:
    """Relative, versioned, absolute and urn:uuid references mean the same person."""
    found = record(observation(subject={"reference": reference}), fhir_server="https://ehr.example/fhir/")
    assert kept(found) == ["o1"]


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ({"reference": "Patient/p2"}, "another patient"),
        ({"reference": "Group/p1"}, "another patient"),
        ({"reference": "p1"}, "another patient"),
        ({"reference": "https://other.example/fhir/Patient/p1"}, "another patient"),
        ({"reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"}, "another patient"),
        ({"reference": "#p1"}, "another patient"),
        ({"display": "p1"}, "no subject"),
        (None, "no subject"),
    ],
)
def test_rows_of_others_and_of_nobody_are_dropped_and_counted(subject: Any, reason: str) -> None:
    """A row counts only if its subject is certainly this patient."""
    found = record(observation(subject=subject), fhir_server="https://ehr.example/fhir")
    assert kept(found) == []
    assert found.dropped == {reason: 1}
    assert found.observations((CREATININE,)) == ()


def test_the_full_url_of_the_patients_entry_is_a_name_of_the_patient() -> None:
    """Bundles of documents and transactions refer by urn:uuid, whatever the ids are."""
    rows = [msgspec.convert(r, fhir.AnyResource) for r in (PATIENT, observation(subject={"reference": "urn:uuid:77"}))]
    found = PatientRecord.from_resources(rows, ["urn:uuid:77", None], "p1", NOW)
    assert kept(found) == ["o1"]


def test_a_contained_patient_counts_only_with_the_same_id() -> None:
    """A contained Patient has no identity but its id."""
    own = observation("own", subject={"reference": "#p1"}, contained=[{"resourceType": "Patient", "id": "p1"}])
    other = observation("other", subject={"reference": "#pat"}, contained=[{"resourceType": "Patient", "id": "pat"}])
    assert kept(record(own, other)) == ["own"]


def test_an_allergy_names_its_patient_in_another_member() -> None:
    """AllergyIntolerance and Immunization have `patient` in R4, not `subject`."""
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p1"}}
    other = {"resourceType": "AllergyIntolerance", "id": "b", "patient": {"reference": "Patient/p2"}}
    assert kept(record(allergy, other), fhir.AllergyIntolerance) == ["a"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("entered-in-error", "entered in error"),
        ("cancelled", "cancelled"),
        ("registered", "status"),
        ("unknown", "status"),
        (None, "status"),
    ],
)
def test_observations_without_a_usable_status_are_dropped(status: str | None, reason: str) -> None:
    """A result that was withdrawn, or does not exist yet, is no result."""
    found = record(observation(status=status))
    assert kept(found) == []
    assert found.dropped == {reason: 1}


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "preliminary"])
def test_observations_with_a_usable_status_are_kept(status: str) -> None:
    """Preliminary results are results."""
    assert kept(record(observation(status=status))) == ["o1"]


@pytest.mark.parametrize(("denial", "reason"), [("refuted", "refuted"), ("entered-in-error", "entered in error")])
def test_denied_conditions_are_dropped(denial: str, reason: str) -> None:
    """A refuted diagnosis is not on the list."""
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    found = record(condition(verificationStatus={"coding": [{"system": system, "code": denial}]}))
    assert kept(found, fhir.Condition) == []
    assert found.dropped == {reason: 1}


def test_rows_from_the_future_are_dropped_and_counted() -> None:
    """What is dated after now cannot be known yet."""
    late = observation("late", effectiveDateTime="2026-06-01T12:00:01Z")
    planned = {
        "resourceType": "Encounter",
        "id": "e",
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2026-09-01"},
    }
    found = record(late, observation("now", effectiveDateTime="2026-06-01T12:00:00Z"), planned)
    assert kept(found) == ["now"]
    assert kept(found, fhir.Encounter) == []
    assert found.dropped == {"future date": 2}
    assert [m.reference for m in found.observations((CREATININE,))] == ["Observation/now"]


def test_a_row_under_two_prefetch_keys_is_counted_once_and_the_later_version_wins() -> None:
    """The same type and id is the same row."""
    old = observation(meta={"lastUpdated": "2026-05-01T00:00:00Z"}, valueQuantity={"value": 1.0, "unit": "mg/dL"})
    new = observation(meta={"lastUpdated": "2026-05-02T00:00:00Z"}, valueQuantity={"value": 2.0, "unit": "mg/dL"})
    for rows in ((old, new), (new, old)):
        (only,) = record(*rows).observations((CREATININE,))
        assert only.quantity is not None
        assert only.quantity.value == 2.0


@pytest.mark.parametrize(("older", "newer"), [("1", "2"), ("9", "10"), ('W/"1"', 'W/"2"')])
def test_without_a_time_of_change_the_higher_version_wins(older: str, newer: str) -> None:
    """Versions that count are compared as numbers, and neither content nor order decides against them."""
    for first, last in ((1.0, 2.0), (2.0, 1.0)):
        old = observation(meta={"versionId": older}, valueQuantity={"value": first, "unit": "mg/dL"})
        new = observation(meta={"versionId": newer}, valueQuantity={"value": last, "unit": "mg/dL"})
        for rows in ((old, new), (new, old)):
            (only,) = record(*rows).observations((CREATININE,))
            assert only.quantity is not None
            assert only.quantity.value == last


def test_a_later_version_entered_in_error_withdraws_the_row() -> None:
    """An older copy does not bring back what was withdrawn."""
    old = observation(meta={"lastUpdated": "2026-05-01T00:00:00Z"})
    new = observation(meta={"lastUpdated": "2026-05-02T00:00:00Z"}, status="entered-in-error")
    assert kept(record(new, old)) == []


def test_rows_without_an_id_are_kept_apart_and_equal_ones_counted_once() -> None:
    """A row without id is known by its full URL, else by its content."""
    one, two = observation(None), observation(None, valueQuantity={"value": 2.0, "unit": "mg/dL"})
    assert len(record(one, two, dict(one)).rows(fhir.Observation)) == 2
    found = record(one, urls=["urn:uuid:5"])
    assert found.reference(found.rows(fhir.Observation)[0]) == "urn:uuid:5"


def test_rows_come_latest_first_and_undated_last() -> None:
    """The order is by time, and for equal times by id."""
    rows = [
        observation("b", effectiveDateTime="2026-01-01"),
        observation("a", effectiveDateTime="2026-01-01"),
        observation("c", effectiveDateTime="2026-03-01T10:00:00Z"),
        observation("d", effectiveDateTime="whenever"),
        observation("e", effectiveDateTime=None, effectivePeriod={"start": "2026-01-01", "end": "2026-02-01"}),
        observation("f", effectiveDateTime=None, issued="2026-04-01T00:00:00Z"),
    ]
    assert kept(record(*rows)) == ["f", "c", "e", "b", "a", "d"]


ROWS = [
    observation("a"),
    observation("b", effectiveDateTime="2026-05-01T00:00:00Z"),
    observation("c", effectiveDateTime="2025"),
    observation("d", subject={"reference": "Patient/p2"}),
    observation("a", meta={"lastUpdated": "2026-05-03T00:00:00Z"}),
    observation(None),
    observation(None, valueQuantity={"value": 3.0}),
    observation("e", effectiveDateTime="2030-01-01"),
    observation("f", effectiveDateTime=None),
    condition("x", onsetDateTime="2020"),
    condition("y", onsetDateTime="2020-01-01"),
    condition("x", recordedDate="2021-01-01"),
]


IN_ORDER = record(*ROWS)


@given(st.permutations(ROWS))
def test_the_order_of_resources_never_matters(rows: list[dict[str, Any]]) -> None:
    """Rows, measurements and counts are the same for every order of input."""
    found = record(*rows)
    assert found.rows(fhir.Observation) == IN_ORDER.rows(fhir.Observation)
    assert found.rows(fhir.Condition) == IN_ORDER.rows(fhir.Condition)
    assert found.observations((CREATININE,)) == IN_ORDER.observations((CREATININE,))
    assert found.dropped == IN_ORDER.dropped


def test_a_value_is_found_as_component_of_any_panel_or_alone() -> None:
    """Blood pressure hides in panels of several codes."""

    def loinc(code: str) -> dict[str, Any]:
        return {"coding": [{"system": "http://loinc.org", "code": code}]}

    part = {"code": loinc(SBP), "valueQuantity": {"value": 120, "unit": "mmHg"}}
    rows = [
        observation("panel", code=loinc("85354-9"), component=[part], effectiveDateTime="2026-05-03"),
        observation("old-panel", code=loinc("55284-4"), component=[part], effectiveDateTime="2026-05-02"),
        observation("alone", code=loinc(SBP), effectiveDateTime="2026-05-01"),
    ]
    found = record(*rows).observations((SBP,))
    assert [m.reference for m in found] == ["Observation/panel", "Observation/old-panel", "Observation/alone"]


def test_the_system_counts_as_much_as_the_code() -> None:
    """A LOINC number in a local system is not that LOINC code; an OID of LOINC is LOINC."""
    local = observation("local", code={"coding": [{"system": "http://hospital.example", "code": CREATININE}]})
    bare = observation("bare", code={"coding": [{"code": CREATININE}]})
    oid = observation("oid", code={"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": CREATININE}]})
    found = record(local, bare, oid).observations((CREATININE,))
    assert [m.reference for m in found] == ["Observation/oid"]


def test_a_value_under_two_codings_is_one_value() -> None:
    """Several codings of one concept do not multiply it."""
    codings = [{"system": "http://loinc.org", "code": code} for code in (CREATININE, "38483-4")]
    assert len(record(observation(code={"coding": codings})).observations((CREATININE, "38483-4"))) == 1
    twice = [codings[0], {**codings[0], "display": "Creatinine"}]
    assert len(record(observation(code={"coding": twice})).observations((codings[0]["code"],))) == 1


def test_references_are_resolved_where_the_target_is_at_hand() -> None:
    """Contained resources, full URLs, and type with id; anything else is None."""
    medication = {"resourceType": "Medication", "id": "m1", "code": {"text": "Warfarin"}}
    row = msgspec.convert(
        {"resourceType": "MedicationRequest", "contained": [medication | {"id": "in"}]}, fhir.MedicationRequest
    )
    found = record(medication, urls=["urn:uuid:9"])

    def code(reference: str) -> str | None:
        target = found.resolve(fhir.Reference(reference=reference), row)
        return target.id if target is not None else None

    assert code("#in") == "in"
    assert code("urn:uuid:9") == "m1"
    assert code("Medication/m1") == "m1"
    assert code("https://ehr.example/fhir/Medication/m1/_history/2") == "m1"
    assert code("Medication/m2") is None
    assert code("#out") is None
    assert found.resolve(None, row) is None


def test_a_resource_of_another_server_is_not_the_one_with_the_same_id_here() -> None:
    """Ids are unique on one server: a medicine elsewhere with the id 1 is another medicine."""
    medication = {"resourceType": "Medication", "id": "m1", "code": {"text": "Warfarin"}}
    row = msgspec.convert({"resourceType": "MedicationRequest"}, fhir.MedicationRequest)
    found = record(medication, fhir_server="https://ehr.example/fhir/")

    def known(reference: str) -> bool:
        return found.resolve(fhir.Reference(reference=reference), row) is not None

    assert known("https://ehr.example/fhir/Medication/m1")
    assert known("Medication/m1/_history/4")
    assert not known("https://drugs.example/fhir/Medication/m1")


INSIDE = "http://inside.example:8080/fhir"


@pytest.mark.parametrize(
    ("urls", "known"),
    [
        ([None, f"{INSIDE}/Observation/o1", f"{INSIDE}/Medication/m1"], True),
        ([f"{INSIDE}/Patient/p1", f"{INSIDE}/Observation/o1/_history/2", None], True),
        ([None, None, f"{INSIDE}/Medication/m1"], False),
        ([None, f"{INSIDE}/Observation/o1", "https://ehr.example/fhir/Medication/m1"], False),
        ([None, f"{INSIDE}/Observation/o7", f"{INSIDE}/Observation/o7"], False),
        ([None, "urn:uuid:1", "urn:uuid:2"], False),
    ],
)
def test_a_server_behind_a_gateway_is_known_by_the_full_urls_of_its_rows(urls: list[str | None], known: bool) -> None:
    """Absolute references on the one base that all rows came under mean this server; with any doubt another one."""
    sent = [
        PATIENT,
        observation(subject={"reference": f"{INSIDE}/Patient/p1"}),
        {"resourceType": "Medication", "id": "m1", "code": {"text": "Warfarin"}},
    ]
    rows = [msgspec.convert(r, fhir.AnyResource) for r in sent]
    found = PatientRecord.from_resources(
        rows, urls, "p1", NOW, listed=frozenset({"Observation"}), fhir_server="https://ehr.example/fhir"
    )
    row = msgspec.convert({"resourceType": "MedicationRequest"}, fhir.MedicationRequest)
    assert (kept(found) == ["o1"]) is known
    assert found.has_list("Observation") is known
    assert (found.resolve(fhir.Reference(reference=f"{INSIDE}/Encounter/m1"), row)) is None
    by_key = f"{INSIDE}/Medication/m1/_history/9"
    assert (found.resolve(fhir.Reference(reference=by_key), row) is not None) is known


def _modified(**members: Any) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "id": "a1", "patient": {"reference": "Patient/p1"}, **members}


@pytest.mark.parametrize(
    "members",
    [
        {"modifierExtension": [{"url": "http://example.org/negated", "valueBoolean": True}]},
        {"implicitRules": "http://example.org/rules"},
    ],
)
def test_a_row_whose_meaning_is_modified_in_an_unknown_way_is_left_out(members: dict[str, Any]) -> None:
    """R4: a resource with a modifier extension that is not understood must not be used; nor is its list whole."""
    rows = [decode_resource(json.dumps(row).encode()) for row in (PATIENT, _modified(**members))]
    listed = frozenset({"AllergyIntolerance", "Condition"})
    found = PatientRecord.from_resources(rows, [None, None], "p1", NOW, listed=listed)
    assert kept(found, fhir.AllergyIntolerance) == []
    assert found.left_out == {"modifier not understood": 1}
    assert not found.has_list("AllergyIntolerance")
    assert found.has_list("Condition")


def test_a_row_with_an_empty_list_of_modifiers_is_a_row_like_others() -> None:
    """Some servers write empty members."""
    rows = [decode_resource(json.dumps(row).encode()) for row in (PATIENT, _modified(modifierExtension=[]))]
    found = PatientRecord.from_resources(rows, [None, None], "p1", NOW)
    assert kept(found, fhir.AllergyIntolerance) == ["a1"]


def test_a_list_of_nothing_but_others_rows_does_not_say_that_there_is_none() -> None:
    """Such a list was asked for wrongly, or names the patient in a form that nobody can know."""
    other = {"resourceType": "MedicationRequest", "id": "m", "subject": {"reference": "Patient/p2"}}
    own = other | {"id": "n", "subject": {"reference": "Patient/p1"}}
    listed = frozenset({"MedicationRequest"})
    assert not record(other, listed=listed).has_list("MedicationRequest")
    assert record(other, own, listed=listed).has_list("MedicationRequest")
    assert record(listed=listed).has_list("MedicationRequest")


def test_the_person_is_read_as_recorded() -> None:
    """Sex, birth date and death come from the Patient, and only from what is stated."""
    found = record()
    assert (found.sex, str(found.birth_date), found.deceased) == ("female", "1960-05-06", False)
    other = msgspec.convert({"resourceType": "Patient", "id": "p1", "gender": "other"}, fhir.Patient)
    assert PatientRecord.from_resources([other], [None], "p1", NOW).sex is None


@pytest.mark.parametrize(
    ("members", "dead"),
    [
        ({"deceasedBoolean": True}, True),
        ({"deceasedBoolean": False}, False),
        ({"deceasedDateTime": "2026-05-01"}, True),
        ({"deceasedDateTime": "2026-07-01"}, False),
        ({"deceasedDateTime": "unknown"}, True),
    ],
)
def test_a_death_counts_from_its_day(members: dict[str, Any], dead: bool) -> None:
    """A record read as of an earlier day is of a living person."""
    row = msgspec.convert(PATIENT | members, fhir.Patient)
    assert PatientRecord.from_resources([row], [None], "p1", NOW).deceased is dead


def test_a_bundle_of_two_people_needs_a_name() -> None:
    """Without a patient id a Bundle must leave no doubt."""
    entries = [{"resource": PATIENT}, {"resource": PATIENT | {"id": "p2"}}, {"resource": observation()}]
    bundle = msgspec.convert({"resourceType": "Bundle", "entry": entries}, fhir.Bundle)
    with pytest.raises(BadRequest, match="one Patient"):
        PatientRecord.from_bundle(bundle, NOW)
    found = PatientRecord.from_bundle(bundle, NOW, "p1")
    assert kept(found) == ["o1"]
    assert found.has_list("Observation")
    assert not found.has_list("Condition")


NEEDED = {"patient": ("Patient",), "labs": ("Observation",), "problems": ("Condition",)}


def call(prefetch: dict[str, Any], **context: Any) -> HookRequest:
    body = {
        "hook": "patient-view",
        "hookInstance": str(UUID(int=1)),
        "context": {"userId": "Practitioner/1", "patientId": "p1", **context},
        "prefetch": prefetch,
    }
    return decode(json.dumps(body).encode())


def context_of(prefetch: dict[str, Any], **context: Any) -> ClinicalContext:
    return clinical_context(call(prefetch, **context), needed=NEEDED, now=NOW)


def searchset(*rows: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in rows], **members}


def test_absent_and_refused_keys_are_named() -> None:
    """412 says which data could not be had, and why."""
    refused = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
    with pytest.raises(PreconditionFailed) as caught:
        context_of({"patient": PATIENT, "labs": refused})
    assert "absent: problems" in str(caught.value)
    assert "refused (OperationOutcome): labs" in str(caught.value)


def test_null_says_that_there_is_none() -> None:
    """The client looked: the list is known, and it is empty."""
    found = context_of({"patient": PATIENT, "labs": None, "problems": searchset()}).record
    assert found.has_list("Observation")
    assert found.has_list("Condition")
    assert found.rows(fhir.Observation) == ()


def test_a_list_with_further_pages_is_not_the_whole_list() -> None:
    """Rows of the first page count, absence from it does not."""
    link = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    found = context_of({"patient": PATIENT, "labs": None, "problems": searchset(condition(), link=link)}).record
    assert kept(found, fhir.Condition) == ["c1"]
    assert not found.has_list("Condition")


@pytest.mark.parametrize("second", ["cut", "refused"])
def test_a_list_asked_for_under_two_keys_is_whole_only_if_both_are(second: str) -> None:
    """What the second key did not bring may be what is looked for."""
    link = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    beside = searchset(link=link) if second == "cut" else {"resourceType": "OperationOutcome"}
    needed = {"patient": ("Patient",), "problems": ("Condition",)}
    for answer, whole in ((searchset(), True), (beside, False)):
        asked = call({"patient": PATIENT, "problems": searchset(condition()), "diagnoses": answer})
        found = clinical_context(asked, needed=needed, optional={"diagnoses": ("Condition",)}, now=NOW).record
        assert found.has_list("Condition") is whole


def test_an_optional_key_may_be_missing_and_counts_as_a_list_when_answered() -> None:
    """What a service can do without never costs a 412."""
    for value, listed in ((searchset(), True), (None, True), ({"resourceType": "OperationOutcome"}, False)):
        request = call({"patient": PATIENT, "allergies": value})
        optional = {"allergies": ("AllergyIntolerance",), "orders": ("ServiceRequest",)}
        found = clinical_context(request, needed={"patient": ("Patient",)}, optional=optional, now=NOW).record
        assert found.has_list("AllergyIntolerance") is listed
        assert not found.has_list("ServiceRequest")


def test_another_patient_is_refused() -> None:
    """The prefetched Patient must be the patient of the context."""
    with pytest.raises(BadRequest, match=r"context\.patientId"):
        context_of({"patient": PATIENT | {"id": "p2"}, "labs": None, "problems": None})


def test_no_patient_is_a_failed_precondition() -> None:
    """Without the Patient nobody's age or sex is known."""
    with pytest.raises(PreconditionFailed, match="Patient"):
        context_of({"patient": None, "labs": None, "problems": None})


def test_the_encounter_of_the_context_is_found() -> None:
    """encounterId names one of the prefetched Encounters of this patient."""
    encounter = {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": PATIENT_REFERENCE}
    other = encounter | {"id": "e2"}
    lists = {"patient": PATIENT, "labs": None, "problems": None, "encounter": searchset(encounter, other)}
    found = context_of(lists, encounterId="e1")
    assert found.encounter is not None
    assert found.encounter.id == "e1"
    assert context_of(lists).encounter is None
    assert context_of(lists, encounterId="e3").encounter is None


PATIENT_REFERENCE = {"reference": "Patient/p1"}


def test_drafts_are_read_though_they_lack_what_r4_requires() -> None:
    """The reference client's drafts have no intent and its Bundle no type."""
    draft = {"resourceType": "MedicationRequest", "id": "d", "medicationCodeableConcept": {"text": "Warfarin"}}
    lists = {"patient": PATIENT, "labs": None, "problems": None}
    found = context_of(lists, draftOrders={"resourceType": "Bundle", "entry": [{"resource": draft}]})
    assert [d.id for d in found.drafts] == ["d"]
    assert [d.id for d in context_of(lists, draftOrders={"entry": [{"resource": draft}]}).drafts] == ["d"]
    assert [d.id for d in context_of(lists, medication=draft).drafts] == ["d"]
    assert context_of(lists, selections=["MedicationRequest/d"], other={"a": 1}).drafts == ()
    with pytest.raises(BadRequest, match=r"^context\.draftOrders\.resourceType must be the name of a resource type of"):
        context_of(lists, draftOrders={"resourceType": "Secret"})


def test_a_draft_of_an_older_fhir_is_refused_by_its_place_and_not_passed_over() -> None:
    """No cards for an order that was not understood would look like "nothing against it"."""
    lists = {"patient": PATIENT, "labs": None, "problems": None}
    entry = {"resource": {"resourceType": "MedicationOrder", "id": "d", "patient": PATIENT_REFERENCE}}
    place = (
        r"^context\.draftOrders\.entry\[0\]\.resource\.resourceType must be the name of a resource type of FHIR R4\.$"
    )
    with pytest.raises(BadRequest, match=place):
        context_of(lists, draftOrders={"resourceType": "Bundle", "entry": [entry]})


def test_a_draft_as_the_public_sandbox_makes_it_is_read() -> None:
    """Its category is an object where R4 wants a list, and its dose a unit without a name."""
    draft = {
        "resourceType": "MedicationRequest",
        "id": "d",
        "status": "draft",
        "subject": PATIENT_REFERENCE,
        "category": {"coding": [{"system": "http://example.org/category", "code": "community"}]},
        "medicationCodeableConcept": {"text": "Warfarin", "coding": [{"code": "11289"}]},
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 1, "code": "{pill}"}}], "timing": {}}],
        "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "d"}},
    }
    lists = {"patient": PATIENT, "labs": None, "problems": None}
    found = context_of(lists, draftOrders={"resourceType": "Bundle", "entry": [{"resource": draft}]})
    assert [d.id for d in found.drafts] == ["d"]


def test_a_member_that_is_read_late_is_refused_then_if_it_has_another_type() -> None:
    """Categories, interpretations and reference ranges stay JSON until they are asked for; null is none."""
    text = b'{"resourceType":"Observation","category":[{"text":"x"}],"interpretation":null,"referenceRange":[7]}'
    found = fhir.decoder(fhir.Observation).decode(text)
    assert [c.text for c in found.category] == ["x"]
    assert found.interpretation == ()
    with pytest.raises(BadRequest, match=r"^Observation\.referenceRange is not of the expected type\.$"):
        _ = found.reference_range
    assert fhir.decoder(fhir.Observation).decode(b'{"resourceType":"Observation"}').reference_range == ()


@pytest.mark.parametrize("earlier_first", [True, False])
def test_an_earlier_moment_hides_what_came_later_and_takes_nothing_from_the_record(earlier_first: bool) -> None:
    """Whichever of the two is asked first, though what both know is indexed and dated once."""
    known = record(observation("late"), observation("early", effectiveDateTime="2026-02-01"))
    earlier = known.at(datetime(2026, 3, 1, tzinfo=UTC))
    asked = (earlier, known) if earlier_first else (known, earlier)
    found = {each.as_of: [m.observation.id for m in each.observations((CREATININE,))] for each in asked}
    assert found == {earlier.as_of: ["early"], known.as_of: ["late", "early"]}
