"""Borderline situations, with what a careful clinician expects of each service; the expectation was written first.

Each is one patient in a few lines: what the card must say, what it must not, or that there is none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from charts import LOINC, NOW, SNOMED, Chart

from cds_service.language import words

RECORD_UNITS = words("en", "record")
REFLUX, PREGNANT, DIABETES, INFARCTION = "235595009", "77386006", "44054006", "22298006"
FIBRILLATION, CKD, DIALYSIS, CIRRHOSIS, PNEUMONIA, FAILURE = (
    "49436004", "709044004", "265764009", "19943007", "233604007", "84114007",
)  # fmt: skip
COMFORT = ("133918004", "Comfort measures only")
LISINOPRIL = "29046"
WARD, EMERGENCY = {"encounter_class": "IMP"}, {"encounter_class": "EMER"}
FROM, TO = (f"http://terminology.hl7.org/CodeSystem/{name}" for name in ("admit-source", "discharge-disposition"))
STAY: dict[str, Any] = {
    "period": {"start": "2026-10-24T10:00:00Z"},
    "hospitalization": {"admitSource": {"coding": [{"code": "emd", "system": FROM}]}},
}


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def observed(chart: Chart, code: str, value: float | None = None, unit: str | None = None, **members: Any) -> Chart:
    """An Observation as it may come: any unit or none, any time with any offset, any status."""
    row: dict[str, Any] = {"status": "final", "subject": {"reference": "Patient/p1"}}
    row |= {"code": {"coding": [{"system": LOINC, "code": code}]}}
    row["effectiveDateTime"] = members.pop("at", (NOW - days(10)).isoformat())
    if value is not None:
        coded = {"system": "http://unitsofmeasure.org", "code": unit} if members.pop("ucum", True) and unit else {}
        row["valueQuantity"] = {"value": value, **({"unit": unit} if unit else {}), **coded}
    return chart.add("Observation", **row | members)


def listed(chart: Chart, code: str, clinical: str = "active", onset: str = "2020-01-01", **members: Any) -> Chart:
    """A Condition with a status, by SNOMED CT or, with a letter in front, by ICD-10."""
    system = SNOMED if code.isdigit() else "http://hl7.org/fhir/sid/icd-10-cm"
    row = {"subject": {"reference": "Patient/p1"}, "clinicalStatus": {"coding": [{"code": clinical}]}}
    return chart.add(
        "Condition", **row, onsetDateTime=onset, code={"coding": [{"system": system, "code": code}]}, **members
    )


def doubted(chart: Chart, code: str, verification: str) -> Chart:
    return listed(chart, code, verificationStatus={"coding": [{"code": verification}]})


def takes(chart: Chart, text: str, status: str = "active", **members: Any) -> Chart:
    row = {"status": status, "intent": "order", "subject": {"reference": "Patient/p1"}, "authoredOn": "2026-01-01"}
    return chart.add("MedicationRequest", **row | {"medicationCodeableConcept": {"text": text}} | members)


def ordered(chart: Chart, code: str | None, text: str) -> Chart:
    coding = [{"system": SNOMED, "code": code}] if code else []
    row = {"status": "active", "intent": "order", "subject": {"reference": "Patient/p1"}}
    return chart.add("ServiceRequest", **row, code={"coding": coding, "text": text})


def done(chart: Chart, text: str, on: str, **members: Any) -> Chart:
    row = {"status": "completed", "subject": {"reference": "Patient/p1"}, "performedDateTime": on}
    return chart.add("Procedure", **row, code={"text": text}, **members)


def well(age: int = 60, sex: str = "male", **measured: Any) -> Chart:
    values = {"sbp": 118, "dbp": 74, "total": 190, "hdl": 52, "creatinine": 0.9, "bmi": 25} | measured
    return Chart(age, sex).problem(REFLUX).measured(**values).smoking()


def at_risk(**measured: Any) -> Chart:
    values = {"sbp": 158, "dbp": 82, "total": 240, "hdl": 38} | measured
    return well(72, **values).medicine(LISINOPRIL)


def unborn(chart: Chart) -> Chart:
    del chart.rows[0]["birthDate"]
    return chart


def plain(age: int = 68, sex: str = "male") -> Chart:
    return Chart(age, sex).problem(REFLUX)


def fibrillating(age: int = 76) -> Chart:
    return Chart(age, "female").problem(FIBRILLATION).measured(creatinine=0.9, platelets=220)


def watched(age: int = 70, sex: str = "male", alert: bool = True, **over: Any) -> Chart:
    values = {"rr": 18, "spo2": 97, "sbp": 122, "dbp": 76, "hr": 84, "temperature": 37.0, "oxygen_flow": 0} | over
    measured = {name: value for name, value in values.items() if value is not None}
    chart = Chart(age, sex).problem(REFLUX).measured(ago=hours(1), **measured)
    return chart.alert() if alert else chart


def bedridden(age: int = 78) -> Chart:
    chart = Chart(age).problem(FAILURE, onset="2026-10-30").problem("363358000", onset="2026-08-01")
    return listed(chart, "160685001", onset="2026-10-30").measured(bmi=24, creatinine=1.0, platelets=200)


def breathless(age: int = 72, **over: Any) -> Chart:
    values = {"rr": 32, "sbp": 112, "dbp": 56, "bun": 30} | over
    chart = Chart(age).problem(PNEUMONIA, onset="2026-10-31").alert()
    return chart.measured(ago=hours(2), **{k: v for k, v in values.items() if v is not None})


def dosed(age: int = 70, sex: str = "male", cr: Any = 1.0, w: Any = 70) -> Chart:
    return plain(age, sex).measured(creatinine=cr, weight=w)


def stopping(chart: Chart) -> Chart:
    chart.drafts[0]["status"] = "stopped"
    return chart


def before_chemotherapy() -> Chart:
    chart = Chart(60).problem("363418001", onset="2026-10-10")
    return chart.measured(platelets=400, hemoglobin=12.5, wbc=8, bmi=24)


def cirrhotic(age: int = 56, **over: Any) -> Chart:
    values = {"bilirubin": 3.1, "inr": 1.8, "sodium": 130, "albumin": 2.7, "creatinine": 1.3} | over
    return Chart(age).problem(CIRRHOSIS).measured(ago=days(5), **values)


def leaving(age: int = 78) -> Chart:
    chart = Chart(age).measured(hemoglobin=10.8, sodium=131, creatinine=1.1).knows("Encounter", "Procedure")
    return chart.problem(FAILURE).problem("52448006")


def to(code: str) -> dict[str, Any]:
    return STAY | {
        "hospitalization": {
            **STAY["hospitalization"],
            "dischargeDisposition": {"coding": [{"code": code, "system": TO}]},
        }
    }


def hospice_visit(chart: Chart) -> Chart:
    kind = [{"coding": [{"system": SNOMED, "code": "305336008"}]}]
    period = {"start": "2026-10-20T08:00:00Z"}
    return chart.add("Encounter", status="in-progress", period=period, type=kind, subject={"reference": "Patient/p1"})


HEART, KIDNEY, SUGAR, ATRIUM = "cardiovascular-risk", "kidney-liver-check", "diabetes", "af-anticoagulation"
WORSE, CLOT, LUNG, DOSE = "deterioration", "vte-prophylaxis", "pneumonia-severity", "renal-dosing"
CANCER, LIVER, WELLS, HOME = "cancer-thrombosis", "cirrhosis", "suspected-thrombosis", "transition-of-care"
RISEN = plain().measured(ago=days(1), creatinine=1.0).measured(ago=hours(2), creatinine=2.5)
SURGEON = {"category": {"coding": [{"system": SNOMED, "code": "387713003"}]}}

# What the card says in parts, whatever the case; the encounter of the hook.
SPEAK: list[tuple[str, str, Chart, tuple[str, ...], dict[str, Any]]] = [
    ("lipids in SI", HEART, at_risk(total=(6.2, "mmol/L"), hdl=(0.98, "mmol/L")), ("high; no statin", "mmol/L"), {}),
    ("stage 2 pressure at 29", HEART, well(29, sbp=156, dbp=98), ("Blood pressure 156/98",), {}),
    ("pressure of a stay", HEART, well(60, sbp=172, dbp=94).stay(
        status="finished", start="2026-10-20T08:00:00Z", end="2026-10-25T08:00:00Z"),
     ("taken in hospital", "Measure blood pressure"), {}),
    ("81 years, infarction", HEART, well(81).problem(INFARCTION), ("reasonable after weighing",), {}),
    ("intolerance that is over", HEART, at_risk().add(
        "AllergyIntolerance", patient={"reference": "Patient/p1"}, code={"text": "atorvastatin"},
        clinicalStatus={"coding": [{"code": "resolved"}]}), ("no statin",), {}),
    ("not for resuscitation", HEART, ordered(at_risk(), "304253006", "Not for resuscitation"), ("no statin",), {}),
    ("sex other, infarction", HEART, well(60, "other").problem(INFARCTION), ("no statin on the medication list",), {}),
    ("ezetimibe alone", HEART, takes(well().problem(INFARCTION), "Ezetimibe 10 mg"), ("no statin",), {}),
    ("LDL 5.3 mmol/L", HEART, well().measured(ldl=(5.3, "mmol/L")), ("LDL cholesterol 5.3 mmol/L",), {}),
    ("statin on hold", HEART, takes(at_risk(), "Atorvastatin 40 mg", "on-hold"), ("on hold: Atorvastatin",), {}),
    ("statin stopped", HEART, takes(at_risk(), "Atorvastatin", "stopped", statusReason={"text": "Rhabdomyolysis"}),
     ("Stopped earlier: Atorvastatin", "Rhabdomyolysis"), {}),
    ("rise in µmol/L", KIDNEY,
     plain().measured(ago=days(1), creatinine=(88, "umol/L")).measured(ago=hours(2), creatinine=(186, "umol/L")),
     ("acute kidney injury, stage 2", "186 µmol/L"), {}),
    ("rise across offsets", KIDNEY,
     observed(observed(plain(), "2160-0", 1.0, "mg/dL", at="2026-10-31T23:30:00-05:00"), "2160-0", 1.5, "mg/dL",
              at="2026-11-01T08:00:00Z"), ("acute kidney injury, stage 1",), {}),
    ("rise in pregnancy", KIDNEY,
     Chart(31, "female").problem(PREGNANT).measured(ago=days(6), creatinine=0.5).measured(ago=hours(3), creatinine=1.1),
     ("acute kidney injury",), {}),
    ("potassium 7.1 in kidney injury", KIDNEY, plain().measured(ago=days(1), creatinine=1.0).measured(
        ago=hours(2), creatinine=2.4, potassium=7.1), ("potassium 7.1",), {}),
    ("lactate 60 mg/dL", KIDNEY, plain().measured(creatinine=0.9).medicine("6809", "Metformin").measured(
        ago=hours(3), lactate=(60, "mg/dL")), ("lactate 6.7 mmol/L", "lactic acidosis is possible"), {}),
    ("unit as text alone", KIDNEY, observed(plain(), "2160-0", 1.8, "mg/dl", ucum=False), ("eGFR",), {}),
    ("the same value twice", KIDNEY, plain().measured(creatinine=1.6).measured(creatinine=1.6), ("one value",), {}),
    ("HbA1c 48 mmol/mol", SUGAR, plain(50).measured(hba1c=(48, "mmol/mol")), ("48 mmol/mol", "range of diabetes"), {}),
    ("HbA1c above 14", SUGAR, observed(plain(50).problem(DIABETES), "4548-4", valueQuantity={
        "value": 14, "comparator": ">", "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}),
     ("HbA1c above 14.0%",), {}),
    ("fasting glucose 7.8 mmol/L", SUGAR, observed(plain(50), "1558-6", 7.8, "mmol/L"), ("Fasting glucose 7.8",), {}),
    ("remission that ended", SUGAR, listed(plain(58).measured(hba1c=6.6), DIABETES, "remission"),
     ("closed on the problem list", "remission may have ended"), {}),
    ("apixaban of the past", ATRIUM, takes(fibrillating(), "Apixaban 5 mg", "completed"), ("no anticoagulant",), {}),
    ("apixaban on hold", ATRIUM, takes(fibrillating(), "Apixaban 5 mg", "on-hold"), ("on hold: Apixaban",), {}),
    ("fibrillation closed on the list", ATRIUM,
     listed(plain(76, "female").measured(creatinine=0.9, platelets=220), FIBRILLATION, "resolved"),
     ("closed on the problem list", "goes on to decide"), {}),
    ("appendage closed", ATRIUM, done(fibrillating(), "Left atrial appendage occlusion", "2025-03-01"),
     ("appendage was closed on 1 Mar 2025",), {}),
    ("valve and apixaban", ATRIUM, takes(fibrillating().diagnosis("Z95.2"), "Eliquis"), ("mechanical heart",), {}),
    ("103.1 °F", WORSE, watched(temperature=(103.1, "[degF]"), hr=112, rr=22), ("NEWS2 6",), WARD),
    ("rate 26 alone, another offset", WORSE,
     observed(watched(rr=None), "9279-1", 26, "/min", at="2026-11-01T18:30:00+10:00"), ("3 points in one",), WARD),
    ("new confusion alone", WORSE, watched(alert=False).alert("130987000"), ("urgent review",), WARD),
    ("comfort order", WORSE, ordered(watched(rr=30, hr=135, spo2=86), *COMFORT), ("agreed ceiling",), WARD),
    ("infection of yesterday", WORSE, listed(watched(rr=24, sbp=96), "68566005", onset="2026-10-31"),
     ("Suspected infection",), WARD),
    ("bleeding now", CLOT, listed(bedridden(), "K92.2", onset="2026-10-30"), ("pneumatic compression",), WARD),
    ("after an operation", CLOT, done(bedridden(), "Total hip replacement", "2026-10-31", **SURGEON),
     ("Padua is for medical patients", "pneumatic compression"), WARD),
    ("urea 9.1 mmol/L", LUNG, observed(breathless(bun=None), "22664-7", 9.1, "mmol/L", at="2026-11-01T07:00:00Z"),
     ("CURB-65 4",), EMERGENCY),
    ("CURB-65 0, saturation 84%", LUNG, breathless(40, rr=18, sbp=118, dbp=72, bun=8, spo2=84),
     ("saturation 84%", "hospital care whatever the score"), EMERGENCY),
    ("weight in pounds", DOSE, dosed(82, "female", 1.6, (119, "[lb_av]")).problem(FIBRILLATION).draft(
        "Apixaban 5 mg", "1 tablet twice daily"), ("3 of 3 criteria",), {}),
    ("dialysis", DOSE, dosed(cr=6.0).problem(DIALYSIS).draft("Gabapentin 300 mg", "3 times daily"), ("dialysis",), {}),
    ("kidney injury", DOSE, plain(70).measured(ago=days(1), creatinine=1.0, weight=70).measured(
        ago=hours(2), creatinine=2.2).draft("Enoxaparin 80 mg", "80 mg twice daily"), ("not steady",), {}),
    ("creatinine of two years ago", DOSE, plain(80).measured(ago=days(800), creatinine=1.4).measured(weight=70).draft(
        "Dabigatran 150 mg", "twice daily"), ("too long ago",), {}),
    ("MELD on dialysis", LIVER, cirrhotic().problem(DIALYSIS), ("3.0 mg/dL",), {}),
    ("MELD under warfarin", LIVER, takes(cirrhotic(), "Warfarin 5 mg"), ("vitamin K antagonist",), {}),
    ("suspected thrombosis under apixaban", WELLS, takes(listed(plain(60), "432805000"), "Apixaban"),
     ("low D-dimer excludes nothing",), EMERGENCY),
]  # fmt: skip

# No card at all.
SILENT: list[tuple[str, str, Chart, dict[str, Any]]] = [
    ("entered in error", HEART, observed(well(), "2093-3", 310, "mg/dL", status="entered-in-error"), {}),
    ("pregnancy by its status", HEART, observed(well(34, "female", ldl=210), "82810-3", valueCodeableConcept={
        "coding": [{"system": SNOMED, "code": PREGNANT}]}), {}),
    ("a minor with LDL 200", HEART, well(17, ldl=200), {}),
    ("comfort order", HEART, ordered(at_risk(), *COMFORT), {}),
    ("hospice", HEART, hospice_visit(at_risk()), {}),
    ("diabetes on dialysis", HEART, well().problem(DIABETES).problem(DIALYSIS), {}),
    ("refuted infarction", HEART, doubted(well(45), INFARCTION, "refuted"), {}),
    ("gestational diabetes of the past", HEART, listed(well(45, "female"), "11687002", "resolved"), {}),
    ("fall across offsets", KIDNEY,
     observed(observed(plain(), "2160-0", 1.7, "mg/dL", at="2026-11-01T10:00:00+09:00"), "2160-0", 1.0, "mg/dL",
              at="2026-11-01T02:00:00Z"), {}),
    ("comfort order in kidney injury", KIDNEY, ordered(RISEN, *COMFORT), {}),
    ("HbA1c ordered", SUGAR, plain(50).problem(DIABETES).ordered("4548-4", "HbA1c", status="draft"), {}),
    ("comfort order, HbA1c 12", SUGAR, ordered(plain(80).problem(DIABETES).measured(hba1c=12), *COMFORT), {}),
    ("brand in words", ATRIUM, takes(fibrillating(), "Coumadin 5 mg"), {}),
    ("treatment dose of enoxaparin", ATRIUM, takes(fibrillating(), "Enoxaparin 80 mg twice daily"), {}),
    ("comfort order in fibrillation", ATRIUM, ordered(fibrillating(), *COMFORT), {}),
    ("a value of the future", WORSE, observed(watched(), "9279-1", 30, "/min", at="2026-11-01T12:00:00Z"), WARD),
    ("over", WORSE, watched(rr=30, hr=140, spo2=84), WARD | {"encounter_status": "finished"}),
    ("infection of 2019", WORSE, listed(watched(rr=21, sbp=112), "68566005", onset="2019-02-01"), WARD),
    ("pressure boots ordered", CLOT, ordered(bedridden(), None, "Sequential compression device"), WARD),
    ("comfort order on a ward", CLOT, ordered(bedridden(), *COMFORT), WARD),
    ("pneumonia of 2019", LUNG, listed(plain(70).measured(ago=hours(2), rr=18, sbp=120, dbp=70), PNEUMONIA,
                                       onset="2019-01-01"), EMERGENCY),
    ("acquired in hospital", LUNG, breathless().stay(start="2026-10-24T10:00:00Z"), WARD | {"period": STAY["period"]}),
    ("a draft that ends an order", DOSE, stopping(dosed(80, cr=2.6).draft("Dabigatran 150 mg", "twice daily")), {}),
    ("a draft for a child", DOSE, dosed(9).draft("Nitrofurantoin 100 mg", "twice daily"), {}),
    ("cancer in remission", CANCER, listed(plain(60).measured(platelets=400, hemoglobin=12, wbc=8), "363418001",
                                           "remission"), {}),
    ("skin cancer", CANCER, Chart(60).diagnosis("C44.91").measured(platelets=410, hemoglobin=9, wbc=12, bmi=36), {}),
    ("comfort order in cancer", CANCER, ordered(before_chemotherapy(), *COMFORT), {}),
    ("transplanted liver", LIVER, cirrhotic().diagnosis("Z94.4"), {}),
    ("hepatology asked", LIVER, ordered(cirrhotic(), None, "Hepatology consult"), {}),
    ("ultrasound ordered", WELLS, ordered(listed(plain(60), "432805000"), None, "Duplex ultrasound left leg"),
     EMERGENCY),
    ("confirmed since", WELLS, listed(plain(60), "432805000").problem("128053003", onset="2026-11-01"), EMERGENCY),
    ("to a nursing home", HOME, leaving(), WARD | to("snf")),
    ("to hospice by order", HOME, ordered(leaving(), "385763009", "Hospice care"), WARD | STAY),
]  # fmt: skip

# What must not be said, whether or not there is a card.
NEVER: list[tuple[str, str, Chart, str, dict[str, Any]]] = [
    ("cholesterol without a unit", HEART, observed(plain(60).measured(sbp=128, dbp=74, hdl=52, creatinine=0.9, bmi=25),
                                                   "2093-3", 230), "10-year risk of cardiovascular disease:", {}),
    ("two creatinines of one moment", HEART, at_risk().measured(creatinine=2.4),
     "10-year risk of cardiovascular disease:", {}),
    ("LDL of six years ago", HEART, well().measured(ago=days(2200), ldl=205), "LDL cholesterol 205", {}),
    ("suspected stroke", HEART, doubted(well(), "230690007", "provisional"), "Stroke or TIA, and no statin", {}),
    ("creatinine in mmol/L", KIDNEY, observed(plain(), "2160-0", 1.1, "mmol/L"), "eGFR 7", {}),
    ("panel ordered in kidney injury", KIDNEY, plain().measured(ago=days(1), creatinine=1.0).measured(
        ago=hours(2), creatinine=2.4).ordered("24321-2", "Basic metabolic panel"), "Order potassium", {}),
    ("no day of birth", HEART, unborn(at_risk()), "10-year risk of cardiovascular disease:", {}),
    ("low dose of metformin", KIDNEY, plain(70).measured(creatinine=1.75, uacr=10).measured(
        ago=days(200), creatinine=1.75).problem(CKD).medicine("6809", "Metformin 500 mg", "1 tablet twice daily"),
     "Metformin 1000 mg a day with", {}),
    ("HbA1c in the wrong unit", SUGAR, plain(50).problem(DIABETES).measured(hba1c=(6.5, "mmol/mol")), "2.7%", {}),
    ("two samples of one day", SUGAR, plain(50).measured(hba1c=6.7).measured(ago=days(10) + hours(2), hba1c=6.8),
     "Two values in the range are diabetes", {}),
    ("not for resuscitation on a ward", WORSE, ordered(watched(rr=30, hr=135, spo2=86), "304253006", "DNR"), "ceiling",
     WARD),
    ("pneumonia in pregnancy", LUNG, breathless(30, rr=18, sbp=112, dbp=70, bun=8).problem(PREGNANT), "at home",
     EMERGENCY),
    ("apixaban 2.5 mg that is right", DOSE, dosed(82, cr=(140, "umol/L"), w=72).problem(FIBRILLATION).draft(
        "Apixaban 2.5 mg", "1 tablet twice daily"), "reduced dose", {}),
    ("ascites that is over", LIVER, listed(cirrhotic(), "389026000", "resolved"), "(Ascites)", {}),
]  # fmt: skip


def card(answer: Any) -> str:
    """All that is read of an answer."""
    said = ((c.summary, c.detail, *(s.label for s in c.suggestions)) for c in answer.cards)
    return "\n".join(text for parts in said for text in parts).casefold()


@pytest.mark.parametrize(("service", "chart", "said", "encounter"), [pytest.param(*s[1:], id=s[0]) for s in SPEAK])
def test_what_a_careful_clinician_would_say_is_said(ask, service, chart, said, encounter):
    """The card names what decides, in the units of the record."""
    text = card(ask(service, chart, say=RECORD_UNITS, **encounter))
    assert [part for part in said if part.casefold() not in text] == []


@pytest.mark.parametrize(("service", "chart", "encounter"), [pytest.param(*s[1:], id=s[0]) for s in SILENT])
def test_where_a_careful_clinician_would_be_silent_there_is_no_card(ask, service, chart, encounter):
    """Nothing to do, not this patient, not now, or done already."""
    assert [one.summary for one in ask(service, chart, say=RECORD_UNITS, **encounter).cards] == []


@pytest.mark.parametrize(("service", "chart", "never", "encounter"), [pytest.param(*s[1:], id=s[0]) for s in NEVER])
def test_what_would_mislead_is_not_said(ask, service, chart, never, encounter):
    """No number from an unusable value, and no advice that the rest of the record forbids."""
    assert never.casefold() not in card(ask(service, chart, say=RECORD_UNITS, **encounter))
