"""renal-dosing holds drafts against the limits of their labels, by the measure that each label names."""

import pytest
from charts import Chart

from cds_service.findings import Severity

SERVICE = "renal-dosing"
FIBRILLATION, DIALYSIS, PALLIATIVE, REFLUX, PREGNANCY = "49436004", "265764009", "103735009", "235595009", "77386006"


def frail(age=81, weight=52, creatinine=1.9, **more):
    """A woman whose clearance is 20 mL/min and whose eGFR is 26."""
    return Chart(age, sex="female", **more).problem(REFLUX).measured(weight=weight, height=158, creatinine=creatinine)


def test_a_contraindicated_draft_is_a_warning_that_can_be_withdrawn(ask):
    """Number, limit and source; accepting deletes the draft, and nothing takes its place."""
    answer = ask(SERVICE, frail().draft("Nitrofurantoin 100 mg capsule", "1 capsule twice daily"))
    assert answer.summary.startswith(
        "Nitrofurantoin ordered with creatinine clearance 19 mL/min: contraindicated below 30"
    )
    assert answer.cards[0].indicator == "warning"
    action = answer.cards[0].suggestions[0].actions[0]
    assert (action.type, action.resource_id) == ("delete", "MedicationRequest/draft-1")
    assert "Cockcroft-Gault" in answer.cards[0].detail
    assert "Beers Criteria 2023" in answer.cards[0].detail


@pytest.mark.parametrize(
    ("draft", "dosage", "said"),
    [
        ("Gabapentin 300 mg capsule", "1 capsule three times daily", "at most 700 mg a day"),
        ("Gabapentin 300 mg capsule", "1 capsule twice daily", None),
        ("Pregabalin 75 mg capsule", "1 capsule twice daily", None),
        ("Pregabalin 75 mg capsule", "2 capsules twice daily", "at most 150 mg a day"),
        ("Sitagliptin 100 mg tablet", "1 tablet once daily", "25 mg once daily below 30"),
        ("Sitagliptin 25 mg tablet", "1 tablet once daily", None),
    ],
)
def test_a_dose_that_keeps_to_the_limit_is_silent(ask, draft, dosage, said):
    """The daily dose is read from strength, pieces and times."""
    answer = ask(SERVICE, frail().draft(draft, dosage))
    assert (answer.summary is None) if said is None else (said in answer.summary)
    assert said is None or answer.cards[0].indicator == "warning"


def test_a_structured_dose_is_read_like_a_worded_one(ask):
    """doseQuantity and timing, in mg or in tablets of a strength that the name tells."""
    timing = {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}
    for unit, value in (("mg", 300), ("tablet", 1)):
        dose = [{"doseQuantity": {"value": value, "unit": unit}}]
        answer = ask(SERVICE, frail().draft("Gabapentin 300 mg tablet", timing=timing, doseAndRate=dose))
        assert "Gabapentin 300 mg tablet; 900 mg a day" in answer.cards[0].detail
    odd = ask(SERVICE, frail().draft("Gabapentin 300 mg tablet", timing="x", doseAndRate=[{"doseQuantity": 3}]))
    assert odd.cards[0].indicator == "info"


def test_a_dose_that_cannot_be_read_is_a_line_to_check(ask):
    """No guess, and no alarm."""
    answer = ask(SERVICE, frail().draft("Gabapentin 300 mg capsule", "as needed up to 3"))
    assert answer.cards[0].indicator == "info"
    assert "could not be read" in answer.cards[0].detail


def test_each_label_has_its_own_measure(ask):
    """Metformin by eGFR and not by clearance: 26 and 19 here; the key is that of the card about the medicine taken."""
    answer = ask(SERVICE, frail().draft("Metformin 500 mg tablet", "1 tablet twice daily"))
    assert "eGFR 26 mL/min/1.73 m²: contraindicated below 30" in answer.summary
    assert answer.finding("metformin/egfr-below-30") is not None
    heavy = Chart(50).problem(REFLUX).measured(weight=140, height=175, creatinine=1.9)
    assert "eGFR 42" in ask(SERVICE, heavy.draft("Metformin 1000 mg tablet", "1 tablet twice daily")).summary


