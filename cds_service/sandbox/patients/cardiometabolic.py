"""Samples about heart, vessels, lipids and diabetes."""

from __future__ import annotations

from cds_service.sandbox import resources as fhir
from cds_service.sandbox.chart import Chart, Spans, day
from cds_service.sandbox.patients.sample import ADULT_VITALS, Sample
from cds_service.sandbox.terms import SNOMED

YEARS = ["2021-10-18", "2022-10-24", "2023-10-16", "2024-10-21", "2025-10-20", "2026-10-12"]


def healthy_adult(name: str) -> Chart:
    """A woman of 41 with nothing but migraine."""
    chart = Chart(name, family="Wellfield", given="Testina", gender="female", born="1985-04-12")
    chart.problem("migraine", "2009-05-01")
    chart.medicine("ibuprofen200", "2024-02-01")
    chart.no_known_allergies("2019-03-04")
    chart.vaccines({"influenza": ["2024-10-21", "2025-10-20"], "tdap": ["2018-06-11"]})
    chart.follow_up(YEARS[2:], ADULT_VITALS | {"weight": 62, "height": 165, "hba1c": 5.2})
    return chart


def diabetes_good_control(name: str) -> Chart:
    """A man of 58 with treated diabetes at target."""
    chart = Chart(name, family="Samplewell", given="Norman", gender="male", born="1968-02-03")
    chart.problem("diabetes", "2016-04-11")
    chart.problem("hypertension", "2014-09-02")
    chart.problem("lipids", "2016-04-11")
    for key, since in (
        ("metformin1000", "2017-01-09"),
        ("lisinopril10", "2014-09-02"),
        ("atorvastatin40", "2016-05-02"),
    ):
        chart.medicine(key, since)
    chart.no_known_allergies("2014-09-02")
    chart.vaccines(
        {"influenza": ["2025-10-20"], "pneumococcal": ["2023-10-16"], "zoster": ["2019-03-04", "2019-06-10"]}
    )
    chart.procedure("colonoscopy", "2019-05-20")
    values: Spans = {"weight": (93, 86.4), "height": 178, "sbp": (138, 126), "dbp": (84, 76), "glucose": (148, 118),
              "hba1c": (7.4, 6.6), "cholesterol": (182, 146), "hdl": 44, "triglycerides": (190, 138),
              "creatinine": (0.98, 1.04), "uacr": (14, 11), "bun": 17}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


def diabetes_poor_control(name: str) -> Chart:
    """A woman of 52 whose diabetes, weight and pressure go the wrong way."""
    chart = Chart(name, family="Mockridge", given="Exempla", gender="female", born="1974-07-19")
    chart.problem("diabetes_high", "2018-03-05")
    chart.problem("hypertension", "2019-11-12")
    chart.problem("obesity", "2012-01-16")
    chart.medicine("metformin500", "2018-03-05")
    chart.medicine("lisinopril10", "2019-11-12")
    chart.no_known_allergies("2018-03-05")
    chart.vaccines({"influenza": ["2023-10-16"]})
    values: Spans = {"weight": (94, 101.5), "height": 163, "sbp": (136, 152), "dbp": (84, 90), "heart_rate": 84,
              "glucose": (172, 254), "hba1c": (8.1, 10.3), "cholesterol": (214, 236), "hdl": (42, 37),
              "triglycerides": (212, 285), "uacr": (24, 86), "creatinine": (0.72, 0.81), "alt": 46, "ast": 34,
              "uric_acid": 6.3}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


def primary_prevention(name: str) -> Chart:
    """A man of 61 at intermediate risk who takes no statin."""
    chart = Chart(name, family="Middlerisk", given="Preston", gender="male", born="1965-03-28")
    chart.problem("hypertension", "2017-06-06")
    chart.problem("reflux", "2020-02-17")
    chart.medicine("amlodipine5", "2017-06-06")
    chart.allergy(fhir.concept([(SNOMED, "91936005", "Allergy to penicillin")]), "2001-05-14", "Rash")
    chart.vaccines({"influenza": ["2024-10-21", "2025-10-20"]})
    chart.procedure("colonoscopy", "2020-11-09")
    values: Spans = {"weight": (86, 89), "height": 177, "sbp": (142, 138), "dbp": (88, 84), "cholesterol": (218, 226),
              "hdl": (46, 43), "triglycerides": (150, 172), "hba1c": (5.5, 5.8), "glucose": (97, 104),
              "creatinine": (1.02, 1.06), "uacr": 9}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


