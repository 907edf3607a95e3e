"""Samples about kidney, liver and cancer."""

from __future__ import annotations

from cds_service.sandbox import resources as fhir
from cds_service.sandbox.chart import Chart, Spans
from cds_service.sandbox.patients.sample import ADULT_VITALS, Sample
from cds_service.sandbox.terms import SNOMED

YEARS = ["2022-10-10", "2023-10-09", "2024-10-14", "2025-10-13", "2026-04-13", "2026-10-12"]


def ckd_g3b(name: str) -> Chart:
    """A woman of 66 with diabetic kidney disease G3b A3."""
    chart = Chart(name, family="Nephrona", given="Mabel", gender="female", born="1960-05-06")
    for key, onset in (("ckd3b", "2024-10-21"), ("diabetic_kidney", "2022-10-17"), ("diabetes", "2009-02-02"),
                       ("hypertension", "2006-06-19")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("losartan50", "2012-03-05"), ("metformin1000", "2009-02-02"), ("atorvastatin40", "2013-07-08"),
                       ("amlodipine5", "2020-09-14")):  # fmt: skip
        chart.medicine(key, since)
    intolerance = [(SNOMED, "609542006", "Non-allergic hypersensitivity to lisinopril")]
    chart.allergy(fhir.concept(intolerance, "Lisinopril"), "2012-03-05", "Cough")
    values: Spans = {"weight": 79, "height": 161, "sbp": (146, 138), "dbp": (82, 78), "creatinine": (1.18, 1.54),
              "bun": (22, 33), "potassium": (4.5, 5.1), "bicarbonate": (24, 21), "uacr": (120, 420),
              "hba1c": (7.6, 7.4), "glucose": 149, "hemoglobin": (12.6, 11.4), "phosphate": 4.1, "calcium": 9.2,
              "cholesterol": 163, "hdl": 47, "triglycerides": 168, "albumin": 3.8, "uric_acid": 7.1}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values)
    return chart


def renal_drafts(name: str) -> Chart:
    """A woman of 83 with kidney disease G4, for whom two medicines are being ordered in doses for a healthy kidney."""
    chart = Chart(name, family="Slowfilter", given="Edith", gender="female", born="1943-04-12")
    for key, onset in (("ckd4", "2024-02-12"), ("hypertension", "1998-05-04")):
        chart.problem(key, onset)
    chart.medicine("amlodipine5", "1998-05-04")
    chart.no_known_allergies("1998-05-04")
    values: Spans = {"weight": (58, 54), "height": 157, "sbp": 134, "dbp": 74, "creatinine": (1.7, 1.9), "bun": 41,
              "potassium": 4.9, "hemoglobin": 10.8, "uacr": 240, "bicarbonate": 21}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values)
    for key in ("nitrofurantoin100", "gabapentin300"):
        chart.medicine(key, "2026-11-01", status="draft")
    return chart


def unsafe_orders(name: str) -> Chart:
    """A man of 68 on warfarin and simvastatin, allergic to penicillin, for whom four medicines are being ordered."""
    chart = Chart(name, family="Crossreact", given="Walter", gender="male", born="1958-02-17")
    for key, onset in (("af", "2021-03-08"), ("lipids", "2012-06-11"), ("hypertension", "2010-01-18")):
        chart.problem(key, onset)
    for key, since in (("warfarin5", "2021-03-08"), ("simvastatin20", "2012-06-11"), ("amlodipine5", "2010-01-18")):
        chart.medicine(key, since)
    chart.allergy(fhir.concept([(SNOMED, "91936005", "Allergy to penicillin")]), "1999-01-05", "Anaphylaxis", "high")
    values: Spans = {"weight": 82, "height": 176, "sbp": 132, "dbp": 78, "creatinine": 0.9, "potassium": 4.3,
              "sodium": 140, "hemoglobin": 14.1, "platelets": 231, "inr": 2.4, "alt": 24}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values)
    for key in ("clarithromycin500", "amoxicillin500", "ibuprofen200"):
        chart.medicine(key, "2026-11-01", status="draft")
    tea = {"medicationCodeableConcept": {"text": "Herbal cough mixture from home"}}
    chart.medicine("ibuprofen200", "2026-11-01", status="draft", medication=tea, dosage="as needed")
    return chart


