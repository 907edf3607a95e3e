"""Samples in hospital: vital signs on a ward, for encounter-start."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.sandbox import resources as fhir
from cds_service.sandbox.chart import Chart, Spans, at_clinic
from cds_service.sandbox.patients.sample import ADULT_VITALS, Sample
from cds_service.sandbox.terms import CONSCIOUSNESS, SNOMED

ADMITTED = "2026-10-31T21:40:00+00:00"
ROUNDS = ("2026-10-31T22:00:00+00:00", "2026-11-01T02:00:00+00:00", "2026-11-01T08:30:00+00:00")


def ward_round(chart: Chart, at: str, stay: str, vitals: Mapping[str, float], level: str | None) -> None:
    """One set of ward observations; `oxygen` is the flow in L/min, 0 for room air, as components of oximetry."""
    signs = dict(vitals)
    flow = signs.pop("oxygen", None)
    if "spo2" in signs and flow is not None:
        part = {"code": fhir.loinc("3151-8", "Inhaled oxygen flow rate"), "valueQuantity": fhir.quantity(flow, "L/min")}
        chart.vital("spo2", signs.pop("spo2"), at, stay, component=[part])
    chart.measurements(signs, at, stay)
    if level is not None:
        value = {"valueCodeableConcept": fhir.concept([(SNOMED, *CONSCIOUSNESS[level])])}
        code = fhir.loinc("80288-4", "Level of consciousness")
        chart.add(
            fhir.observation(
                chart.id("consciousness"),
                chart.subject,
                code,
                at_clinic(at),
                "vital-signs",
                value=value,
                encounter=stay,
            )
        )


def acutely_ill(name: str) -> Chart:
    """A man of 68 admitted with pneumonia and sepsis, worse every round."""
    chart = Chart(name, family="Feverton", given="Victor", gender="male", born="1958-04-17")
    chart.problem("hypertension", "2012-02-13")
    chart.problem("diabetes", "2015-06-08")
    for key, since in (("lisinopril20", "2012-02-13"), ("metformin500", "2015-06-08")):
        chart.medicine(key, since)
    chart.no_known_allergies("2012-02-13")
    values: Spans = {
        "weight": 88,
        "height": 176,
        "sbp": 136,
        "dbp": 80,
        "hba1c": 7.1,
        "glucose": 142,
        "creatinine": 1.1,
    }
    chart.follow_up(["2025-04-14", "2026-04-13"], ADULT_VITALS | values, smoking="former")
    stay = chart.visit("inpatient", ADMITTED, hours=None, reason="Fever, cough and breathlessness")
    for key in ("pneumonia", "sepsis"):
        chart.problem(key, ADMITTED, category="encounter-diagnosis", encounter={"reference": stay})
    chart.medicine("ceftriaxone", ADMITTED, encounter={"reference": stay})
    chart.procedure("chest_xray", "2026-10-31T22:20:00+00:00")
    rounds = (
        {
            "sbp": 112,
            "dbp": 66,
            "heart_rate": 104,
            "respiratory_rate": 22,
            "spo2": 94,
            "oxygen": 0,
            "temperature": 38.4,
        },
        {
            "sbp": 104,
            "dbp": 60,
            "heart_rate": 110,
            "respiratory_rate": 24,
            "spo2": 94,
            "oxygen": 2,
            "temperature": 38.8,
        },
        {"sbp": 98, "dbp": 54, "heart_rate": 118, "respiratory_rate": 26, "spo2": 93, "oxygen": 3, "temperature": 39.2},
    )
    for at, signs in zip(ROUNDS, rounds, strict=True):
        ward_round(chart, at, stay, signs, "A")
    labs = {"creatinine": 2.1, "bun": 38, "potassium": 4.9, "sodium": 133, "bicarbonate": 19, "glucose": 218,
            "hemoglobin": 13.1, "wbc": 18.4, "neutrophils": 89, "lymphocytes": 5, "platelets": 164, "crp": 214,
            "lactate": 3.1, "bilirubin": 1.3, "albumin": 3.1, "mcv": 89}  # fmt: skip
    chart.measurements(labs, "2026-10-31T22:10:00+00:00", stay)
    return chart


def third_day(name: str) -> Chart:
    """A woman of 86 with heart failure and sepsis on her fourth day in hospital, failing to recover."""
    chart = Chart(name, family="Langenbach", given="Hilde", gender="female", born="1940-03-02")
    chart.problem("heart_failure", "2019-05-06")
    chart.medicine("lisinopril20", "2019-05-06")
    chart.no_known_allergies("2019-05-06")
    admitted = "2026-10-29T09:10:00+00:00"
    stay = chart.visit("inpatient", admitted, hours=None, reason="Fever and confusion")
    for key in ("pneumonia", "sepsis"):
        chart.problem(key, admitted, category="encounter-diagnosis", encounter={"reference": stay})
    chart.medicine("ceftriaxone", admitted, encounter={"reference": stay})
    signs = {"sbp": 82, "dbp": 40, "heart_rate": 128, "respiratory_rate": 30, "spo2": 90, "temperature": 38.9}
    for at in ("2026-10-31T20:00:00+00:00", "2026-11-01T07:30:00+00:00"):
        ward_round(chart, at, stay, signs, "V")
    labs = {"creatinine": 3.4, "bun": 88, "sodium": 131, "glucose": 174, "wbc": 26.8, "bilirubin": 4.4, "albumin": 1.8,
            "platelets": 88, "potassium": 5.1}  # fmt: skip
    chart.measurements(labs, "2026-11-01T05:40:00+00:00", stay)
    return chart


def partial_vitals(name: str) -> Chart:
    """A woman of 54 admitted with cellulitis; nobody counted her breaths or measured her oxygen."""
    chart = Chart(name, family="Halfobs", given="Paula", gender="female", born="1972-06-25")
    chart.problem("obesity", "2010-09-13")
    chart.no_known_allergies("2010-09-13")
    stay = chart.visit("inpatient", ADMITTED, hours=None, reason="Red, swollen left leg")
    chart.problem("cellulitis", ADMITTED, category="encounter-diagnosis", encounter={"reference": stay})
    signs = {"sbp": 116, "dbp": 70, "heart_rate": 102, "temperature": 38.3}
    ward_round(chart, ROUNDS[2], stay, signs, "A")
    chart.measurements({"weight": 98, "height": 168}, ROUNDS[0], stay)
    chart.measurements(
        {"creatinine": 0.82, "wbc": 14.2, "crp": 96, "hemoglobin": 12.9, "platelets": 288}, ROUNDS[0], stay
    )
    return chart


def copd_scale_2(name: str) -> Chart:
    """A man of 71 with COPD for whom saturation scale 2 (target 88-92 %) is prescribed."""
    chart = Chart(name, family="Breathwaite", given="Cyril", gender="male", born="1955-03-03")
    for key, onset in (("copd", "2012-11-05"), ("hypercapnia", "2024-01-15"), ("hypertension", "2009-06-15")):
        chart.problem(key, onset)
    for key, since in (("tiotropium", "2013-01-14"), ("albuterol", "2012-11-05"), ("amlodipine5", "2009-06-15")):
        chart.medicine(key, since)
    chart.no_known_allergies("2012-11-05")
    chart.procedure("spirometry", "2023-05-22")
    chart.vaccines({"influenza": ["2025-10-13"], "pneumococcal": ["2023-10-16"]})
    values: Spans = {
        "weight": 68,
        "height": 172,
        "sbp": 134,
        "dbp": 78,
        "spo2": 91,
        "bicarbonate": 31,
        "hemoglobin": 16.1,
    }
    chart.follow_up(["2025-05-12", "2026-05-11"], ADULT_VITALS | values, smoking="former")
    stay = chart.visit("inpatient", ADMITTED, hours=None, reason="More breathless for two days")
    target_saturation(chart, stay)
    rounds = (
        {
            "sbp": 138,
            "dbp": 82,
            "heart_rate": 104,
            "respiratory_rate": 26,
            "spo2": 87,
            "oxygen": 0,
            "temperature": 37.4,
        },
        {"sbp": 134, "dbp": 80, "heart_rate": 98, "respiratory_rate": 24, "spo2": 89, "oxygen": 1, "temperature": 37.3},
        {"sbp": 132, "dbp": 78, "heart_rate": 96, "respiratory_rate": 22, "spo2": 90, "oxygen": 1, "temperature": 37.2},
    )
    for at, signs in zip(ROUNDS, rounds, strict=True):
        ward_round(chart, at, stay, signs, "A")
    return chart


def target_saturation(chart: Chart, stay: str) -> None:
    """The prescription of oxygen with a target saturation of 88-92 %."""
    order = {
        "resourceType": "ServiceRequest",
        "id": chart.id("oxygen-order"),
        "status": "active",
        "intent": "order",
        "code": fhir.concept([(SNOMED, "57485005", "Oxygen therapy")], "Oxygen, target saturation 88-92 %"),
        "subject": {"reference": chart.subject},
        "encounter": {"reference": stay},
        "authoredOn": fhir.instant(at_clinic(ADMITTED)),
    }
    chart.add(order)


SAMPLES = (
    Sample("acute-deterioration", "Pneumonia with sepsis: NEWS2 13, possible kidney injury, and no prognosis from it.",
           acutely_ill),
    Sample("third-day", "Sepsis on the fourth day in hospital, failing to recover: the serious-illness model speaks.",
           third_day),
    Sample("partial-vitals", "Cellulitis, respiratory rate and saturation not recorded: NEWS2 as an interval.",
           partial_vitals),
    Sample("copd-scale-2", "COPD on 1 L oxygen; an order names the 88-92 % target, so NEWS2 scores on scale 2.",
           copd_scale_2),
)  # fmt: skip
