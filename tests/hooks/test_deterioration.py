"""deterioration acts on the least possible NEWS2 and never reassures with an input missing."""

from datetime import timedelta

import pytest
from charts import Chart

SERVICE = "deterioration"
HOUR = timedelta(hours=1)
REFLUX, PREGNANT, PALLIATIVE = "235595009", "77386006", "103735009"
NORMAL = {"rr": 16, "spo2": 97, "temperature": 37.0, "sbp": 125, "hr": 72}


def observed(*, alert=True, air=True, age=60, **values):
    chart = Chart(age).problem(REFLUX).measured(ago=HOUR, **values)
    if air:
        chart.measured(ago=HOUR, oxygen_flow=0)
    return chart.alert() if alert else chart


def test_seven_or_more_is_critical(ask):
    """Emergency review, with the score and the time of observation in the headline."""
    answer = ask(SERVICE, observed(**{**NORMAL, "rr": 26, "spo2": 90, "hr": 118}))
    assert answer.summary == "NEWS2 8 at 1 Nov 2026 08:00 UTC: emergency review"
    assert answer.cards[0].indicator == "critical"
    assert answer.cards[0].suggestions[0].actions[0].resource["priority"] == "stat"


@pytest.mark.parametrize("change", [{"rr": 22, "spo2": 93, "hr": 95}, {"rr": 26}, {"hr": 135}])
def test_five_or_a_single_three_is_a_warning(ask, change):
    """Urgent review for 5-6, and for 3 points in one observation."""
    answer = ask(SERVICE, observed(**{**NORMAL, **change}))
    assert "urgent review" in answer.summary
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == ["Request urgent review"]


@pytest.mark.parametrize("born", [None, "1958", "1958-04"])
def test_who_is_brought_in_without_papers_gets_the_alarm(ask, born):
    """Without an age the total stands with its condition, and nobody is told that observations lack."""
    made = observed(**{**NORMAL, "rr": 26, "spo2": 90, "hr": 118})
    made.rows[0]["birthDate"] = born
    answer = ask(SERVICE, made)
    assert answer.summary.startswith("NEWS2 8 at 1 Nov 2026 08:00 UTC: emergency review (age not known")
    assert answer.cards[0].indicator == "critical"


def test_observations_that_cannot_be_used_are_not_called_absent(ask):
    """A temperature in another unit was taken."""
    made = Chart(60).problem(REFLUX).measured(ago=HOUR, temperature=(38, "mm"))
    answer = ask(SERVICE, made, encounter_class="IMP")
    assert answer.summary == "NEWS2 cannot be calculated: no usable observations of the last 24 hours"


def test_low_with_everything_measured_is_silent(ask):
    """Nothing to do, nothing to know."""
    assert ask(SERVICE, observed(**NORMAL)).cards == ()


def test_low_with_an_observation_missing_is_never_reassurance(ask):
    """The interval of possible scores, what is missing, and the request for it."""
    values = {k: v for k, v in NORMAL.items() if k != "rr"}
    answer = ask(SERVICE, observed(**values))
    assert answer.summary == "NEWS2 cannot be completed: 0 to 3 points possible; not recorded: respiratory rate"
    assert answer.cards[0].indicator == "info"
    assert answer.suggestions == ["Request the missing observations"]
    text = answer.cards[0].suggestions[0].actions[0].resource["code"]["text"]
    assert text == "NEWS2 observations: respiratory rate"


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        ((18, "mm"), "0 to 3 points possible; recorded, but not usable: respiratory rate"),
        (1800, "0 to 3 points possible; recorded, but not usable: respiratory rate"),
    ],
)
def test_a_value_that_cannot_be_used_is_not_called_not_recorded(ask, rate, said):
    """Somebody counted and charted it; to say that nobody did sends the nurse to the wrong place."""
    answer = ask(SERVICE, observed(**{**NORMAL, "rr": rate}))
    assert answer.summary == f"NEWS2 cannot be completed: {said}"
    alarm = ask(SERVICE, observed(**{**NORMAL, "rr": rate, "spo2": 90, "hr": 132}))
    assert alarm.summary.endswith("; recorded, but not usable: respiratory rate")


def test_an_old_value_is_called_old(ask):
    """It is there, and it is of yesterday."""
    values = {k: v for k, v in NORMAL.items() if k != "rr"}
    made = observed(**values).measured(ago=HOUR * 40, rr=16)
    assert ask(SERVICE, made).summary.endswith("points possible; too old: respiratory rate")


def test_what_is_observed_already_acts_with_others_missing(ask):
    """A lower bound of 7 is an emergency whatever is missing, and the card asks for the rest too."""
    answer = ask(SERVICE, observed(alert=False, rr=26, spo2=90, hr=118))
    assert answer.cards[0].indicator == "critical"
    assert "possible" in answer.summary
    assert answer.suggestions == ["Request emergency assessment", "Request the missing observations"]


