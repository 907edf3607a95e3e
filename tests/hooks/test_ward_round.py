"""What reading the cards of many patients as a physician found wrong, one test a fault."""

from datetime import timedelta

import pytest
from charts import NOW, SNOMED, Chart

from cds_service.features import catalogue
from cds_service.language import signed, words

MECHANICAL_MITRAL, TRANSPLANTED, HAEMODIALYSIS = "308668006", "70536003", "302497006"
FIBRILLATION, REFLUX, CIRRHOSIS, OBESITY = "49436004", "235595009", "19943007", "414916001"


def done(chart, code, ago, status="completed"):
    return chart.add(
        "Procedure",
        status=status,
        subject={"reference": "Patient/p1"},
        code={"coding": [{"system": SNOMED, "code": code}]},
        performedDateTime=(NOW - ago).isoformat(),
    )


@pytest.mark.parametrize(
    ("code", "ago", "status", "feature", "there"),
    [
        (MECHANICAL_MITRAL, timedelta(days=3000), "completed", catalogue.MECHANICAL_VALVE, True),
        (MECHANICAL_MITRAL, timedelta(days=3000), "not-done", catalogue.MECHANICAL_VALVE, False),
        (TRANSPLANTED, timedelta(days=2000), "completed", catalogue.KIDNEY_TRANSPLANT, True),
        (HAEMODIALYSIS, timedelta(days=3), "completed", catalogue.DIALYSIS, True),
        (HAEMODIALYSIS, timedelta(days=60), "completed", catalogue.DIALYSIS, False),
    ],
)
def test_what_a_procedure_tells_counts_as_if_it_were_listed(ask, code, ago, status, feature, there):
    """A valve and a graft stay for ever, a dialysis has to go on; what was not done tells nothing."""
    chart = done(Chart(60).problem(REFLUX), code, ago, status).draft("apixaban")
    assert ask("drug-safety", chart).case.values.flag(feature) is there


def test_a_valve_known_from_a_procedure_stops_a_direct_anticoagulant(ask):
    """The card is the one that a listed valve gives, and cites the Procedure."""
    answer = ask(
        "drug-safety", done(Chart(60).problem(REFLUX), MECHANICAL_MITRAL, timedelta(days=900)).draft("apixaban")
    )
    assert answer.finding("drug-safety/apixaban/disease/mechanical-valve").severity.name == "CRITICAL"
    assert "Procedure/procedure-2" in answer.cards[0].detail


def test_after_a_transplant_known_from_a_procedure_no_kidney_failure_is_predicted(ask):
    """KFRE does not hold after a kidney transplant."""
    chart = Chart(50).problem(REFLUX).measured(creatinine=1.9, uacr=320)
    chart = chart.measured(ago=timedelta(days=200), creatinine=1.8, uacr=300)
    assert "KFRE" in ask("kidney-liver-check", chart).cards[0].detail
    chart = done(chart, TRANSPLANTED, timedelta(days=2000))
    assert "KFRE" not in ask("kidney-liver-check", chart).cards[0].detail


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


def test_an_egfr_is_not_printed_as_a_gene(ask):
    """`eGFR` begins with a small letter, also where a line begins with it."""
    chart = Chart(66).problem(REFLUX).measured(creatinine=1.9)
    assert "**eGFR: " in ask("kidney-liver-check", chart).cards[0].detail


def test_a_change_without_a_name_in_hgvs_is_said_in_chinese(ask):
    """The kind of the change is a word, and words are translated."""
    chart = Chart(52, "female").problem("254837009", "Breast cancer").add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime="2026-09-01",
        code={"text": "ERBB2 amplification"}, valueCodeableConcept={"text": "ERBB2 amplification detected"},
    )  # fmt: skip
    summary = ask("precision-oncology", chart, say=words("zh_Hans")).summary
    assert "ERBB2 扩增" in summary
    assert "amplification" not in summary


def screened(chart, ago, **pressure):
    """A man of 55 with all that PREVENT needs, and a pressure."""
    measured = chart.problem(REFLUX).smoking().measured(total=210, hdl=45, creatinine=1.0, bmi=28)
    return measured.measured(ago=ago, **pressure)


def test_a_pressure_taken_in_hospital_is_no_input_of_a_risk_for_years(ask):
    """It is refused with the reason and measured again; an earlier one from outside counts, and the card says so."""
    inside = screened(Chart(55), timedelta(days=2), sbp=172, dbp=98)
    inside = inside.stay("EMER", "finished", "2026-10-30T06:00:00Z", "2026-10-30T20:00:00Z")
    answer = ask("cardiovascular-risk", inside)
    assert answer.summary.endswith("(PREVENT) not calculated; no usable value: systolic blood pressure")
    assert "was taken in hospital, where illness moves it" in answer.cards[0].detail
    assert "Measure blood pressure" in answer.suggestions
    both = inside.measured(ago=timedelta(days=60), sbp=136, dbp=80)
    answer = ask("cardiovascular-risk", both)
    assert "Systolic blood pressure: 136 mmHg" in answer.cards[0].detail
    assert "A newer entry cannot be used: Systolic blood pressure of 30 Oct 2026 was taken" in answer.cards[0].detail


