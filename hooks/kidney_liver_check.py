"""Kidney and liver check at patient-view: kidney injury, chronic kidney disease and its care, FIB-4.

A rise of creatinine comes first: while it is not steady there is no eGFR and no stage. One eGFR below 60 is worded as
one value: chronic kidney disease needs a second one more than 90 days apart, or albuminuria that lasts as long. What
its stage calls for is offered only where the record does not show it already. FIB-4 is looked at only where a guideline
asks for it: diabetes or prediabetes, obesity, steatosis, chronic liver disease, raised ALT, alcohol use disorder.
Normal results stay silent. A potassium of 6.0 mmol/L or more of the last days is told first. In hospital only that,
kidney injury and contraindicated metformin speak, in pregnancy the first two; with palliative care all is silent.
What each finding says stands with its source in `cds_service/kidneys/` and `cds_service/liver.py`.

Sources: KDIGO 2012 (acute kidney injury; referral), KDIGO 2022 (diabetes in CKD), KDIGO 2024 (CKD), AHA/ACC 2025
(hypertension), UKKA 2023 (hyperkalaemia), AASLD 2023 (noninvasive assessment of liver disease), US labelling of
metformin (2016).
"""

from __future__ import annotations

from cds_service.api import (
    Case,
    Finding,
    Service,
    Threshold,
    Topic,
    catalogue,
    creatinine_rise,
    kidneys,
    liver,
    msg,
    override_reason,
    published,
)

ADULT = 18
THRESHOLDS = {
    "refer_at_kfre": Threshold(5.0, msg("5-year risk of kidney failure (KFRE) from which to refer"), "%", 1, 50),
}


def find(case: Case) -> tuple[Finding, ...]:
    """Kidney findings, then liver findings."""
    age = case.values.usable(catalogue.AGE)
    if case.values.flag(catalogue.PALLIATIVE_CARE):
        return ()
    rise = None if case.values.flag(catalogue.DIALYSIS) else creatinine_rise(case.context.record, catalogue.CREATININE)
    if age is None:  # a rise is one at any age
        return kidneys.injury(case, rise)
    if published.whole_years(age) < ADULT:
        return ()
    metformin = kidneys.metformin_in_injury(case, rise) or kidneys.metformin(case)
    potassium = kidneys.hyperkalaemia(case)
    if case.values.flag(catalogue.PREGNANCY):  # creatinine falls there: a rise means all the more
        return (*potassium, *kidneys.injury(case, rise))
    if case.values.flag(catalogue.IN_HOSPITAL):
        return (*potassium, *kidneys.injury(case, rise), *metformin)
    found = None if rise is not None else kidneys.disease(case)
    return (
        *potassium,
        *kidneys.injury(case, rise),
        *(kidneys.care(case, found) if found or rise else kidneys.one_value(case)),
        *metformin,
        *kidneys.nsaid(case),
        *(() if rise is not None else kidneys.reported(case)),
        *kidneys.albuminuria(case, found),
        *liver.fibrosis(case),
        *kidneys.stage_line(case, found),
        *kidneys.cystatin_line(case),
        *kidneys.failure_line(case),
    )


service = Service(
    id="kidney-liver-check",
    hook="patient-view",
    title=msg("Kidney and liver check"),
    description=msg(
        "A rise of creatinine as in acute kidney injury with its potassium, eGFR (CKD-EPI 2021) that calls for a "
        "repeat, a diagnosis or a referral, the risk of kidney failure (KFRE), treatment and albuminuria checks that "
        "are due in chronic kidney disease, metformin or an NSAID with decreased kidney function, a reported eGFR that "
        "creatinine contradicts, and FIB-4 where liver fibrosis is to be looked for."
    ),
    models=(kidneys.EGFR_MODEL, kidneys.CYSTATIN_MODEL, *kidneys.KFRE_MODELS, liver.FIB4_MODEL),
    thresholds=THRESHOLDS,
    features=(
        *kidneys.RISKS,
        *liver.RISKS,
        *kidneys.TO_REVIEW,
        catalogue.IN_HOSPITAL,
        catalogue.HEART_FAILURE,
        catalogue.TYPE_1_DIABETES,
        catalogue.KIDNEY_TRANSPLANT,
        catalogue.ACUTE_KIDNEY_INJURY,
        catalogue.POTASSIUM,
        catalogue.LACTATE,
        catalogue.EGFR,
        catalogue.EGFR_REPORTED,
        catalogue.UACR,
        catalogue.HBA1C,
        catalogue.BMI,
        catalogue.CIRRHOSIS,
        catalogue.DIALYSIS,
        catalogue.PREGNANCY,
        catalogue.PALLIATIVE_CARE,
    ),
    find=find,
    source=kidneys.KDIGO_2024,
    topic=Topic("http://snomed.info/sct", "709044004", "Chronic kidney disease"),
    summary=("trend", "result", "problem", "medication", "allergy"),
    reasons=(
        override_reason("indication-order-exists", "Patient has indication/order for intended action"),
        override_reason("service-not-available", "Treatment or service is not practically available"),
    ),
)
