"""pneumonia-severity speaks where the choice of place is open, and asks for what would decide it."""

from datetime import timedelta

import pytest
from charts import Chart

SERVICE = "pneumonia-severity"
HOUR = timedelta(hours=1)
PNEUMONIA, PALLIATIVE, REFLUX = "233604007", "103735009", "235595009"
NORMAL = {"rr": 18, "sbp": 125, "dbp": 75, "bun": 14}


def chart(age=60, *, alert=True, **values):
    made = Chart(age).problem(PNEUMONIA, onset="2026-10-31").measured(ago=HOUR, **values)
    return made.alert() if alert else made


def test_three_or_more_is_a_warning_with_an_assessment(ask):
    """Hospital, and an assessment for intensive care."""
    answer = ask(SERVICE, chart(70, **{**NORMAL, "rr": 32, "bun": 30}), encounter_class="EMER")
    assert answer.summary == "Pneumonia: CURB-65 3, high severity: treat in hospital, assess for intensive care"
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == ["Request assessment for intensive care"]
    assert answer.cards[0].suggestions[0].actions[0].resource["priority"] == "urgent"


@pytest.mark.parametrize(("sbp", "dbp", "shown"), [(98, 54, "54"), (84, 50, "84"), (84, 70, "84")])
def test_a_low_pressure_shows_the_number_that_is_low(ask, sbp, dbp, shown):
    """A point for 54 diastolic does not stand beside a systolic pressure that earns none."""
    (card,) = ask(SERVICE, chart(70, **{**NORMAL, "rr": 32, "sbp": sbp, "dbp": dbp}), encounter_class="EMER").cards
    assert f"diastolic 60 mmHg or less: {shown} mmHg (+1 point" in card.detail


def test_a_low_score_helps_to_choose_in_the_emergency_department_and_is_silent_on_a_ward(ask):
    """Who is in bed already learns nothing from it."""
    assert ask(SERVICE, chart(**NORMAL), encounter_class="EMER").summary == "Pneumonia: CURB-65 0, low severity"
    assert ask(SERVICE, chart(**NORMAL), encounter_class="IMP").cards == ()


def test_two_points_speak_everywhere(ask):
    """Moderate severity, by age and urea."""
    for kind in ("EMER", "IMP", "AMB"):
        answer = ask(SERVICE, chart(66, **{**NORMAL, "bun": 25}), encounter_class=kind)
        assert answer.summary == "Pneumonia: CURB-65 2, moderate severity: consider hospital"
        assert answer.cards[0].indicator == "info"


def test_missing_inputs_are_asked_for_with_the_interval(ask):
    """The laboratory test and one request for the bedside."""
    values = {k: v for k, v in NORMAL.items() if k not in ("bun", "rr")}
    answer = ask(SERVICE, chart(66, **values), encounter_class="IMP")
    assert answer.summary == "Pneumonia: CURB-65 1 to 3 possible (not recorded: urea nitrogen, respiratory rate)"
    assert answer.suggestions == ["Order urea nitrogen", "Request the missing observations"]
    texts = [s.actions[0].resource["code"]["text"] for s in answer.cards[0].suggestions]
    assert texts == ["Urea nitrogen", "CURB-65 observations: respiratory rate"]


def test_what_is_ordered_is_not_asked_for_again(ask):
    """A pending metabolic panel brings the urea."""
    values = {k: v for k, v in NORMAL.items() if k != "bun"}
    answer = ask(SERVICE, chart(66, **values).ordered("24323-8", "Metabolic panel"), encounter_class="IMP")
    assert answer.suggestions == []


@pytest.mark.parametrize("made", [Chart(70).problem(REFLUX), chart(17, **NORMAL)])
def test_silent_without_pneumonia_and_in_children(ask, made):
    """Refusals that are not for a clinician's eyes."""
    assert ask(SERVICE, made, encounter_class="EMER").cards == ()


def test_palliative_care_follows_the_ceiling(ask):
    """The severity is told, nothing is suggested."""
    ill = chart(80, **{**NORMAL, "rr": 32, "bun": 30}).problem(PALLIATIVE)
    answer = ask(SERVICE, ill, encounter_class="IMP")
    assert answer.suggestions == []
    assert "agreed ceiling" in answer.cards[0].detail


def test_an_encounter_that_is_over_has_no_card(ask):
    """The choice is made."""
    ill = chart(70, **{**NORMAL, "rr": 32, "bun": 30})
    assert ask(SERVICE, ill, encounter_class="EMER", encounter_status="finished").findings == ()