def test_many_missing_observations_are_counted_if_the_names_do_not_fit(ask):
    """The headline is never cut: a shorter wording takes over."""
    answer = ask(SERVICE, observed(alert=False, air=False, rr=26, spo2=90))
    assert len(answer.summary) < 140


def test_no_observation_at_all_is_said_for_an_inpatient_only(ask):
    """Someone who stays needs observations; a visit does not."""
    chart = Chart(60).problem(REFLUX)
    for code in ("IMP", "ACUTE", "NONAC", "EMER", "OBSENC", "SS"):
        assert ask(SERVICE, chart, encounter_class=code).summary.startswith("NEWS2 cannot be calculated")
    assert ask(SERVICE, chart).cards == ()
    assert ask(SERVICE, chart, encounter_class="AMB").cards == ()


@pytest.mark.parametrize("status", ["planned", "arrived", "triaged", "in-progress", "onleave"])
def test_a_stay_that_begins_is_looked_at_and_one_that_is_over_is_not(ask, status):
    """Planned at the start counts: that is when the hook is called."""
    chart = Chart(60).problem(REFLUX)
    assert ask(SERVICE, chart, encounter_class="IMP", encounter_status=status).cards
    ill = observed(**{**NORMAL, "rr": 26, "spo2": 90, "hr": 118})
    assert ask(SERVICE, ill, encounter_class="IMP", encounter_status="finished").findings == ()


def test_outside_hospital_only_an_observed_total_of_five_speaks(ask):
    """Nobody is asked for seven observations at a visit; whoever is acutely ill there is seen."""
    partly = {"sbp": 84}
    assert ask(SERVICE, observed(alert=False, air=False, **partly), encounter_class="AMB").findings == ()
    assert ask(SERVICE, observed(alert=False, air=False, **partly), encounter_class="IMP").cards
    ill = observed(**{**NORMAL, "rr": 26, "spo2": 90, "hr": 118})
    assert ask(SERVICE, ill, encounter_class="AMB").cards[0].indicator == "critical"


def test_an_unknown_class_speaks_if_something_was_observed(ask):
    """Without a class, observations tell that somebody is looking at an ill patient."""
    assert ask(SERVICE, observed(alert=False, air=False, sbp=120)).summary.startswith("NEWS2 cannot be completed")


def test_the_laboratory_values_that_a_clinician_looks_at_next_are_told(ask):
    """Lactate, CRP, white cells, creatinine of the last two days, even if they are normal; not older ones."""
    ill = observed(**{**NORMAL, "rr": 26}).measured(ago=HOUR, lactate=1.1, crp=214)
    detail = ask(SERVICE, ill.measured(ago=timedelta(days=9), white_cells=8.1)).cards[0].detail
    assert "Lactate 1.1 mmol/L, 1 Nov 2026 (source " in detail
    assert "C-reactive protein 214.0 mg/L" in detail
    assert "White blood cells" not in detail


def test_the_other_saturation_scale_is_told_in_copd(ask):
    """Scale 1 is used unless a target is prescribed; an order that names it switches the scale."""
    chart = observed(**{**NORMAL, "rr": 26, "spo2": 90}).problem("13645005")
    assert "On scale 2, which a clinician may prescribe" in ask(SERVICE, chart).cards[0].detail
    chart.ordered(text="Oxygen, target saturation 88-92 %")
    assert "SpO2 is scored on scale 2" in ask(SERVICE, chart).cards[0].detail


def test_observations_of_last_week_do_not_count(ask):
    """A day is the limit."""
    answer = ask(SERVICE, Chart(60).problem(REFLUX).measured(ago=timedelta(days=7), **NORMAL), encounter_class="IMP")
    assert answer.summary.startswith("NEWS2 cannot be calculated")


@pytest.mark.parametrize("made", [observed(age=10, **NORMAL), observed(**{**NORMAL, "rr": 26}).problem(PREGNANT)])
def test_silent_where_news2_does_not_speak(ask, made):
    """Children and pregnancy have their own charts."""
    assert ask(SERVICE, made).cards == ()


def test_palliative_care_reminds_of_the_ceiling_of_treatment(ask):
    """The score still speaks; the advice knows what was agreed."""
    chart = observed(**{**NORMAL, "rr": 26, "spo2": 90, "hr": 118}).problem(PALLIATIVE)
    assert "ceiling of treatment" in ask(SERVICE, chart).cards[0].detail


def test_the_draft_belongs_to_the_encounter(ask):
    """An order at encounter-start names the stay."""
    answer = ask(SERVICE, observed(**{**NORMAL, "rr": 26}), encounter_class="IMP")
    assert answer.cards[0].suggestions[0].actions[0].resource["encounter"] == {"reference": "Encounter/e1"}


def test_a_value_that_two_reasons_ask_for_is_told_once(ask):
    """The creatinine of today is the laboratory value to look at next and the one from before what follows."""
    detail = ask(SERVICE, observed(**{**NORMAL, "rr": 26}).measured(ago=HOUR, creatinine=0.9)).cards[0].detail
    assert detail.count("- Creatinine 0.9") == 1