def dialysis(name: str) -> Chart:
    """A man of 57 on haemodialysis: eGFR and risk equations do not apply."""
    chart = Chart(name, family="Filterman", given="Boris", gender="male", born="1969-10-30")
    for key, onset in (("esrd", "2023-11-06"), ("dialysis", "2023-11-20"), ("hypertension", "1998-01-26"),
                       ("renal_anaemia", "2022-05-16")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("sevelamer", "2023-12-04"), ("epoetin", "2023-12-04"), ("amlodipine5", "2015-03-09")):
        chart.medicine(key, since)
    chart.no_known_allergies("2023-11-20")
    for on in ("2026-10-26", "2026-10-28", "2026-10-30"):
        chart.procedure("haemodialysis", on)
    values: Spans = {"weight": 81, "height": 174, "sbp": (154, 148), "dbp": (86, 82), "creatinine": (4.6, 8.7),
              "bun": (58, 64), "potassium": (5.0, 5.4), "bicarbonate": 20, "phosphate": (4.9, 6.1), "calcium": 8.8,
              "hemoglobin": (11.2, 10.4), "ferritin": 480, "pth": (180, 410), "albumin": 3.7, "cholesterol": 152,
              "hdl": 38, "triglycerides": 176, "rdw": 15.0}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


def kidney_transplant(name: str) -> Chart:
    """A woman of 48 with a kidney transplant of 2021."""
    chart = Chart(name, family="Graftwell", given="Helena", gender="female", born="1978-01-15")
    for key, onset in (("kidney_transplant", "2021-08-19"), ("ckd3a", "2022-03-14"), ("hypertension", "2010-10-25")):
        chart.problem(key, onset)
    chart.problem("dialysis", "2019-02-18", clinical="resolved", abatementDateTime="2021-08-19")
    chart.procedure("kidney_transplant", "2021-08-19")
    for key, since in (("tacrolimus", "2021-08-19"), ("mycophenolate", "2021-08-19"), ("prednisone5", "2021-08-19"),
                       ("amlodipine5", "2012-02-06")):  # fmt: skip
        chart.medicine(key, since)
    chart.no_known_allergies("2019-02-18")
    values: Spans = {"weight": 66, "height": 167, "sbp": 132, "dbp": 80, "creatinine": (1.28, 1.36), "bun": 22,
              "tacrolimus": (7.8, 6.1), "uacr": (38, 64), "potassium": 4.7, "bicarbonate": 22, "hemoglobin": 12.4,
              "cholesterol": 214, "hdl": 55, "triglycerides": 160, "hba1c": 5.7, "glucose": 101}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values)
    return chart


def cirrhosis(name: str) -> Chart:
    """A man of 59 with decompensated alcohol-related cirrhosis, abstinent."""
    chart = Chart(name, family="Hepworth", given="Lionel", gender="male", born="1967-07-07")
    for key, onset in (("cirrhosis_alcohol", "2023-05-15"), ("ascites", "2025-02-10"), ("varices", "2023-06-05"),
                       ("alcohol", "2010-01-01")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("spironolactone25", "2025-02-10"), ("furosemide40", "2025-02-10"), ("lactulose", "2025-08-18"),
                       ("propranolol", "2023-06-05")):  # fmt: skip
        chart.medicine(key, since)
    chart.no_known_allergies("2023-05-15")
    chart.procedure("paracentesis", "2026-05-18")
    values: Spans = {"weight": (84, 76), "height": 176, "sbp": (118, 102), "dbp": (70, 60), "heart_rate": 62,
              "albumin": (3.4, 2.7), "bilirubin": (1.4, 2.9), "inr": (1.2, 1.6), "ast": (88, 72), "alt": (46, 38),
              "alp": 148, "ggt": (210, 96), "platelets": (118, 78), "sodium": (138, 131), "creatinine": (0.82, 1.12),
              "hemoglobin": (12.8, 10.9), "mcv": 101.5, "rdw": 16.1, "cholesterol": 118, "hdl": 36,
              "triglycerides": 92, "bun": 19}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


