"""Orders that hospital pharmacists fear: wrong routes, opioids for who is not used to them, contrast with metformin."""

import pytest
from charts import SNOMED, Chart

from cds_service.drug_findings import too_much
from cds_service.knowledge.daily_most import ROWS
from cds_service.knowledge.library import base
from cds_service.language import ENGLISH

REFLUX, DIABETES, HEART_FAILURE = "235595009", "44054006", "84114007"
SERVICE = "drug-safety"


@pytest.mark.parametrize(
    ("name", "dosage", "rule"),
    [
        ("VinCRIStine 2 mg intrathecal", None, "vinca-spinal"),
        ("Vincristine 2 mg", "2 mg IT once", "vinca-spinal"),
        ("Vincristine 2 mg", "IV over 10 minutes; fatal if given intrathecally", None),
        ("VinCRIStine 2 mg minibag - NOT for intrathecal use", "IV", None),
        ("Vincristine 2 mg", "give it IV weekly", None),
        ("VINCRISTINE 2 MG", "DILUTE AND GIVE IT IV WEEKLY", None),
        ("Vinorelbine 40 mg", "intrathecal", "vinca-spinal"),
        ("长春瑞滨 40 mg", "鞘内注射", "vinca-spinal"),
        ("Bortezomib 2.5 mg", "intrathecal", "bortezomib-spinal"),
        ("Methotrexate 12 mg intrathecal", None, None),
        ("Potassium chloride 40 mEq", "IV push", "potassium-push"),
        ("Potassium chloride 20 mEq in 100 mL", "IV over 2 hours, never IV push", None),
        ("Potassium chloride 20 mEq tablet", "by mouth", None),
        ("Bicillin L-A 1.2 million units", "IV once", "depot-penicillin-vein"),
        ("Bicillin L-A 1.2 million units", "IM once", None),
        ("Penicillin G potassium 4 million units", "IV every 4 hours", None),
        ("Promethazine 25 mg", "subcutaneous every 6 hours", "promethazine-skin"),
    ],
)
def test_a_deadly_route_is_critical_and_a_forbidden_one_is_not_taken_for_ordered(ask, name, dosage, rule):
    """Labels forbid the fatal route in words; only what is ordered counts."""
    found = ask(SERVICE, Chart(40).problem(REFLUX).draft(name, dosage)).finding("drug-safety/route/")
    assert (found.key if found else None) == (f"drug-safety/route/{rule}" if rule else None)
    if found:
        assert found.severity.name == "CRITICAL"
        assert [p.resource_id for p in found.proposals] == ["MedicationRequest/draft-1"]


def test_a_deadly_route_is_read_from_its_code(ask):
    """Structured orders have the route nowhere else."""
    route = {"coding": [{"system": SNOMED, "code": "72607000"}]}
    chart = Chart(10).problem("93143009").draft("Vincristine 1.5 mg", "once", route=route)
    assert ask(SERVICE, chart).finding("drug-safety/route/vinca-spinal") is not None


@pytest.mark.parametrize(
    ("taken", "draft", "severity"),
    [
        ((), "Fentanyl 50 mcg/hr transdermal patch", "WARNING"),
        ((("7052", "morphine 30 mg"),), "Fentanyl 50 mcg/hr transdermal patch", None),
        ((("4337", "fentanyl 25 mcg/hr patch"),), "Fentanyl 50 mcg/hr transdermal patch", None),
        ((("6809", "metformin"),), "Fentanyl 50 mcg/hr transdermal patch", "WARNING"),
        ((("99999999", "Study drug K-17"),), "Fentanyl 50 mcg/hr transdermal patch", "INFO"),
        ((("10689", "tramadol 50 mg"),), "Fentanyl 50 mcg/hr transdermal patch", "INFO"),
        ((("1819", "buprenorphine patch"),), "Fentanyl 50 mcg/hr transdermal patch", None),
        ((), "Fentanyl 50 mcg IV while the patch is off", None),
        ((), "Fentanyl 50 mcg injection", None),
    ],
)
def test_a_fentanyl_patch_is_for_who_is_used_to_opioids(ask, taken, draft, severity):
    """The list shows the tolerance, or that there is none, or does not tell."""
    chart = Chart(80).problem(REFLUX)
    for code, text in taken:
        chart.medicine(code, text)
    found = ask(SERVICE, chart.draft(draft, "every 72 hours")).finding("drug-safety/opioid-tolerance")
    assert (found.severity.name if found else None) == severity