def test_a_pressure_from_outside_hospital_counts_as_before(ask):
    """A stay that ended before it, or none, changes nothing."""
    chart = screened(Chart(55), timedelta(days=2), sbp=150, dbp=80)
    chart = chart.stay("IMP", "finished", "2026-09-01T06:00:00Z", "2026-09-05T06:00:00Z")
    assert "Systolic blood pressure: 150 mmHg" in ask("cardiovascular-risk", chart).cards[0].detail


TOPICAL, EYE, MOUTH, VEIN = "6064005", "54485002", "26643006", "47625008"


def routed(chart, name, code):
    """A draft with a route by its code."""
    return chart.draft(name, route={"coding": [{"system": SNOMED, "code": code}]})


@pytest.mark.parametrize(
    ("name", "route", "against", "speaks"),
    [
        ("Diclofenac 1 % gel", TOPICAL, "warfarin", False),
        ("Diclofenac", TOPICAL, "warfarin", False),
        ("Diclofenac 50 mg tablet", MOUTH, "warfarin", True),
        ("Miconazole oral gel", MOUTH, "warfarin", True),
        ("Timolol 0.5 % eye drops", EYE, "verapamil", True),
        ("Timolol 0.5 % eye drops", EYE, "metoprolol", False),
        ("Sumatriptan nasal spray", "46713006", "phenelzine", True),
        ("Nitroglycerin 2 % ointment", TOPICAL, "sildenafil", True),
        ("Fentanyl 25 mcg/h patch", TOPICAL, "clarithromycin", True),
        ("Ciprofloxacin 0.3 % eye drops", EYE, "tizanidine", False),
        ("外用双氯芬酸凝胶", TOPICAL, "warfarin", False),
    ],
)
def test_what_is_put_on_the_skin_or_into_the_eye_meets_no_other_medicine(ask, name, route, against, speaks):
    """By form or route; what acts in the whole body from there does meet it, but doubles no class."""
    chart = Chart(66).problem(REFLUX).medicine("0", against)
    found = [f for f in ask("drug-safety", routed(chart, name, route)).findings if "+" in f.key]
    assert bool(found) is speaks


def test_a_tablet_is_not_offered_in_place_of_eye_drops(ask):
    """What a row offers instead is swallowed."""
    chart = Chart(66).problem("195967001", "Asthma")
    answer = ask("drug-safety", routed(chart, "Timolol 0.5 % eye drops", EYE))
    assert "asthma (contraindicated)" in answer.summary
    assert answer.suggestions == ["Remove the draft order of timolol"]
    assert "Alternatives" not in answer.cards[0].detail


@pytest.mark.parametrize(("route", "speaks"), [(MOUTH, False), (VEIN, True)])
def test_vancomycin_by_mouth_has_no_kidney_limit(ask, route, speaks):
    """It stays in the gut."""
    chart = Chart(81, "female").problem(REFLUX).measured(weight=52, height=158, creatinine=1.9)
    answer = ask("drug-safety", routed(chart, "Vancomycin", route))
    assert (answer.finding("drug-safety/vancomycin/test/crcl") is not None) is speaks


@pytest.mark.parametrize("name", ["Diclofenac 1 % gel", "Aciclovir 5 % cream", "Ciprofloxacin eye drops"])
def test_local_forms_have_no_kidney_limit(ask, name):
    """4 g of a gel are not 4000 mg of its medicine."""
    chart = Chart(81, "female").problem(REFLUX).measured(weight=52, height=158, creatinine=1.9)
    assert ask("renal-dosing", routed(chart, name, TOPICAL)).findings == ()


def test_what_an_order_takes_the_place_of_is_not_taken_beside_it(ask):
    """The prior prescription is no doubling, and no interaction; another entry still is."""
    chart = Chart(70).problem(FIBRILLATION).medicine("11289", "warfarin")
    assert ask("drug-safety", chart.draft("apixaban")).finding("drug-safety/apixaban+warfarin") is not None
    chart.drafts[0]["priorPrescription"] = {"reference": "MedicationRequest/medicationrequest-2"}
    assert ask("drug-safety", chart).finding("drug-safety/apixaban+warfarin") is None
    chart.drafts[0]["priorPrescription"] = {"reference": "MedicationRequest/elsewhere"}
    assert ask("drug-safety", chart).finding("drug-safety/apixaban+warfarin") is not None
