"""What no summary may leave out, hook by hook, in English and Chinese, in a record that is far too long for it."""

from datetime import timedelta

import pytest
from records import NOW, concept, problem, record, result, row

from cds_service.features.feature import FeatureValues
from cds_service.fhir.context import ClinicalContext
from cds_service.language import words
from cds_service.summary.template import MAX_LINES, summarise

ORDER = ("problem", "result", "trend")
NOTHING = FeatureValues(NOW, {})
RANGE = [{"high": {"value": 1.2}}]
CRITICAL = [
    {"coding": [{"code": "HH", "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"}]}
]


def ago(days):
    return (NOW - timedelta(days=days)).isoformat()


def medicine(id_, name, days=400, **members):
    return row("MedicationRequest", id_, status=members.pop("status", "active"), intent="order",
               medicationCodeableConcept=concept(None, name), authoredOn=ago(days), **members)  # fmt: skip


LONG = (
    *(problem(f"p{n}", str(1000 + n), f"Problem {n}", onsetDateTime=f"20{n:02}-01-01") for n in range(1, 25)),
    *(result(f"r{n}", 9, code=f"{1000 + n}-1", name=f"Test {n}", ago=200, referenceRange=RANGE) for n in range(20)),
    row("Encounter", "v", status="finished", **{"class": {"code": "AMB"}},
        period={"start": ago(30), "end": ago(30)}, type=[concept(None, "Check up")]),
    row("AllergyIntolerance", "a", code=concept("91936005", "Penicillin"), criticality="high",
        reaction=[{"manifestation": [concept(None, "Hives")], "severity": "severe"}]),
    problem("preg", "77386006", "Pregnancy", onsetDateTime=ago(100)),
    problem("dnr", "304253006", "Not for resuscitation", onsetDateTime=ago(60)),
    medicine("war", "Warfarin"),
    result("k", 6.9, code="2823-3", name="Potassium", unit="mmol/L", ago=3, interpretation=CRITICAL),
)  # fmt: skip
ALWAYS = {
    "en": ("Penicillin: Hives, severe, high criticality", "Not for resuscitation", "Pregnancy", "Warfarin", "6.9"),
    "zh_Hans": ("Penicillin", "Not for resuscitation", "Pregnancy", "Warfarin", "6.9", "严重"),
}
HOOKS = {
    "encounter-start": (
        (
            medicine("home", "Bisoprolol 5 mg"),
            result("cr", 0.9, ago=200),
            result("hb", 13.1, code="718-7", name="Hemoglobin", unit="g/dL", ago=200),
            row("DeviceUseStatement", "dv", status="active", device={"reference": "Device/pm"}),
            row("Device", "pm", type=concept(None, "Pacemaker"), patient={"reference": "Patient/p1"}),
            problem("inf", "3", "MRSA colonisation, infected wound", onsetDateTime="2026-09-01"),
        ),
        ("Bisoprolol 5 mg", "0.9", "13.1", "Pacemaker", "MRSA"),
    ),
    "order-sign": (
        (
            result("eg", 44, code="98979-8", name="eGFR", unit="mL/min/{1.73_m2}", ago=20),
            result("qt", 478, code="8634-8", name="QTc", unit="ms", ago=20),
            result("w", 71.5, code="29463-7", name="Body weight", unit="kg", ago=20),
        ),
        ("44", "478", "71.5", "Gabapentin", "300 mg three times daily"),
    ),
    "encounter-discharge": (
        (
            medicine("new", "Apixaban 5 mg", days=2),
            row("ServiceRequest", "sr", status="active", intent="order", code=concept(None, "Blood culture"),
                authoredOn=ago(1)),
            row("DiagnosticReport", "dr", status="preliminary", code=concept(None, "Histology"),
                effectiveDateTime=ago(2)),
            row("CarePlan", "cp", status="active", intent="plan", title="Visit of the heart failure nurse"),
            result("p", 88, code="8867-4", name="Heart rate", unit="/min", ago=0),
        ),
        ("Apixaban 5 mg", "Blood culture", "Histology", "Visit of the heart failure nurse", "88"),
    ),
    "patient-view": (
        (
            problem("new", "5", "Gout", onsetDateTime=ago(10)),
            row("Goal", "g", lifecycleStatus="active", description=concept(None, "HbA1c below 7%"),
                target=[{"dueDate": ago(40)[:10]}]),
        ),
        ("Gout", "HbA1c below 7%"),
    ),
}  # fmt: skip


