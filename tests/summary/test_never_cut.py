"""Each fact that a hook must tell, planted among a thousand resources: from prefetch to the shortest summary."""

from datetime import datetime, timedelta
from functools import cache

import answers
import orjson
import pytest
from records import concept, problem, result, row

from cds_service import hook_needs, needs
from cds_service.app import create_pipeline
from cds_service.clock import FixedClock
from cds_service.findings import RiskFinding
from cds_service.language import words
from cds_service.protocol.request import decode
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Settings
from cds_service.summary.template import summarise

STAY = datetime.fromisoformat("2026-10-25T10:00:00+00:00")
VITALS = {"8480-6": "mm[Hg]", "8867-4": "/min", "9279-1": "/min", "59408-5": "%", "8310-5": "Cel"}
CRITICAL = [
    {"coding": [{"code": "HH", "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"}]}
]


def ago(days):
    return (AS_OF - timedelta(days=days)).isoformat()


def medicine(id_, name, days, status="active", **members):
    return row("MedicationRequest", id_, status=status, intent="order", medicationCodeableConcept=concept(None, name),
               authoredOn=ago(days), **members)  # fmt: skip


def answer(id_, loinc, code, text, days):
    return row("Observation", id_, status="final", code=concept(loinc, None, "http://loinc.org"),
               effectiveDateTime=ago(days), valueCodeableConcept=concept(code, text))  # fmt: skip


def crowd():
    """A thousand rows of every kind that a service asks for, most of them abnormal and of this year."""
    high = [{"high": {"value": 1}}]
    rows = [problem(f"p{n}", str(5000 + n), f"Problem {n}", onsetDateTime=ago(400 + n)) for n in range(120)]
    rows += [medicine(f"m{n}", f"Medicine{chr(97 + n % 26)}{chr(97 + n // 26)} 5 mg", 500 + n) for n in range(60)]
    rows += [medicine(f"x{n}", f"Formerly{chr(97 + n % 26)}{chr(97 + n // 26)} 5 mg", 900 + n, "completed",
                      meta={"lastUpdated": ago(800 + n)}) for n in range(100)]  # fmt: skip
    tests = (
        ("4548-4", "HbA1c", "%"),
        ("1742-6", "ALT", "U/L"),
        ("13457-7", "LDL", "mg/dL"),
        ("2085-9", "HDL", "mg/dL"),
    )
    rows += [result(f"o{n}", 9 + n % 7, code=tests[n % 4][0], name=tests[n % 4][1], unit=tests[n % 4][2], ago=40 + n,
                    referenceRange=high) for n in range(420)]  # fmt: skip
    rows += [row("Procedure", f"d{n}", status="completed", code=concept(str(7000 + n), f"Procedure {n}"),
                 performedDateTime=ago(100 + n)) for n in range(120)]  # fmt: skip
    rows += [row("Encounter", f"e{n}", status="finished", **{"class": {"code": "AMB"}},
                 period={"start": ago(20 + 10 * n), "end": ago(20 + 10 * n)}) for n in range(60)]  # fmt: skip
    rows += [row("Immunization", f"i{n}", status="completed", vaccineCode=concept(str(n), f"Vaccine {n}"),
                 occurrenceDateTime=ago(300 + n)) for n in range(60)]  # fmt: skip
    return rows