def established_cvd(name: str) -> Chart:
    """The same man after a myocardial infarction: primary-prevention equations do not apply."""
    chart = Chart(name, family="Secondhart", given="Preston", gender="male", born="1965-03-28")
    for key, onset in (("hypertension", "2017-06-06"), ("coronary", "2023-02-11"), ("old_mi", "2023-02-11"),
                       ("lipids", "2023-02-12")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("atorvastatin40", "2023-02-12"), ("aspirin81", "2023-02-12"), ("metoprolol_xl50", "2023-02-12"),
                       ("lisinopril20", "2023-02-13")):  # fmt: skip
        chart.medicine(key, since)
    chart.medicine("clopidogrel75", "2023-02-12", status="completed")
    chart.no_known_allergies("2017-06-06")
    chart.visit("inpatient", "2023-02-11T05:40:00+00:00", hours=92, reason="ST-elevation myocardial infarction")
    chart.procedure("coronary_stent", "2023-02-11T06:55:00+00:00")
    chart.procedure("echocardiography", "2023-02-12")
    values: Spans = {"weight": (89, 84), "height": 177, "sbp": (138, 124), "dbp": (84, 76), "heart_rate": 60,
              "cholesterol": (221, 138), "hdl": (43, 46), "triglycerides": (170, 120), "hba1c": 5.7,
              "creatinine": 1.05}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


def missing_lipids(name: str) -> Chart:
    """A woman of 55 for whom only the lipids are missing."""
    chart = Chart(name, family="Nopanel", given="Lydia", gender="female", born="1971-08-30")
    chart.problem("hypertension", "2020-01-20")
    chart.medicine("hydrochlorothiazide25", "2020-01-20")
    chart.no_known_allergies("2020-01-20")
    chart.procedure("mammography", "2025-03-11")
    values: Spans = {"weight": 78, "height": 168, "sbp": (146, 134), "dbp": (90, 82), "creatinine": 0.84, "hba1c": 5.6}
    chart.follow_up(YEARS[3:], ADULT_VITALS | values, panels=("sodium", "potassium", "creatinine", "bun", "glucose"))
    return chart


def stale_lipids(name: str) -> Chart:
    """A man of 63 whose only lipid panel is nine years old."""
    chart = Chart(name, family="Oldpanel", given="Barnaby", gender="male", born="1963-05-17")
    chart.problem("hypertension", "2011-03-07")
    chart.problem("gout", "2019-08-26")
    chart.medicine("losartan50", "2011-03-07")
    chart.medicine("allopurinol100", "2019-09-30")
    chart.no_known_allergies("2011-03-07")
    chart.measurements(
        {"cholesterol": 231, "hdl": 41, "triglycerides": 180}, "2017-04-10", chart.visit("check-up", "2017-04-10")
    )
    values: Spans = {"weight": 94, "height": 181, "sbp": (144, 136), "dbp": (86, 82), "creatinine": (1.12, 1.18),
              "uric_acid": (8.2, 5.9), "hba1c": 5.7}  # fmt: skip
    panels = ("sodium", "potassium", "creatinine", "bun", "glucose", "hemoglobin", "wbc", "platelets", "mcv")
    chart.follow_up(YEARS[3:], ADULT_VITALS | values, panels=panels, smoking="current")
    return chart


