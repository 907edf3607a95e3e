"""kidney-liver-check words what a number means, and asks only for what is not ordered yet."""

from datetime import timedelta

import pytest
from charts import Chart

from cds_service.findings import Severity
from cds_service.language import words

SERVICE = "kidney-liver-check"
DIABETES, HYPERTENSION, CKD, CIRRHOSIS, DIALYSIS = "44054006", "38341003", "709044004", "19943007", "265764009"
REFLUX, METFORMIN, PALLIATIVE = "235595009", "6809", "103735009"


def days(number):
    return timedelta(days=number)


def chart(age=60, creatinine=None, **more):
    made = Chart(age, **more).problem(REFLUX)
    return made if creatinine is None else made.measured(creatinine=creatinine)


def test_one_value_below_60_is_worded_as_one_value(ask):
    """A single low eGFR is not chronic kidney disease; a repeat is offered for 90 days later."""
    answer = ask(SERVICE, chart(creatinine=1.6))
    assert "one value below 60, repeat in 3 months" in answer.summary
    assert "One value is not chronic kidney disease" in answer.cards[0].detail
    order = answer.cards[0].suggestions[0].actions[0].resource
    assert order["code"]["coding"][0]["code"] == "2160-0"
    assert order["occurrenceDateTime"] == "2027-01-20"


def test_values_below_60_more_than_90_days_apart_are_worded_as_persistent(ask):
    """An unbroken run of values over more than 90 days meets the criterion, and the card says since when."""
    answer = ask(SERVICE, chart(creatinine=1.6).measured(ago=days(200), creatinine=1.7))
    assert (
        answer.summary == "eGFR 49, below 60 since 15 Apr 2026: chronic kidney disease G3a is not on the problem list"
    )
    assert answer.suggestions == ["Order urine albumin-to-creatinine ratio"]
    assert "G3a, mildly to moderately decreased, 45 to 59" in answer.cards[0].detail


@pytest.mark.parametrize("earlier", [{200: 1.1}, {60: 1.7}, {100: 1.1, 300: 1.8}])
def test_a_normal_value_between_or_too_short_a_span_is_not_persistent(ask, earlier):
    """90 days, without a value from 60 on in between."""
    made = chart(creatinine=1.6)
    for ago, value in earlier.items():
        made.measured(ago=days(ago), creatinine=value)
    assert "one value below 60" in ask(SERVICE, made).summary


def test_known_kidney_disease_is_not_announced_again(ask):
    """CKD on the problem list and a UACR of this year: nothing to say about an eGFR of 40."""
    assert ask(SERVICE, chart(creatinine=1.8).problem(CKD).measured(uacr=40)).cards == ()


def test_an_egfr_below_30_asks_for_nephrology(ask):
    """A warning with a referral, unless one is under way."""
    answer = ask(SERVICE, chart(70, creatinine=2.9).problem(CKD).measured(uacr=40))
    assert answer.cards[0].indicator == "warning"
    assert answer.suggestions == ["Refer to nephrology"]
    under_way = chart(70, creatinine=2.9).problem(CKD).measured(uacr=40).ordered(text="Nephrology consult")
    assert ask(SERVICE, under_way).cards == ()


def test_metformin_below_30_is_a_warning(ask):
    """The label's limit, with the medicine and the creatinine cited."""
    gap = ask(SERVICE, chart(70, creatinine=2.9).problem(CKD).medicine(METFORMIN)).finding("metformin")
    assert gap.severity is Severity.WARNING
    assert {s.split("/")[0] for s in gap.sources} >= {"MedicationRequest", "Observation"}
    assert ask(SERVICE, chart(70, creatinine=1.4).problem(CKD).medicine(METFORMIN)).finding("metformin") is None


@pytest.mark.parametrize("problem", [DIABETES, CKD])
def test_uacr_is_due_yearly_in_those_at_risk(ask, problem):
    """Missing, or older than a year: a care gap with its order."""
    never = ask(SERVICE, chart(creatinine=0.9).problem(problem))
    assert "Urine albumin-to-creatinine ratio is due" in never.summary
    assert "Order urine albumin-to-creatinine ratio" in never.suggestions
    old = ask(SERVICE, chart(creatinine=0.9).problem(problem).measured(ago=days(500), uacr=20))
    assert old.finding("uacr-due").last_done is not None
    assert ask(SERVICE, chart(creatinine=0.9).problem(problem).measured(uacr=20)).finding("uacr-due") is None
    assert ask(SERVICE, chart(creatinine=0.9).problem(problem).ordered("9318-7")).finding("uacr-due") is None


