"""Orders of usual care that the rules about high-alert orders must leave alone, and near ones that they must not."""

import pytest
from charts import Chart

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
    assert "the one on record was ended: until when was it taken?" in ENGLISH(found.headline)
    assert found.path[1][1] == f"MedicationRequest/{ended.rows[-1]['id']}"
