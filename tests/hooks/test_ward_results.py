"""What reading the cards of many patients as a physician found wrong with results and numbers, one test a fault."""

from datetime import timedelta

import orjson
import pytest
from charts import NOW, SNOMED, Chart

from cds_service.language import signed, words
from cds_service.stores.entries import inputs

REFLUX, CIRRHOSIS, OBESITY = "235595009", "19943007", "414916001"


@pytest.mark.parametrize(("number", "printed"), [("-1", "−1"), ("+1", "+1"), ("0", "0"), ("1e-05", "1e-05")])
def test_a_negative_number_has_a_minus_and_not_a_hyphen(number, printed):
    """A hyphen reads as the dash of a range."""
    assert signed(number) == printed


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_the_wells_range_starts_with_a_minus(ask, language):
    """In every language, in the headline and in the lines below it."""
    chart = Chart(63).stay("EMER").problem("363406005")
    reason = [{"coding": [{"system": SNOMED, "code": "128053003"}], "text": "suspected DVT"}]
    answer = ask("suspected-thrombosis", chart, encounter_class="EMER", reasonCode=reason, say=words(language))
    assert "−1" in answer.summary
    assert "-1" not in answer.summary
    assert "−1" in answer.cards[0].detail


def test_the_kidney_and_liver_headlines_say_of_when_their_numbers_are(ask):
    """A reader sees at once whether a number is of today or of a year ago."""
    chart = Chart(66).problem(OBESITY).measured(ago=timedelta(days=30), ast=98, alt=60)
    chart = chart.measured(ago=timedelta(days=20), platelets=120)
    assert ask("kidney-liver-check", chart).summary.startswith("FIB-4 6.96 (values from 2 Oct 2026 to 12 Oct 2026): ")
    chart = Chart(66).problem(REFLUX).measured(creatinine=1.9, uacr=320)
    chart = chart.measured(ago=timedelta(days=200), creatinine=1.8, uacr=300)
    assert "(eGFR 38 on 22 Oct 2026)" in ask("kidney-liver-check", chart).summary


def test_a_meld_that_warfarin_raised_asks_for_no_transplant(ask):
    """The INR tells of the anticoagulant there; the headline says so, and a score from the other tests decides."""
    blood = {"bilirubin": 1.1, "creatinine": 1.0, "sodium": 138, "albumin": 3.6}
    chart = Chart(60).problem(CIRRHOSIS).medicine("11289", "warfarin").measured(inr=2.8, **blood)
    assert ask("cirrhosis", chart).cards == ()
    worse = blood | {"bilirubin": 6.0, "sodium": 128, "creatinine": 1.8}
    chart = Chart(60).problem(CIRRHOSIS).medicine("11289", "warfarin").measured(inr=2.8, **worse)
    assert "overstated by a vitamin K antagonist" in ask("cirrhosis", chart).summary


def limited(chart, code, sign, value, unit, ago=timedelta(days=1), **more):
    """A result that tells only that it lies beyond what the method can measure."""
    quantity = {"value": value, "comparator": sign, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return result(chart, code, ago, valueQuantity=quantity, **more)


def result(chart, code, ago=timedelta(days=1), **members):
    return chart.add(
        "Observation",
        subject={"reference": "Patient/p1"},
        code={"coding": [{"system": "http://loinc.org", "code": code}]},
        effectiveDateTime=(NOW - ago).isoformat(),
        **{"status": "final", **members},
    )


def test_a_limit_that_settles_the_question_counts_as_its_number(ask):
    """LDL >400 calls for a statin, a UACR of <3 was measured; each says that it is a limit."""
    answer = ask("cardiovascular-risk", limited(Chart(45).problem(REFLUX), "13457-7", ">", 400, "mg/dL"))
    assert answer.summary.startswith("LDL cholesterol >400 mg/dL, and no statin")
    diabetic = Chart(45).problem("44054006").measured(creatinine=0.9, ast=20, alt=20, platelets=250)
    assert ask("kidney-liver-check", diabetic).finding("uacr-due") is not None
    assert ask("kidney-liver-check", limited(diabetic, "9318-7", "<", 3, "mg/g")).finding("uacr-due") is None


def test_a_limit_that_settles_nothing_is_no_number(ask):
    """A creatinine above 15 mg/dL has no clearance."""
    chart = limited(Chart(66).problem(REFLUX).measured(weight=70), "2160-0", ">", 15, "mg/dL")
    answer = ask("renal-dosing", chart.draft("Gabapentin 300 mg capsule", "1 capsule daily"))
    assert "is only a limit" in answer.cards[0].detail


POTASSIUM = ("2823-3", {"value": 6.4, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"note": [{"text": "Specimen hemolyzed, interpret with caution"}]}, "the specimen was haemolysed; repeat it"),
        ({"note": [{"text": "标本溶血"}]}, "the specimen was haemolysed; repeat it"),
        ({"note": [{"text": "Not hemolyzed"}]}, None),
        ({"status": "preliminary"}, "is preliminary"),
        ({}, None),
    ],
)
def test_what_the_laboratory_says_against_a_value_stands_beside_it(ask, more, words):
    """A haemolysed or preliminary potassium is heeded, and marked."""
    chart = result(Chart(60).problem(REFLUX), POTASSIUM[0], timedelta(hours=2), valueQuantity=POTASSIUM[1], **more)
    answer = ask("drug-safety", chart.draft("spironolactone"))
    assert answer.finding("drug-safety/spironolactone/test/potassium").severity.name == "CRITICAL"
    told = f"Potassium of 1 Nov 2026 {words}" if words and words[:2] == "is" else f"Potassium of 1 Nov 2026: {words}"
    assert (told in answer.cards[0].detail) is (words is not None)