def test_uacr_is_asked_once_in_hypertension(ask):
    """It belongs to the first work-up: an old one is not asked for again, and no card comes every year."""
    never = ask(SERVICE, chart(creatinine=0.9).problem(HYPERTENSION))
    assert never.suggestions == ["Order urine albumin-to-creatinine ratio"]
    assert "first work-up of hypertension" in never.cards[0].detail
    assert ask(SERVICE, chart(creatinine=0.9).problem(HYPERTENSION).measured(ago=days(900), uacr=20)).cards == ()


def test_uacr_is_not_asked_of_those_without_a_risk(ask):
    """No condition, no card."""
    assert ask(SERVICE, chart(creatinine=0.9)).cards == ()


def test_a_missing_creatinine_is_asked_for_only_at_risk(ask):
    """Hypertension without creatinine: one line and the order."""
    answer = ask(SERVICE, chart().problem(HYPERTENSION).measured(uacr=10))
    assert answer.summary == "eGFR not calculated; missing or old: creatinine"
    assert answer.suggestions == ["Order serum creatinine with eGFR"]
    assert ask(SERVICE, chart()).cards == ()


def test_a_high_fib4_asks_for_hepatology(ask):
    """Above 2.67 where fibrosis is to be looked for: a warning with a referral."""
    made = chart(60, 0.9).problem(DIABETES).measured(uacr=10, ast=90, alt=60, platelets=120)
    answer = ask(SERVICE, made)
    assert answer.summary.startswith("FIB-4 5.81")
    assert answer.suggestions == ["Refer to hepatology"]


def test_an_indeterminate_fib4_asks_for_a_second_line_test(ask):
    """1.3 (2.0 from 65) to 2.67: elastography or ELF."""
    made = chart(60, 0.9).problem(DIABETES).measured(uacr=10, ast=40, alt=36, platelets=220)
    answer = ask(SERVICE, made)
    assert "not excluded" in answer.summary
    assert answer.suggestions == ["Order liver elastography"]
    older = chart(66, 0.9).problem(DIABETES).measured(uacr=10, ast=40, alt=40, platelets=220)
    assert ask(SERVICE, older).cards == ()  # 1.9 is low from 65 on


@pytest.mark.parametrize("risk", [{"bmi": 33}, {"hba1c": 5.9}, {"alt": 48}])
def test_fib4_is_looked_at_only_where_fibrosis_is_to_be_looked_for(ask, risk):
    """Obesity, prediabetes or a raised ALT opens the question; nobody else is asked for liver tests."""
    assert "Order a blood count with platelets" in ask(SERVICE, chart(60, 0.9).measured(**risk)).suggestions
    assert ask(SERVICE, chart(60, 0.9).measured(bmi=24, hba1c=5.2)).cards == ()


def test_known_cirrhosis_needs_no_fib4(ask):
    """What FIB-4 looks for is known."""
    made = chart(60, 0.9).problem(CIRRHOSIS).measured(ast=90, alt=60, platelets=90)
    assert ask(SERVICE, made).finding("fib-4") is None


@pytest.mark.parametrize("made", [chart(12, 1.6), chart(60, 2.9).problem(PALLIATIVE), chart(60, 6.0).problem(DIALYSIS)])
def test_silent_for_children_palliative_care_and_dialysis(ask, made):
    """Nothing applies, or nothing would help."""
    assert ask(SERVICE, made).cards == ()


def risen(now=2.1, before=1.1, ago=200, **more):
    return chart(68, **more).measured(ago=days(ago), creatinine=before).measured(ago=days(1), creatinine=now)


def test_a_rise_is_told_in_the_units_of_the_record(ask):
    """A laboratory that reports creatinine in µmol/L reads the rise in µmol/L."""
    answer = ask(SERVICE, risen(now=(186, "umol/L"), before=(97, "umol/L")), say=words("en", "record"))
    assert answer.summary.startswith("Creatinine 186 µmol/L on 31 Oct 2026, 1.9 times the 97 µmol/L of 15 Apr 2026")


