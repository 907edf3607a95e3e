"""Death from any cause within five and ten years, ages 50 to 79, from routine measurements; see `card.md`.

Trained by `train.py` on NHANES 1999-2014 with linked deaths. For weighing whether screening can still help and for
conversations about goals of care; never for triage or for refusing care.

Its people lived at home and came to an examination. In hospital, and on values of acute illness, it would take a
passing state for a lasting one: a man with sepsis of whom it knows the worst day's creatinine, albumin and CRP would be
told a ten-year risk of 90 %. There it does not speak: during a stay, on any value that was taken during one whatever
its age, on a CRP above 100 mg/L (beyond all that it has seen, and rare outside acute infection), and while creatinine
is not steady. Nor on dialysis, whose creatinine lies far beyond its data, nor with cancer or cirrhosis on the problem
list, of which it knows nothing and which decide: a woman with a new cancer of the pancreas would be told a five-year
risk of 11 %.
"""

from __future__ import annotations

from pathlib import Path

from cds_service.api import Band, Citation, Group, MeasuredInHospital, Quantity, TrainedModel, msg
from cds_service.api import catalogue as c

FEATURES = (
    c.AGE,
    c.SEX,
    c.SBP,
    c.DBP,
    c.BMI,
    c.WAIST,
    c.CREATININE,
    c.EGFR,
    c.BUN,
    c.URIC_ACID,
    c.ALBUMIN,
    c.ALP,
    c.BILIRUBIN,
    c.GGT,
    c.GLUCOSE,
    c.HBA1C,
    c.TOTAL_CHOLESTEROL,
    c.HDL,
    c.CRP,
    c.WBC,
    c.LYMPHOCYTES_PERCENT,
    c.NEUTROPHILS_PERCENT,
    c.MONOCYTES_PERCENT,
    c.RBC,
    c.MCV,
    c.RDW,
)

GROUPS = (
    Group("blood-pressure", msg("Blood pressure"), ("sbp", "dbp")),
    Group("body-size", msg("Body size"), ("bmi", "waist")),
    Group("kidney", msg("Kidney function"), ("creatinine", "egfr", "bun")),
    Group("liver", msg("Liver tests"), ("alp", "bilirubin", "ggt")),
    Group("glucose", msg("Glucose control"), ("glucose", "hba1c")),
    Group("cholesterol", msg("Cholesterol"), ("total_cholesterol", "hdl")),
    Group(
        "white-cells",
        msg("White blood cells"),
        ("wbc", "lymphocytes_percent", "neutrophils_percent", "monocytes_percent"),
    ),
    Group("red-cells", msg("Red blood cells"), ("rbc", "mcv", "rdw")),
)

IN_STAY = MeasuredInHospital(
    "mortality_measured_in_hospital",
    msg("Measured in hospital"),
    tuple(f for f in FEATURES if isinstance(f, Quantity) and f.category == "laboratory"),
)
GATES = (
    (c.IN_HOSPITAL, msg("the model speaks for people at home, and a stay in hospital goes on")),
    (IN_STAY, msg("laboratory values of a stay in hospital tell of acute illness, not of the years to come")),
    (c.CREATININE_UNSTEADY, msg("creatinine is not steady, as in acute kidney injury")),
    (c.CRP_ACUTE, msg("C-reactive protein above 100 mg/L tells of acute illness, not of the years to come")),
    (c.DIALYSIS, msg("the model knows nobody on dialysis")),
    (c.METASTASIS, msg("metastatic cancer decides, and the model does not know of it")),
    (c.CANCER, msg("a cancer on the problem list decides, and the model does not know of it")),
    (c.CIRRHOSIS, msg("cirrhosis decides, and the model does not know of it")),
)

# A ten-year risk of one half is a median survival of ten years: the time that breast and colorectal cancer screening
# needs to save one life in a thousand screened (Lee SJ et al. BMJ 2013;346:e8441).
BANDS = {
    10: (
        (0.0, Band("below-half", msg("below one half"))),
        (0.5, Band("half-or-more", msg("one half or more"))),
    )
}

model = TrainedModel.load(
    Path(__file__).parent,
    title=msg("Five- and ten-year mortality"),
    citation=Citation(
        "NHANES 1999-2014 with linked mortality files, National Center for Health Statistics",
        "https://www.cdc.gov/nchs/data-linkage/mortality-public.htm",
    ),
    features=FEATURES,
    groups=GROUPS,
    outcome_words=msg("death from any cause"),
    population=msg("adults of 20 years and over in the United States, NHANES 1999–2014"),
    limits=msg(
        "Ages 50 to 79, living at home: not in hospital, nor on values of an acute illness. Data of 1999 to 2014, not "
        "calibrated to this hospital. Smoking, diagnoses and medicines are not among its inputs. Not for triage or for "
        "refusing care."
    ),
    bands=BANDS,
    gates=GATES,
)