def test_a_healthy_kidney_is_silent(ask):
    """Nothing to say, nothing said; drafts that are not on the table neither."""
    chart = Chart(50).problem(REFLUX).measured(weight=80, height=180, creatinine=0.9)
    assert ask(SERVICE, chart.draft("Gabapentin 600 mg tablet", "1 tablet three times daily")).findings == ()
    assert ask(SERVICE, frail().draft("Amoxicillin 500 mg capsule", "1 capsule three times daily")).findings == ()
    assert ask(SERVICE, frail()).findings == ()


def test_without_a_usable_creatinine_the_card_says_so(ask):
    """Silence would reassure: it asks for the test, unless it is ordered."""
    chart = Chart(81).problem(REFLUX).measured(weight=52).draft("Gabapentin 300 mg capsule", "1 capsule daily")
    answer = ask(SERVICE, chart)
    assert answer.summary == "Gabapentin ordered, and no creatinine clearance to dose it by"
    assert answer.suggestions == ["Order serum creatinine with eGFR"]
    assert ask(SERVICE, chart.ordered("2160-0")).suggestions == []


def test_a_weight_that_decides_is_said_and_left_to_the_clinician(ask):
    """From BMI 30 on, actual, adjusted and ideal weight may fall on two sides of a limit."""
    chart = Chart(72, sex="female").problem(REFLUX).measured(weight=120, height=160, creatinine=1.4, bmi=47)
    answer = ask(SERVICE, chart.draft("Gabapentin 600 mg tablet", "1 tablet three times daily"))
    assert "the weight used decides" in answer.summary
    assert answer.cards[0].indicator == "info"


def test_in_pregnancy_no_row_applies_and_it_says_so_where_the_kidney_may_be_ill(ask):
    """A usual creatinine of pregnancy, or none, says nothing; a high one or kidney disease does."""
    gabapentin = ("Gabapentin 300 mg capsule", "1 capsule daily")
    answer = ask(SERVICE, frail(35).problem(PREGNANCY).draft(*gabapentin))
    assert "no creatinine clearance to dose it by" in answer.summary
    assert "Not calculated: the equation does not hold in pregnancy" in answer.cards[0].detail
    assert ask(SERVICE, frail(35, creatinine=0.6).problem(PREGNANCY).draft(*gabapentin)).findings == ()


@pytest.mark.parametrize(
    ("draft", "dosage", "said", "indicator"),
    [
        ("Gabapentin 300 mg capsule", "1 capsule three times daily", "at most 300 mg a day below 15", "warning"),
        ("Gabapentin 100 mg capsule", "1 capsule daily", None, None),
        ("Gabapentin 300 mg capsule", "as needed up to 3", "at most 300 mg a day below 15", "info"),
        ("Metformin 500 mg tablet", "1 tablet twice daily", "contraindicated below 30", "warning"),
        ("Nitrofurantoin 100 mg capsule", "1 capsule twice daily", "contraindicated below 30", "warning"),
    ],
)
def test_on_dialysis_the_row_of_the_lowest_kidney_function_speaks(ask, draft, dosage, said, indicator):
    """No equation holds there, and every limit is reached."""
    answer = ask(SERVICE, frail(60).problem(DIALYSIS).draft(draft, dosage))
    if said is None:
        assert answer.findings == ()
    else:
        assert "ordered on dialysis; by " in answer.summary
        assert said in answer.summary
        assert answer.cards[0].indicator == indicator


@pytest.mark.parametrize(
    ("dose", "indicator"), [(30, None), (40, "info"), (50, "info"), (60, "warning"), (100, "warning")]
)
def test_a_dose_by_weight_is_held_against_the_weight(ask, dose, indicator):
    """Enoxaparin at a clearance below 30: 30 mg to prevent is silent, more than 1 mg per kg (52 kg) is too much."""
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    given = [{"doseQuantity": {"value": dose, "unit": "mg"}}]
    answer = ask(SERVICE, frail().draft("Enoxaparin", timing=timing, doseAndRate=given))
    assert (answer.cards[0].indicator if answer.cards else None) == indicator


