"""Inputs of a seriously ill in-patient from the third day in hospital: the illness, and the state of the last two days.

The groups are those of SUPPORT (Knaus WA et al. Ann Intern Med 1995;122:191-203), as far as coded diagnoses tell them:
what the study asked beyond these (an exacerbation, liver metastases, a stage) a record rarely holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cds_service.features import catalogue as c
from cds_service.features import comorbidities, physiology_points, thrombosis
from cds_service.features.feature import ConditionFeature, Derived, FirstOf, Quantity
from cds_service.features.intensive_care import ARTERIAL_PH
from cds_service.language import msg

WINDOW = timedelta(days=2)
HEART_FAILURE, COPD, CIRRHOSIS = "heart failure", "chronic obstructive lung disease", "cirrhosis"
COLON_CANCER, LUNG_CANCER, COMA = "colon cancer", "lung cancer", "coma"
ORGAN_FAILURE, ORGAN_FAILURE_CANCER = "respiratory or organ failure with sepsis", "organ failure with cancer"
# As risk rises, by what is known of these illnesses: one input of which a tree needs few cuts.
ORDER = {
    HEART_FAILURE: 0.0, COPD: 1.0, CIRRHOSIS: 2.0, COLON_CANCER: 3.0, LUNG_CANCER: 4.0, ORGAN_FAILURE: 5.0,
    ORGAN_FAILURE_CANCER: 6.0, COMA: 7.0,
}  # fmt: skip
SEPSIS = ConditionFeature("sepsis", msg("Sepsis"), ("91302008", "76571007"), ("A40", "A41", "R65.2", "R57.2"))
COMA_CODED = ConditionFeature("coma", msg("Coma"), ("371632003",), ("R40.2", "E03.5", "K72.01", "K72.11", "K72.91"))
LUNG = ConditionFeature(
    "lung_cancer", msg("Lung cancer"), ("363358000", "254637007", "254632001", "93880001"), ("C33", "C34")
)
COLON = ConditionFeature(
    "colon_cancer", msg("Colon cancer"), ("363406005", "93761005", "109838007", "269533000"), ("C18",)
)


def _illness(
    sepsis: bool, failure: bool, cancer: bool, coma: bool, lung: bool, colon: bool, cirrhosis: bool, copd: bool,
    heart: bool,
) -> str | None:  # fmt: skip
    """The group of the gravest illness; None if it is none of these."""
    if sepsis or failure:
        return ORGAN_FAILURE_CANCER if cancer else ORGAN_FAILURE
    found = (COMA, coma), (LUNG_CANCER, lung), (COLON_CANCER, colon), (CIRRHOSIS, cirrhosis), (COPD, copd)
    return next((word for word, there in (*found, (HEART_FAILURE, heart)) if there), None)


ILLNESS = Derived(
    "serious_illness",
    msg("Illness"),
    "",
    (SEPSIS, thrombosis.RESPIRATORY_FAILURE, c.CANCER, COMA_CODED, LUNG, COLON, c.CIRRHOSIS, c.COPD, c.HEART_FAILURE),
    _illness,
    inapplicable=msg("none of the illnesses that the model learnt from is on record"),
)
NO_CANCER, CANCER, METASTATIC = "none", "cancer", "metastatic"
CANCER_EXTENT = Derived(
    "cancer_extent",
    msg("Cancer"),
    "",
    (c.CANCER, c.METASTASIS),
    lambda cancer, metastasis: METASTATIC if metastasis else CANCER if cancer else NO_CANCER,
)
COMORBIDITIES = Derived(
    "comorbidity_count",
    msg("Comorbidities"),
    "1",
    tuple(f for f in comorbidities.COMORBIDITIES if f not in (comorbidities.CHARLSON_METASTASIS,)),
    lambda *present: float(min(sum(map(bool, present)), 9)),
)
# The study's patients were entered two days before the values of its day 3.
HOSPITAL_DAY = Derived(
    "serious_illness_day",
    msg("Day in hospital two days ago"),
    "d",
    (c.STAY_DAYS,),
    lambda days: float(days) - 1.0 if days >= 2 else None,
    inapplicable=msg("the model speaks from the third day in hospital"),
)


def _recent(of: Quantity) -> Quantity:
    return replace(of, id=f"{of.id.removesuffix('_acute')}_2d", look_back=WINDOW)


GCS, HEART_RATE, TEMPERATURE = _recent(c.GCS), _recent(c.HEART_RATE), _recent(c.TEMPERATURE)
RESPIRATORY_RATE, WBC, ALBUMIN = _recent(c.RESPIRATORY_RATE), _recent(c.WBC), _recent(c.ALBUMIN)
BILIRUBIN, CREATININE, SODIUM = _recent(c.BILIRUBIN), _recent(c.CREATININE), _recent(c.SODIUM)
GLUCOSE, BUN, PH = _recent(c.GLUCOSE), _recent(c.BUN), _recent(ARTERIAL_PH)
PRESSURE = Derived(
    "mean_pressure_2d",
    msg("Mean arterial pressure"),
    "mm[Hg]",
    (_recent(c.SBP_ACUTE), _recent(c.DBP)),
    lambda systolic, diastolic: (systolic + 2.0 * diastolic) / 3.0 if systolic >= diastolic else None,
    inapplicable=msg("The diastolic pressure exceeds the systolic one"),
)
OXYGENATION = FirstOf("pao2_fio2_2d", msg("PaO2/FiO2"), "mm[Hg]", (c.PAO2_FIO2_MEASURED, c.PAO2_FIO2_LOWEST))
URINE = c.URINE_24H
POINTS = physiology_points.points(
    "physiology_2d",
    msg("Acute physiology, points"),
    {
        "heart_rate": (HEART_RATE,), "mean_pressure": (PRESSURE,), "temperature": (TEMPERATURE,),
        "respiratory_rate": (RESPIRATORY_RATE,), "wbc": (WBC,), "creatinine": (CREATININE,), "urine": (URINE,),
        "bun": (BUN,), "sodium": (SODIUM,), "albumin": (ALBUMIN,), "bilirubin": (BILIRUBIN,), "glucose": (GLUCOSE,),
        "oxygenation": (OXYGENATION,), "arterial_ph": (PH,),
    },
)  # fmt: skip
FEATURES = (
    c.AGE, c.SEX, ILLNESS, CANCER_EXTENT, COMORBIDITIES, c.DIABETES, c.DEMENTIA, HOSPITAL_DAY, GCS, PRESSURE,
    HEART_RATE, RESPIRATORY_RATE, TEMPERATURE, OXYGENATION, PH, WBC, ALBUMIN, BILIRUBIN, CREATININE, BUN, SODIUM,
    GLUCOSE, URINE, POINTS,
)  # fmt: skip