def told(hook, rows, language, beside=LONG):
    """The lines of a long record at a hook, in one language."""
    kept = record(*beside, *rows)
    drafts = ()
    if hook == "order-sign":
        (drafts,) = (record(medicine("draft", "Gabapentin", dosageInstruction=[
            {"text": "300 mg three times daily"}])).every(),)  # fmt: skip
        drafts = tuple(one for one in drafts if type(one).__name__ == "MedicationRequest")
    context = ClinicalContext(kept, hook, None, None, None, drafts, NOW)
    return [words(language)(fact.text) for fact in summarise(context, NOTHING, (), ORDER).lines]


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
@pytest.mark.parametrize("hook", HOOKS)
def test_no_summary_loses_what_the_hook_must_have(hook, language):
    """Always allergies, code status, pregnancy, anticoagulants and critical results; and what the moment needs."""
    rows, wanted = HOOKS[hook]
    lines = told(hook, rows, language)
    missing = [text for text in (*ALWAYS[language], *wanted) if not any(text in line for line in lines)]
    assert missing == []


@pytest.mark.parametrize("hook", HOOKS)
def test_what_the_hook_does_not_need_is_cut(hook):
    """So that the test above shows something: most of the long record is not told."""
    lines = told(hook, HOOKS[hook][0], "en")
    assert len(lines) < len(LONG)
    assert sum(line.startswith(("Problem ", "Test ")) for line in lines) <= MAX_LINES


def test_an_overdue_goal_and_an_unfinished_report_say_so():
    """In words, with the day."""
    (line,) = [x for x in told("patient-view", HOOKS["patient-view"][0], "en") if "HbA1c" in x]
    assert line == "HbA1c below 7%: due 22 Sep 2026, overdue"
    assert any("Histology: the report is not final" in x
               for x in told("encounter-discharge", HOOKS["encounter-discharge"][0], "en"))  # fmt: skip


CANCER = (
    problem("c", "254837009", "Breast cancer", onsetDateTime="2026-02-01",
            stage=[{"summary": {"coding": [{"system": "http://cancerstaging.org", "code": "IIA"}]}}]),
    *(row("Observation", f"o{n}", status="final", code=concept(code, None, "http://loinc.org"),
          effectiveDateTime="2026-02-03", valueCodeableConcept=concept(None, value))
      for n, (code, value) in enumerate((
          ("21908-9", "Stage 2A (qualifier value)"), ("21905-5", "T2 category (finding)"),
          ("21906-3", "N0 category (finding)"), ("21907-1", "M0 category (finding)"),
          ("16112-5", "Positive (qualifier value)"), ("48676-1", "Negative (qualifier value)")))),
)  # fmt: skip


def test_stage_tnm_and_receptors_are_lines_of_their_own():
    """From Condition.stage and mCODE's Observations, each citing what says so."""
    lines = told("patient-view", CANCER, "en", ())
    assert "Breast cancer: stage IIA, since 1 Feb 2026" in lines
    assert "Stage, clinical: Stage 2A, 3 Feb 2026" in lines
    assert "TNM, clinical: T2, N0, M0, 3 Feb 2026" in lines
    assert "Oestrogen receptor: Positive, 3 Feb 2026" in lines
    assert "HER2: Negative, 3 Feb 2026" in lines
