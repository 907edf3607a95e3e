"""vte-prophylaxis: a high Padua score without prophylaxis, the question that decides, and silence where it is done."""

import pytest
from charts import Chart

SERVICE = "vte-prophylaxis"
INFECTION, CANCER, BED, PALLIATIVE, PREGNANT, CIRRHOSIS, DVT = (
    "68566005", "363406005", "160685001", "103735009", "77386006", "19943007", "128053003",
)  # fmt: skip


def chart(age=75, *problems):
    made = Chart(age).measured(bmi=24, platelets=220, creatinine=0.9).knows("Procedure")
    for problem in problems or (INFECTION, BED):
        made.problem(problem)
    return made


def ward(ask, made, **more):
    return ask(SERVICE, made, encounter_class="IMP", **more)


def test_a_high_score_without_prophylaxis_is_a_warning(ask):
    """Age, infection and bed rest: 5 points; a medicine is offered for a clinician to choose."""
    answer = ward(ask, chart())
    assert answer.summary == "Padua score 5: high risk of venous thrombosis, and no prophylaxis on record"
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == ["Order prophylaxis of venous thrombosis"]
    resource = answer.cards[0].suggestions[0].actions[0].resource
    assert (resource["resourceType"], resource["intent"]) == ("ServiceRequest", "proposal")
    assert resource["category"][0]["coding"][0]["code"] == "277132007"


@pytest.mark.parametrize(
    "done",
    [
        lambda made: made.medicine("1364430", "apixaban"),
        lambda made: made.medicine("67108", "enoxaparin 40 mg"),
        lambda made: made.medicine("5224", "heparin 5000 units subcutaneous"),
        lambda made: made.ordered(text="Intermittent pneumatic compression"),
        lambda made: made.ordered(text="VTE prophylaxis per protocol", status="draft"),
        lambda made: made.problem(PALLIATIVE),
        lambda made: made.problem(PREGNANT),
    ],
)
def test_silent_where_it_is_done_or_does_not_apply(ask, done):
    """Anticoagulants, heparin, orders and drafts; palliative care and pregnancy."""
    assert ward(ask, done(chart())).cards == ()


def test_a_heparin_lock_is_no_prophylaxis(ask):
    """What flushes a line does not treat the body."""
    assert ward(ask, chart().medicine("0", "heparin lock flush 10 units/mL")).cards


@pytest.mark.parametrize("kind", ["EMER", "AMB", "SS"])
def test_only_a_stay_on_a_ward_speaks(ask, kind):
    """Padua was made for medical inpatients."""
    assert ask(SERVICE, chart(), encounter_class=kind).cards == ()
    assert ask(SERVICE, chart()).cards == ()


def test_bleeding_risk_is_named_and_turns_to_compression(ask):
    """Platelets, cirrhosis and an INR are told with their values."""
    made = chart(75, INFECTION, BED, CIRRHOSIS).measured(platelets=38, inr=1.9)
    made.rows = [r for r in made.rows if r.get("valueQuantity", {}).get("value") != 220]
    answer = ward(ask, made)
    assert answer.suggestions == ["Order intermittent pneumatic compression"]
    assert "platelets 38" in answer.cards[0].detail
    assert "INR 1.9" in answer.cards[0].detail


def test_mobility_is_asked_for_where_it_decides(ask):
    """Two points without it: 2 to 5 possible; with less there is nothing to ask."""
    answer = ward(ask, chart(75, INFECTION))
    assert answer.cards[0].indicator == "info"
    assert answer.summary == (
        "Padua score 2 to 5 possible (risk of thrombosis; high from 4 on); missing: "
        "bed rest expected for three days or more"
    )
    assert answer.suggestions == ["Ask for an assessment of mobility"]
    young = Chart(40).measured(bmi=24).knows("Procedure").problem("235595009")
    assert ward(ask, young).cards == ()


def test_points_on_the_list_decide_without_mobility(ask):
    """Cancer and age: at least 4."""
    answer = ward(ask, chart(75, CANCER))
    assert answer.summary == "Padua score at least 4: high risk of venous thrombosis, and no prophylaxis on record"


def test_an_unreadable_medicine_asks_first(ask):
    """It may be the anticoagulant: no order is offered."""
    answer = ward(ask, chart().unreadable_medicine())
    assert "cannot be read whether an anticoagulant is given" in answer.summary
    assert answer.suggestions == []


def test_thrombosis_on_the_list_may_need_treatment(ask):
    """Prevention is not the answer to a clot."""
    assert "does it need treatment" in ward(ask, chart(75, DVT, BED)).cards[0].detail


def test_a_child_and_a_stay_that_is_over_are_silent(ask):
    """Refused, and too late."""
    assert ward(ask, chart(15)).cards == ()
    assert ward(ask, chart(), encounter_status="finished").findings == ()
