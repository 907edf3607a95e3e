"""af-anticoagulation speaks where an anticoagulant is missing or harms, and is silent where it is taken."""

import pytest
from charts import Chart

from cds_service.findings import Severity

SERVICE = "af-anticoagulation"
APIXABAN, WARFARIN, ASPIRIN, IBUPROFEN = "1364430", "11289", "1191", "5640"
DIABETES, FIBRILLATION, HYPERTENSION = "44054006", "49436004", "38341003"
PALLIATIVE, REFLUX, MITRAL_STENOSIS, ALCOHOL = "103735009", "235595009", "79619009", "7200002"
MECHANICAL = "Z95.2"


def fibrillating(age=76, **more):
    return Chart(age, **more).problem(FIBRILLATION).problem(HYPERTENSION)


def test_two_points_without_an_anticoagulant_are_a_warning(ask):
    """CHA2DS2-VA of 2 or more and no anticoagulant; what the dose rests on is offered where it is missing."""
    answer = ask(SERVICE, fibrillating())
    assert answer.summary == "Atrial fibrillation, CHA2DS2-VA 3, and no anticoagulant on the medication list"
    assert answer.cards[0].indicator == "warning"
    assert "direct oral anticoagulant rather than a vitamin K antagonist" in answer.cards[0].detail
    assert answer.suggestions == ["Order serum creatinine with eGFR", "Order a blood count with platelets"]
    assert ask(SERVICE, fibrillating().measured(creatinine=0.9, platelets=220)).suggestions == []


def test_one_point_is_to_be_considered_and_none_is_silent(ask):
    """One point informs; no point says nothing."""
    one = ask(SERVICE, Chart(67).problem(FIBRILLATION)).finding("cha2ds2-va")
    assert one.severity is Severity.INFO
    assert "considered" in str(one.advice)
    assert ask(SERVICE, Chart(45).problem(FIBRILLATION)).findings == ()
    assert ask(SERVICE, Chart(76).problem(HYPERTENSION)).findings == ()  # no fibrillation


def test_the_us_edition_takes_the_place_of_the_european_one_where_it_is_enabled(ask):
    """One edition is shown: the same woman has 3 points of CHA2DS2-VASc, and no CHA2DS2-VA beside them."""
    chart = fibrillating(67, sex="female")
    answer = ask(SERVICE, chart, enabled=("cha2ds2-vasc",))
    assert answer.finding("cha2ds2-vasc").severity is Severity.WARNING
    assert "CHA2DS2-VASc 3," in str(answer.finding("cha2ds2-vasc").headline)
    assert answer.finding("cha2ds2-va/") is None
    assert "cha2ds2-vasc" not in ask(SERVICE, chart).case.results


@pytest.mark.parametrize("taken", [APIXABAN, WARFARIN])
def test_under_an_anticoagulant_it_is_silent(ask, taken):
    """Already treated: nothing, not even the bleeding factors."""
    assert ask(SERVICE, fibrillating().medicine(ASPIRIN).medicine(taken)).findings == ()


def test_correctable_bleeding_factors_are_named_and_never_as_a_reason_against(ask):
    """Pressure above 160, NSAID, antiplatelet, alcohol: each with what to do; the number of HAS-BLED is not shown."""
    chart = fibrillating().measured(sbp=172, dbp=90).medicine(ASPIRIN).medicine(IBUPROFEN).problem(ALCOHOL)
    answer = ask(SERVICE, chart)
    detail = answer.cards[0].detail
    for words in ("systolic pressure above 160 mmHg: lower it", "an NSAID: stop it", "an antiplatelet medicine",
                  "alcohol use disorder: offer help", "None of it is a reason to withhold"):  # fmt: skip
        assert words in detail
    assert "HAS-BLED" not in detail
    assert answer.finding("bleeding-factors").quiet
    assert ask(SERVICE, fibrillating().measured(sbp=128, dbp=80)).finding("bleeding-factors") is None


def test_with_a_mechanical_valve_points_do_not_decide(ask):
    """No score, and a vitamin K antagonist is named."""
    answer = ask(SERVICE, Chart(50).problem(FIBRILLATION).diagnosis(MECHANICAL))
    assert answer.summary == (
        "Atrial fibrillation with a mechanical heart valve, and no anticoagulant on the medication list"
    )
    assert "CHA2DS2" not in answer.cards[0].detail
    assert "vitamin K antagonist is recommended whatever the score" in answer.cards[0].detail
    assert ask(SERVICE, Chart(50).problem(FIBRILLATION).diagnosis(MECHANICAL).medicine(WARFARIN)).findings == ()


