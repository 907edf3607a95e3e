"""cardiovascular-risk speaks when there is something to do, and only then."""

from datetime import timedelta

import pytest
from charts import Chart

from cds_service.findings import Severity
from cds_service.language import words

SERVICE = "cardiovascular-risk"
ATORVASTATIN, LISINOPRIL = "83367", "29046"
DIABETES, INFARCTION = "44054006", "22298006"
PALLIATIVE, REFLUX = "103735009", "235595009"


def healthy(age=60, sbp=118, dbp=74, total=190, hdl=52, **more):
    return (
        Chart(age, **more)
        .problem(REFLUX)
        .measured(sbp=sbp, dbp=dbp, total=total, hdl=hdl, creatinine=0.9, bmi=25)
        .smoking()
    )


def test_a_high_risk_without_a_statin_is_a_warning_with_number_outcome_and_horizon(ask):
    """Number, outcome and horizon come first; the threshold's source stands beside the advice."""
    chart = healthy(72, sbp=158, dbp=82, total=240, hdl=38).medicine(LISINOPRIL)
    answer = ask(SERVICE, chart)
    assert answer.summary.startswith("10-year cardiovascular risk ")
    assert answer.summary.endswith("%, high; no statin")
    assert answer.cards[0].indicator == "warning"
    assert "high-intensity statin" in answer.cards[0].detail
    assert "read in secondary sources" in answer.cards[0].detail


def test_an_intermediate_risk_without_a_statin_is_information(ask):
    """5 to 10 % asks for at least moderate intensity, without alarm."""
    answer = ask(SERVICE, healthy(68, total=215, hdl=42, sbp=128).medicine(LISINOPRIL))
    assert "intermediate" in answer.summary
    assert answer.cards[0].indicator == "info"


def test_a_low_risk_is_silent(ask):
    """No card without something to do; the estimate is still a finding for the audit record."""
    answer = ask(SERVICE, healthy(45))
    assert answer.cards == ()
    assert answer.finding("prevent-base").quiet


def test_a_treated_risk_is_silent(ask):
    """On a statin and a blood-pressure medicine nothing is advised."""
    chart = healthy(72, sbp=158, total=240, hdl=38).medicine(LISINOPRIL).medicine(ATORVASTATIN)
    assert ask(SERVICE, chart).cards == ()


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        (healthy().problem(INFARCTION), "no statin on the medication list"),
        (healthy().measured(ldl=204), "LDL cholesterol 204 mg/dL, and no statin"),
        (healthy(55).problem(DIABETES), "Diabetes at age 55, and no statin"),
    ],
)
def test_rules_come_before_scores(ask, chart, words):
    """Known disease, very high LDL and diabetes call for a statin whatever the equation says."""
    answer = ask(SERVICE, chart)
    assert words in answer.summary
    assert answer.cards[0].indicator == "warning"


@pytest.mark.parametrize(
    "chart",
    [
        healthy().problem(INFARCTION).medicine(ATORVASTATIN),
        healthy().measured(ldl=204).medicine(ATORVASTATIN),
        healthy(38).problem(DIABETES),
    ],
)
def test_rules_are_silent_when_followed_or_not_met(ask, chart):
    """Treated already, or outside the ages of the rule: no statin card."""
    assert ask(SERVICE, chart).finding("statin/") is None


def test_known_disease_gives_no_prevent_line(ask):
    """PREVENT does not speak about people with cardiovascular disease, so the card does not mention it."""
    detail = ask(SERVICE, healthy().problem(INFARCTION)).cards[0].detail
    assert "PREVENT" not in detail


def test_untreated_pressure_counts_with_the_risk(ask):
    """130-139 or 80-89 calls for a medicine from a total risk of 7.5 % on."""
    answer = ask(SERVICE, healthy(70, sbp=134, dbp=78, total=180, hdl=60))
    gap = answer.finding("blood-pressure")
    assert gap.severity is Severity.INFO
    assert "134/78 mmHg without a blood-pressure medicine (10-year cardiovascular risk" in str(gap.headline)
    assert ask(SERVICE, healthy(50, sbp=134, dbp=78)).finding("blood-pressure") is None


@pytest.mark.parametrize("problem", [DIABETES, INFARCTION, "709044004"])
def test_untreated_pressure_counts_with_a_condition(ask, problem):
    """With diabetes, cardiovascular or kidney disease 130/80 is enough, whatever the equation says."""
    assert ask(SERVICE, healthy(45, sbp=134, dbp=78).problem(problem)).finding("blood-pressure") is not None


def test_stage_two_pressure_needs_no_equation(ask):
    """Without lipids PREVENT is silent about the number, and the pressure still counts."""
    chart = Chart(85).problem(REFLUX).measured(sbp=166, dbp=84)
    assert ask(SERVICE, chart).summary == "Blood pressure 166/84 mmHg without a blood-pressure medicine"


