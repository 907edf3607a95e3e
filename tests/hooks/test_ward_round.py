"""What reading the cards of many patients as a physician found wrong, one test a fault."""

import re
from datetime import timedelta

import orjson
import pytest
from charts import NOW, SNOMED, Chart

from cds_service.features import catalogue
from cds_service.language import signed, words
from cds_service.stores.entries import inputs

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


@pytest.mark.parametrize(
    ("words", "coded", "opens"),
    [
        ("Pennicillin rash", {}, True),
        ("Amoxycilin", {}, True),
        ("Peanut", {}, False),
        ("Tape 3M", {"category": ["medication"]}, True),
        ("Grass pollen", {"category": ["environment"]}, False),
    ],
)
def test_an_allergy_that_cannot_be_read_is_told_where_it_may_matter(ask, words, coded, opens):
    """A slip of spelling of what is ordered, and whatever the record calls a medicine; not food and pollen."""
    chart = Chart(40).problem(REFLUX).intolerance(words).draft("amoxicillin")
    chart.rows[-1] |= coded
    answer = ask("drug-safety", chart)
    assert bool(answer.cards) is opens
    assert not opens or words in answer.summary


def test_an_allergy_to_the_very_medicine_is_no_cross_reaction(ask):
    """The statement of the class says nothing about it."""
    answer = ask("drug-safety", Chart(40).problem(REFLUX).intolerance("amoxicillin").draft("amoxicillin"))
    assert answer.summary == "Amoxicillin: allergy or intolerance to amoxicillin on record"


@pytest.mark.parametrize(
    ("age", "sex", "problem", "asked"),
    [
        (15, "female", REFLUX, True),
        (15, "male", REFLUX, False),
        (58, "female", REFLUX, False),
        (30, "female", "77386006", False),
    ],
)
def test_a_medicine_that_harms_the_unborn_asks_to_exclude_pregnancy(ask, age, sex, problem, asked):
    """In who may become pregnant; a pregnancy on record has its own card, that is loud."""
    answer = ask("drug-safety", Chart(age, sex).problem(problem).draft("valproate"))
    assert (answer.finding("drug-safety/childbearing/valproate") is not None) is asked
    assert (answer.finding("drug-safety/valproate/disease/pregnancy") is not None) is (problem == "77386006")


def test_after_menopause_or_sterilisation_pregnancy_is_no_question(ask):
    """By the problem list."""
    chart = Chart(45, "female").problem(REFLUX).diagnosis("Z98.51").draft("isotretinoin")
    assert ask("drug-safety", chart).finding("drug-safety/childbearing") is None


@pytest.mark.parametrize(("interval", "speaks"), [(505, True), (460, False)])
def test_a_long_qtc_is_told_with_a_medicine_that_prolongs_it(ask, interval, speaks):
    """From 500 ms on, as a warning."""
    quantity = {"value": interval, "unit": "ms", "system": "http://unitsofmeasure.org", "code": "ms"}
    chart = result(Chart(70).problem(REFLUX), "8636-3", valueQuantity=quantity).draft("haloperidol")
    found = ask("drug-safety", chart).finding("drug-safety/haloperidol/test/qtc")
    assert (found is not None) is speaks


@pytest.mark.parametrize(
    ("dosage", "structured", "single"),
    [
        (None, {"timing": {"repeat": {"count": 1}}}, True),
        ("150 mg as a single dose", {}, True),
        ("单次口服", {}, True),
        ("150 mg daily", {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, False),
    ],
)
def test_a_single_dose_is_said_beside_evidence_of_treatment(ask, dosage, structured, single):
    """One capsule of fluconazole is not a course of it."""
    chart = Chart(60, "female").problem(REFLUX).medicine("11289", "warfarin").measured(inr=2.4)
    answer = ask("drug-safety", chart.draft("fluconazole 150 mg capsule", dosage, **structured))
    assert "with warfarin (serious)" in answer.summary
    assert ("Ordered as a single dose" in answer.cards[0].detail) is single


def test_removing_the_draft_is_not_recommended_where_the_other_medicine_is_to_go(ask):
    """Warfarin beside an NSAID: the row says to avoid the NSAID."""
    chart = Chart(60).problem(REFLUX)
    found = ask("drug-safety", chart.medicine("5640", "ibuprofen").draft("warfarin")).finding("drug-safety/ibuprofen+")
    assert [p.secondary for p in found.proposals] == [True]
    chart = Chart(60).problem(REFLUX)
    found = ask("drug-safety", chart.medicine("11289", "warfarin").draft("ibuprofen")).finding("drug-safety/ibuprofen+")
    assert [p.secondary for p in found.proposals] == [False]


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
    ("born", "age"), [("2026-10-22", "10 days"), ("2026-09-01", "2 months"), ("2024-06-01", "2 years")]
)
def test_an_infants_age_is_told_in_days_or_months(ask, born, age):
    """A newborn is not of 0 years."""
    chart = Chart(0, birthDate=born).problem(REFLUX, onset="2026-10-30").draft("promethazine")
    answer = ask("drug-safety", chart)
    assert f"at age {age} " in (answer.summary or "") or age == "2 years"