ALWAYS = (
    row("AllergyIntolerance", "al", code=concept("91936005", "Penicillin"), criticality="high"),
    answer("dir", "75320-2", None, "Do not resuscitate", 700),
    answer("pr", "82810-3", "77386006", "Pregnant", 90),
    medicine("ac", "Warfarin 5 mg", 900),
    result("k", 6.9, code="2823-3", name="Potassium", unit="mmol/L", ago=3, interpretation=CRITICAL),
    row("Encounter", "stay", status="in-progress", **{"class": {"code": "IMP"}}, period={"start": STAY.isoformat()}),
)  # fmt: skip
ALWAYS_TOLD = ("AllergyIntolerance/al", "Observation/dir", "Observation/pr", "MedicationRequest/ac", "Observation/k")
AT_HOOKS = {
    "encounter-start": (
        (
            medicine("home", "Bisoprolol 5 mg", 700),
            result("cr", 0.9, ago=200), result("cr2", 1.0, ago=1),
            result("hb", 13.1, code="718-7", name="Hemoglobin", unit="g/dL", ago=200),
            row("Device", "pm", type=concept(None, "Pacemaker")),
            row("Flag", "iso", status="active", code=concept(None, "Contact isolation: MRSA")),
        ),
        ("MedicationRequest/home", "Observation/cr", "Observation/cr2", "Observation/hb", "Device/pm", "Flag/iso"),
    ),
    "encounter-discharge": (
        (
            medicine("new", "Spironolactone 25 mg", 3),
            medicine("old", "Ibuprofen 200 mg", 2000, "stopped", meta={"lastUpdated": ago(5)}),
            medicine("was", "Furosemide 40 mg", 2000, "stopped", meta={"lastUpdated": ago(4)},
                     dosageInstruction=[{"text": "1 tablet every morning"}]),
            medicine("is", "Furosemide 40 mg", 4, dosageInstruction=[{"text": "2 tablets every morning"}]),
            medicine("hold", "Lisinopril 10 mg", 1500, "on-hold"),
            row("ServiceRequest", "sr", status="active", intent="order", code=concept(None, "Blood culture"),
                authoredOn=ago(1)),
            row("ServiceRequest", "fu", status="active", intent="order", code=concept(None, "Referral to cardiology"),
                authoredOn=ago(1)),
            row("DiagnosticReport", "dr", status="preliminary", code=concept(None, "Histology"),
                effectiveDateTime=ago(2)),
            row("CarePlan", "cp", status="active", intent="plan", title="Heart failure nurse"),
            {"resourceType": "Appointment", "id": "ap", "status": "booked", "description": "Clinic", "start": ago(-9),
             "participant": [{"actor": {"reference": "Practitioner/x"}}, {"actor": {"reference": "Patient/p1"}}]},
            row("Encounter", "next", status="planned", **{"class": {"code": "AMB"}}, period={"start": ago(-20)}),
            *(result(f"v{n}", 50 + n, code=code, name="", unit=unit, ago=0.1)
              for n, (code, unit) in enumerate(VITALS.items())),
        ),
        ("MedicationRequest/new", "MedicationRequest/old", "MedicationRequest/was", "MedicationRequest/is",
         "MedicationRequest/hold", "ServiceRequest/sr", "ServiceRequest/fu", "DiagnosticReport/dr", "CarePlan/cp",
         "Appointment/ap", "Encounter/next", *(f"Observation/v{n}" for n in range(len(VITALS)))),
    ),
    "patient-view": (
        (
            problem("gout", "5", "Gout", onsetDateTime=ago(10)),
            row("Goal", "g", lifecycleStatus="active", description=concept(None, "HbA1c below 7%"),
                target=[{"dueDate": ago(40)[:10]}]),
        ),
        ("Condition/gout", "Goal/g"),
    ),
}  # fmt: skip
ORDERS = (
    (
        result("eg", 44, code="98979-8", name="eGFR", unit="mL/min/{1.73_m2}", ago=20),
        result("qt", 478, code="8634-8", name="QTc", unit="ms", ago=20),
        result("w", 71.5, code="29463-7", name="Body weight", unit="kg", ago=20),
        {**medicine("draft", "Gabapentin", 0, "draft"), "authoredOn": AS_OF.isoformat()},
    ),
    ("Observation/eg", "Observation/qt", "Observation/w", "Observation/k", "MedicationRequest/draft"),
)
AT_HOOKS |= dict.fromkeys(("order-select", "order-sign", "medication-refill", "medication-verify"), ORDERS)


@cache
def pipeline():
    return create_pipeline(Settings(), FixedClock(AS_OF), None, answers.loaded())


@cache
def decided(service_id):
    """The decision of a service about the crowded record with all that its hook must tell."""
    entry = next(e for e in pipeline().discovery()["services"] if e["id"] == service_id)
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-01"}
    rows = [patient, *crowd(), *ALWAYS, *AT_HOOKS[entry["hook"]][0]]
    assert len(rows) > 940
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in rows]}
    request = orjson.dumps(request_for(entry, bundle, encounter_id="stay"))
    desk = pipeline().desk(service_id)
    return pipeline().assess(desk, decode(request, keys=desk.needs)), entry["hook"]


def told(service_id, max_lines=0):
    decision, hook = decided(service_id)
    service = pipeline().desk(service_id).service
    case = decision.case
    lines = summarise(case.context, case.values, decision.findings, service.summary, shown=service.shown,
                      max_lines=max_lines).lines  # fmt: skip
    return lines, hook, decision.findings