def test_what_a_valve_demands_is_told_without_an_age(ask):
    """The score needs the age, and stays silent; the alarm does not."""
    made = Chart(70).diagnosis(MECHANICAL).medicine(APIXABAN)
    made.rows[0].pop("birthDate")
    (found,) = ask(SERVICE, made).findings
    assert found.key == "mechanical-valve/direct-oral-anticoagulant"


def test_a_direct_anticoagulant_with_a_mechanical_valve_is_critical(ask):
    """Treated, and wrongly: the one thing said to someone under an anticoagulant, with or without fibrillation."""
    for chart in (Chart(50).diagnosis(MECHANICAL), fibrillating().diagnosis(MECHANICAL)):
        answer = ask(SERVICE, chart.medicine(APIXABAN))
        assert answer.cards[0].indicator == "critical"
        assert "contraindicated" in answer.cards[0].detail
    assert ask(SERVICE, Chart(50).diagnosis(MECHANICAL).medicine(WARFARIN)).findings == ()


def test_a_vitamin_k_antagonist_that_was_stopped_does_not_quieten_the_harm(ask):
    """The usual way into it: changed from warfarin to apixaban. That warfarin was given up excuses nothing."""
    chart = Chart(50).diagnosis(MECHANICAL).medicine(APIXABAN).medicine(WARFARIN)
    chart.rows[-1]["status"] = "stopped"
    assert ask(SERVICE, chart).cards[0].indicator == "critical"


def test_with_mitral_stenosis_its_grade_is_asked_for(ask):
    """Moderate to severe: a vitamin K antagonist; mild: the score. The list does not tell which."""
    answer = ask(SERVICE, fibrillating(60).problem(MITRAL_STENOSIS))
    assert "Atrial fibrillation with mitral stenosis" in answer.summary
    assert "If the stenosis is mild, the score decides" in answer.cards[0].detail


def test_it_asks_where_an_anticoagulant_cannot_be_read(ask):
    """Silence could hide an omission, a warning would be a guess: the card asks."""
    answer = ask(SERVICE, fibrillating().unreadable_medicine())
    assert "is an anticoagulant taken?" in answer.summary
    assert answer.cards[0].indicator == "info"
    valve = ask(SERVICE, Chart(50).problem(FIBRILLATION).diagnosis(MECHANICAL).unreadable_medicine())
    assert "is an anticoagulant taken?" in valve.summary


def test_an_input_that_the_score_lacks_is_said(ask):
    """CHA2DS2-VASc without a sex that the equation knows: no number, and no silence either."""
    answer = ask(SERVICE, fibrillating(sex="other"), enabled=("cha2ds2-vasc",))
    assert answer.summary.endswith("CHA2DS2-VASc not calculated")
    assert ask(SERVICE, fibrillating(sex="other")).finding("cha2ds2-va/points") is not None


def test_an_intolerance_makes_the_choice_and_not_the_decision(ask):
    """Warfarin was not tolerated: another one is asked for."""
    answer = ask(SERVICE, fibrillating().intolerance("Warfarin"))
    assert "An intolerance to an anticoagulant is on record" in answer.cards[0].detail


def test_hospital_does_not_silence_it_and_palliative_care_does(ask):
    """Stroke prevention does not wait; near the end of life it is not spoken of."""
    assert "no anticoagulant" in ask(SERVICE, fibrillating().stay()).summary
    assert ask(SERVICE, fibrillating().problem(PALLIATIVE)).findings == ()
    assert ask(SERVICE, Chart(8).problem(FIBRILLATION)).findings == ()


def test_in_pregnancy_the_choice_is_left_to_a_specialist(ask):
    """No medicine is named that may harm the child."""
    answer = ask(SERVICE, Chart(38, sex="female").problem(FIBRILLATION).diagnosis(MECHANICAL).problem("77386006"))
    assert "belongs to a specialist" in answer.cards[0].detail


def test_without_a_problem_list_there_is_nothing_to_say(ask):
    """Fibrillation is not known: no card."""
    assert ask(SERVICE, Chart(76)).findings == ()