def masld(name: str) -> Chart:
    """A woman of 57 with fatty liver, obesity and diabetes, whose FIB-4 has risen to 3.9 unnoticed."""
    chart = Chart(name, family="Steatova", given="Gloria", gender="female", born="1969-03-18")
    for key, onset in (("steatosis", "2019-04-29"), ("diabetes", "2017-09-11"), ("obesity", "2008-12-01"),
                       ("lipids", "2017-09-11")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("metformin1000", "2017-09-11"), ("simvastatin20", "2017-10-09")):
        chart.medicine(key, since)
    chart.no_known_allergies("2017-09-11")
    chart.procedure("mammography", "2025-06-16")
    values: Spans = {"weight": (91, 93.5), "height": 165, "sbp": 132, "dbp": 82, "ast": (41, 68), "alt": (58, 52),
              "platelets": (214, 138), "ggt": (64, 118), "bilirubin": 0.8, "albumin": (4.3, 4.0), "alp": 92,
              "hba1c": 7.3, "glucose": 146, "cholesterol": 178, "hdl": 42, "triglycerides": 221,
              "creatinine": 0.76}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values)
    return chart


def metastatic_cancer(name: str) -> Chart:
    """A woman of 63 with metastatic breast cancer under palliative care."""
    chart = Chart(name, family="Carina", given="Palliata", gender="female", born="1963-02-20")
    for key, onset in (("breast_cancer", "2020-01-13"), ("bone_mets", "2024-03-04"), ("liver_mets", "2026-02-16"),
                       ("palliative", "2026-08-03")):  # fmt: skip
        chart.problem(key, onset)
    for key, since in (("morphine", "2026-08-03"), ("ondansetron", "2026-08-03"), ("letrozole", "2020-09-07")):
        chart.medicine(key, since)
    chart.no_known_allergies("2020-01-13")
    chart.procedure("chemotherapy", "2020-03-02")
    chart.procedure("palliative_care", "2026-08-03")
    values: Spans = {"weight": (71, 52), "height": 164, "sbp": (128, 104), "dbp": (76, 62), "heart_rate": (74, 98),
              "spo2": (98, 95), "respiratory_rate": (14, 18), "albumin": (4.1, 2.6), "alp": (84, 340), "calcium": 10.4,
              "hemoglobin": (12.9, 9.6), "ast": (24, 82), "alt": (22, 61), "bilirubin": (0.5, 1.6), "crp": (4, 68),
              "wbc": 9.8, "lymphocytes": (26, 11), "neutrophils": (62, 80), "rdw": (13.4, 17.2), "ggt": (30, 210),
              "platelets": (240, 168), "creatinine": 0.62}  # fmt: skip
    chart.follow_up(YEARS, ADULT_VITALS | values, smoking="former")
    return chart


SAMPLES = (
    Sample("ckd-g3b-albuminuria", "Diabetic kidney disease G3b A3: full-dose metformin, no SGLT2 inhibitor.", ckd_g3b),
    Sample("renal-drafts", "Kidney disease G4, and two draft orders in doses for a healthy kidney.", renal_drafts),
    Sample("unsafe-orders", "Four draft orders: two interactions, an allergy, and one that nobody can recognise.",
           unsafe_orders),
    Sample("dialysis", "End-stage kidney disease on haemodialysis: eGFR is refused.", dialysis),
    Sample("kidney-transplant", "A kidney transplant with mild dysfunction; dialysis is over (resolved).",
           kidney_transplant),
    Sample("cirrhosis", "Decompensated cirrhosis with ascites and varices: FIB-4 tells nothing new.", cirrhosis),
    Sample("masld-high-fib4", "Fatty liver with diabetes; FIB-4 has risen to 3.9: hepatology referral.", masld),
    Sample("metastatic-cancer", "Metastatic breast cancer under palliative care: preventive cards stay silent.",
           metastatic_cancer),
)  # fmt: skip