def test_where_the_weight_alone_is_missing_the_egfr_speaks(ask):
    """Below the limit it is told, far below it loudly; a normal one is silent in who is not old."""
    old = Chart(81, sex="female").problem(REFLUX)
    answer = ask(SERVICE, old.measured(creatinine=6.0).draft("Spironolactone 25 mg tablet", "1 tablet daily"))
    assert answer.summary == "Spironolactone ordered with eGFR 7 mL/min/1.73 m²: avoided below 30, for potassium rises"
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == ["Measure weight and height"]
    young = Chart(45).problem(REFLUX).measured(creatinine=0.8)
    assert ask(SERVICE, young.draft("Spironolactone 25 mg tablet", "1 tablet daily")).findings == ()


@pytest.mark.parametrize(
    ("age", "problem", "speaks"), [(40, REFLUX, False), (40, "38341003", True), (70, REFLUX, True)]
)
def test_an_nsaid_without_a_creatinine_is_told_to_those_at_risk(ask, age, problem, speaks):
    """It harms an ill kidney: a young adult's without any reason is not asked for."""
    chart = Chart(age).problem(problem).draft("Ibuprofen 400 mg tablet", "1 tablet three times daily")
    assert bool(ask(SERVICE, chart).findings) is speaks


def test_palliative_care_does_not_silence_safety_and_childhood_does(ask):
    """A harmful dose harms in comfort care too."""
    chart = frail().problem(PALLIATIVE).draft("Gabapentin 300 mg capsule", "1 capsule three times daily")
    assert "Gabapentin" in ask(SERVICE, chart).summary
    assert ask(SERVICE, frail(9).draft("Gabapentin 300 mg capsule", "1 capsule daily")).findings == ()


def test_apixaban_follows_its_criteria_in_both_directions(ask):
    """Two of three: half the dose; fewer: the whole, for too little prevents nothing."""
    two = frail().problem(FIBRILLATION)
    answer = ask(SERVICE, two.draft("Apixaban 5 mg tablet", "1 tablet twice daily"))
    assert answer.summary == "Apixaban ordered: 3 of 3 criteria ask for 2.5 mg twice daily"
    assert answer.finding("renal-dosing/apixaban").severity is Severity.WARNING
    assert (
        ask(SERVICE, frail().problem(FIBRILLATION).draft("Apixaban 2.5 mg tablet", "1 tablet twice daily")).findings
        == ()
    )
    none = Chart(66).problem(FIBRILLATION).measured(weight=80, creatinine=1.0)
    answer = ask(SERVICE, none.draft("Apixaban 2.5 mg tablet", "1 tablet twice daily"))
    assert "in the reduced dose: 0 of 3 criteria" in answer.summary
    without = Chart(66).problem(REFLUX).measured(weight=80, creatinine=1.0)  # after a thrombosis it is a usual dose
    assert ask(SERVICE, without.draft("Apixaban 2.5 mg tablet", "1 tablet twice daily")).findings == ()


def test_edoxaban_is_too_little_for_a_fast_kidney(ask):
    """Above 95 mL/min in atrial fibrillation."""
    chart = Chart(55).problem(FIBRILLATION).measured(weight=100, height=190, creatinine=0.8)
    answer = ask(SERVICE, chart.draft("Edoxaban 60 mg tablet", "1 tablet once daily"))
    assert answer.summary == "Edoxaban ordered with a creatinine clearance above 95 mL/min"


def test_a_draft_not_to_be_given_is_no_order(ask):
    """doNotPerform means the opposite."""
    chart = frail().draft("Nitrofurantoin 100 mg capsule", "1 capsule twice daily")
    chart.drafts[0]["doNotPerform"] = True
    assert ask(SERVICE, chart).findings == ()


def test_both_order_hooks_say_the_same(services):
    """At selection and at signature: the same declaration, so that what rests at one rests at the other."""
    first, second = services["renal-dosing"], services["renal-dosing-select"]
    assert (first.hook, second.hook) == ("order-sign", "order-select")
    assert first.find is second.find
