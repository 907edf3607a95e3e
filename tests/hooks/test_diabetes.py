"""diabetes: whom to test, what to confirm, what is due; and nothing that another card says."""

from datetime import timedelta

import pytest
from charts import Chart

from cds_service.findings import Severity

SERVICE = "diabetes"
DIABETES, HYPERTENSION, REFLUX, HEART_FAILURE = "44054006", "38341003", "235595009", "84114007"
PALLIATIVE, PREGNANCY, CKD = "103735009", "77386006", "709044004"
METFORMIN, EMPAGLIFLOZIN = "6809", "1545653"
YEAR = timedelta(days=365)


def person(age=62, **more):
    return Chart(age, **more).problem(REFLUX)


def test_a_high_risk_test_without_a_test_of_glucose_asks_for_one(ask):
    """ADA risk test of 5 or more at least, and no HbA1c or glucose of three years."""
    answer = ask(SERVICE, person().problem(HYPERTENSION).measured(bmi=31))
    assert answer.summary.startswith("ADA diabetes risk test ")
    assert "no HbA1c or glucose in 3 years" in answer.summary
    assert answer.suggestions == ["Order HbA1c"]


def test_overweight_from_35_to_70_is_tested_without_points(ask):
    """USPSTF: where the points do not settle it; not below 35, not at a normal weight."""
    answer = ask(SERVICE, person(40, sex="female").measured(bmi=27))
    assert answer.summary == "Age 40, BMI 27.0 kg/m², and no HbA1c or glucose in 3 years"
    assert ask(SERVICE, person(30, sex="female").measured(bmi=27)).findings == ()
    assert ask(SERVICE, person(40, sex="female").measured(bmi=22)).findings == ()


@pytest.mark.parametrize("ago", [YEAR * 2, timedelta(days=5)])
def test_who_was_tested_is_not_asked_again(ask, ago):
    """A normal HbA1c of two years ago is enough; an order too."""
    assert ask(SERVICE, person().problem(HYPERTENSION).measured(bmi=31).measured(ago=ago, hba1c=5.4)).findings == ()
    assert ask(SERVICE, person().problem(HYPERTENSION).measured(bmi=31).ordered("4548-4")).findings == ()


def test_an_old_test_does_not_count(ask):
    """Four years: due again."""
    chart = person().problem(HYPERTENSION).measured(bmi=31).measured(ago=4 * YEAR, hba1c=5.4)
    assert ask(SERVICE, chart).suggestions == ["Order HbA1c"]


def test_one_value_in_the_range_is_to_be_confirmed_and_two_are_the_diagnosis(ask):
    """Once: repeat; twice on different days: write it down."""
    one = ask(SERVICE, person().measured(hba1c=6.8))
    assert "in the range of diabetes" in one.summary
    assert one.suggestions == ["Order HbA1c"]
    assert one.cards[0].indicator == "info"
    two = ask(SERVICE, person().measured(hba1c=6.8).measured(ago=timedelta(days=200), hba1c=6.6))
    assert two.cards[0].indicator == "warning"
    assert "add it to the problem list" in two.cards[0].detail
    assert ask(SERVICE, person().measured(hba1c=6.4)).findings == ()


def test_hba1c_is_due_half_yearly_at_the_goal_and_quarterly_above(ask):
    """Absent, too old, or older than its interval."""
    known = person().problem(DIABETES)
    assert ask(SERVICE, known).summary == "HbA1c is due: none on record"
    four_months = timedelta(days=120)
    assert ask(SERVICE, person().problem(DIABETES).measured(ago=four_months, hba1c=6.7)).findings == ()
    answer = ask(SERVICE, person().problem(DIABETES).measured(ago=four_months, hba1c=7.6))
    assert answer.summary.startswith("HbA1c is due: last measured")
    assert ask(SERVICE, person().problem(DIABETES).ordered(text="A1C")).findings == ()


def test_a_high_hba1c_asks_for_a_review(ask):
    """From the site's threshold on; a warning without a medicine or from 10 %."""
    treated = ask(SERVICE, person().problem(DIABETES).medicine(METFORMIN).measured(hba1c=8.9))
    assert treated.finding("diabetes/hba1c-high").severity is Severity.INFO
    untreated = ask(SERVICE, person().problem(DIABETES).measured(hba1c=8.9))
    assert "no glucose-lowering medicine" in untreated.summary
    assert untreated.cards[0].indicator == "warning"
    assert ask(SERVICE, person().problem(DIABETES).medicine(METFORMIN).measured(hba1c=8.2)).findings == ()


def test_heart_failure_calls_for_an_sglt2_inhibitor_once(ask):
    """With kidney disease the kidney's card says it; with the medicine nobody does."""
    chart = person().problem(DIABETES).problem(HEART_FAILURE).measured(hba1c=6.7, creatinine=1.0)
    assert ask(SERVICE, chart).finding("diabetes/sglt2-inhibitor") is not None
    kidney = person().problem(DIABETES).problem(HEART_FAILURE).problem(CKD).measured(hba1c=6.7, creatinine=1.8)
    assert ask(SERVICE, kidney).finding("diabetes/sglt2-inhibitor") is None
    assert ask("kidney-liver-check", kidney).finding("ckd/sglt2-inhibitor") is not None
    assert ask(SERVICE, chart.medicine(EMPAGLIFLOZIN)).finding("diabetes/sglt2-inhibitor") is None


def test_no_two_services_have_a_finding_of_one_key_for_different_facts(ask):
    """What the kidney's and the cardiovascular card say of diabetes is not said here."""
    chart = person().problem(DIABETES).medicine(METFORMIN).measured(hba1c=9.4, creatinine=2.6, sbp=150, dbp=92)
    own = {finding.key for finding in ask(SERVICE, chart).findings}
    others = {f.key for s in ("kidney-liver-check", "cardiovascular-risk") for f in ask(s, chart).findings}
    assert own
    assert own.isdisjoint(others)
    assert not any("statin" in key or "metformin" in key or "uacr" in key for key in own)


@pytest.mark.parametrize("problem", [PALLIATIVE, PREGNANCY])
def test_comfort_care_and_pregnancy_silence_it(ask, problem):
    """Prevention is spared; pregnancy has its own tests."""
    assert ask(SERVICE, person(35, sex="female").problem(problem).measured(bmi=33, hba1c=7.0)).findings == ()


def test_hospital_childhood_and_a_missing_list_silence_it(ask):
    """Illness moves glucose; children have their own rules; without a list nothing is known."""
    assert ask(SERVICE, person().measured(hba1c=6.8).stay()).findings == ()
    assert ask(SERVICE, person(12).measured(hba1c=6.8)).findings == ()
    assert ask(SERVICE, Chart(62).measured(bmi=31, hba1c=6.8)).findings == ()
