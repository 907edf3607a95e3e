"""What reading the cards of many patients as a physician found wrong with orders and medicines, one test a fault."""

from datetime import timedelta

import pytest
from charts import SNOMED, Chart

FIBRILLATION, REFLUX = "49436004", "235595009"
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


def test_a_dosing_card_names_the_medicine_and_not_its_class(ask):
    """Ibuprofen, with the name inside the sentence of the suggestion."""
    chart = Chart(70).problem(REFLUX).measured(creatinine=3.0, weight=70)
    answer = ask("renal-dosing", chart.draft("Ibuprofen 400 mg tablet", "1 tablet three times daily"))
    assert answer.summary.startswith("Ibuprofen 400 mg tablet ordered with eGFR 22")
    assert answer.suggestions == ["Remove the draft order of ibuprofen 400 mg tablet"]


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


@pytest.mark.parametrize(("contrast", "speaks"), [("gadodiamide", True), ("gadobutrol", False)])
def test_only_gadolinium_of_group_i_is_held_against_the_kidney(ask, contrast, speaks):
    """What the row advises is not warned of."""
    chart = Chart(66).problem(REFLUX).measured(creatinine=6.0, weight=70)
    assert bool(ask("drug-safety", chart.draft(contrast)).finding(f"drug-safety/{contrast}/test/egfr")) is speaks


def test_what_is_not_to_be_given_calls_for_no_tests(ask):
    """Lisinopril in pregnancy is contraindicated: potassium while it is taken is no matter; else it is."""
    pregnant = ask("drug-safety", Chart(30, "female").problem("77386006").draft("lisinopril"))
    assert pregnant.cards[0].indicator == "critical"
    assert pregnant.finding("drug-safety/monitoring") is None
    assert ask("drug-safety", Chart(30, "female").problem(REFLUX).draft("lisinopril")).finding("drug-safety/monitoring")


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