def test_a_creatinine_that_has_doubled_is_kidney_injury_and_no_stage(ask):
    """Both values with the factor, no eGFR, no repeat in three months; medicines to review are named."""
    answer = ask(SERVICE, risen().problem(DIABETES).medicine(METFORMIN))
    assert (
        answer.summary
        == "Creatinine 2.1 mg/dL on 31 Oct 2026, 1.9 times the 1.1 mg/dL of 15 Apr 2026: possible acute kidney injury"
    )
    assert answer.cards[0].indicator == "warning"
    assert "KDIGO 2012 acute kidney injury guideline" in answer.cards[0].detail
    assert "to review: Metformin" in answer.cards[0].detail
    assert "3 months" not in answer.cards[0].detail
    assert answer.cards[0].suggestions[0].actions[0].resource["priority"] == "urgent"
    assert "uacr-due" not in {f.key for f in answer.findings}  # albuminuria of acute illness tells nothing


def test_a_rise_within_days_is_called_what_it_is(ask):
    """0.3 mg/dL in two days, or 1.5-fold in seven, need no "possible"."""
    assert "acute kidney injury, stage 1" in ask(SERVICE, risen(1.5, 1.1, ago=2)).summary
    assert "acute kidney injury, stage 2" in ask(SERVICE, risen(2.4, 1.1, ago=6)).summary


def test_kidney_injury_is_told_without_an_age(ask):
    """A rise is one at any age; no eGFR and no stage of chronic disease is told beside it."""
    made = risen(2.4, 1.1, ago=6)
    made.rows[0].pop("birthDate")
    assert [f.key for f in ask(SERVICE, made).findings] == ["kidney-injury"]


def test_kidney_injury_tells_potassium_or_that_it_was_not_measured(ask):
    """A value of these days is told, a dangerous one in the first line; else it is ordered with the creatinine."""
    without = ask(SERVICE, risen())
    assert "Potassium not measured." in without.cards[0].detail
    assert "Order potassium" in without.suggestions
    old = ask(SERVICE, risen().measured(ago=days(60), potassium=4.4))
    assert "Potassium not measured since: last 4.4 mmol/L on 2 Sep 2026." in old.cards[0].detail
    assert "Order potassium" in old.suggestions
    known = ask(SERVICE, risen().measured(ago=days(1), potassium=5.4))
    assert "Potassium 5.4 mmol/L on 31 Oct 2026." in known.cards[0].detail
    assert "Order potassium" not in known.suggestions
    high = ask(SERVICE, risen().measured(ago=days(1), potassium=6.8))
    assert high.summary == "Potassium 6.8 mmol/L on 31 Oct 2026: ECG and repeat now"
    assert "possible acute kidney injury; potassium 6.8 mmol/L" in high.cards[0].detail


def test_metformin_in_kidney_injury_or_with_a_high_lactate_is_a_finding_of_its_own(ask):
    """The stage or the lactate stand in its headline; a falling creatinine and a normal lactate are no reason."""
    injured = ask(SERVICE, risen(2.4, 1.1, ago=6).problem(DIABETES).medicine(METFORMIN))
    found = injured.finding("metformin/kidney-injury")
    assert str(found.headline) == "Metformin on the medication list with acute kidney injury, stage 2"
    assert "Order lactate" in injured.suggestions
    acid = ask(SERVICE, risen(2.4, 1.1, ago=6).medicine(METFORMIN).measured(ago=timedelta(hours=2), lactate=7.2))
    assert acid.finding("metformin/lactate").severity is Severity.CRITICAL
    assert "lactate 7.2 mmol/L" in acid.summary
    steady = chart(60, creatinine=0.9).medicine(METFORMIN).measured(ago=timedelta(hours=2), lactate=6.1)
    assert ask(SERVICE, steady).finding("metformin/lactate") is not None
    for quiet in (risen(1.2, 2.2, ago=4), chart(60, creatinine=0.9).measured(ago=timedelta(hours=2), lactate=1.6)):
        assert ask(SERVICE, quiet.medicine(METFORMIN)).finding("metformin") is None


def test_a_rise_that_nobody_followed_up_is_said_without_alarm(ask):
    """Half a year later it is an omission, not an emergency."""
    made = chart(68).measured(ago=days(400), creatinine=1.1).measured(ago=days(180), creatinine=2.1)
    answer = ask(SERVICE, made)
    assert "not repeated since" in answer.summary
    assert answer.cards[0].indicator == "info"


