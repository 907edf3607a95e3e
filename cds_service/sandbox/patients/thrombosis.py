"""Samples around thrombosis and the end of a stay: bed rest, a swollen leg, cancer before treatment, going home."""

from __future__ import annotations

from cds_service.sandbox.chart import Chart
from cds_service.sandbox.patients.hospital import ward_round
from cds_service.sandbox.patients.sample import Sample

ADMITTED = "2026-10-31T20:15:00+00:00"
MORNING = "2026-11-01T08:00:00+00:00"


def bed_rest(name: str) -> Chart:
    """A woman of 79 with heart failure and a urinary infection who does not leave her bed, without prophylaxis."""
    chart = Chart(name, family="Stillwater", given="Maud", gender="female", born="1947-02-11")
    chart.problem("heart_failure", "2021-05-03")
    chart.problem("hypertension", "2008-03-17")
    for key, since in (("furosemide40", "2021-05-03"), ("lisinopril10", "2008-03-17")):
        chart.medicine(key, since)
    chart.no_known_allergies("2008-03-17")
    stay = chart.visit("inpatient", ADMITTED, hours=None, reason="Fever and confusion")
    for key in ("urinary_infection", "bedridden"):
        chart.problem(key, ADMITTED, category="encounter-diagnosis", encounter={"reference": stay})
    chart.medicine("ceftriaxone", ADMITTED, encounter={"reference": stay})
    chart.procedure("chest_xray", "2026-10-31T21:00:00+00:00")
    signs = {"sbp": 118, "dbp": 68, "heart_rate": 92, "respiratory_rate": 18, "spo2": 95, "oxygen": 0,
             "temperature": 38.2}  # fmt: skip
    ward_round(chart, MORNING, stay, signs, "A")
    labs = {"weight": 61, "height": 160, "creatinine": 1.2, "bun": 29, "sodium": 136, "potassium": 4.2,
            "hemoglobin": 11.9, "wbc": 13.1, "platelets": 241, "crp": 88}  # fmt: skip
    chart.measurements(labs, ADMITTED, stay)
    return chart


def swollen_leg(name: str) -> Chart:
    """A man of 61 in the emergency department with a swollen calf; a thrombosis ten years ago."""
    chart = Chart(name, family="Calfer", given="Edwin", gender="male", born="1965-09-02")
    chart.problem("dvt_history", "2016-04-18")
    chart.problem("hypertension", "2014-10-06")
    chart.medicine("amlodipine5", "2014-10-06")
    chart.no_known_allergies("2014-10-06")
    visit = chart.visit("emergency", MORNING, hours=None, reason="Swollen left calf: deep vein thrombosis?")
    signs = {"sbp": 134, "dbp": 82, "heart_rate": 84, "respiratory_rate": 15, "spo2": 98, "oxygen": 0,
             "temperature": 36.9}  # fmt: skip
    ward_round(chart, "2026-11-01T08:20:00+00:00", visit, signs, "A")
    return chart


def before_chemotherapy(name: str) -> Chart:
    """A woman of 66 with cancer of the pancreas found three weeks ago, before her first treatment."""
    chart = Chart(name, family="Islett", given="Greta", gender="female", born="1960-05-20")
    chart.problem("pancreatic_cancer", "2026-10-12")
    chart.medicine("acetaminophen325", "2026-10-12")
    chart.no_known_allergies("2012-06-04")
    visit = chart.visit("problem", "2026-10-26", reason="Plan of treatment")
    labs = {"weight": 58, "height": 165, "sbp": 122, "dbp": 74, "creatinine": 0.8, "hemoglobin": 11.4, "mcv": 88,
            "wbc": 9.6, "platelets": 402, "bilirubin": 0.9, "albumin": 3.6}  # fmt: skip
    chart.measurements(labs, "2026-10-26", visit)
    return chart


def going_home(name: str) -> Chart:
    """A man of 81 with heart failure and dementia at the end of eight days, his third stay in a year."""
    chart = Chart(name, family="Homeward", given="Silas", gender="male", born="1945-01-30")
    for key, onset in (("heart_failure", "2019-09-16"), ("dementia", "2023-02-13"), ("ckd3b", "2022-05-09")):
        chart.problem(key, onset)
    for key, since in (("furosemide40", "2019-09-16"), ("carvedilol6", "2019-09-16"), ("apixaban5", "2020-01-13"),
                       ("donepezil10", "2023-02-13")):  # fmt: skip
        chart.medicine(key, since)
    chart.no_known_allergies("2019-09-16")
    for start in ("2026-02-09T11:00:00+00:00", "2026-06-22T15:00:00+00:00"):
        chart.visit("inpatient", start, hours=120, reason="Shortness of breath")
    chart.visit("emergency", "2026-08-17T19:00:00+00:00", hours=5, reason="Fall at home")
    stay = chart.visit("inpatient", "2026-10-24T16:30:00+00:00", hours=None, reason="Shortness of breath, weight gain")
    chart.procedure("chest_xray", "2026-10-24T17:00:00+00:00")
    labs = {"weight": 74, "height": 171, "creatinine": 1.7, "bun": 41, "sodium": 132, "potassium": 4.4,
            "hemoglobin": 10.9, "mcv": 90, "wbc": 7.1, "platelets": 205}  # fmt: skip
    chart.measurements(labs, "2026-10-31T07:00:00+00:00", stay)
    signs = {"sbp": 112, "dbp": 66, "heart_rate": 72, "respiratory_rate": 17, "spo2": 96, "oxygen": 0,
             "temperature": 36.6}  # fmt: skip
    ward_round(chart, MORNING, stay, signs, "A")
    return chart