@pytest.mark.parametrize(
    ("order", "indicator", "words"),
    [
        (None, "critical", "emergency review"),
        ("Comfort measures only", "info", "comfort care is on record, ease symptoms"),
        ("Palliative care consultation", "critical", "emergency review"),
    ],
)
def test_where_comfort_is_the_aim_a_high_news2_calls_nobody(ask, order, indicator, words):
    """Palliative care alone sets no such limit."""
    chart = Chart(84).problem(REFLUX).stay().alert()
    chart = chart.measured(ago=timedelta(hours=1), rr=30, spo2=84, temperature=38.9, hr=128, sbp=82)
    chart = chart.ordered(text=order) if order else chart
    answer = ask("deterioration", chart, encounter_class="IMP")
    assert words in answer.summary
    assert answer.cards[0].indicator == indicator
    assert not (indicator == "info" and answer.suggestions)


def test_missing_observations_are_named_in_one_sentence(ask):
    """Seven times "is not on record" is read by nobody."""
    answer = ask("deterioration", Chart(70).problem(REFLUX).stay(), encounter_class="IMP")
    assert "Heart rate, Consciousness are not on record" in answer.cards[0].detail
    assert "is not on record" not in answer.cards[0].detail


def test_mammography_waits_until_a_pregnancy_is_over(ask):
    """Screening is put off; what a pregnancy asks for stays."""
    lists = ("Procedure", "Immunization")
    there = [f.key for f in ask("preventive-care", Chart(41, "female").problem(REFLUX).knows(*lists)).findings]
    pregnant = [f.key for f in ask("preventive-care", Chart(41, "female").problem("77386006").knows(*lists)).findings]
    assert set(there) - set(pregnant) == {"preventive-care/breast"}