SERVICES = tuple(answers.loaded().services)


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_hook_must_tell_is_asked_for_and_told_in_the_shortest_summary(service):
    """Allergies, code status, pregnancy, anticoagulants, critical results; and what the moment needs."""
    lines, hook, _ = told(service)
    cited = {reference for line in lines for reference in line.references}
    wanted = {*ALWAYS_TOLD, *AT_HOOKS[hook][1]}
    assert wanted - cited == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_measurements_that_moved_an_estimate_most_are_told_in_the_shortest_summary(service):
    """The three with the largest contributions to the first estimate of each finding, be they normal."""
    lines, _, findings = told(service)
    cited = {reference for line in lines for reference in line.references}
    for finding in findings:
        if isinstance(finding, RiskFinding) and isinstance(finding.result, tuple) and not finding.quiet:
            parts = sorted(finding.result[0].explanation.contributions, key=lambda c: -abs(c.amount))[:3]
            measured = [part for part in parts if part.sources and part.sources[0].startswith("Observation/")]
            assert all(cited.intersection(part.sources) for part in measured)


def test_an_ehr_without_appointments_is_told_from_one_where_none_is_booked():
    """The key is optional; the card says what is not available, and no line says that nothing is booked."""
    entry = next(e for e in pipeline().discovery()["services"] if e["id"] == "transition-of-care")
    desk = pipeline().desk("transition-of-care")
    details = {}
    for known in (True, False):
        request = request_for(entry, answers.bundle("going-home"))
        if not known:
            del request["prefetch"]["appointments"]
        (card,) = pipeline().assess(desk, decode(orjson.dumps(request), keys=desk.needs)).response.cards
        details[known] = card.detail
    assert "No appointment is booked" in details[True]
    assert "Not available" not in details[True]
    assert "No appointment is booked" not in details[False]
    assert "**Not available:** appointments (not sent by the EHR)" in details[False]


def test_what_only_a_summary_needs_is_never_required():
    """No call is refused for want of it, and rows of a part of a list are no whole list."""
    told = hook_needs.KEYS - needs.KEYS
    found = [(key, need) for service in SERVICES for key, need in pipeline().desk(service).needs.items() if key in told]
    assert {key for key, _ in found} == told
    assert not any(need.required for _, need in found)
    assert {key for key, need in found if need.part} == {"endedMedications", "unfinishedReports"}


def test_most_of_the_crowd_is_cut():
    """So that the tests above show something."""
    lines, _, _ = told("transition-of-care", max_lines=12)
    assert len(lines) < 40


def test_every_hook_of_a_service_has_its_list():
    """A new hook must say what its summaries need."""
    assert {service.hook for service in answers.loaded().services.values()} <= set(AT_HOOKS)
    assert all(hook_needs.of(hook).latest for hook in AT_HOOKS)


@pytest.mark.parametrize(("language", "wanted"), [
    ("en", ("Furosemide 40 mg: 2 tablets every morning, dose changed in this stay, 28 Oct 2026; "
            "before: Furosemide 40 mg: 1 tablet every morning",
            "Spironolactone 25 mg, new in this stay, 29 Oct 2026",
            "Ibuprofen 200 mg: stopped, entry last changed 27 Oct 2026, prescribed 11 May 2021",
            "Lisinopril 10 mg: on hold, prescribed 23 Sep 2022",
            "Clinic: appointment on 10 Nov 2026")),
    ("zh_Hans", ("Furosemide 40 mg：2 tablets every morning，本次住院期间剂量已调整，2026年10月28日；"
                 "此前：Furosemide 40 mg：1 tablet every morning",
                 "Spironolactone 25 mg，本次住院新开，2026年10月29日",
                 "Ibuprofen 200 mg：已停用，记录最后更改于2026年10月27日，处方于2021年5月11日",
                 "Lisinopril 10 mg：暂停，处方于2022年9月23日",
                 "Clinic：预约于2026年11月10日")),
])  # fmt: skip
def test_what_became_of_each_medicine_and_what_comes_next_is_said_in_words(language, wanted):
    """At the end of a stay, in both languages."""
    lines = [words(language)(line.text) for line in told("transition-of-care")[0]]
    assert [text for text in wanted if text not in lines] == []