@pytest.mark.parametrize(
    "made",
    [risen().problem(DIALYSIS), risen().problem(PALLIATIVE), risen().problem("14669001"), risen(1.2, 2.2, ago=4)],
    ids=["dialysis", "palliative care", "on the problem list", "falling again"],
)
def test_kidney_injury_is_silent_where_it_is_no_news(ask, made):
    """Known, recovering, or beside the point."""
    assert ask(SERVICE, made).cards == ()


def test_in_hospital_only_injury_and_contraindications_speak(ask):
    """What can wait for the follow-up waits."""
    assert "possible acute kidney injury" in ask(SERVICE, risen().problem(DIABETES).stay()).summary
    stable = chart(70, creatinine=2.9).problem(CKD).medicine(METFORMIN).stay()
    assert ask(SERVICE, stable).summary.startswith("Metformin on the medication list")
    assert ask(SERVICE, chart(70, creatinine=1.6).problem(DIABETES).stay()).cards == ()


def diseased(*, albumin=(420, 360), creatinine=1.54, sex="female", age=66):
    """Lasting kidney disease: creatinine and UACR over a year apart."""
    made = chart(age, sex=sex).problem(CKD).measured(creatinine=creatinine)
    made.measured(ago=days(200), creatinine=creatinine).measured(ago=days(400), creatinine=creatinine)
    return made.measured(uacr=albumin[0]).measured(ago=days(200), uacr=albumin[1])


def test_stage_and_albuminuria_are_told_in_words_with_what_they_call_for(ask):
    """Severe albuminuria found twice is referred; both categories are spelt out with their values and dates."""
    answer = ask(SERVICE, diseased())
    assert (
        answer.summary == "Chronic kidney disease G3b A3 (eGFR 37 on 22 Oct 2026): nephrology referral criteria are met"
    )
    assert answer.cards[0].indicator == "warning"
    assert "Refer to nephrology" in answer.suggestions
    detail = answer.cards[0].detail
    assert "G3b, moderately to severely decreased, 30 to 44" in detail
    assert "UACR 420 mg/g on 22 Oct 2026: A3, severely increased" in detail
    assert "Below 60 since" in detail


def test_one_severe_albuminuria_is_not_consistent(ask):
    """Fever and exercise raise it: the second value tells."""
    once = ask(SERVICE, diseased(albumin=(420, 40))).finding("ckd/nephrology")
    assert "found repeatedly" not in str(once.advice)
    assert "found repeatedly" in str(ask(SERVICE, diseased(albumin=(420, 400))).finding("ckd/nephrology").advice)


def test_the_risk_of_kidney_failure_is_a_reason_to_refer_and_stands_beside_it(ask):
    """KFRE of 5 % in 5 years, as printed; below it the risk is told and refers nobody."""
    answer = ask(SERVICE, diseased(albumin=(420, 40)))
    assert "5-year risk of kidney failure" in str(answer.finding("ckd/nephrology").advice)
    assert answer.finding("kfre/risk").quiet
    assert "5-year risk of kidney failure" in answer.cards[0].detail
    low = ask(SERVICE, diseased(albumin=(12, 12)))
    assert low.finding("ckd/nephrology") is None
    assert low.finding("kfre/risk") is not None


def test_the_calibration_of_the_site_takes_the_place_of_the_american_one(ask):
    """One KFRE is shown: that of the other regions where it is enabled."""
    answer = ask(SERVICE, diseased(albumin=(420, 40)), enabled=("kfre-4-other-regions",))
    assert answer.finding("kfre/risk").model.id == "kfre-4-other-regions"
    assert ask(SERVICE, diseased(albumin=(420, 40))).finding("kfre/risk").model.id == "kfre-4"


def test_a_sustained_fall_of_egfr_is_referred(ask):
    """A quarter lost with a lower category, twice in a row; one low value is not enough."""
    made = chart(66, sex="female").problem(CKD).measured(uacr=12).measured(ago=days(1200), creatinine=1.1)
    made.measured(ago=days(900), creatinine=1.2).measured(ago=days(150), creatinine=1.5).measured(creatinine=1.54)
    answer = ask(SERVICE, made)
    assert "lower than on 20 Jul 2023" in str(answer.finding("ckd/nephrology").advice)
    single = chart(66, sex="female").problem(CKD).measured(uacr=12).measured(ago=days(1200), creatinine=1.1)
    single.measured(ago=days(150), creatinine=1.1).measured(creatinine=1.5)
    assert ask(SERVICE, single).finding("ckd/nephrology") is None