@pytest.mark.parametrize(
    ("creatinine", "problem", "name", "severity"),
    [
        (0.9, REFLUX, "Iohexol 350 mg/mL IV contrast", None),
        (0.9, HEART_FAILURE, "Iohexol 350 mg/mL IV contrast", "INFO"),
        (0.9, REFLUX, "Iohexol for coronary angiography", "INFO"),
        (1.6, REFLUX, "Iohexol 350 mg/mL IV contrast", "INFO"),
        (2.8, REFLUX, "Iohexol 350 mg/mL IV contrast", "WARNING"),
        (None, REFLUX, "Iohexol 350 mg/mL IV contrast", "INFO"),
    ],
)
def test_contrast_beside_metformin_goes_by_the_kidney(ask, creatinine, problem, name, severity):
    """A card for every scan of a healthy kidney taught to click it away; below 30 it was as quiet."""
    chart = Chart(60).problem(DIABETES).problem(problem).medicine("6809", "metformin 500 mg").draft(name)
    if creatinine is not None:
        chart.measured(creatinine=creatinine, weight=80)
    found = ask(SERVICE, chart).finding("drug-safety/iohexol+metformin")
    assert (found.severity.name if found else None) == severity


def test_another_opioid_is_named_and_not_drafted_by_a_button(ask):
    """Doses of opioids are converted by hand: one click from morphine to fentanyl has killed."""
    chart = (
        Chart(65)
        .problem("431857002")
        .measured(creatinine=5, weight=70)
        .draft("Morphine 15 mg tablet", "four times daily")
    )
    answer = ask(SERVICE, chart)
    assert "fentanyl" in ENGLISH(answer.finding("drug-safety/morphine/test/egfr").advice)
    assert not any("to fentanyl" in label or "to buprenorphine" in label for label in answer.suggestions)


def test_what_must_not_be_given_needs_no_creatinine(ask):
    """Codeine is contraindicated in a child whatever the kidney does."""
    answer = ask(SERVICE, Chart(10).problem(REFLUX).draft("Codeine 15 mg tablet", "four times daily"))
    assert answer.finding("drug-safety/codeine/test/age").severity.name == "CRITICAL"
    assert answer.finding("drug-safety/kidney-unknown") is None


def test_two_oral_anticoagulants_tell_at_which_inr_the_change_is(ask):
    """The day of the change is a number, and each label has its own."""
    chart = Chart(75).problem("49436004").medicine("11289", "warfarin 5 mg").draft("Apixaban 5 mg tablet")
    assert "INR is below 2" in ENGLISH(ask(SERVICE, chart).finding("drug-safety/apixaban+warfarin").advice)


def daily(mg, times, **more):
    repeat = {"frequency": times, "period": 1, "periodUnit": "d"}
    return {
        "timing": {"repeat": repeat},
        "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg", "code": "mg"}}],
        **more,
    }


@pytest.mark.parametrize(
    ("age", "name", "dosage", "structured", "said"),
    [
        (50, "Acetaminophen 500 mg tablet", "2 tablets every 4 hours as needed for pain", {},
         "Acetaminophen 6000 mg a day ordered: 4000 mg is the highest daily dose"),
        (50, "Acetaminophen 1000 mg", None, daily(1000, 5, asNeededBoolean=True),
         "Acetaminophen 5000 mg a day ordered: 4000 mg is the highest daily dose"),
        (50, "Acetaminophen 500 mg tablet", "2 tablets every 6 hours", {}, None),
        (8, "Acetaminophen 500 mg tablet", "2 tablets every 4 hours", {}, None),
        (50, "Citalopram 40 mg tablet", "once daily", {}, None),
        (66, "Citalopram 40 mg tablet", "once daily", {},
         "Citalopram 40 mg a day ordered: from 61 years on 20 mg is the highest daily dose"),
        (66, "Digoxin 250 mcg tablet", "once daily", {},
         "Digoxin 0.25 mg a day ordered: from 65 years on 0.125 mg is the highest daily dose"),
        (50, "Apixaban 5 mg tablet", None, daily(50, 2),
         "Apixaban 100 mg a day ordered: 20 mg is the highest daily dose"),
        (50, "Ibuprofen 800 mg tablet", "as directed", {}, None),
    ],
)  # fmt: skip
def test_more_than_the_highest_daily_dose_is_told(ask, age, name, dosage, structured, said):
    """Ten times too much is the slip that everyone has seen; what may be taken as needed counts in full."""
    chart = Chart(age).problem(REFLUX).draft(name, dosage, **structured)
    found = ask(SERVICE, chart).finding("drug-safety/dose/")
    assert (ENGLISH(found.headline) if found else None) == said


def test_the_highest_dose_beside_a_combination_with_it_is_too_much(ask):
    """4 g of acetaminophen leave nothing for the combination that is on the list."""
    chart = Chart(50).problem(REFLUX).draft("Acetaminophen 1000 mg tablet", **daily(1000, 4))
    assert ask(SERVICE, chart).finding("drug-safety/dose/") is None
    chart.medicine("0", "Acetaminophen 325 mg / hydrocodone 5 mg tablet")
    found = ask(SERVICE, chart).finding("drug-safety/dose/")
    assert found.severity.name == "WARNING"
    assert "the highest daily dose, and it is in another product too" in ENGLISH(found.headline)


