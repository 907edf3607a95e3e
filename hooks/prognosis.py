"""Prognosis at patient-view: the risk of dying within 5 and 10 years, for conversations about time.

Two uses: whether screening whose benefit takes about ten years can still help, and whether to talk about goals of
care. A card appears from a 10-year risk of 25 % on; below it the estimate changes neither and is only recorded.
No guideline sets that threshold: it is this service's choice, to keep cards few. At 50 % the median survival falls
below the ten years that breast and colorectal cancer screening need.

The model speaks for people at home. In hospital, on values of a stay or of acute illness, with a creatinine that is not
steady, on dialysis, and with cancer or cirrhosis on the problem list it refuses (`models/mortality/model.py` says why),
and so no card speaks.

Source of the ten years: Lee SJ et al. Time lag to benefit after screening for breast and colorectal cancer.
BMJ 2013;346:e8441.
"""

from __future__ import annotations

from cds_service.api import (
    Case,
    Citation,
    Finding,
    Message,
    NotEstimated,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Threshold,
    Topic,
    catalogue,
    msg,
    override_reason,
    published,
)

MORTALITY = "mortality"
THRESHOLDS = {
    "speak_from": Threshold(25.0, msg("10-year risk of dying from which a card appears"), "%", 5, 95),
    "screening_too_late_from": Threshold(
        50.0, msg("10-year risk of dying from which median survival is below ten years"), "%", 20, 95
    ),
}
TIME_LAG = Citation(
    "Lee SJ et al. Time lag to benefit after screening. BMJ 2013;346:e8441", "https://doi.org/10.1136/bmj.e8441"
)
SHORT = msg(
    "Screening whose benefit takes about ten years (breast, colorectal cancer) may come too late to help. Consider a "
    "conversation about what matters to the patient and about goals of care."
)
UNCERTAIN = msg(
    "Weigh the time that screening needs to help (about ten years for breast and colorectal cancer) with the patient, "
    "and consider asking what matters most."
)


def find(case: Case) -> tuple[Finding, ...]:
    """The estimate, if it may change what is offered; silent where palliative care already is."""
    result = case.results[MORTALITY]
    if isinstance(result, NotEstimated) or case.values.flag(catalogue.PALLIATIVE_CARE):
        return ()
    by_years = {estimate.horizon_years: estimate for estimate in result}
    ten = by_years[10]
    finding = RiskFinding(
        key=f"{MORTALITY}/10y",
        severity=Severity.INFO,
        headline=headline(ten, by_years[5]),
        advice=SHORT if 100 * ten.value >= case.thresholds["screening_too_late_from"] else UNCERTAIN,
        advice_source=TIME_LAG,
        quiet=100 * ten.value < case.thresholds["speak_from"],
        model=case.models[MORTALITY],
        result=result,
    )
    return (finding,)


def headline(ten: RiskEstimate, five: RiskEstimate) -> Message:
    """Both horizons in one sentence."""
    return msg(
        "Estimated risk of dying: {ten}% within 10 years, {five}% within 5 years",
        ten=published.percent(ten.value),
        five=published.percent(five.value),
    )


service = Service(
    id="prognosis",
    hook="patient-view",
    title=msg("Prognosis"),
    description=msg(
        "Estimated risk of dying within 5 and 10 years at ages 50 to 79, for decisions about screening and for "
        "conversations about goals of care. Not for refusing treatment."
    ),
    models=(MORTALITY,),
    features=(catalogue.PALLIATIVE_CARE,),
    find=find,
    source=Citation("Curbside mortality model", "https://doi.org/10.1136/bmj.e8441"),
    topic=Topic("http://snomed.info/sct", "20481000", "Determination of prognosis"),
    summary=("problem", "trend", "result", "medication", "allergy"),
    thresholds=THRESHOLDS,
    reasons=(
        override_reason(
            "does-not-align-preferences", "Recommendation does not align with patient preferences or values"
        ),
        override_reason("wrong-time-workflow", "PC CDS delivered at wrong time in workflow or patient lifecycle"),
    ),
)
