"""What we propose is valid FHIR R4, or it is not built."""

from datetime import UTC, date, datetime

import pytest

from cds_service.errors import InvalidOutput
from cds_service.fhir import propose

WHEN = datetime(2026, 11, 1, 9, tzinfo=UTC)
LIPIDS = propose.laboratory("24331-1", "Lipid 1996 panel - Serum or Plasma", "Lipid panel")


def request(**changes):
    resource = propose.service_request("p1", LIPIDS, "Needed for PREVENT", WHEN, encounter_id="e1")
    return {**resource, **changes}


def test_an_order_is_a_draft_for_this_patient_now():
    """Nothing is ordered by itself: a draft proposal, with code, subject, encounter, reason and time."""
    assert request() == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "category": [
            {"coding": [{"system": "http://snomed.info/sct", "code": "108252007", "display": "Laboratory procedure"}]}
        ],
        "priority": "routine",
        "code": {
            "text": "Lipid panel",
            "coding": [
                {"system": "http://loinc.org", "code": "24331-1", "display": "Lipid 1996 panel - Serum or Plasma"}
            ],
        },
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "authoredOn": "2026-11-01T09:00:00+00:00",
        "reasonCode": [{"text": "Needed for PREVENT"}],
    }


def test_a_referral_is_named_in_words():
    """Without a verified code the words stand alone, which R4 allows."""
    resource = propose.service_request("p1", propose.referral("Referral to nephrology"), "eGFR below 30", WHEN)
    assert resource["code"] == {"text": "Referral to nephrology"}
    assert "encounter" not in resource


def test_a_due_date_becomes_the_occurrence():
    """A repeat in three months carries its day."""
    resource = propose.service_request("p1", LIPIDS, "Repeat", WHEN, due=date(2027, 2, 1))
    assert resource["occurrenceDateTime"] == "2027-02-01"


@pytest.mark.parametrize(
    ("change", "element"),
    [
        ({"status": "banana"}, "status"),
        ({"intent": "banana"}, "intent"),
        ({"intent": None}, "intent"),
        ({"priority": "soon"}, "priority"),
        ({"subject": {"reference": "Practitioner/1"}}, "subject"),
        ({"subject": {"reference": "p1"}}, "subject"),
        ({"encounter": {"reference": "Patient/p1"}}, "encounter"),
        ({"authoredOn": "2026-11-01"}, "authoredOn"),
        ({"code": {"coding": [{"code": "24331-1"}]}}, "coding"),
        ({"code": {}}, "concept"),
        ({"reasonCode": [{"text": " "}]}, "concept"),
        ({"orderedBy": "me"}, "orderedBy"),
        ({"category": "laboratory"}, "category"),
    ],
)
def test_what_breaks_r4_is_refused_with_its_element(change, element):
    """Structure, required bindings and reference targets are checked, and no value is echoed."""
    with pytest.raises(InvalidOutput, match=element) as refused:
        propose.validate(request(**change))
    assert "banana" not in str(refused.value)


def test_types_that_nobody_checked_are_refused():
    """A new kind of proposal needs its own bindings first."""
    with pytest.raises(InvalidOutput, match="resourceType"):
        propose.validate({"resourceType": "Appointment"})


def test_an_id_outside_the_alphabet_stays_a_valid_reference():
    """Some EHRs have ids with spaces or bars; they are percent-encoded."""
    resource = propose.service_request("a b|1", LIPIDS, "x", WHEN)
    assert resource["subject"]["reference"] == "Patient/a%20b%7C1"
    with pytest.raises(InvalidOutput, match="empty"):
        propose.service_request(" ", LIPIDS, "x", WHEN)


def test_an_order_like_one_before_is_held_against_the_rules_by_what_is_its_own():
    """Its structure is known to be sound; its moment, reason and references are not."""
    assert request() == request()
    with pytest.raises(InvalidOutput, match="authoredOn"):
        propose.service_request("p2", LIPIDS, "Needed for PREVENT", WHEN.replace(tzinfo=None), encounter_id="e1")
    with pytest.raises(InvalidOutput, match="concept"):
        propose.service_request("p2", LIPIDS, " ", WHEN, encounter_id="e1")


def test_an_order_of_another_structure_is_checked_anew(monkeypatch):
    """One structure once, whoever it is for; any other by itself."""
    propose._sound.cache_clear()
    checked = []
    monkeypatch.setattr(propose, "validate", checked.append)
    for patient in ("p1", "p2"):
        propose.service_request(patient, LIPIDS, f"Why for {patient}", WHEN)
        propose.service_request(patient, LIPIDS, "Why", WHEN, priority="urgent")
    propose._sound.cache_clear()  # what the stand-in let through
    assert [resource["priority"] for resource in checked] == ["routine", "urgent"]
    assert "p1" not in str(checked)
