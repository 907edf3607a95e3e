"""What is to be measured: an eGFR again that is low for the first time, and albuminuria when it is due."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, Reason, Unusable
from cds_service.features.history import creatinine_rise
from cds_service.features.kidney_disease import CHRONIC, KidneyDisease
from cds_service.findings import CareGapFinding, Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.kidneys.estimates import DECREASED, EGFR_MODEL, KDIGO_2024, SEVERELY_DECREASED
from cds_service.kidneys.reported import known
from cds_service.kidneys.words import day as day_of
from cds_service.language import msg, within
from cds_service.not_calculated import not_calculated
from cds_service.risk import published
from cds_service.risk.model import Citation, NotEstimated, RiskEstimate

UACR_EVERY = timedelta(days=366)
HYPERTENSION_2025 = Citation(
    "2025 AHA/ACC high blood pressure guideline (read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001356",
)
RISKS = (catalogue.CKD, catalogue.DIABETES, catalogue.HYPERTENSION)


def one_value(case: Case) -> tuple[Finding, ...]:
    """What an eGFR calls for that shows no lasting disease: a referral, a repeat, or a first measurement."""
    result = case.results[EGFR_MODEL]
    if isinstance(result, NotEstimated):
        at_risk = any(case.values.flag(f) for f in RISKS) and not known(case)
        return (
            not_calculated(case, EGFR_MODEL, result, msg("eGFR not calculated"), msg("eGFR is due")) if at_risk else ()
        )
    estimate = result[0]
    egfr = round(estimate.value)
    if egfr >= DECREASED:
        return ()
    severe, day = egfr < SEVERELY_DECREASED, day_of(estimate.effective)
    due = case.context.now.date() if severe else _repeat_on(case, estimate)
    offers = orders.offer(case.context, orders.CREATININE, "One eGFR below 60", due=due)
    finding = RiskFinding(
        key=f"{EGFR_MODEL}/one-below-{SEVERELY_DECREASED if severe else DECREASED}",
        severity=Severity.WARNING if severe else Severity.INFO,
        headline=msg("eGFR {egfr} on {date}: one value below 30, repeat now", egfr=egfr, date=day)
        if severe
        else msg("eGFR {egfr} on {date}: one value below 60, repeat in 3 months", egfr=egfr, date=day),
        advice=msg(
            "One value cannot tell acute kidney injury from chronic disease: repeat it within days. Below 30, referral "
            "to nephrology is recommended once it is confirmed."
        )
        if severe
        else msg(
            "One value is not chronic kidney disease. Repeat within 3 months, sooner if acute kidney injury is "
            "possible."
        ),
        advice_source=KDIGO_2024,
        proposals=offers,
        quiet=not offers,
        magnitude=1 / egfr if egfr else None,  # half the eGFR is twice as bad
        model=case.models[EGFR_MODEL],
        result=(estimate,),
    )
    return (finding,)


def _repeat_on(case: Case, estimate: RiskEstimate) -> date:
    """90 days after the value, or today if that has passed."""
    today = case.context.now.date()
    return today if estimate.effective is None else max(today, (estimate.effective + CHRONIC).date())


def albuminuria(case: Case, found: KidneyDisease | None) -> tuple[Finding, ...]:
    """Urine albumin-to-creatinine ratio that is due: yearly in kidney disease and diabetes, once in hypertension."""
    values = case.values
    yearly = [f for f in (catalogue.CKD, catalogue.DIABETES) if values.flag(f)]
    if found is not None and catalogue.CKD not in yearly:
        yearly.insert(0, catalogue.CKD)
    last = values[catalogue.UACR]
    never = isinstance(last, Unusable) and last.reason is Reason.ABSENT
    reasons = yearly or [f for f in (catalogue.HYPERTENSION,) if values.flag(f) and never]
    if not reasons or values.flag(catalogue.DIALYSIS) or creatinine_rise(case.context.record, catalogue.CREATININE):
        return ()
    if isinstance(last, Unusable) and last.reason is Reason.UNAVAILABLE:
        return ()
    if isinstance(last, FeatureValue) and _within_a_year(case, last.effective):
        return ()
    offers = orders.offer(case.context, orders.UACR, "Check of albuminuria")
    if not offers:
        return ()
    on_list = [v for f in reasons if (v := values.usable(f)) is not None]
    why = published.enumerated([within(f.label) for f in reasons])
    finding = CareGapFinding(
        key="uacr-due",
        severity=Severity.INFO,
        headline=msg("Urine albumin-to-creatinine ratio is due ({why})", why=why),
        advice=msg("Measure it at least once a year in chronic kidney disease and in diabetes.")
        if yearly
        else msg("It belongs to the first work-up of hypertension: it shows kidney damage before eGFR falls."),
        advice_source=KDIGO_2024 if yearly else HYPERTENSION_2025,
        proposals=offers,
        due=last.words if isinstance(last, Unusable) else msg("The last one is older than a year."),
        last_done=last.effective.date() if last.effective is not None else None,
        sources=tuple(dict.fromkeys((*last.sources, *(s for v in on_list for s in v.sources)))),
    )
    return (finding,)


def _within_a_year(case: Case, effective: datetime | None) -> bool:
    return effective is not None and effective >= case.context.now - UACR_EVERY