def test_a_newer_result_that_cannot_be_read_is_no_old_normal_one(ask):
    """A potassium in words after a normal one: the card asks for a new one and says why."""
    chart = Chart(60).problem(REFLUX).measured(ago=timedelta(days=20), potassium=4.0, creatinine=1.0)
    chart = chart.draft("spironolactone")
    assert ask("drug-safety", chart).finding("drug-safety/monitoring") is None
    answer = ask("drug-safety", result(chart, POTASSIUM[0], timedelta(hours=2), valueString="6.9, see comment"))
    assert answer.summary == "Spironolactone: no usable recent value: potassium"
    assert "A newer entry cannot be used: Potassium of 1 Nov 2026 holds no number" in answer.cards[0].detail
    assert answer.suggestions == ["Order potassium"]


def test_a_corrected_result_takes_the_place_of_what_it_corrects(ask):
    """Of two results of one moment the corrected one counts; two final ones that differ are none."""
    chart = Chart(60).problem(REFLUX).measured(creatinine=1.0)
    chart = result(chart, POTASSIUM[0], timedelta(hours=2), valueQuantity=POTASSIUM[1]).draft("spironolactone")
    normal = POTASSIUM[1] | {"value": 4.1}
    fixed = result(chart, POTASSIUM[0], timedelta(hours=2), valueQuantity=normal, status="corrected")
    assert ask("drug-safety", fixed).findings == ()
    chart.rows[-1]["status"] = "final"
    answer = ask("drug-safety", chart)
    assert "Potassium has several different values of 1 Nov 2026" in answer.cards[0].detail


def test_an_implausible_value_is_shown_as_it_was_recorded(ask):
    """1.4 umol/L, and not what it would be in mg/dL."""
    chart = Chart(66).problem(REFLUX).measured(creatinine=(1.4, "umol/L"), weight=70)
    answer = ask("renal-dosing", chart.draft("Metformin 1000 mg tablet", "1 tablet twice daily"))
    assert "Creatinine of 22 Oct 2026 is implausible: 1.4 umol/L" in answer.cards[0].detail


@pytest.mark.parametrize(
    ("glucose", "ago", "indicator"), [(328, 1, "warning"), (210, 1, "info"), (328, 60, "info"), (180, 1, None)]
)
def test_a_glucose_in_the_range_of_diabetes_is_told_whenever_it_was_taken(ask, glucose, ago, indicator):
    """From 200 mg/dL on in somebody without diabetes; an HbA1c since then settles it."""
    chart = Chart(55).problem(REFLUX).measured(ago=timedelta(days=ago), glucose=glucose)
    answer = ask("diabetes", chart)
    assert (answer.cards[0].indicator if answer.cards else None) == indicator
    assert ask("diabetes", chart.measured(ago=timedelta(hours=1), hba1c=5.6)).cards == ()


@pytest.mark.parametrize(("interval", "speaks"), [(505, True), (460, False)])
def test_a_long_qtc_is_told_with_a_medicine_that_prolongs_it(ask, interval, speaks):
    """From 500 ms on, as a warning."""
    quantity = {"value": interval, "unit": "ms", "system": "http://unitsofmeasure.org", "code": "ms"}
    chart = result(Chart(70).problem(REFLUX), "8636-3", valueQuantity=quantity).draft("haloperidol")
    found = ask("drug-safety", chart).finding("drug-safety/haloperidol/test/qtc")
    assert (found is not None) is speaks


@pytest.mark.parametrize(("creatinine", "told"), [(1.8, "about 30 mL/min"), (0.5, None)])
def test_a_childs_kidney_is_judged_by_a_childs_equation(ask, creatinine, told):
    """Bedside Schwartz; no creatinine is ordered that is there already, and a healthy kidney is silent."""
    chart = Chart(9).problem(REFLUX).measured(creatinine=creatinine, height=130, weight=28)
    answer = ask("drug-safety", chart.draft("gentamicin"))
    found = answer.finding("drug-safety/kidney-unknown/gentamicin")
    assert (found is not None) is (told is not None)
    assert told is None or told in answer.cards[0].detail
    assert answer.suggestions == []


