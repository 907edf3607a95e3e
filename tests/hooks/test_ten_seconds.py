"""What a clinician with ten seconds would have read wrongly, one test a fault."""

from datetime import timedelta

import pytest
from charts import LOINC, NOW, RXNORM, Chart

from cds_service.language import ENGLISH, words

REFLUX, DIABETES, FIBRILLATION, HYPERTENSION, BIPOLAR = "235595009", "44054006", "49436004", "38341003", "13746004"


def observed(chart, loinc, value, unit, **members):
    return chart.add(
        "Observation", status="final", subject={"reference": "Patient/p1"},
        code={"coding": [{"system": LOINC, "code": loinc}]}, effectiveDateTime=NOW.isoformat(),
        valueQuantity={"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}, **members,
    )  # fmt: skip


def test_a_limit_too_long_for_the_headline_still_says_what_to_do(ask):
    """`See the limit of its label` sent the reader away with nothing."""
    chart = Chart(80).problem(FIBRILLATION).measured(creatinine=2.2, weight=65)
    answer = ask("renal-dosing", chart.draft("Dabigatran 150 mg capsule", "1 capsule twice daily"))
    assert answer.summary == "Dabigatran ordered with creatinine clearance 25 mL/min: to be avoided"


@pytest.mark.parametrize(("criticality", "loud"), [("high", "WARNING"), ("low", "INFO")])
def test_a_possible_cross_reaction_is_louder_after_a_grave_allergy(ask, criticality, loud):
    """A rash and an anaphylaxis are not the same reason to choose another cephalosporin."""
    chart = Chart(40).problem(REFLUX).add(
        "AllergyIntolerance", patient={"reference": "Patient/p1"}, code={"text": "Penicillin"}, criticality=criticality
    )  # fmt: skip
    found = ask("drug-safety", chart.draft("Cephalexin 500 mg capsule")).finding("drug-safety/cephalexin")
    assert found.severity.name == loud


def test_a_medicine_in_a_combination_is_no_renewal(ask):
    """Acetaminophen beside hydrocodone with acetaminophen: both count towards the daily dose."""
    chart = Chart(40).problem(REFLUX).medicine("x", "Acetaminophen 325 mg / hydrocodone 5 mg tablet")
    found = ask("drug-safety", chart.draft("Acetaminophen 500 mg tablet")).finding("drug-safety/acetaminophen+")
    said = "Acetaminophen is in another product on the medication list too: taken twice?"
    assert ENGLISH(found.headline) == said
    assert ENGLISH(found.advice) == "Count both towards the daily dose, or keep one."


def test_a_potassium_of_a_haemolysed_specimen_says_so_first(ask):
    """It is to be repeated, and is no emergency until then."""
    chart = observed(Chart(60).problem(HYPERTENSION), "2823-3", 6.8, "mmol/L", note=[{"text": "Specimen hemolyzed"}])
    answer = ask("kidney-liver-check", chart)
    assert answer.summary == "Potassium 6.8 mmol/L on 1 Nov 2026 in a haemolysed specimen: repeat now, with an ECG"
    assert answer.finding("potassium/severe").severity.name == "WARNING"


def test_both_cards_of_a_haemolysed_potassium_doubt_it(ask):
    """The card of the rising creatinine told it as sure, beside one that calls it haemolysed."""
    chart = observed(Chart(60).problem(HYPERTENSION), "2823-3", 6.8, "mmol/L", note=[{"text": "Specimen hemolyzed"}])
    chart.measured(creatinine=1.0)
    found = ask("kidney-liver-check", observed(chart, "2160-0", 2.4, "mg/dL")).finding("kidney-injury")
    assert ENGLISH(found.headline).endswith("; potassium 6.8 mmol/L (haemolysed)")
    assert "Potassium 6.8 mmol/L (haemolysed) on 1 Nov 2026." in ENGLISH(found.due)


def test_a_limit_by_a_laboratory_value_dates_it(ask):
    """A potassium of ten days ago is not that of today."""
    chart = Chart(60).problem(HYPERTENSION).measured(potassium=5.6, creatinine=1.0)
    summary = ask("drug-safety", chart.draft("Spironolactone 25 mg tablet")).summary
    assert summary.startswith("Spironolactone at potassium 5.6 mmol/L on 22 Oct 2026 (contraindicated)")


def test_an_anticoagulant_on_hold_stands_in_the_headline(ask):
    """`No anticoagulant on the list` alone hid that somebody had stopped it for a while."""
    chart = Chart(76, "female").problem(FIBRILLATION).problem(HYPERTENSION).add(
        "MedicationRequest", status="on-hold", intent="order", subject={"reference": "Patient/p1"},
        authoredOn="2025-01-01",
        medicationCodeableConcept={"text": "warfarin", "coding": [{"system": RXNORM, "code": "11289"}]},
    )  # fmt: skip
    assert ask("af-anticoagulation", chart).summary.endswith(
        "and no anticoagulant on the medication list (on hold: warfarin)"
    )


@pytest.mark.parametrize("kind", ["MedicationRequest", "MedicationStatement"])
def test_an_anticoagulant_on_hold_without_a_name_is_called_by_its_ingredient(ask, kind):
    """It read `(on hold: )`, and what a statement holds was not told at all."""
    coded = {"coding": [{"system": RXNORM, "code": "11289"}]}
    chart = Chart(76).problem(FIBRILLATION).add(
        kind, status="on-hold", intent="order", subject={"reference": "Patient/p1"}, medicationCodeableConcept=coded
    )  # fmt: skip
    assert ask("af-anticoagulation", chart).summary.endswith("medication list (on hold: warfarin)")


def test_of_what_was_given_up_the_latest_is_told(ask):
    """A statement of this year counts before an order of long ago."""
    chart = Chart(76).problem(FIBRILLATION)
    for kind, status, name, day in (
        ("MedicationRequest", "stopped", "warfarin", "2019-01-01"), ("MedicationStatement", "on-hold", "apixaban", NOW),
    ):  # fmt: skip
        chart.add(kind, status=status, intent="order", subject={"reference": "Patient/p1"}, authoredOn=str(day)[:10],
                  effectiveDateTime=str(day)[:10], medicationCodeableConcept={"text": name})  # fmt: skip
    assert ask("af-anticoagulation", chart).summary.endswith("(on hold: apixaban)")


def test_a_high_hba1c_without_treatment_asks_to_start_and_not_to_intensify(ask):
    """The headline said that nothing is taken, and the advice to intensify it."""
    chart = Chart(60).problem(DIABETES).measured(hba1c=9.0)
    answer = ask("diabetes", chart)
    assert "no glucose-lowering medicine on the list" in answer.summary
    assert "then start one" in answer.cards[0].detail
    assert "intensify" not in answer.cards[0].detail
    treated = ask("diabetes", Chart(60).problem(DIABETES).medicine("6809", "metformin").measured(hba1c=9.0))
    assert "then intensify" in treated.cards[0].detail


@pytest.mark.parametrize(("value", "unit"), [(9, "mmol/mol"), (9, "mmol/L"), (90, "%")])
def test_an_hba1c_that_cannot_be_used_is_said_in_diabetes(ask, value, unit):
    """9 % labelled mmol/mol would be 3 %: silence would look like control."""
    answer = ask("diabetes", observed(Chart(60).problem(DIABETES), "4548-4", value, unit))
    assert answer.summary.startswith("HbA1c not used: HbA1c of 1 Nov 2026 ")


@pytest.mark.parametrize(("now", "unit", "before", "other", "said"), [
    (152, "umol/L", 1.1, "mg/dL", ("152 µmol/L", "the 97 µmol/L of")),
    (1.72, "mg/dL", 97, "umol/L", ("1.72 mg/dL", "the 1.1 mg/dL of")),
])  # fmt: skip
def test_two_creatinines_that_are_compared_have_one_unit(ask, now, unit, before, other, said):
    """One of a hospital that reports in the other unit made "152 µmol/L, 1.6 times the 1.1 mg/dL"."""
    chart = Chart(60).problem(HYPERTENSION).measured(ago=timedelta(days=3), creatinine=(before, other))
    found = ask("kidney-liver-check", observed(chart, "2160-0", now, unit)).finding("kidney-injury")
    line = words("en", "record")(found.headline)
    assert all(part in line for part in said), line


def test_an_nsaid_that_is_taken_with_a_failing_kidney_is_told(ask):
    """Not only where one is ordered: most are taken for years."""
    chart = Chart(70).problem(REFLUX).medicine("7258", "naproxen 250 mg").measured(creatinine=2.9)
    answer = ask("kidney-liver-check", chart)
    found = answer.finding("nsaid/egfr-below-30")
    assert (
        ENGLISH(found.headline) == "naproxen 250 mg on the medication list with eGFR 23 mL/min/1.73 m² of 22 Oct 2026"
    )
    assert found.severity.name == "WARNING"
    better = Chart(70).problem(REFLUX).medicine("7258", "naproxen 250 mg").measured(creatinine=1.5)
    assert ask("kidney-liver-check", better).finding("nsaid/") is None


REPORTED, UNIT = "33914-3", "mL/min/{1.73_m2}"


def test_a_low_egfr_that_came_without_creatinine_is_told(ask):
    """It read `eGFR not calculated, creatinine is not on record` while the laboratory said 18."""
    answer = ask("kidney-liver-check", observed(Chart(60).problem(HYPERTENSION), REPORTED, 18, UNIT))
    assert answer.summary == "eGFR 18 on 1 Nov 2026 as reported; no creatinine to check it by"
    assert answer.cards[0].indicator.name == "WARNING"


def test_a_normal_egfr_that_came_without_creatinine_makes_none_due(ask):
    """No order of what was measured."""
    answer = ask("kidney-liver-check", observed(Chart(60).problem(HYPERTENSION), REPORTED, 88, UNIT))
    assert answer.finding("ckd-epi-2021/") is None
    assert "Order serum creatinine with eGFR" not in answer.suggestions
    wrong = observed(observed(Chart(60).problem(HYPERTENSION), REPORTED, 88, UNIT), "2160-0", 133, "mg/dL")
    assert "Creatinine of 1 Nov 2026 is implausible" in ask("kidney-liver-check", wrong).cards[0].detail


@pytest.mark.parametrize(
    ("said", "creatinine", "loud"), [(13, 0.6, "WARNING"), (45, 0.9, "INFO"), (55, 1.2, None), (90, 0.6, None)]
)
def test_an_egfr_that_its_creatinine_contradicts_is_told(ask, said, creatinine, loud):
    """Nothing is dosed by a number of which another says the opposite; a difference of equations is none."""
    chart = observed(Chart(60).problem(REFLUX), REPORTED, said, UNIT)
    found = ask("kidney-liver-check", observed(chart, "2160-0", creatinine, "mg/dL")).finding("egfr-reported/")
    assert (found.severity.name if found else None) == loud
    if found and said == 13:
        line = "eGFR 13 as reported on 1 Nov 2026, but 111 from creatinine: one of them is wrong"
        assert ENGLISH(found.headline) == line


@pytest.mark.parametrize(("sign", "said", "creatinine", "told"), [
    ("<", 15, 6.0, None), (">", 60, 1.1, None), ("<", 15, 1.5, "<15"), (">", 60, 3.0, ">60"),
])  # fmt: skip
def test_a_reported_limit_contradicts_only_what_lies_beyond_it(ask, sign, said, creatinine, told):
    """`<15` and 8 from creatinine say the same; 15 and 8 would not."""
    chart = observed(Chart(60).problem(REFLUX), REPORTED, said, UNIT)
    chart.rows[-1]["valueQuantity"]["comparator"] = sign
    found = ask("kidney-liver-check", observed(chart, "2160-0", creatinine, "mg/dL")).finding("egfr-reported/")
    assert (found is not None) == (told is not None)
    assert told is None or ENGLISH(found.headline).startswith(f"eGFR {told} as reported on 1 Nov 2026, but ")


@pytest.mark.parametrize("limit", [15, 60])
def test_a_reported_limit_alone_keeps_its_sign(ask, limit):
    """`<60` is below 60, though its number is not; `<15` is another stage than 15."""
    chart = observed(Chart(60).problem(HYPERTENSION), REPORTED, limit, UNIT)
    chart.rows[-1]["valueQuantity"]["comparator"] = "<"
    said = f"eGFR <{limit} on 1 Nov 2026 as reported; no creatinine to check it by"
    assert ENGLISH(ask("kidney-liver-check", chart).finding("egfr-reported/").headline) == said


@pytest.mark.parametrize(
    ("said", "drug", "loud"),
    [(25, "Metformin", "WARNING"), (88, "Metformin", None), (25, "Ibuprofen", "WARNING"), (20, "Tramadol", "INFO")],
)
def test_an_order_is_judged_by_a_reported_egfr_where_there_is_no_creatinine(ask, said, drug, loud):
    """`No eGFR to dose it by` was false, and a short course was passed over in silence."""
    chart = observed(Chart(50).problem(REFLUX), REPORTED, said, UNIT).draft(
        f"{drug} 150 mg tablet", "1 tablet twice daily"
    )
    answer = ask("renal-dosing", chart)
    found = answer.finding(f"renal-dosing/{'nsaid' if drug == 'Ibuprofen' else drug.lower()}/")
    assert (found.severity.name if found else None) == loud
    assert loud is None or f" ordered with eGFR {said} as reported: " in ENGLISH(found.headline)
    assert loud is None or "Order serum creatinine with eGFR" in answer.suggestions


def test_an_egfr_with_a_coefficient_of_race_hides_none_without(ask):
    """Laboratories sent both: as two values of one time they contradicted each other, and neither was told."""
    chart = observed(Chart(60).problem(HYPERTENSION), "48642-3", 18, UNIT)
    answer = ask("kidney-liver-check", observed(chart, "48643-1", 22, UNIT))
    assert answer.summary == "eGFR 18 on 1 Nov 2026 as reported; no creatinine to check it by"


def test_a_part_above_the_whole_is_explained(ask):
    """The heart failure equation may give more than that of all cardiovascular disease."""
    chart = Chart(60, "female").problem(REFLUX).smoking().medicine("36567", "simvastatin")
    chart.measured(sbp=127, dbp=81, total=206, hdl=79, creatinine=2.86, bmi=31)
    detail = ask("cardiovascular-risk", chart).cards[0].detail
    assert "The estimate of heart failure is above that of all cardiovascular disease" in detail


def test_what_is_many_is_not_on_record_in_the_plural(ask):
    """`Platelets is not on record` read as a slip."""
    chart = Chart(66).problem("414916001").measured(ast=98, alt=60)
    assert "Platelets are not on record" in ask("kidney-liver-check", chart).cards[0].detail


def test_a_lactate_that_was_measured_is_not_asked_for(ask):
    """The headline told it, and the advice was to measure it."""
    chart = Chart(60).problem(DIABETES).medicine("6809", "metformin").measured(creatinine=1.0)
    chart = chart.measured(ago=timedelta(hours=5), creatinine=2.2, lactate=3.1)
    detail = ask("kidney-liver-check", chart).cards[0].detail
    assert "lactate 3.1 mmol/L" in detail
    assert "repeat lactate if the patient gets worse" in detail
    assert "measure lactate" not in detail


@pytest.mark.parametrize(("rate", "speaks"), [(16, False), (22, False), (25, True)])
def test_oxygen_that_is_not_recorded_asks_for_nothing_where_the_score_is_low_with_it(ask, rate, speaks):
    """On most wards room air is not written down: a card for each patient of them is noise."""
    chart = (
        Chart(70).problem(REFLUX).measured(ago=timedelta(hours=1), rr=rate, spo2=97, sbp=125, hr=72, temperature=36.8)
    )
    answer = ask("deterioration", chart.alert(), encounter_class="IMP")
    assert bool(answer.cards) is speaks
    partial = Chart(70).problem(REFLUX).measured(ago=timedelta(hours=1), spo2=97, sbp=125, hr=72, temperature=36.8)
    assert ask("deterioration", partial.alert(), encounter_class="IMP").cards


def test_a_pregnancy_of_years_ago_hides_no_kidney_and_no_risk(ask):
    """An entry that nobody ended silenced the kidney card and refused every equation, at whatever age."""
    chart = (
        Chart(70, "female")
        .problem("79586000", "Tubal pregnancy", onset="1980-01-08")
        .measured(creatinine=2.4, weight=60)
    )
    assert "eGFR 21" in ask("kidney-liver-check", chart).summary
    assert (
        "creatinine clearance 21 mL/min"
        in ask("renal-dosing", chart.draft("Gabapentin 300 mg", "3 times daily")).summary
    )
    asked = ask("drug-safety", chart.draft("Lisinopril 10 mg tablet")).finding(
        "drug-safety/lisinopril/disease/pregnancy"
    )
    assert ENGLISH(asked.headline) == "Lisinopril in pregnancy: does the entry of the problem list still hold?"
    now = Chart(30, "female").problem("77386006").measured(creatinine=0.8)
    assert ask("kidney-liver-check", now).cards == ()


@pytest.mark.parametrize(("age", "problem", "speaks"), [(24, REFLUX, False), (70, REFLUX, True), (24, DIABETES, True)])
def test_a_short_course_for_who_has_no_risk_needs_no_creatinine(ask, age, problem, speaks):
    """Ciprofloxacin for a healthy person of 24: an order of creatinine with each is noise. Lithium needs one."""
    chart = Chart(age).problem(problem).measured(weight=70).draft("Ciprofloxacin 500 mg tablet", "1 tablet twice daily")
    assert bool(ask("renal-dosing", chart).cards) is speaks
    unread = Chart(24).measured(weight=70).draft("Ciprofloxacin 500 mg tablet", "1 tablet twice daily")
    assert ask("renal-dosing", unread).cards
    assert ask("renal-dosing", Chart(24).problem(REFLUX).draft("Lithium carbonate 300 mg", "twice daily")).cards