@pytest.mark.parametrize(
    ("pressure", "said", "lacking"),
    [
        ({"sbp": 152}, "Systolic blood pressure 152 mmHg without a blood-pressure medicine", "diastolic"),
        ({"dbp": 96}, "Diastolic blood pressure 96 mmHg without a blood-pressure medicine", "systolic"),
        ({"sbp": 152, "dbp": (82, "mg")}, "Systolic blood pressure 152 mmHg without a blood-pressure medicine", "mg"),
    ],
)
def test_one_pressure_of_two_is_enough_and_the_card_says_which_lacks(ask, pressure, said, lacking):
    """A systolic value without a diastolic one gave no card at all."""
    answer = ask(SERVICE, Chart(85).problem(REFLUX).measured(**pressure))
    gap = answer.finding("blood-pressure")
    assert (answer.summary, gap.severity) == (said, Severity.WARNING)
    assert "Not judged: " in str(gap.due)
    assert lacking in str(gap.due).lower()
    assert "Measure blood pressure" in answer.suggestions
    assert ask(SERVICE, Chart(85).problem(REFLUX).measured(sbp=132)).finding("blood-pressure") is None


@pytest.mark.parametrize(("systolic", "diastolic", "urgent"), [(180, 100, False), (182, 100, True), (170, 122, True)])
def test_a_very_high_pressure_asks_for_organ_damage(ask, systolic, diastolic, urgent):
    """Above 180/120 the first question is another one than which medicine."""
    gap = ask(SERVICE, Chart(85).problem(REFLUX).measured(sbp=systolic, dbp=diastolic)).finding("blood-pressure")
    assert ("acute organ damage" in str(gap.due)) == urgent


def test_over_75_a_statin_is_weighed_not_urged(ask):
    """The evidence is thinner, and the card says so."""
    answer = ask(SERVICE, healthy(81).problem(INFARCTION))
    assert answer.cards[0].indicator == "info"
    assert "after weighing benefit" in answer.cards[0].detail


def test_stage_two_pressure_is_a_warning_at_any_risk(ask):
    """From 140/90 a medicine is recommended whatever the risk."""
    assert ask(SERVICE, healthy(45, sbp=128, dbp=94)).finding("blood-pressure").severity is Severity.WARNING
    treated = healthy(45, sbp=128, dbp=94).medicine(LISINOPRIL)
    assert ask(SERVICE, treated).finding("blood-pressure") is None


def test_missing_lipids_ask_for_a_lipid_panel(ask):
    """Indicated but an input is missing: one line with the order that would mend it."""
    chart = Chart(60).problem(REFLUX).measured(sbp=128, dbp=76, creatinine=0.9, bmi=25).smoking()
    answer = ask(SERVICE, chart)
    assert "not calculated; missing or old: total cholesterol; HDL cholesterol" in answer.summary
    assert "Not calculated: Total cholesterol, HDL cholesterol are not on record" in answer.cards[0].detail
    assert answer.suggestions == ["Order a lipid panel"]
    order = answer.cards[0].suggestions[0].actions[0].resource
    assert order["code"]["coding"][0]["code"] == "24331-1"
    assert (order["status"], order["intent"], order["subject"]["reference"]) == ("draft", "proposal", "Patient/p1")


def test_old_lipids_are_not_used(ask):
    """A lipid panel of four years ago is as good as none, and its date is said."""
    old = timedelta(days=4 * 365)
    chart = (
        Chart(60)
        .problem(REFLUX)
        .measured(sbp=128, dbp=76, creatinine=0.9, bmi=25)
        .smoking()
        .measured(ago=old, total=200, hdl=50)
    )
    answer = ask(SERVICE, chart)
    assert answer.suggestions == ["Order a lipid panel"]
    assert "too long ago" in answer.cards[0].detail


@pytest.mark.parametrize(
    "order", [{"loinc": "24331-1"}, {"text": "Fasting LIPIDS"}, {"loinc": "57698-3", "status": "draft"}]
)
def test_what_is_ordered_already_is_not_asked_again(ask, order):
    """A pending lipid order silences the question."""
    chart = Chart(60).problem(REFLUX).measured(sbp=128, dbp=76, creatinine=0.9, bmi=25).smoking().ordered(**order)
    assert ask(SERVICE, chart).cards == ()


def test_a_finished_order_does_not_count_as_pending(ask):
    """A completed order whose result is not here must not silence the question."""
    chart = Chart(60).problem(REFLUX).measured(sbp=128, dbp=76, creatinine=0.9, bmi=25).smoking()
    assert ask(SERVICE, chart.ordered("24331-1", status="completed")).suggestions == ["Order a lipid panel"]


def test_missing_inputs_are_silent_under_a_statin(ask):
    """Already treated: the number would change nothing."""
    chart = Chart(60).problem(REFLUX).measured(sbp=128, dbp=76, creatinine=0.9, bmi=25).smoking().medicine(ATORVASTATIN)
    assert ask(SERVICE, chart).cards == ()


def test_the_model_is_the_one_that_fits_what_is_known(ask):
    """Base without further inputs, that of the one known, full with two of them."""
    chosen = {
        further: ask(SERVICE, healthy(65, sbp=150).measured(**dict.fromkeys(further, 6.0)))
        .finding("prevent-base")
        .model.id
        for further in ((), ("uacr",), ("hba1c",), ("uacr", "hba1c"))
    }
    assert list(chosen.values()) == ["prevent-base", "prevent-uacr", "prevent-hba1c", "prevent-full"]