@pytest.mark.parametrize(
    ("made", "due"),
    [
        (diseased().problem(DIABETES), True),
        (diseased(albumin=(12, 10)).problem("84114007"), True),
        (diseased(), True),
        (diseased(albumin=(12, 10)), False),
        (diseased().problem(DIABETES).medicine("1545653"), False),
        (diseased().problem("46635009"), False),
        (diseased(creatinine=3.4), False),
        (diseased().problem(DIABETES).intolerance("Dapagliflozin"), False),
        (diseased().problem(DIABETES).unreadable_medicine(), False),
        (diseased().problem("737295003"), False),
    ],
    ids=["diabetes", "heart failure", "UACR of 200", "none", "taken", "type 1", "eGFR below 20", "not tolerated",
         "unreadable", "transplant"],
)  # fmt: skip
def test_an_sglt2_inhibitor_is_due_by_diabetes_heart_failure_or_albuminuria(ask, made, due):
    """From eGFR 20 on, unless it is taken, or must not or could not be."""
    assert (ask(SERVICE, made).finding("ckd/sglt2") is not None) is due


@pytest.mark.parametrize(
    ("made", "due"),
    [
        (diseased(), True),
        (diseased(albumin=(60, 50)), False),
        (diseased(albumin=(60, 50)).problem(DIABETES), True),
        (diseased().medicine("52175"), False),
        (diseased().measured(potassium=5.8), False),
    ],
    ids=["A3", "A2", "A2 with diabetes", "losartan", "potassium"],
)
def test_a_ras_inhibitor_is_due_by_albuminuria(ask, made, due):
    """Severe, or any with diabetes; not with a high potassium."""
    assert (ask(SERVICE, made).finding("ckd/ras") is not None) is due


@pytest.mark.parametrize(
    ("text", "dosage", "words"),
    [
        ("Metformin 1000 mg tablet", "1 tablet twice daily", "Metformin 2000 mg a day with eGFR 37"),
        ("Metformin 500 mg tablet", "Take 1 tablet by mouth twice daily with meals", None),
        ("Metformin 850 mg", "as directed", "Metformin on the medication list with eGFR 37"),
        ("Metformin 500 mg", "1 to 2 tablets twice daily", "Metformin on the medication list with eGFR 37"),
    ],
)
def test_metformin_below_45_is_told_unless_the_dose_is_known_to_be_reduced(ask, text, dosage, words):
    """At most 1000 mg a day; a dose that cannot be read is asked about, never guessed."""
    found = ask(SERVICE, diseased().medicine(METFORMIN, text, dosage)).finding("metformin/egfr-below-45")
    assert (found is None) if words is None else str(found.headline).startswith(words)


def test_lasting_albuminuria_is_kidney_disease_without_a_low_egfr(ask):
    """Two values more than 90 days apart, and nobody has written it down."""
    made = chart(60, 0.9).problem(DIABETES).measured(uacr=90).measured(ago=days(200), uacr=60).medicine("1545653")
    answer = ask(SERVICE, made)
    assert "chronic kidney disease G1 A2 is not on the problem list" in answer.summary


def test_cystatin_c_stands_beside_the_stage_and_opens_no_card(ask):
    """The eGFR of both tests, by KDIGO 2024, where both are on record; alone with a normal creatinine it is silent."""
    answer = ask(SERVICE, diseased().measured(cystatin_c=1.9))
    assert "CKD-EPI 2021 eGFR (creatinine and cystatin C)" in answer.cards[0].detail
    assert "this estimate is the more accurate one" in answer.cards[0].detail
    assert ask(SERVICE, diseased()).finding("ckd-epi-2021-cystatin/estimate") is None
    alone = ask(SERVICE, chart(creatinine=0.9).measured(cystatin_c=0.9))
    assert alone.finding("ckd-epi-2021-cystatin/estimate").quiet
    assert alone.cards == ()


def test_with_kidney_injury_there_is_no_egfr_of_cystatin_c_either(ask):
    """A creatinine that is not steady gives no estimate, whatever is measured beside it."""
    made = chart(creatinine=2.6).measured(ago=days(30), creatinine=1.0).measured(cystatin_c=1.9)
    assert ask(SERVICE, made).finding("ckd-epi-2021-cystatin/estimate") is None