@pytest.mark.parametrize(
    ("potassium", "ago", "indicator"), [(6.6, 1, "critical"), (6.1, 1, "warning"), (5.9, 1, None), (6.6, 30, None)]
)
def test_a_potassium_that_endangers_is_told_whatever_the_kidney_does(ask, potassium, ago, indicator):
    """From 6.0 mmol/L of the last days, in hospital too; not with palliative care."""
    chart = Chart(70).problem(REFLUX).measured(ago=timedelta(days=ago), potassium=potassium)
    answer = ask("kidney-liver-check", chart)
    assert (answer.cards[0].indicator if answer.cards else None) == indicator
    assert bool(ask("kidney-liver-check", chart.stay()).cards) is (indicator is not None)
    assert ask("kidney-liver-check", chart.problem("103735009")).cards == ()


@pytest.mark.parametrize(("diagnosis", "told"), [("Z89.511", True), ("G82.20", True), ("M54.5", False)])
def test_a_creatinine_of_little_muscle_is_said_to_overstate_the_kidney(ask, diagnosis, told):
    """After an amputation or with paralysis: beside the estimate, and beside a dose that rests on it."""
    chart = Chart(70).problem(REFLUX).diagnosis(diagnosis).measured(creatinine=1.6, weight=60, height=175)
    words = "Little muscle is on record: creatinine is low there"
    assert (words in ask("kidney-liver-check", chart).cards[0].detail) is told
    chart = chart.draft("Gabapentin 600 mg tablet", "1 tablet three times daily")
    assert (words in ask("renal-dosing", chart).cards[0].detail) is told


def test_a_corrected_result_is_no_contradiction_of_what_it_corrects(ask):
    """The line of two values at one time is for those that nobody corrected; a preliminary one is marked."""
    normal = POTASSIUM[1] | {"value": 4.1}
    chart = Chart(60).problem(REFLUX).draft("apixaban")
    chart = result(chart, POTASSIUM[0], timedelta(hours=2), valueQuantity=POTASSIUM[1])
    both = result(chart, POTASSIUM[0], timedelta(hours=2), valueQuantity=normal)
    assert "Two values of" in ask("drug-safety", both).cards[0].detail
    both.rows[-1]["status"] = "corrected"
    assert "Two values of" not in ask("drug-safety", both).cards[0].detail


@pytest.mark.parametrize(
    ("age", "hba1c", "medicine", "told"),
    [
        (88, 5.6, "glipizide", True),
        (88, 5.6, "metformin", False),
        (88, 7.4, "glipizide", False),
        (60, 5.6, "glipizide", False),
    ],
)
def test_a_low_hba1c_in_old_age_asks_whether_less_is_enough(ask, age, hba1c, medicine, told):
    """Under what causes hypoglycaemia, which does more harm there."""
    chart = Chart(age).problem("44054006").medicine("0", medicine).measured(hba1c=hba1c)
    assert (ask("diabetes", chart).finding("diabetes/too-strong") is not None) is told


@pytest.mark.parametrize(
    ("stated", "printed"), [("2026-10", "2026-10"), ("2026", "2026"), ("2026-10-02", "2 Oct 2026")]
)
def test_a_date_is_printed_no_finer_than_the_record_has_it(ask, stated, printed):
    """In the headline, in the line of a contribution and in the stored inputs' time: no day that nobody recorded."""
    chart = Chart(66).problem("431857002", onset="2024").measured(creatinine=2.9, uacr=700)
    for row in chart.rows:
        if "effectiveDateTime" in row:
            row["effectiveDateTime"] = stated
    answer = ask("kidney-liver-check", chart)
    detail = answer.cards[0].detail
    assert f"(eGFR 23 on {printed})" in answer.summary
    assert f"hazard × 1.89; {printed};" in detail
    assert "since 2024 " in detail
    assert "1 Jan" not in detail
    assert "1 Oct" not in detail
    assert orjson.loads(orjson.dumps(inputs(answer.case.values)))


@pytest.mark.parametrize("units", ["conventional", "both"])
def test_the_headline_of_a_rising_creatinine_dates_both_values(ask, units):
    """How old the new value is decides what is done; where both units leave no room, the earlier number goes."""
    chart = Chart(60).problem(REFLUX).measured(ago=timedelta(days=12), creatinine=1.04)
    chart = chart.measured(ago=timedelta(days=10), creatinine=10.5, potassium=6.4)
    summary = ask("kidney-liver-check", chart, say=words("en", units)).summary
    assert summary.startswith("Creatinine 10.5 mg/dL")
    assert " on 22 Oct 2026, 10.1 times " in summary
    assert "of 20 Oct 2026: acute kidney injury, stage 3; potassium 6.4 mmol/L" in summary