def test_palliative_care_silences_prevention(ask):
    """Someone near the end of life is spared prevention cards."""
    chart = healthy(72, sbp=158, total=240, hdl=38).problem(INFARCTION).problem(PALLIATIVE)
    assert ask(SERVICE, chart).findings == ()


def test_children_are_silent(ask):
    """No model applies, and the rules are for adults."""
    assert ask(SERVICE, Chart(8)).cards == ()
    assert ask(SERVICE, Chart(8).problem(REFLUX).measured(ldl=240, sbp=150, dbp=95)).cards == ()


@pytest.mark.parametrize("shown", ["709044004", None])
def test_kidney_disease_from_50_calls_for_a_statin(ask, shown):
    """Listed, or eGFR below 60 for more than 90 days; not below 50, not on dialysis."""
    chart, younger = Chart(62).problem(REFLUX), Chart(45).problem(REFLUX)
    for made in (chart, younger):
        made.measured(creatinine=1.6).measured(ago=timedelta(days=200), creatinine=1.6)
        if shown is not None:
            made.problem(shown)
    answer = ask(SERVICE, chart)
    assert answer.summary == "Chronic kidney disease at age 62, and no statin on the medication list"
    assert "KDIGO 2024" in answer.cards[0].detail
    assert ask(SERVICE, younger).finding("statin/") is None
    assert ask(SERVICE, chart.problem("265764009")).finding("statin/") is None


def test_a_recorded_intolerance_silences_the_statin(ask):
    """Whoever did not tolerate it is not told again."""
    assert ask(SERVICE, healthy().problem(INFARCTION).intolerance("Atorvastatin")).finding("statin/") is None
    chart = healthy(72, sbp=128, total=240, hdl=38).intolerance("statin")
    assert ask(SERVICE, chart).finding("prevent-base").advice is None


def test_a_medicine_that_cannot_be_read_is_not_taken_for_no_statin(ask):
    """One entry may be the statin: no rule speaks, PREVENT says why not, and no card asks for anything."""
    answer = ask(SERVICE, healthy(72, sbp=158, total=240).problem(DIABETES).unreadable_medicine())
    assert answer.cards == ()
    assert "one entry of the medication list cannot be read" in str(answer.finding("prevent-base").result.reason)


def test_an_empty_problem_list_is_a_line_and_never_a_card(ask):
    """No order would give the estimate; where something else opens the card, it says what would."""
    chart = Chart(61).measured(sbp=128, dbp=78, total=200, hdl=50, creatinine=0.9, bmi=25).smoking()
    assert ask(SERVICE, chart).cards == ()
    assert ask(SERVICE, Chart(61)).cards == ()  # nor are four tests ordered in vain
    answer = ask(SERVICE, chart.measured(ago=timedelta(days=1), sbp=166, dbp=84))
    assert answer.summary.startswith("Blood pressure 166/84")
    assert "the problem list is empty or was not supplied" in answer.cards[0].detail
    assert "Reconcile the problem list" in answer.cards[0].detail


def test_prevention_waits_while_the_patient_is_in_hospital(ask):
    """Pressures of acute illness mislead; a statin after an infarction does not wait."""
    chart = healthy(72, sbp=168, total=240, hdl=38).problem(DIABETES).stay()
    assert ask(SERVICE, chart).findings == ()
    assert ask(SERVICE, healthy().problem(INFARCTION).stay()).finding("statin/") is not None


def test_an_unsteady_creatinine_gives_no_risk_and_says_why(ask):
    """PREVENT would take the eGFR of kidney injury for a lasting one."""
    answer = ask(SERVICE, healthy(61, sbp=166, total=240).measured(ago=timedelta(days=2), creatinine=2.1))
    assert "kidney function is not steady: Creatinine was 2.1 mg/dL" in answer.cards[0].detail


def test_what_would_change_an_estimate_is_told_in_the_units_of_the_record(ask):
    """Cholesterol in mmol/L has its goal and its reference person in mmol/L, beside HbA1c in %."""
    chart = healthy(66, sbp=158, total=(6.3, "mmol/L"), hdl=(1.0, "mmol/L")).medicine(LISINOPRIL).measured(hba1c=5.6)
    answer = ask(SERVICE, chart, say=words("en", "record"))
    assert "Non-HDL cholesterol 2.6 mmol/L instead of 5.3 mmol/L" in answer.cards[0].detail
    assert "HDL cholesterol 1.3 mmol/L" in answer.cards[0].detail
    assert "HbA1c 5.3%" in answer.cards[0].detail
    assert "non-HDL cholesterol 135 mg/dL" not in answer.cards[0].detail


def test_statin_advice_says_that_notes_were_not_read(ask):
    """A statin or an intolerance that stands in a note alone is out of its reach."""
    for chart in (healthy().problem(INFARCTION), healthy(72, sbp=158, total=240, hdl=38).medicine(LISINOPRIL)):
        assert (
            "Notes were not read: such a medicine, or that it was not tolerated, may stand there alone."
            in ask(SERVICE, chart).cards[0].detail
        )