def medicines_changed(name: str) -> Chart:
    """A woman of 78 with heart failure at the end of a week: three medicines are not what they were at home."""
    chart = Chart(name, family="Turnwell", given="Agnes", gender="female", born="1948-06-08")
    for key, onset in (("heart_failure", "2021-04-12"), ("ckd3b", "2023-02-06"), ("hypertension", "2009-10-05")):
        chart.problem(key, onset)
    for key, since in (("carvedilol6", "2021-04-12"), ("apixaban5", "2022-09-19"), ("lisinopril10", "2009-10-05")):
        chart.medicine(key, since)
    for key, since, on in (("furosemide40", "2021-04-12", "2026-10-28"), ("ibuprofen200", "2025-03-03", "2026-10-25")):
        chart.medicine(key, since, status="stopped", meta={"lastUpdated": f"{on}T18:00:00Z"})
    chart.no_known_allergies("2009-10-05")
    chart.visit("emergency", "2026-07-13T21:00:00+00:00", hours=4, reason="Shortness of breath")
    stay = chart.visit("inpatient", "2026-10-25T10:00:00+00:00", hours=None, reason="Shortness of breath, swollen legs")
    labs = {"weight": 68, "height": 163, "creatinine": 1.5, "sodium": 136, "potassium": 4.1, "hemoglobin": 11.8,
            "mcv": 89, "wbc": 6.8, "platelets": 221}  # fmt: skip
    chart.measurements(labs, "2026-10-31T07:00:00+00:00", stay)
    signs = {"sbp": 118, "dbp": 70, "heart_rate": 68, "respiratory_rate": 16, "spo2": 97, "oxygen": 0,
             "temperature": 36.5}  # fmt: skip
    ward_round(chart, MORNING, stay, signs, "A")
    here = {"reference": stay}
    chart.medicine("furosemide40", "2026-10-28", dosage="Take 2 tablets by mouth every morning", encounter=here)
    chart.medicine("spironolactone25", "2026-10-28", encounter=here)
    _afterwards(chart)
    return chart


def _afterwards(chart: Chart) -> None:
    """What is arranged for the time after a stay, and what is still awaited."""
    subject = {"reference": chart.subject}
    chart.add({
        "resourceType": "Appointment", "id": chart.id("appointment"), "status": "booked",
        "description": "Heart failure clinic", "created": "2026-10-30T10:00:00Z",
        "start": "2026-11-05T09:30:00Z", "end": "2026-11-05T10:00:00Z",
        "participant": [{"actor": subject, "status": "accepted"}],
    })  # fmt: skip
    chart.add({
        "resourceType": "CarePlan", "id": chart.id("plan"), "status": "active", "intent": "plan",
        "title": "Heart failure at home", "subject": subject, "period": {"start": "2026-10-30"},
        "activity": [{"detail": {"status": "scheduled", "description": "Weigh every morning"}}],
    })  # fmt: skip
    chart.add({
        "resourceType": "ServiceRequest", "id": chart.id("order"), "status": "active", "intent": "order",
        "code": {"text": "Creatinine and potassium"}, "subject": subject, "authoredOn": "2026-10-30T10:00:00Z",
        "occurrenceDateTime": "2026-11-06",
    })  # fmt: skip
    chart.add({
        "resourceType": "DiagnosticReport", "id": chart.id("report"), "status": "partial",
        "code": {"text": "Echocardiography"}, "subject": subject, "effectiveDateTime": "2026-10-29T14:00:00Z",
    })  # fmt: skip


SAMPLES = (
    Sample("bed-rest", "Bed rest, heart failure and infection on a ward: Padua 6, and no prophylaxis on record.",
           bed_rest),
    Sample("swollen-leg", "A suspicion of thrombosis written as the reason of a visit: Wells prefilled.", swollen_leg),
    Sample("before-chemotherapy", "Cancer of the pancreas before its first treatment: Khorana 3.", before_chemotherapy),
    Sample("going-home", "A third stay in a year ends: LACE and HOSPITAL score, and what to arrange.", going_home),
    Sample("medicines-changed", "A week in hospital ends: a medicine is new, one changed, one stopped; a visit booked.",
           medicines_changed),
)  # fmt: skip