@pytest.mark.parametrize(("given", "due"), [("2026-07-28", False), ("2026-10-05", False), ("2026-03-01", True)])
def test_an_influenza_vaccine_of_july_is_the_one_of_the_season(ask, given, due):
    """The first doses come in July: in November nobody is vaccinated twice."""
    chart = Chart(60).problem(REFLUX).knows("Procedure", "Immunization").add(
        "Immunization", status="completed", patient={"reference": "Patient/p1"}, occurrenceDateTime=given,
        vaccineCode={"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "150"}]},
    )  # fmt: skip
    assert (ask("preventive-care", chart).finding("preventive-care/influenza") is not None) is due


def test_a_readmission_score_that_cannot_reach_its_threshold_asks_nothing(ask):
    """LACE 2 to 5 where only the kind of admission is missing: 10 is out of reach."""
    period = {"start": "2026-10-31T08:00:00Z"}
    chart = Chart(50).problem("22298006", onset="2014-01-01").knows("Encounter")
    answer = ask("transition-of-care", chart, encounter_class="IMP", period=period)
    assert answer.finding("lace/undetermined") is not None
    assert answer.cards == ()


def test_a_card_without_details_has_no_heading_for_them(ask):
    """CHA2DS2-VA with all inputs known has nothing to add."""
    answer = ask("af-anticoagulation", Chart(77).problem(FIBRILLATION).problem("38341003"))
    assert "CHA2DS2-VA" in answer.summary
    assert not re.search(r"Details:\*\*\s+(###|$)", answer.cards[0].detail)


def test_a_dosing_card_names_the_medicine_and_not_its_class(ask):
    """Ibuprofen, with the name inside the sentence of the suggestion."""
    chart = Chart(70).problem(REFLUX).measured(creatinine=3.0, weight=70)
    answer = ask("renal-dosing", chart.draft("Ibuprofen 400 mg tablet", "1 tablet three times daily"))
    assert answer.summary.startswith("Ibuprofen 400 mg tablet ordered with eGFR 22")
    assert answer.suggestions == ["Remove the draft order of ibuprofen 400 mg tablet"]


def test_a_variant_without_a_readable_change_shows_no_codes(ask):
    """The gene alone, and not the code of the component that told it."""
    chart = Chart(52, "female").problem("254837009").add(
        "Observation", status="final", subject={"reference": "Patient/p1"}, effectiveDateTime="2026-09-01",
        code={"coding": [{"system": "http://loinc.org", "code": "69548-6"}]}, valueCodeableConcept={"text": "Present"},
        component=[{"code": {"coding": [{"system": "http://loinc.org", "code": "48018-6"}]},
                    "valueCodeableConcept": {"text": "ESR1 estrogen receptor 1"}}],
    )  # fmt: skip
    assert "69548-6" not in ask("precision-oncology", chart).summary


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


@pytest.mark.parametrize(
    ("dosage", "structured", "problem", "told"),
    [
        ("10 mg once daily", {}, "69896004", True),
        ("4 tablets every week on Monday", {}, "69896004", False),
        ("as directed", {}, "69896004", False),
        (None, {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, "69896004", True),
        (None, {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}}, "69896004", False),
        (None, {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}, "363406005", False),
    ],
)
def test_methotrexate_is_not_ordered_every_day_outside_cancer(ask, dosage, structured, problem, told):
    """The order that has killed: by its timing or its words; silent where nothing says how often."""
    answer = ask("drug-safety", Chart(60).problem(problem).draft("Methotrexate 2.5 mg tablet", dosage, **structured))
    found = answer.finding("drug-safety/methotrexate/daily")
    assert (found is not None) is told
    assert found is None or found.severity.name == "CRITICAL"


@pytest.mark.parametrize(("glucose", "ago", "speaks"), [(45, 1, True), (45, 48, False), (110, 1, False)])
def test_insulin_with_a_low_glucose_of_today_is_told(ask, glucose, ago, speaks):
    """Yesterday's glucose says nothing about now."""
    chart = Chart(60).problem("44054006").measured(ago=timedelta(hours=ago), glucose=glucose).draft("insulin lispro")
    assert (ask("drug-safety", chart).finding("drug-safety/insulin-lispro/test/glucose") is not None) is speaks


def test_where_comfort_is_the_aim_usual_care_is_no_alarm(ask):
    """An opioid with a benzodiazepine is information, the Beers criteria and tests that are due are silent."""
    chart = Chart(84).problem(REFLUX).medicine("7052", "morphine").draft("lorazepam")
    loud = ask("drug-safety", chart)
    assert loud.finding("drug-safety/lorazepam+morphine").severity.name == "WARNING"
    assert loud.finding("drug-safety/lorazepam/test/age") is not None
    eased = ask("drug-safety", chart.ordered(text="Hospice care"))
    assert eased.finding("drug-safety/lorazepam+morphine").severity.name == "INFO"
    assert eased.finding("drug-safety/lorazepam+morphine").proposals == ()
    assert eased.finding("drug-safety/lorazepam/test/age") is None
    assert ask("drug-safety", chart.draft("haloperidol")).finding("drug-safety/monitoring") is None


@pytest.mark.parametrize(("contrast", "speaks"), [("gadodiamide", True), ("gadobutrol", False)])
def test_only_gadolinium_of_group_i_is_held_against_the_kidney(ask, contrast, speaks):
    """What the row advises is not warned of."""
    chart = Chart(66).problem(REFLUX).measured(creatinine=6.0, weight=70)
    assert bool(ask("drug-safety", chart.draft(contrast)).finding(f"drug-safety/{contrast}/test/egfr")) is speaks


def test_on_dialysis_an_anticoagulant_is_no_plain_recommendation(ask):
    """Nobody knows whether it helps there; a creatinine is not asked for."""
    chart = Chart(78).problem(FIBRILLATION).problem("38341003").problem("265764009")
    answer = ask("af-anticoagulation", chart)
    assert answer.cards[0].indicator == "info"
    assert "On dialysis it is not known whether an anticoagulant helps" in answer.cards[0].detail
    assert answer.suggestions == []


@pytest.mark.parametrize(("diagnosis", "told"), [("Z89.511", True), ("G82.20", True), ("M54.5", False)])
def test_a_creatinine_of_little_muscle_is_said_to_overstate_the_kidney(ask, diagnosis, told):
    """After an amputation or with paralysis: beside the estimate, and beside a dose that rests on it."""
    chart = Chart(70).problem(REFLUX).diagnosis(diagnosis).measured(creatinine=1.6, weight=60, height=175)
    words = "Little muscle is on record: creatinine is low there"
    assert (words in ask("kidney-liver-check", chart).cards[0].detail) is told
    chart = chart.draft("Gabapentin 600 mg tablet", "1 tablet three times daily")
    assert (words in ask("renal-dosing", chart).cards[0].detail) is told


def test_a_padua_score_of_which_nothing_is_known_asks_nothing(ask):
    """Without a problem list eleven answers are missing, and none of them decides."""
    assert ask("vte-prophylaxis", Chart(70).stay(), encounter_class="IMP").cards == ()


def test_a_corrected_result_is_no_contradiction_of_what_it_corrects(ask):
    """The line of two values at one time is for those that nobody corrected; a preliminary one is marked."""
    normal = POTASSIUM[1] | {"value": 4.1}
    chart = Chart(60).problem(REFLUX).draft("apixaban")
    chart = result(chart, POTASSIUM[0], timedelta(hours=2), valueQuantity=POTASSIUM[1])
    both = result(chart, POTASSIUM[0], timedelta(hours=2), valueQuantity=normal)
    assert "Two values of" in ask("drug-safety", both).cards[0].detail
    both.rows[-1]["status"] = "corrected"
    assert "Two values of" not in ask("drug-safety", both).cards[0].detail


def test_what_is_not_to_be_given_calls_for_no_tests(ask):
    """Lisinopril in pregnancy is contraindicated: potassium while it is taken is no matter; else it is."""
    pregnant = ask("drug-safety", Chart(30, "female").problem("77386006").draft("lisinopril"))
    assert pregnant.cards[0].indicator == "critical"
    assert pregnant.finding("drug-safety/monitoring") is None
    assert ask("drug-safety", Chart(30, "female").problem(REFLUX).draft("lisinopril")).finding("drug-safety/monitoring")


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


def test_after_a_recent_bleeding_an_anticoagulant_is_no_plain_recommendation(ask):
    """Within three months of a cerebral haemorrhage; one of years ago is a factor and no veto."""
    chart = Chart(78).problem(FIBRILLATION).problem("38341003")
    recent = ask("af-anticoagulation", chart.problem("274100004", onset="2026-10-01"))
    assert recent.cards[0].indicator == "info"
    assert "A major bleeding of the last 3 months is on record" in recent.cards[0].detail
    assert recent.suggestions == []
    chart = Chart(78).problem(FIBRILLATION).problem("38341003").problem("274100004", onset="2015-10-01")
    assert ask("af-anticoagulation", chart).cards[0].indicator == "warning"


@pytest.mark.parametrize(
    ("problem", "medicine", "key"),
    [
        ("84114007", "diltiazem", "diltiazem/disease/heart-failure"),
        ("13200003", "aspirin", "aspirin/disease/peptic-ulcer"),
        ("74474003", "aspirin", "aspirin/disease/gi-bleeding"),
    ],
)
def test_what_a_ward_round_asks_about_is_told(ask, problem, medicine, key):
    """Diltiazem before the ejection fraction is known, aspirin with an ulcer or a bleeding."""
    chart = Chart(70).problem(problem, onset="2026-10-20").draft(medicine)
    assert ask("drug-safety", chart).finding(f"drug-safety/{key}") is not None


def test_of_diltiazem_in_reduced_ejection_fraction_the_plain_row_is_silent(ask):
    """The contraindication says it all."""
    answer = ask("drug-safety", Chart(70).problem("703272007").draft("diltiazem"))
    assert answer.finding("drug-safety/diltiazem/disease/hfref") is not None
    assert answer.finding("drug-safety/diltiazem/disease/heart-failure") is None


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
