"""suspected-thrombosis prefills Wells where a suspicion is written down, and asks for what an examination tells."""

from datetime import timedelta

import pytest
from charts import Chart

SERVICE = "suspected-thrombosis"
HOUR = timedelta(hours=1)
SUSPECTED_DVT, PE, CANCER, PALLIATIVE = "432805000", "59282003", "363406005", "103735009"
HISTORY = "161508001"
DOUBT = {"verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                                             "code": "provisional"}]}}  # fmt: skip


def test_a_suspected_thrombosis_is_prefilled(ask):
    """A history and cancer: 2 points less the two that an alternative may take."""
    made = Chart(60).problem(SUSPECTED_DVT).problem(CANCER).problem(HISTORY)
    answer = ask(SERVICE, made, encounter_class="EMER")
    assert answer.summary == (
        "Suspected deep vein thrombosis: Wells score 0 to 9 from the record; the examination decides"
    )
    assert answer.suggestions == ["Ask for the items of the examination"]
    text = answer.cards[0].suggestions[0].actions[0].resource["code"]["text"]
    assert "Tenderness along the deep veins" in text


def test_a_suspected_embolism_that_the_record_makes_likely(ask):
    """Heart rate, history, surgery and cancer pass 4 points before anybody examined the patient."""
    made = Chart(60).problem(PE, onset="2026-11-01", **DOUBT).problem(CANCER).problem(HISTORY)
    made.measured(ago=HOUR, hr=118).knows("Procedure").add(
        "Procedure",
        status="completed",
        subject={"reference": "Patient/p1"},
        performedDateTime="2026-10-20",
        code={"text": "Total hip replacement"},
    )
    answer = ask(SERVICE, made, encounter_class="EMER")
    assert answer.summary == "Suspected pulmonary embolism: likely, Wells score at least 5.5 from the record"
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == ["Order CT pulmonary angiography"]


def test_what_is_ordered_already_is_silent(ask):
    """An ultrasound that is on its way settles it."""
    made = Chart(60).problem(SUSPECTED_DVT).ordered(text="Duplex ultrasound left leg")
    assert ask(SERVICE, made, encounter_class="EMER").cards == ()


@pytest.mark.parametrize(
    "made", [Chart(60).problem("235595009"), Chart(60).problem(PE), Chart(12).problem(PE, **DOUBT)]
)
def test_silent_without_a_suspicion_and_in_children(ask, made):
    """A confirmed embolism needs treatment, not a score."""
    assert ask(SERVICE, made, encounter_class="EMER").cards == ()


def test_palliative_care_is_remembered(ask):
    """The agreed ceiling is named."""
    made = Chart(60).problem(SUSPECTED_DVT).problem(PALLIATIVE)
    assert "agreed ceiling" in ask(SERVICE, made, encounter_class="EMER").cards[0].detail
    assert ask(SERVICE, made, encounter_class="EMER", encounter_status="finished").findings == ()
