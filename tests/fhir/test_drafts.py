"""Drafts of a hook's context: a product beside its order, and selections in every form that clients write."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir import drafts
from cds_service.fhir import resources as fhir

WARFARIN = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "11289"}]}


def bundle(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"draftOrders": {"resourceType": "Bundle", "entry": list(entries)}}


def order(**members: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationRequest", "id": "m1", **members}


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("Medication/p", None),
        ("https://ehr.example/fhir/Medication/p", None),
        ("urn:uuid:6d0c1f9a-3c7e-4a1b-9f53-2f2f3a0c7a10", "urn:uuid:6d0c1f9a-3c7e-4a1b-9f53-2f2f3a0c7a10"),
    ],
)
def test_a_product_beside_its_order_is_the_orders_medicine(reference: str, url: str | None) -> None:
    """And is no draft of its own: a card about an entry without a name would be about nothing."""
    product = {
        "resource": {"resourceType": "Medication", "id": "p", "code": WARFARIN},
        **({"fullUrl": url} if url else {}),
    }
    (draft,) = drafts.read(bundle({"resource": order(medicationReference={"reference": reference})}, product))
    assert isinstance(draft, fhir.MedicationRequest)
    assert draft.medication_codeable_concept is not None
    assert [c.code for c in draft.medication_codeable_concept.coding] == ["11289"]


def test_a_product_that_no_order_means_stays_a_draft() -> None:
    """It may be what medication-verify asks about."""
    product = {"resource": {"resourceType": "Medication", "id": "p", "code": WARFARIN}}
    assert [d.id for d in drafts.read(bundle({"resource": order()}, product))] == ["m1", "p"]


def test_kinds_that_hold_a_medicine_and_are_not_read_are_counted() -> None:
    """In a Bundle and alone; orders of other things are none of them."""
    dispense = {"resourceType": "MedicationDispense", "id": "x"}
    assert drafts.unread(bundle({"resource": order()}, {"resource": dispense}, {"fullUrl": "urn:uuid:1"})) == 1
    assert drafts.unread({"medication": dispense, "selections": ["a"]}) == 1
    assert drafts.unread(bundle({"resource": order()}, {"resource": {"resourceType": "ServiceRequest"}})) == 0


TWO = drafts.read(bundle({"resource": order()}, {"resource": order(id="m2")}))


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/m1",
        "https://ehr.example/fhir/MedicationRequest/m1",
        "MedicationRequest/m1/_history/3",
        "m1",
        "#m1",
    ],
)
def test_a_selection_in_any_form_chooses_its_draft(selection: str) -> None:
    """The standard says Type/id; clients also send what their own references look like."""
    assert drafts.chosen([selection], TWO) == {"MedicationRequest/m1"}


@pytest.mark.parametrize(
    "selections",
    [["MedicationRequest/m1", "MedicationRequest/m9"], ["urn:uuid:1"], [""], [], None, "MedicationRequest/m1"],
)
def test_where_a_selection_cannot_be_told_all_drafts_are_chosen(selections: Any) -> None:
    """An order that was pointed at in a way that we do not know must not pass as one without findings."""
    assert drafts.chosen(selections, TWO) == frozenset()


def test_a_draft_without_an_id_leaves_none_unchecked() -> None:
    """New orders have no id in some clients, whatever their selections say."""
    nameless = drafts.read(bundle({"resource": {"resourceType": "MedicationRequest"}}))
    assert drafts.chosen(["MedicationRequest/m1"], nameless) == frozenset()


def test_a_medicine_written_as_in_r5_is_read() -> None:
    """FHIR R5 has one member where R4 has two: an order in that form named no medicine."""
    product = {"resourceType": "Medication", "id": "x", "code": {"text": "Warfarin 5 mg"}}
    coded, referring = {"concept": {"text": "Ibuprofen"}}, {"reference": {"reference": "Medication/x"}}
    reason = [{"concept": {"text": "pain"}}, {"reference": {"reference": "Condition/c"}}]
    rows = [
        {"resourceType": "MedicationRequest", "id": "m1", "medication": coded, "reason": reason},
        {"resourceType": "MedicationRequest", "id": "m2", "medication": referring},
        {"resourceType": "MedicationStatement", "id": "m3", "medication": coded},
        {"resourceType": "MedicationRequest", "id": "m4", "medication": "aspirin"},
    ]
    read = drafts.read(bundle(*({"resource": row} for row in [*rows, product])))
    assert [r.medication_codeable_concept and r.medication_codeable_concept.text for r in read] == [  # type: ignore[attr-defined]
        "Ibuprofen", "Warfarin 5 mg", "Ibuprofen", None,
    ]  # fmt: skip
    first = read[0]
    assert isinstance(first, fhir.MedicationRequest)
    assert (first.reason_code[0].text, first.reason_reference[0].reference) == ("pain", "Condition/c")
