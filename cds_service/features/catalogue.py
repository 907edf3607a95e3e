"""The inputs that Curbside knows how to find: one declaration an input, with codes, unit, limits and window.

Plausible limits are what a living body or a working analyser can give, not what is normal: they catch values in a
wrong unit or a slip of the keyboard. Windows: vital signs and laboratory values 1 year, lipids 2 years, weight and
smoking 2 years, adult height 10 years, coagulation 90 days, acute vital signs 24 hours.
Codes: LOINC 2.7x, checked against the FHIR R4 vital-signs profiles, US Core and the records in the tests.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from types import MappingProxyType
from typing import TypeVar

from cds_service.features import comorbidities, conditions, derived, medicines, thrombosis
from cds_service.features.comorbidities import (
    CHARLSON_AIDS,
    CHARLSON_CEREBROVASCULAR,
    CHARLSON_DEMENTIA,
    CHARLSON_DIABETES,
    CHARLSON_DIABETES_COMPLICATED,
    CHARLSON_HEART_FAILURE,
    CHARLSON_INFARCTION,
    CHARLSON_MALIGNANCY,
    CHARLSON_METASTASIS,
    CHARLSON_MILD_LIVER,
    CHARLSON_PERIPHERAL_VASCULAR,
    CHARLSON_PLEGIA,
    CHARLSON_PULMONARY,
    CHARLSON_RENAL,
    CHARLSON_RHEUMATIC,
    CHARLSON_SEVERE_LIVER,
    CHARLSON_ULCER,
)
from cds_service.features.conditions import (
    ACUTE_HEPATITIS,
    ACUTE_KIDNEY_INJURY,
    ALCOHOL_USE_DISORDER,
    ASCITES,
    ATRIAL_FIBRILLATION,
    CANCER,
    CHRONIC_LIVER_DISEASE,
    CIRRHOSIS,
    CKD,
    COMFORT_CARE,
    COPD,
    CORONARY_DISEASE,
    DEMENTIA,
    DIABETES,
    DIALYSIS,
    FAMILY_DIABETES,
    GESTATIONAL_DIABETES,
    GLUCOSE_RAISED_EVER,
    HEART_FAILURE,
    HEPATIC_ENCEPHALOPATHY,
    HYPERCAPNIA,
    HYPERTENSION,
    INFECTION,
    KIDNEY_TRANSPLANT,
    LITTLE_MUSCLE,
    LIVER_TRANSPLANT,
    MAJOR_BLEEDING,
    MECHANICAL_VALVE,
    METASTASIS,
    MITRAL_STENOSIS,
    NO_CERVIX,
    OBESITY,
    PALLIATIVE_CARE,
    PNEUMONIA,
    PREGNANCY,
    STEATOSIS,
    STROKE,
    STROKE_TIA,
    TYPE_1_DIABETES,
    VASCULAR_DISEASE,
)
from cds_service.features.feature import (
    Ambulatory,
    Coded,
    Demographic,
    Derived,
    Earlier,
    Feature,
    FirstOf,
    Lasting,
    LowestRatio,
    Quantity,
    Worst,
)
from cds_service.features.hospital import InHospital
from cds_service.features.kidney_injury import Unsteady
from cds_service.features.medicines import (
    ANTIBACTERIAL,
    ANTICOAGULANT,
    ANTIHYPERTENSIVE,
    ANTINEOPLASTIC,
    ANTIPLATELET,
    CATECHOLAMINE,
    DIRECT_ORAL_ANTICOAGULANT,
    ERYTHROPOIETIC,
    GLUCOSE_LOWERING,
    HEPARIN,
    HORMONE,
    HYPOGLYCAEMIC,
    INOTROPE,
    METFORMIN,
    NSAID,
    RAS_INHIBITOR,
    SEDATIVE,
    SGLT2_INHIBITOR,
    STATIN,
    VITAMIN_K_ANTAGONIST,
)
from cds_service.features.saturation_target import PrescribedTarget
from cds_service.features.stays import Fact, OfStay
from cds_service.features.thrombosis import (
    ACTIVE_BLEEDING,
    ACUTE_INFARCTION_OR_STROKE,
    BLOOD_CANCER,
    CANCER_HIGH,
    CANCER_OTHER_SITE,
    CANCER_VERY_HIGH,
    DEEP_VEIN_THROMBOSIS,
    HEMOPTYSIS,
    LEG_PLEGIA,
    PULMONARY_EMBOLISM,
    RECENT_TRAUMA,
    REDUCED_MOBILITY,
    RESPIRATORY_FAILURE,
    SURGERY_FOUR_WEEKS,
    SURGERY_MONTH,
    SURGERY_TWELVE_WEEKS,
    SUSPECTED_DVT,
    SUSPECTED_PE,
    THROMBOPHILIA,
    VTE_EVER,
)
from cds_service.fhir.codes import CURBSIDE, LOINC, SNOMED
from cds_service.language import Message, msg

__all__ = [
    "ACTIVE_BLEEDING", "ACUTE_HEPATITIS", "ACUTE_INFARCTION_OR_STROKE", "ACUTE_KIDNEY_INJURY", "ADMISSIONS_YEAR",
    "AGE", "ALBUMIN", "ALBUMIN_QUARTER", "ALCOHOL_USE_DISORDER", "ALP", "ALT", "ANTIBACTERIAL", "ANTICOAGULANT",
    "ANTIHYPERTENSIVE", "ANTINEOPLASTIC", "ANTIPLATELET", "ASCITES", "ASCITES_GRADE", "AST", "ATRIAL_FIBRILLATION",
    "BASOPHILS_PERCENT", "BICARBONATE", "BILIRUBIN", "BILIRUBIN_BEFORE", "BILIRUBIN_HIGHEST", "BILIRUBIN_QUARTER",
    "BLOOD_CANCER", "BLOOD_CULTURE", "BMI", "BMI_FROM_WEIGHT", "BMI_MEASURED", "BUN", "BUN_ACUTE", "CALCIUM",
    "CANCER", "CANCER_HIGH", "CANCER_OTHER_SITE", "CANCER_VERY_HIGH", "CATECHOLAMINE", "CHARLSON_AIDS",
    "CHARLSON_CEREBROVASCULAR", "CHARLSON_DEMENTIA", "CHARLSON_DIABETES", "CHARLSON_DIABETES_COMPLICATED",
    "CHARLSON_HEART_FAILURE", "CHARLSON_INFARCTION", "CHARLSON_MALIGNANCY", "CHARLSON_METASTASIS",
    "CHARLSON_MILD_LIVER", "CHARLSON_PERIPHERAL_VASCULAR", "CHARLSON_PLEGIA", "CHARLSON_PULMONARY",
    "CHARLSON_RENAL", "CHARLSON_RHEUMATIC", "CHARLSON_SEVERE_LIVER", "CHARLSON_ULCER", "CHLORIDE",
    "CHRONIC_LIVER_DISEASE", "CIRRHOSIS", "CKD", "COMFORT_CARE", "CONSCIOUSNESS", "COPD", "CORONARY_DISEASE",
    "CREATININE",
    "CREATININE_BEFORE", "CREATININE_HIGHEST", "CREATININE_QUARTER", "CREATININE_UNSTEADY", "CRP", "CRP_ACUTE",
    "CYSTATIN_C", "DBP", "DBP_ACUTE", "DEEP_VEIN_THROMBOSIS", "DEMENTIA", "DIABETES", "DIALYSIS",
    "DIGOXIN_LEVEL", "DIRECT_ORAL_ANTICOAGULANT", "EGFR", "EGFR_LASTINGLY_LOW", "EGFR_REPORTED", "EMERGENCY_ADMISSION",
    "EMERGENCY_VISITS",
    "ENCEPHALOPATHY_GRADE", "EOSINOPHILS_PERCENT", "ERYTHROPOIETIC", "FAMILY_DIABETES", "FASTING_GLUCOSE", "FIO2",
    "GCS", "GCS_LOWEST", "GESTATIONAL_DIABETES", "GGT", "GLUCOSE", "GLUCOSE_LOWERING", "GLUCOSE_RAISED_EVER",
    "HBA1C", "HDL", "HEART_FAILURE", "HEART_RATE", "HEART_RATE_ACUTE", "HEIGHT", "HEMOGLOBIN", "HEMOGLOBIN_STAY",
    "HEMOPTYSIS", "HEPARIN", "HEPATIC_ENCEPHALOPATHY", "HORMONE", "HYPERCAPNIA", "HYPERTENSION", "HYPOGLYCAEMIC",
    "INFECTION",
    "INOTROPE", "INR", "IN_HOSPITAL", "KIDNEY_TRANSPLANT", "LACTATE", "LDL", "LEG_PLEGIA", "LITHIUM_LEVEL",
    "LITTLE_MUSCLE", "LIVER_TRANSPLANT",
    "LYMPHOCYTES_PERCENT", "MAJOR_BLEEDING", "MAP_FROM_PRESSURE", "MAP_LOWEST", "MCV", "MECHANICAL_VALVE",
    "METASTASIS", "METFORMIN", "MITRAL_STENOSIS", "MONOCYTES_PERCENT", "NEUTROPHILS_PERCENT", "NON_HDL", "NO_CERVIX",
    "NSAID",
    "OBESITY", "ONCOLOGY_SERVICE", "OXYGEN_FLOW", "OXYGEN_STATED", "PALLIATIVE_CARE", "PAO2", "PAO2_FIO2",
    "PAO2_FIO2_LOWEST", "PAO2_FIO2_MEASURED", "PHOSPHATE", "PHYSICALLY_ACTIVE", "PLATELETS", "PLATELETS_BEFORE",
    "PLATELETS_LOWEST", "PNEUMONIA", "POTASSIUM", "PREGNANCY", "PULMONARY_EMBOLISM", "QTC", "RACE", "RAS_INHIBITOR",
    "RBC",
    "RDW", "RECENT_TRAUMA", "REDUCED_MOBILITY", "RESPIRATORY_FAILURE", "RESPIRATORY_RATE", "RESPIRATORY_RATE_ACUTE",
    "SBP", "SBP_ACUTE", "SBP_ANYWHERE", "SDI", "SEDATIVE", "SEX", "SGLT2_INHIBITOR", "SMOKING", "SODIUM",
    "SODIUM_QUARTER",
    "SODIUM_STAY", "SPO2", "SPO2_ACUTE", "SPO2_SCALE_2", "STATIN", "STAY_DAYS", "STAY_PROCEDURE", "STEATOSIS",
    "STROKE", "STROKE_TIA", "SUPPLEMENTAL_OXYGEN", "SURGERY_FOUR_WEEKS", "SURGERY_MONTH", "SURGERY_TWELVE_WEEKS",
    "SUSPECTED_DVT", "SUSPECTED_PE", "TEMPERATURE", "TEMPERATURE_ACUTE", "THROMBOPHILIA", "TOTAL_CHOLESTEROL",
    "TRIGLYCERIDES", "TYPE_1_DIABETES", "UACR", "URIC_ACID", "URINE_24H", "VASCULAR_DISEASE", "VEGETABLES_DAILY",
    "VENTILATED", "VITAMIN_K_ANTAGONIST", "VTE_EVER", "WAIST", "WBC", "WEIGHT", "all_features", "within",
]  # fmt: skip

_ABOVE, _BELOW, _BOTH = ("above",), ("below",), ("above", "below")  # limits of a method that count as their number
DAY = timedelta(days=1)
ACUTE = DAY
FORTNIGHT = 14 * DAY
QUARTER = 90 * DAY
YEAR = timedelta(days=366)
TWO_YEARS = 2 * YEAR
TEN_YEARS = 10 * YEAR
VITAL = "vital-signs"
LABORATORY = "laboratory"

# Inputs that no code in general use names have their own id in place of one: `code_map.toml` maps local codes to it.
_YES_NO = MappingProxyType({(CURBSIDE, "yes"): True, (CURBSIDE, "no"): False})

F = TypeVar("F", Quantity, Coded)


def within(feature: F, look_back: timedelta, id: str) -> F:
    """The same input with another window, under its own id."""
    return dataclasses.replace(feature, look_back=look_back, id=id)


def everyday(feature: Quantity, id: str) -> Ambulatory:
    """The same input, but only as measured outside hospital, under its own id."""
    own = {f.name: getattr(feature, f.name) for f in dataclasses.fields(feature)}
    return Ambulatory(**{**own, "id": id})


def worst(feature: Quantity, label: Message, id: str, *, highest: bool) -> Worst:
    """The highest or lowest value of an input in the last 24 hours."""
    own = {f.name: getattr(feature, f.name) for f in dataclasses.fields(feature)}
    return Worst(**{**own, "id": id, "label": label, "look_back": ACUTE}, highest=highest)


def before(feature: Quantity, label: Message, id: str) -> Earlier:
    """The latest value that is at least a week old: the baseline of an acute illness."""
    own = {f.name: getattr(feature, f.name) for f in dataclasses.fields(feature)}
    return Earlier(**{**own, "id": id, "label": label})


def _vital(
    id: str,
    label: Message,
    unit: str,
    codes: tuple[str, ...],
    plausible: tuple[float, float],
    digits: int = 0,
    look_back: timedelta = YEAR,
    panels: tuple[str, ...] = (),
) -> Quantity:
    return Quantity(id, label, unit, codes, plausible, look_back, VITAL, digits, panels=panels)


def _lab(
    id: str,
    label: Message,
    unit: str,
    codes: tuple[str, ...],
    plausible: tuple[float, float],
    digits: int = 0,
    look_back: timedelta = YEAR,
    also: dict[str, float] | dict[str, tuple[float, float]] | None = None,
    bounds: tuple[str, ...] = (),
) -> Quantity:
    """A laboratory value; `also`: UCUM unit -> factor, or (factor, offset), to `unit` for this analyte."""
    conversions = {k: v if isinstance(v, tuple) else (v, 0.0) for k, v in (also or {}).items()}
    return Quantity(
        id, label, unit, codes, plausible, look_back, LABORATORY, digits, MappingProxyType(conversions), bounds=bounds
    )


# --- demographics ---------------------------------------------------------------------------------------------
AGE = Demographic("age", msg("Age"))
SEX = Demographic("sex", msg("Sex"))
RACE = Demographic("race", msg("Recorded race"))  # for the superseded Pooled Cohort Equations alone
# Decile of the social deprivation index of the person's area, 1 (least) to 10. No code is in general use and it is
# never guessed from an address: a site that records it maps its own code.
SDI = Quantity("sdi", msg("Social deprivation index"), "1", ("sdi",), (1, 10), TWO_YEARS, "survey")

# --- vital signs ----------------------------------------------------------------------------------------------
# Blood pressure: as a component of any panel or alone; unspecified, sitting, non-invasive. A search by code finds a
# component only if it names the code of the panel.
_PRESSURE = ("85354-9", "55284-4", "35094-2")
SBP_ANYWHERE = _vital(
    "sbp_anywhere", msg("Systolic blood pressure"), "mm[Hg]", ("8480-6", "8459-0", "76534-7"), (40, 300),
    panels=_PRESSURE,
)  # fmt: skip
# Equations for years ahead were made with pressures at rest: one of a stay in hospital is no input of theirs.
SBP = everyday(SBP_ANYWHERE, "sbp")
DBP = _vital(
    "dbp", msg("Diastolic blood pressure"), "mm[Hg]", ("8462-4", "8453-3", "76535-4"), (15, 200), panels=_PRESSURE
)
HEART_RATE = _vital("heart_rate", msg("Heart rate"), "/min", ("8867-4", "8889-8"), (15, 300))
RESPIRATORY_RATE = _vital("respiratory_rate", msg("Respiratory rate"), "/min", ("9279-1",), (2, 90))
SPO2 = _vital("spo2", msg("Oxygen saturation"), "%", ("59408-5", "2708-6"), (30, 100))
TEMPERATURE = _vital(
    "temperature",
    msg("Body temperature"),
    "Cel",
    # unspecified, oral, rectal, tympanic, axillary, core
    ("8310-5", "8331-1", "8332-9", "8333-7", "8328-7", "8329-5"),
    (25, 45),
    digits=1,
)
WEIGHT = _vital("weight", msg("Weight"), "kg", ("29463-7", "3141-9"), (0.3, 650), digits=1, look_back=TWO_YEARS)
HEIGHT = _vital("height", msg("Height"), "cm", ("8302-2", "3137-7", "8308-9"), (20, 260), look_back=TEN_YEARS)
# At the umbilicus, and by an adult protocol; sites of measurement differ by a centimetre or two.
WAIST = _vital("waist", msg("Waist circumference"), "cm", ("8280-0", "56086-2"), (30, 300), look_back=TWO_YEARS)
BMI_MEASURED = _vital(
    "bmi_measured", msg("Body mass index"), "kg/m2", ("39156-5",), (7, 150), digits=1, look_back=TWO_YEARS
)
BMI_FROM_WEIGHT = Derived(
    id="bmi_from_weight",
    label=msg("Body mass index"),
    unit="kg/m2",
    inputs=(WEIGHT, HEIGHT),
    compute=derived.bmi,
    digits=1,
    inapplicable=msg("Weight and height do not go together"),
)
BMI = FirstOf("bmi", msg("Body mass index"), "kg/m2", (BMI_MEASURED, BMI_FROM_WEIGHT), digits=1)

# --- the last 24 hours ----------------------------------------------------------------------------------------
SBP_ACUTE = within(SBP_ANYWHERE, ACUTE, "sbp_acute")
HEART_RATE_ACUTE = within(HEART_RATE, ACUTE, "heart_rate_acute")
RESPIRATORY_RATE_ACUTE = within(RESPIRATORY_RATE, ACUTE, "respiratory_rate_acute")
SPO2_ACUTE = within(SPO2, ACUTE, "spo2_acute")
TEMPERATURE_ACUTE = within(TEMPERATURE, ACUTE, "temperature_acute")
# The flow and concentration components of pulse oximetry in US Core. (3150-6, which circulates, fails LOINC's
# check digit; 3150-0 is the code of inhaled oxygen concentration.)
OXYGEN_FLOW = _vital(
    "oxygen_flow", msg("Oxygen flow"), "L/min", ("3151-8",), (0, 100), digits=1, look_back=ACUTE, panels=SPO2.codes
)
FIO2 = _vital("fio2", msg("Inspired oxygen"), "%", ("3150-0",), (15, 100), look_back=ACUTE, panels=SPO2.codes)
_OXYGEN = msg("Supplemental oxygen")
OXYGEN_STATED = Coded(
    id="oxygen_stated",
    label=_OXYGEN,
    codes=("3151-8", "3150-0"),  # the answer stands in place of a number
    answers=MappingProxyType({(SNOMED, "371825009"): True, (SNOMED, "722742002"): False}),  # on oxygen; room air
    look_back=ACUTE,
    category=VITAL,
)
SUPPLEMENTAL_OXYGEN = FirstOf(
    id="supplemental_oxygen",
    label=_OXYGEN,
    unit="",
    alternatives=(
        Derived("oxygen_by_flow", _OXYGEN, "", (OXYGEN_FLOW,), derived.breathes_oxygen),
        Derived("oxygen_by_fio2", _OXYGEN, "", (FIO2,), derived.enriched),
        OXYGEN_STATED,
    ),
)
CONSCIOUSNESS = Coded(
    id="consciousness",
    label=msg("Consciousness"),
    codes=("67775-7", "80288-4"),
    # SNOMED CT as in the value sets of HL7 UK for NEWS2; LOINC answers of list LL361-7 (AVPU).
    # LA6560-2 "Confused" is left out: it does not say that the confusion is new.
    answers=MappingProxyType(
        {
            (SNOMED, "248234008"): "A",  # mentally alert
            (SNOMED, "130987000"): "C",  # acute confusion
            (SNOMED, "300202002"): "V",  # responds to voice
            (SNOMED, "450847001"): "P",  # responds to pain
            (SNOMED, "422768004"): "U",  # unresponsive
            (LOINC, "LA9340-6"): "A",
            (LOINC, "LA17108-4"): "V",
            (LOINC, "LA17107-6"): "P",
            (LOINC, "LA9343-0"): "U",
        }
    ),
    look_back=ACUTE,
    category=VITAL,
)
GCS = _vital("gcs", msg("Glasgow Coma Scale"), "1", ("9269-2",), (3, 15), look_back=ACUTE)
DBP_ACUTE = within(DBP, ACUTE, "dbp_acute")
SPO2_SCALE_2 = PrescribedTarget("spo2_scale_2", msg("Oxygen saturation target of 88% to 92%"))
IN_HOSPITAL = InHospital("in_hospital", msg("In hospital now"))

# --- the present stay, and what came before it ----------------------------------------------------------------
STAY_DAYS = OfStay("stay_days", msg("Days in hospital"), Fact.DAYS, "d")
EMERGENCY_ADMISSION = OfStay("emergency_admission", msg("Unplanned admission"), Fact.EMERGENCY)
EMERGENCY_VISITS = OfStay(
    "emergency_visits", msg("Emergency visits in the 6 months before the stay"), Fact.EMERGENCY_VISITS, "1"
)
ADMISSIONS_YEAR = OfStay("admissions_year", msg("Admissions in the 12 months before the stay"), Fact.ADMISSIONS, "1")
STAY_PROCEDURE = OfStay("stay_procedure", msg("Procedure during the stay"), Fact.PROCEDURE)
ONCOLOGY_SERVICE = OfStay("oncology_service", msg("Stay on an oncology service"), Fact.ONCOLOGY)

# --- smoking --------------------------------------------------------------------------------------------------
SMOKING = Coded(
    id="smoking",
    label=msg("Smoking"),
    codes=("72166-2",),
    # "Unknown if ever smoked" (266927001, LA18980-5) and "smoker, status unknown" without a yes are no answer.
    answers=MappingProxyType(
        {
            (SNOMED, "449868002"): "current",  # every day
            (SNOMED, "428041000124106"): "current",  # some days
            (SNOMED, "428071000124103"): "current",  # heavy
            (SNOMED, "428061000124105"): "current",  # light
            (SNOMED, "77176002"): "current",  # smoker, current status unknown
            (SNOMED, "65568007"): "current",  # cigarette smoker
            (SNOMED, "8517006"): "former",
            (SNOMED, "266919005"): "never",
            (LOINC, "LA18976-3"): "current",
            (LOINC, "LA18977-1"): "current",
            (LOINC, "LA18979-7"): "current",
            (LOINC, "LA18981-3"): "current",
            (LOINC, "LA18982-1"): "current",
            (LOINC, "LA15920-4"): "former",
            (LOINC, "LA18978-9"): "never",
        }
    ),
    look_back=TWO_YEARS,
)

# No code in general use says whether someone is active for half an hour on most days, or eats vegetables every day; a
# site maps its own.
VEGETABLES_DAILY = Coded(
    "vegetables_daily", msg("Vegetables, fruit or berries every day"), ("vegetables_daily",), _YES_NO, TWO_YEARS
)
PHYSICALLY_ACTIVE = Coded("physically_active", msg("Physical activity"), ("physically_active",), _YES_NO, TWO_YEARS)

# --- lipids (molar factors: reference of the European Atherosclerosis Society) ---------------------------------
_CHOLESTEROL = {"mmol/L": 38.67}
TOTAL_CHOLESTEROL = _lab(
    "total_cholesterol",
    msg("Total cholesterol"),
    "mg/dL",
    ("2093-3", "14647-2"),
    (30, 1500),
    0,
    TWO_YEARS,
    _CHOLESTEROL,
)
HDL = _lab("hdl", msg("HDL cholesterol"), "mg/dL", ("2085-9", "14646-4"), (3, 250), 0, TWO_YEARS, _CHOLESTEROL)
LDL = _lab(
    "ldl",
    msg("LDL cholesterol"),
    "mg/dL",
    ("13457-7", "18262-6", "2089-1", "39469-2", "22748-8"),  # calculated, direct, unspecified; molar
    (5, 1200),
    0,
    TWO_YEARS,
    _CHOLESTEROL,
    bounds=_ABOVE,
)
TRIGLYCERIDES = _lab(
    "triglycerides", msg("Triglycerides"), "mg/dL", ("2571-8", "14927-8"), (10, 12000), 0, TWO_YEARS, {"mmol/L": 88.57}
)
NON_HDL = Derived(
    id="non_hdl",
    label=msg("Non-HDL cholesterol"),
    unit="mg/dL",
    inputs=(TOTAL_CHOLESTEROL, HDL),
    compute=derived.non_hdl,
    inapplicable=msg("HDL exceeds total cholesterol"),
)

# --- glucose, kidney, electrolytes ----------------------------------------------------------------------------
HBA1C = _lab(
    "hba1c",
    msg("HbA1c"),
    "%",
    ("4548-4", "17856-6", "59261-8", "4549-2"),
    (3.3, 25),  # 12.5 mmol/mol: below it a percentage was labelled mmol/mol
    1,
    # IFCC to NGSP: NGSP master equation. UCUM alone would make 4.8 % of 48 mmol/mol.
    also={"mmol/mol": (0.09148, 2.152)},
    bounds=_ABOVE,
)
GLUCOSE = _lab(
    "glucose",
    msg("Glucose"),
    "mg/dL",
    ("2345-7", "2339-0", "1558-6", "14749-6", "15074-8", "14771-0"),  # plasma, blood, fasting; molar
    (10, 2500),  # below, a number in mg/dL is one in mmol/L
    also={"mmol/L": 18.02},
    bounds=_BOTH,
)
FASTING_GLUCOSE = _lab(
    "fasting_glucose",
    msg("Fasting glucose"),
    "mg/dL",
    ("1558-6", "14771-0", "76629-5"),  # plasma, molar, molar of whole blood
    (5, 2500),
    look_back=TWO_YEARS + YEAR,
    also={"mmol/L": 18.02},
)
CREATININE = _lab(
    "creatinine",
    msg("Creatinine"),
    "mg/dL",
    ("2160-0", "38483-4", "14682-9"),  # serum, blood, molar
    (0.05, 50),
    2,
    also={"umol/L": 1 / 88.42},
)
# Urea as mass (3091-6) is left out: it has the unit of urea nitrogen and 2.14 times its value.
BUN = _lab(
    "bun",
    msg("Urea nitrogen"),
    "mg/dL",
    ("3094-0", "6299-2", "22664-7"),  # urea nitrogen in serum, blood; urea, molar
    (1, 400),
    also={"mmol/L": 2.801},
)
CREATININE_QUARTER = within(CREATININE, QUARTER, "creatinine_quarter")
CYSTATIN_C = _lab("cystatin_c", msg("Cystatin C"), "mg/L", ("33863-2",), (0.1, 20), 2)
SODIUM = _lab("sodium", msg("Sodium"), "mmol/L", ("2951-2", "2947-0"), (80, 220), also={"meq/L": 1.0})
SODIUM_QUARTER = within(SODIUM, QUARTER, "sodium_quarter")
POTASSIUM = _lab(
    "potassium", msg("Potassium"), "mmol/L", ("2823-3", "6298-4"), (0.8, 15), 1, also={"meq/L": 1.0}, bounds=_ABOVE
)
CHLORIDE = _lab("chloride", msg("Chloride"), "mmol/L", ("2075-0", "2069-3"), (40, 180), also={"meq/L": 1.0})
BICARBONATE = _lab(
    "bicarbonate", msg("Bicarbonate"), "mmol/L", ("1963-8", "2028-9", "20565-8"), (1, 80), also={"meq/L": 1.0}
)
CALCIUM = _lab(
    "calcium",
    msg("Calcium"),
    "mg/dL",
    ("17861-6", "49765-1", "2000-8"),
    (2, 30),
    1,
    also={"mmol/L": 4.008, "meq/L": 2.004},  # two charges an ion
)
PHOSPHATE = _lab("phosphate", msg("Phosphate"), "mg/dL", ("2777-1", "14879-1"), (0.2, 30), 1, also={"mmol/L": 3.097})
URIC_ACID = _lab(
    "uric_acid", msg("Uric acid"), "mg/dL", ("3084-1", "14933-6"), (0.1, 60), 1, also={"umol/L": 1 / 59.48}
)
UACR = _lab(
    "uacr",
    msg("Urine albumin-creatinine ratio"),
    "mg/g",
    ("9318-7", "14959-1", "13705-9", "32294-1", "30000-4"),
    (0, 30000),
    also={"mg/mmol": 8.84},
    bounds=_BOTH,
)
EGFR = Derived(
    id="egfr",
    label=msg("eGFR (CKD-EPI 2021)"),
    unit="mL/min/{1.73_m2}",
    inputs=(CREATININE, AGE, SEX),
    compute=derived.egfr_ckd_epi_2021,
    inapplicable=msg("CKD-EPI 2021 applies from 18 years"),
)
EGFR_REPORTED = _lab(
    "egfr_reported",
    msg("eGFR reported by the laboratory"),
    "mL/min/{1.73_m2}",
    # Not 48643-1 and 88293-6 (with a coefficient of race): they came beside 48642-3 and 88294-4, and contradict these.
    ("98979-8", "62238-1", "33914-3", "48642-3", "69405-9", "50044-7", "70969-1", "88294-4"),
    (1, 250),
    bounds=_BOTH,
)
CREATININE_UNSTEADY = Unsteady("creatinine_unsteady", msg("Creatinine that is not steady"), CREATININE)
EGFR_LASTINGLY_LOW = Lasting(
    id="egfr_lastingly_low",
    label=msg("eGFR below 60 for more than 90 days"),
    creatinine=CREATININE,
    below=60,
    apart=QUARTER,
)

# --- liver, proteins, inflammation ----------------------------------------------------------------------------
_UNITS = {"[IU]/L": 1.0}  # an enzyme unit is one micromole a minute, whatever it is called
ALBUMIN = _lab("albumin", msg("Albumin"), "g/dL", ("1751-7", "61151-7", "61152-5"), (0.3, 8), 1)
BILIRUBIN = _lab(
    "bilirubin", msg("Bilirubin"), "mg/dL", ("1975-2", "14631-6"), (0.02, 80), 1, also={"umol/L": 1 / 17.1},
    bounds=_BELOW,
)  # fmt: skip
ALBUMIN_QUARTER = within(ALBUMIN, QUARTER, "albumin_quarter")
BILIRUBIN_QUARTER = within(BILIRUBIN, QUARTER, "bilirubin_quarter")
# No code in general use grades ascites or hepatic encephalopathy; a site that records them maps its own answers:
# "none", "mild", "moderate_severe"; and "0" to "4" (West Haven).
ASCITES_GRADE = Coded(
    "ascites_grade",
    msg("Grade of ascites"),
    ("ascites_grade",),
    MappingProxyType({(CURBSIDE, grade): grade for grade in ("none", "mild", "moderate_severe")}),
    QUARTER,
    "exam",
)
ENCEPHALOPATHY_GRADE = Coded(
    "encephalopathy_grade",
    msg("Grade of hepatic encephalopathy"),
    ("encephalopathy_grade",),
    MappingProxyType({(CURBSIDE, grade): grade for grade in "01234"}),
    QUARTER,
    "exam",
)
ALP = _lab("alp", msg("Alkaline phosphatase"), "U/L", ("6768-6",), (1, 10000), also=_UNITS)
AST = _lab("ast", msg("AST"), "U/L", ("1920-8", "30239-8"), (1, 30000), also=_UNITS)
ALT = _lab("alt", msg("ALT"), "U/L", ("1742-6", "1743-4", "1744-2"), (1, 30000), also=_UNITS)
GGT = _lab("ggt", msg("GGT"), "U/L", ("2324-2",), (1, 10000), also=_UNITS)
CRP = _lab("crp", msg("C-reactive protein"), "mg/L", ("1988-5", "30522-7"), (0, 1000), 1)
CRP_ACUTE = Derived(
    id="crp_acute",
    label=msg("C-reactive protein above 100 mg/L"),
    unit="",
    inputs=(CRP,),
    compute=derived.acute_inflammation,
)
LACTATE = _lab(
    "lactate",
    msg("Lactate"),
    "mmol/L",
    ("2524-7", "32693-4", "2518-9", "2519-7"),  # serum or plasma, blood, arterial, venous
    (0.1, 40),
    1,
    ACUTE,
    also={"mg/dL": 1 / 9.01},
    bounds=_BOTH,
)
QTC = Quantity("qtc", msg("QTc interval"), "ms", ("8636-3",), (200, 900), timedelta(days=30), "procedure")
DIGOXIN_LEVEL = _lab(
    "digoxin_level", msg("Digoxin level"), "ng/mL", ("10535-3", "14698-5"), (0.05, 50), 1, also={"nmol/L": 0.781}
)
LITHIUM_LEVEL = _lab("lithium_level", msg("Lithium level"), "mmol/L", ("14334-7",), (0.02, 15), 1, also={"meq/L": 1.0})
INR = _lab("inr", msg("INR"), "1", ("6301-6", "34714-6"), (0.4, 30), 1, QUARTER, bounds=_ABOVE)

# --- blood count ----------------------------------------------------------------------------------------------
HEMOGLOBIN = _lab(
    "hemoglobin",
    msg("Hemoglobin"),
    "g/dL",
    ("718-7", "30313-1", "30350-3", "59260-0"),  # blood, arterial, venous, molar
    (1, 30),
    1,
    also={"mmol/L": 1.611},
)
# Of a stay: what was measured longer ago than two weeks does not speak of its end.
HEMOGLOBIN_STAY = within(HEMOGLOBIN, FORTNIGHT, "hemoglobin_stay")
SODIUM_STAY = within(SODIUM, FORTNIGHT, "sodium_stay")
PLATELETS = _lab("platelets", msg("Platelets"), "10*3/uL", ("777-3", "26515-7", "778-1"), (1, 5000), bounds=_BELOW)
WBC = _lab("wbc", msg("White blood cells"), "10*3/uL", ("6690-2", "26464-8", "804-5"), (0.01, 800), 1)
RBC = _lab("rbc", msg("Red blood cells"), "10*6/uL", ("789-8", "26453-1"), (0.3, 12), 2)
MCV = _lab("mcv", msg("Mean corpuscular volume"), "fL", ("787-2", "30428-7"), (30, 180))
# 21000-5 is the width in fL (RDW-SD), another quantity.
RDW = _lab("rdw", msg("Red cell distribution width"), "%", ("788-0", "30385-9"), (5, 50), 1)
LYMPHOCYTES_PERCENT = _lab("lymphocytes_percent", msg("Lymphocytes"), "%", ("736-9", "26478-8", "737-7"), (0, 100), 1)
NEUTROPHILS_PERCENT = _lab("neutrophils_percent", msg("Neutrophils"), "%", ("770-8", "26511-6"), (0, 100), 1)
MONOCYTES_PERCENT = _lab("monocytes_percent", msg("Monocytes"), "%", ("5905-5", "26485-3"), (0, 100), 1)
EOSINOPHILS_PERCENT = _lab("eosinophils_percent", msg("Eosinophils"), "%", ("713-8", "26450-7"), (0, 100), 1)
BASOPHILS_PERCENT = _lab("basophils_percent", msg("Basophils"), "%", ("706-2", "30180-4"), (0, 100), 1)


# --- worst values of the last 24 hours ------------------------------------------------------------------------
BUN_ACUTE = within(BUN, ACUTE, "bun_acute")
GCS_LOWEST = worst(GCS, msg("Lowest Glasgow Coma Scale"), "gcs_lowest", highest=False)
MAP_LOWEST = worst(
    _vital("map", msg("Mean arterial pressure"), "mm[Hg]", ("8478-0",), (15, 250)),
    msg("Lowest mean arterial pressure"),
    "map_lowest",
    highest=False,
)
MAP_FROM_PRESSURE = Derived(
    id="map_from_pressure",
    label=msg("Mean arterial pressure"),
    unit="mm[Hg]",
    inputs=(SBP_ACUTE, DBP_ACUTE),
    compute=derived.mean_pressure,
    inapplicable=msg("The diastolic pressure exceeds the systolic one"),
)
PAO2 = _lab("pao2", msg("Arterial oxygen pressure"), "mm[Hg]", ("2703-7",), (10, 750), look_back=ACUTE)
_RATIO = msg("Lowest PaO2/FiO2")
PAO2_FIO2_MEASURED = worst(
    _lab("pao2_fio2_reported", msg("PaO2/FiO2"), "mm[Hg]", ("50984-4",), (15, 750)),
    _RATIO,
    "pao2_fio2_measured",
    highest=False,
)
PAO2_FIO2_LOWEST = LowestRatio("pao2_fio2_lowest", _RATIO, "mm[Hg]", PAO2, FIO2, apart=timedelta(hours=1), scale=100.0)
PAO2_FIO2 = FirstOf("pao2_fio2", _RATIO, "mm[Hg]", (PAO2_FIO2_MEASURED, PAO2_FIO2_LOWEST))
# No observation code in general use says that breathing is supported; a site that records it maps its own.
VENTILATED = Coded("ventilated", msg("Ventilatory support"), ("ventilated",), _YES_NO, ACUTE, "exam")
PLATELETS_LOWEST = worst(PLATELETS, msg("Lowest platelets"), "platelets_lowest", highest=False)
BILIRUBIN_HIGHEST = worst(BILIRUBIN, msg("Highest bilirubin"), "bilirubin_highest", highest=True)
CREATININE_HIGHEST = worst(CREATININE, msg("Highest creatinine"), "creatinine_highest", highest=True)
URINE_24H = _lab(
    "urine_24h",
    msg("Urine of 24 hours"),
    "mL",
    ("3167-4",),
    (0, 20000),
    look_back=ACUTE,
    also={"mL/d": 1.0},
)

# --- before the present illness -------------------------------------------------------------------------------
PLATELETS_BEFORE = before(PLATELETS, msg("Platelets before the illness"), "platelets_before")
BILIRUBIN_BEFORE = before(BILIRUBIN, msg("Bilirubin before the illness"), "bilirubin_before")
CREATININE_BEFORE = before(CREATININE, msg("Creatinine before the illness"), "creatinine_before")
# Whether cultures were taken, not what grew: any entry counts as taken.
BLOOD_CULTURE = Coded(
    "blood_culture", msg("Blood culture"), ("600-7", "17928-3", "90423-5"), MappingProxyType({}), ACUTE, LABORATORY
)


def all_features() -> tuple[Feature, ...]:
    """Every input of the catalogue, in its order, conditions and medicines last."""
    own = [x for x in globals().values() if isinstance(x, Feature)]
    known = (*conditions.CONDITIONS, *comorbidities.COMORBIDITIES, *thrombosis.CONDITIONS, *medicines.MEDICINES)
    listed = set(known)
    return (*(f for f in own if f not in listed), *known)