@pytest.mark.parametrize(
    ("code", "value", "draft", "severity"),
    [
        ("10535-3", (2.8, "ng/mL"), "Digoxin 125 mcg tablet", "WARNING"),
        ("10535-3", (3.6, "nmol/L"), "Digoxin 125 mcg tablet", "WARNING"),
        ("14698-5", (3.6, "nmol/L"), "Digoxin 125 mcg tablet", "WARNING"),
        ("10535-3", (1.4, "ng/mL"), "Digoxin 125 mcg tablet", "INFO"),
        ("10535-3", (0.8, "ng/mL"), "Digoxin 125 mcg tablet", None),
        ("14334-7", (1.9, "mmol/L"), "Lithium carbonate 300 mg", "WARNING"),
        ("14334-7", (0.8, "mmol/L"), "Lithium carbonate 300 mg", None),
    ],
)
def test_a_level_in_the_toxic_range_stops_the_next_order(ask, code, value, draft, severity):
    """A level of yesterday was not looked at."""
    number, unit = value
    chart = Chart(60).problem(REFLUX).draft(draft, "once daily")
    quantity = {"value": number, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    chart.add(
        "Observation",
        status="final",
        subject={"reference": "Patient/p1"},
        effectiveDateTime="2026-10-31T08:00:00Z",
        code={"coding": [{"system": "http://loinc.org", "code": code}]},
        valueQuantity=quantity,
    )
    found = [f for f in ask(SERVICE, chart).findings if "-level" in f.key]
    assert [f.severity.name for f in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("reason", "others", "speaks"),
    [
        ({"text": "Angioedema"}, "", True),
        ({"coding": [{"code": "sintol"}]}, "", True),
        ({"text": "血管性水肿"}, "", True),
        ({"text": "Reorder"}, "", False),
        ({"text": "No side effects; changed to 20 mg"}, "", False),
        (None, "", False),
        ({"text": "Angioedema"}, "allergy", False),
        ({"text": "Angioedema"}, "taken", False),
    ],
)
def test_what_was_stopped_for_harm_is_not_ordered_again_in_silence(ask, reason, others, speaks):
    """At discharge the stopped medicine comes back from the old list; the reason stands in the entry."""
    chart = Chart(60).problem(REFLUX).add(
        "MedicationRequest", status="stopped", intent="order", subject={"reference": "Patient/p1"},
        medicationCodeableConcept={"text": "Lisinopril 10 mg"}, **({"statusReason": reason} if reason else {}),
    )  # fmt: skip
    if others == "allergy":
        chart.intolerance("lisinopril")
    elif others == "taken":
        chart.medicine("29046", "lisinopril 10 mg")
    answer = ask(SERVICE, chart.draft("Lisinopril 20 mg tablet", "once daily"))
    found = answer.finding("drug-safety/stopped/lisinopril")
    assert (found is not None) == speaks
    if found:
        assert (found.severity.name, found.path[1][1]) == ("WARNING", "MedicationRequest/medicationrequest-2")


def test_every_row_of_highest_doses_is_of_a_drug_that_an_order_names():
    """A row under a name that no dose is read by would be silent for ever."""
    terms = base().terms
    for row in ROWS:
        name = base().name(row.node)
        assert terms.medicine((), [f"{name} 10 mg tablet"]).nodes == (row.node,)
        assert row.severity in too_much.URGENCY


@pytest.mark.parametrize(
    ("taken", "draft", "said"),
    [
        ("Lantus 100 units/mL", "Toujeo 300 units/mL", "ordered as U-300, and on the medication list as U-100"),
        ("NovoLog Mix 70/30", "NovoLog 100 units/mL", "ordered as U-100, and on the medication list as 70/30"),
        ("Humulin R U-100", "Humulin R U-500", "ordered as U-500, and on the medication list as U-100"),
        ("Lantus 100 units/mL", "Lantus SoloStar U-100", "a renewal, or twice?"),
        ("Insulin glargine", "Toujeo 300 units/mL", "a renewal, or twice?"),
    ],
)
def test_an_insulin_in_another_strength_is_no_renewal(ask, taken, draft, said):
    """Five times the concentration under the same name is the mix-up that wards know."""
    chart = Chart(60).problem(DIABETES).medicine("0", taken).draft(draft, "10 units daily")
    found = next(f for f in ask(SERVICE, chart).findings if f.key.startswith("drug-safety/insulin"))
    assert said in ENGLISH(found.headline)
    assert found.severity.name == ("WARNING" if "ordered as" in said else "INFO")