def heart_failure(name: str) -> Chart:
    """A man of 72 with heart failure and reduced ejection fraction."""
    chart = Chart(name, family="Pumpwell", given="Arthur", gender="male", born="1954-01-22")
    for key, onset in (("hfref", "2021-05-03"), ("coronary", "2019-10-01"), ("hypertension", "2005-02-14"),
                       ("ckd3a", "2024-10-28")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("sacubitril_valsartan", "2022-01-17"), ("carvedilol6", "2021-05-10"),
                       ("spironolactone25", "2021-08-02"), ("empagliflozin", "2023-03-06"),
                       ("furosemide40", "2021-05-04"), ("atorvastatin40", "2019-10-02"),
                       ("aspirin81", "2019-10-02")):  # fmt: skip
        chart.medicine(key, since)
    chart.allergy(fhir.concept([(SNOMED, "91936005", "Allergy to penicillin")]), "1999-01-05", "Hives", "high")
    chart.visit("inpatient", "2021-05-02T19:10:00+00:00", hours=140, reason="Acute decompensated heart failure")
    chart.procedure("echocardiography", "2021-05-03")
    chart.procedure("echocardiography", "2026-03-09")
    values: Spans = {"weight": (92, 87.5), "height": 175, "sbp": (122, 106), "dbp": (74, 64), "heart_rate": (78, 64),
              "spo2": 96, "respiratory_rate": 16, "creatinine": (1.18, 1.46), "bun": (20, 29), "potassium": (4.4, 5.0),
              "sodium": (139, 136), "bnp": (3200, 1450), "hemoglobin": (13.6, 12.6), "rdw": 15.2, "cholesterol": 141,
              "hdl": 41, "triglycerides": 118, "hba1c": 5.9, "uric_acid": 7.6, "uacr": 42}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    for on, percent in (("2021-05-03", 28), ("2026-03-09", 35)):
        chart.add(
            fhir.observation(
                chart.id("lvef"), chart.subject, fhir.loinc("10230-1", "Left ventricular Ejection fraction"),
                day(on), "imaging", value={"valueQuantity": fhir.quantity(percent, "%")},
            )
        )  # fmt: skip
    return chart


def af_without_anticoagulant(name: str) -> Chart:
    """A woman of 77 with atrial fibrillation, hypertension, diabetes and a past TIA, on aspirin only."""
    chart = Chart(name, family="Flutterby", given="Agatha", gender="female", born="1949-09-09")
    for key, onset in (("persistent_af", "2025-12-15"), ("hypertension", "2001-04-23"), ("diabetes", "2012-10-08")):
        chart.problem(key, onset)
    chart.problem("tia", "2020-07-13", clinical="resolved", abatementDateTime="2020-07-14")
    for key, since in (("aspirin81", "2020-07-14"), ("metoprolol_xl50", "2025-12-15"), ("metformin500", "2012-10-08"),
                       ("amlodipine5", "2010-01-11"), ("simvastatin20", "2020-07-14")):  # fmt: skip
        chart.medicine(key, since)
    chart.no_known_allergies("2001-04-23")
    values: Spans = {"weight": 68, "height": 160, "sbp": (148, 142), "dbp": (82, 78), "heart_rate": (72, 88),
              "creatinine": (0.88, 0.98), "hba1c": (6.9, 7.2), "glucose": 138, "hemoglobin": 12.8, "cholesterol": 158,
              "hdl": 51, "triglycerides": 130, "uacr": 22}  # fmt: skip
    chart.follow_up(YEARS[1:], ADULT_VITALS | values)
    return chart


def af_anticoagulated(name: str) -> Chart:
    """A man of 69 with atrial fibrillation and heart failure who takes apixaban."""
    chart = Chart(name, family="Anticoag", given="Walter", gender="male", born="1957-06-02")
    for key, onset in (("af", "2022-02-07"), ("heart_failure", "2023-09-18"), ("hypertension", "2008-11-03")):
        chart.problem(key, onset)
    for key, since in (("apixaban5", "2022-02-08"), ("metoprolol_xl50", "2022-02-08"), ("lisinopril20", "2008-11-03"),
                       ("furosemide40", "2023-09-19")):  # fmt: skip
        chart.medicine(key, since)
    chart.medicine("warfarin5", "2022-02-07", status="stopped")
    chart.procedure("cardioversion", "2022-04-25")
    chart.no_known_allergies("2008-11-03")
    values: Spans = {"weight": 98, "height": 182, "sbp": 128, "dbp": 76, "heart_rate": 70, "creatinine": (1.04, 1.12),
              "hemoglobin": 14.1, "cholesterol": 188, "hdl": 45, "triglycerides": 145, "bnp": 890,
              "hba1c": 5.8}  # fmt: skip
    chart.follow_up(YEARS[1:], ADULT_VITALS | values, smoking="former")
    return chart


