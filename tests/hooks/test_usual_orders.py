"""Orders of usual care that the rules about high-alert orders must leave alone, and near ones that they must not."""

import time

import pytest
from charts import Chart

from cds_service.knowledge.harm import harm_of
from cds_service.language import ENGLISH

REFLUX, DIABETES = "235595009", "44054006"


def patient(age=50):
    return Chart(age).problem(REFLUX).measured(creatinine=0.9, weight=75)


def first(found, key):
    return next((f for f in found if f.key.startswith(f"drug-safety/{key}")), None)


@pytest.mark.parametrize(
    ("name", "dosage", "speaks"),
    [
        ("Vincristine 2 mg", "IV once weekly. Intrathecal administration is fatal", False),
        ("Vincristine 2 mg", "静脉滴注，鞘内注射可致死", False),
        ("Vincristine 2 mg", "2 mg IT - fatal if given by other routes", True),
        ("Vincristine 2 mg", "no known allergies, give intrathecally", True),
        ("Bicillin L-A 2.4 million units", "IM once. Inadvertent intravenous administration: cardiac arrest", False),
        ("Bicillin L-A 2.4 million units", "IM once. IV use has led to deaths", False),
    ],
)
def test_a_warning_on_the_label_is_no_order_wherever_it_stands(findings, name, dosage, speaks):
    """Labels name the fatal route before and behind the word that forbids it."""
    found = findings("drug-safety", patient().draft(name, dosage))
    assert (first(found, "route/") is not None) == speaks


@pytest.mark.parametrize(
    ("name", "speaks"),
    [
        ("Iohexol 350 mg/mL IV for CT pulmonary angiography", False),
        ("Iohexol 350 mg/mL IV for CT angiogram of the carotid arteries", False),
        ("碘海醇造影剂 350 mg/mL 静脉注射", False),
        ("Iohexol for cardiac catheterization", True),
        ("Iohexol for renal angiography", True),
    ],
)
def test_an_angiogram_by_computed_tomography_puts_no_contrast_into_an_artery(findings, name, speaks):
    """Most angiograms today are scans with contrast in a vein."""
    chart = patient().problem(DIABETES).medicine("6809", "metformin 500 mg").draft(name)
    assert (first(findings("drug-safety", chart), "iohexol+metformin") is not None) == speaks


@pytest.mark.parametrize(
    ("medicine", "why", "severity"),
    [
        ("Cetirizine 10 mg", "Seasonal allergies resolved", None),
        ("Levetiracetam 500 mg", "Seizure free for two years", None),
        ("Pantoprazole 40 mg", "GI bleed healed", None),
        ("Glipizide 5 mg", "Dose reduced after hypoglycemia", None),
        ("Entecavir 0.5 mg", "Hepatitis B treatment completed", None),
        ("Prednisone 20 mg", "Hives: course finished", None),
        ("Sertraline 50 mg", "Moved in the fall, trash", None),
        ("Lisinopril 10 mg", "Cough", "WARNING"),
        ("Heparin 5000 units", "HIT", "WARNING"),
        ("Lisinopril 10 mg", "Rash, resolved after it was stopped", "WARNING"),
        ("Lisinopril 10 mg", "Angioedema, resolved", "WARNING"),
        ("Lisinopril 10 mg", "Hyperkalemia", "INFO"),
        ("Lisinopril 10 mg", "Hyperkalemia and rash", "WARNING"),
    ],
)
def test_what_a_medicine_was_for_is_no_harm_of_it(findings, medicine, why, severity):
    """A cured rash is no rash that the medicine made; what passes is often taken again on purpose."""
    chart = patient().add(
        "MedicationRequest", status="stopped", intent="order", subject={"reference": "Patient/p1"},
        medicationCodeableConcept={"text": medicine}, statusReason={"text": why},
    )  # fmt: skip
    found = first(findings("drug-safety", chart.draft(medicine, "once daily")), "stopped/")
    assert (found.severity.name if found else None) == severity