def mechanical_valve(name: str) -> Chart:
    """A woman of 58 with a mechanical mitral valve and atrial fibrillation, put on apixaban elsewhere."""
    chart = Chart(name, family="Clickman", given="Vera", gender="female", born="1968-01-17")
    for key, onset in (("mechanical_valve", "2011-05-09"), ("af", "2019-03-04")):
        chart.problem(key, onset)
    for key, since in (("apixaban5", "2026-09-21"), ("metoprolol_xl50", "2019-03-04")):
        chart.medicine(key, since)
    chart.medicine("warfarin5", "2011-05-09", status="stopped")
    chart.no_known_allergies("2011-05-09")
    values: Spans = {"weight": 64, "height": 165, "sbp": 122, "dbp": 72, "heart_rate": 74, "creatinine": 0.8,
              "hemoglobin": 12.6, "inr": (2.9, 1.2)}  # fmt: skip
    chart.follow_up(YEARS[1:], ADULT_VITALS | values)
    return chart


def si_units(name: str) -> Chart:
    """A man of 49 whose laboratory reports SI units throughout."""
    chart = Chart(name, family="Molar", given="Système", gender="male", born="1977-02-25", si=True)
    chart.problem("diabetes", "2021-06-14")
    chart.problem("hypertension", "2019-05-27")
    chart.medicine("metformin500", "2021-06-14")
    chart.medicine("amlodipine5", "2019-05-27")
    chart.no_known_allergies("2019-05-27")
    values: Spans = {"weight": (92, 95), "height": 179, "sbp": (138, 142), "dbp": (86, 88), "glucose": (139, 156),
              "hba1c": (6.9, 7.6), "cholesterol": (201, 212), "hdl": 39, "triglycerides": 221, "creatinine": 1.01,
              "uacr": (18, 34), "uric_acid": 6.9}  # fmt: skip
    chart.follow_up(YEARS[2:], ADULT_VITALS | values, smoking="current")
    return chart


SAMPLES = (
    Sample("healthy-adult", "A healthy woman of 41: every estimate is low and nothing needs doing.", healthy_adult),
    Sample("diabetes-good-control", "Type 2 diabetes at target, on metformin, statin and ACE inhibitor.",
           diabetes_good_control),
    Sample("diabetes-poor-control", "HbA1c rising to 10.3 %, new albuminuria, high lipids and no statin.",
           diabetes_poor_control),
    Sample("primary-prevention", "No known cardiovascular disease, intermediate PREVENT risk, no statin.",
           primary_prevention),
    Sample("established-cvd", "The same man after a myocardial infarction: PREVENT does not apply.", established_cvd),
    Sample("missing-lipids", "All that PREVENT needs but the lipids: the card asks for a panel.", missing_lipids),
    Sample("stale-lipids", "The only lipid panel is from 2017: too old, said so, and a new one proposed.",
           stale_lipids),
    Sample("heart-failure", "Heart failure with reduced ejection fraction on four-drug therapy, falling eGFR.",
           heart_failure),
    Sample("af-not-anticoagulated", "Atrial fibrillation with CHA2DS2-VA 6, on aspirin but no anticoagulant.",
           af_without_anticoagulant),
    Sample("af-anticoagulated", "Atrial fibrillation with heart failure, already on apixaban (warfarin stopped).",
           af_anticoagulated),
    Sample("mechanical-valve", "A mechanical heart valve, and a direct oral anticoagulant that harms there.",
           mechanical_valve),
    Sample("si-units", "Laboratory values in mmol/L, umol/L and mmol/mol throughout.", si_units),
)  # fmt: skip