def test_a_patch_in_place_of_another_opioid_is_a_change_of_opioid(findings):
    """Who is used to opioids has the old order ended in the same minute."""
    chart = patient().medicine("7052", "morphine 60 mg").draft("Fentanyl 25 mcg/hr patch", "every 72 hours")
    chart.drafts[-1]["priorPrescription"] = {"reference": f"MedicationRequest/{chart.rows[-1]['id']}"}
    assert first(findings("drug-safety", chart), "opioid-tolerance") is None
    ended = patient().medicine("7052", "morphine 60 mg").draft("Fentanyl 25 mcg/hr patch", "every 72 hours")
    ended.rows[-1]["status"] = "completed"
    found = first(findings("drug-safety", ended), "opioid-tolerance")
    assert found.severity.name == "INFO"
    assert "one is on record, but not on the list: is it still taken?" in ENGLISH(found.headline)
    assert found.path[1][1] == f"MedicationRequest/{ended.rows[-1]['id']}"
    ended.rows[-1]["authoredOn"] = "2019-03-01"
    assert first(findings("drug-safety", ended), "opioid-tolerance").severity.name == "WARNING"


def test_a_route_in_its_own_member_makes_fentanyl_a_patch(findings):
    """Structured orders say "transdermal" nowhere else; an infusion of morphine is a dose given, and on no list."""
    chart = patient().draft("Fentanyl 25 mcg/hr", "every 72 hours", route={"text": "Transdermal"})
    assert first(findings("drug-safety", chart), "opioid-tolerance").severity.name == "WARNING"
    chart.add(
        "MedicationAdministration", status="in-progress", subject={"reference": "Patient/p1"},
        effectiveDateTime="2026-10-31T00:00:00Z", medicationCodeableConcept={"text": "Morphine 5 mg/h infusion"},
    )  # fmt: skip
    assert first(findings("drug-safety", chart), "opioid-tolerance").severity.name == "INFO"


def test_a_correction_scale_beside_a_mixture_is_no_mix_up(findings):
    """Wards order it beside the insulin from home; without these words it may be meant instead."""
    chart = patient().problem(DIABETES).medicine("0", "Humulin 70/30").draft("Humulin R 100 units/mL", "sliding scale")
    assert "ordered as" not in ENGLISH(first(findings("drug-safety", chart), "insulin").headline)
    chart.drafts[-1]["dosageInstruction"] = [{"text": "10 units twice daily"}]
    assert "ordered as U-100" in ENGLISH(first(findings("drug-safety", chart), "insulin").headline)


def often(times, mg, unit="mg", **more):
    repeat = {"frequency": times, "period": 1, "periodUnit": "d", **more.pop("repeat", {})}
    dose = [{"doseQuantity": {"value": mg, "unit": unit, "code": unit}}]
    return {"timing": {"repeat": repeat}, "doseAndRate": dose, **more}


FOUR_GRAMS = {"numerator": {"value": 4, "code": "g"}, "denominator": {"value": 24, "code": "h"}}
HALF_TO_WHOLE = [{"doseRange": {"low": {"value": 500, "code": "mg"}, "high": {"value": 1000, "code": "mg"}}}]


@pytest.mark.parametrize(
    ("age", "name", "dosage", "structured", "said"),
    [
        (50, "Naproxen sodium 550 mg tablet", "one tablet three times daily", {}, None),
        (50, "Naproxen 550 mg tablet", "one tablet three times daily", {}, "WARNING 1650 of 1500"),
        (50, "Metoclopramide 10 mg tablet", None, often(4, 15), None),
        (50, "Metoclopramide injection", "140 mg IV", often(12, 140), None),
        (50, "Metoclopramide 10 mg tablet", None, often(4, 20), "WARNING 80 of 60"),
        (50, "Metformin 1000 mg tablet", "three times daily", {}, None),
        (50, "Bupropion hydrobromide 522 mg tablet", "once daily", {}, None),
        (50, "Bupropion XL 300 mg tablet", "twice daily", {}, "WARNING 600 of 450"),
        (50, "Meloxicam 30 mg injection", "IV once daily", {}, None),
        (50, "Meloxicam 15 mg tablet", "twice daily", {}, "WARNING 30 of 15"),
        (50, "Ketorolac 30 mg injection", "IV every 6 hours", {}, None),
        (66, "Ketorolac 30 mg injection", "IV every 6 hours", {}, "WARNING 120 of 60"),
        (50, "Ketorolac 10 mg tablet", "2 tablets every 6 hours", {}, "WARNING 80 of 40"),
        (50, "Digoxin injection", None, often(4, 250, "ug", repeat={"count": 3}), None),
        (80, "Digoxin 0.25 mg injection", "every 6 hours for 2 doses", {}, None),
        (80, "Digoxin 2.5 mg", "once daily", {}, "WARNING 2.5 of 0.5"),
        (80, "Tramadol 50 mg tablet", None, often(4, 150), "WARNING 600 of 400"),
        (50, "Acetaminophen 500 mg tablet", "2 tablets every 4 hours as needed, max 4 g per day", {}, None),
        (50, "Acetaminophen 500 mg tablet", "1000 mg every 4 hours prn. Do not exceed 3,000 mg in 24 hours", {}, None),
        (50, "Acetaminophen 500 mg tablet", "2 tablets every 4 hours, max 8 tablets daily", {}, None),
        (50, "Acetaminophen 500 mg", None, often(6, 1000, asNeededBoolean=True, maxDosePerPeriod=FOUR_GRAMS), None),
        (50, "Acetaminophen 500 mg", None, often(6, 1000, maxDosePerPeriod=[FOUR_GRAMS]), None),
        (50, "Acetaminophen 500 mg tablet", "2 tablets every 4 hours, max 5 g/day", {}, "WARNING 5000 of 4000"),
        (50, "Acetaminophen 500 mg tablet", "3 tablets every 4 hours, max 5,000 mg/day", {}, "WARNING 5000 of 4000"),
        (50, "Acetaminophen 500 mg tablet", "1000 mg every 4 hours", {}, "WARNING 6000 of 4000"),
        (50, "Acetaminophen 1,000 mg tablet", "every 4 hours", {}, "WARNING 6000 of 4000"),
        (50, "Acetaminophen 500 mg tablet", "1 to 2 tablets every 4 hours as needed", {}, "WARNING 6000 of 4000"),
        (50, "Acetaminophen", None, often(6, 1) | {"doseAndRate": HALF_TO_WHOLE}, "WARNING 6000 of 4000"),
    ],
)  # fmt: skip
def test_a_highest_dose_is_that_of_the_form_the_age_and_the_order(findings, age, name, dosage, structured, said):
    """A salt, a route, a loading dose and the order's own limit are no excess; tenfold in old age is no trifle."""
    found = first(findings("drug-safety", patient(age).draft(name, dosage, **structured)), "dose/")
    shown = None
    if found is not None:
        values = found.headline.values
        shown = f"{found.severity.name} {values['dose']} of {values['most']}"
    assert shown == said


def test_a_suppository_instead_of_a_tablet_is_no_double_dose(findings):
    """Order sets have both as needed; only one is given."""
    chart = patient().draft("Acetaminophen 650 mg tablet", "every 6 hours as needed for fever")
    chart.draft("Acetaminophen 650 mg suppository", "every 6 hours as needed if unable to swallow")
    found = first(findings("drug-safety", chart), "dose/")
    assert found.severity.name == "INFO"
    assert "5200 mg a day if all orders here are taken in full" in ENGLISH(found.headline)
    for row in chart.drafts:
        row["dosageInstruction"] = [{"text": "every 6 hours"}]
    assert first(findings("drug-safety", chart), "dose/").severity.name == "WARNING"


def test_a_first_week_without_an_end_is_not_summed_for_sure_with_what_follows(findings):
    """The first order of a change is often left open; the second tells its day."""
    chart = patient().draft("Apixaban 5 mg", **often(2, 10))
    chart.draft("Apixaban 5 mg", **often(2, 5, repeat={"boundsPeriod": {"start": "2026-11-08"}}))
    assert first(findings("drug-safety", chart), "dose/").severity.name == "INFO"


@pytest.mark.parametrize(
    ("dosage", "speaks"),
    [
        ("6 tablets daily for 4 weeks", True),
        ("take 6 (six) tablets 1 (one) time daily for 1 week", True),
        ("6 tablets once a week", False),
        ("6 tablets once weekly for 12 weeks", False),
    ],
)
def test_how_long_methotrexate_is_taken_is_not_how_often(findings, dosage, speaks):
    """A month of daily doses was silent, as its duration was taken for "weekly"."""
    found = findings("drug-safety", patient().draft("Methotrexate 2.5 mg tablet", dosage))
    assert (first(found, "methotrexate/daily") is not None) == speaks


def test_a_reason_of_a_whole_page_is_read_at_once():
    """Its first words count; the patterns would go through each of them to the end, for seconds."""
    began = time.process_time()
    assert harm_of(frozenset(), "rash treatment " * 5000) is not None
    assert time.process_time() - began < 1
