"""FIB-4 where a guideline asks to look for fibrosis: raised values, and what is lacking for one (AASLD 2023)."""

from __future__ import annotations

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import Feature
from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.not_calculated import not_calculated
from cds_service.risk import published
from cds_service.risk.model import Citation, NotEstimated, RiskEstimate

FIB4_MODEL = "fib-4"
PREDIABETES_HBA1C, OBESITY_BMI, RAISED_ALT = 5.7, 30.0, 40.0  # %, kg/m2, U/L
AASLD_2023 = Citation(
    "AASLD 2023 practice guidance on fatty liver disease", "https://doi.org/10.1097/HEP.0000000000000323"
)
RISKS = (
    catalogue.DIABETES,
    catalogue.OBESITY,
    catalogue.STEATOSIS,
    catalogue.CHRONIC_LIVER_DISEASE,
    catalogue.ALCOHOL_USE_DISORDER,
)


def fibrosis(case: Case) -> tuple[Finding, ...]:
    """FIB-4 where fibrosis is to be looked for and cirrhosis is not known."""
    if not at_risk(case) or case.values.flag(catalogue.CIRRHOSIS):
        return ()
    result = case.results[FIB4_MODEL]
    if isinstance(result, NotEstimated):
        return not_calculated(case, FIB4_MODEL, result, msg("FIB-4 not calculated"), msg("Needed for FIB-4"))
    estimate = result[0]
    band = estimate.band.id if estimate.band is not None else "low"
    if band == "low":
        return ()
    high = band == "high"
    what = (
        orders.referral("hepatology-referral", msg("Refer to hepatology"), msg("Referral to hepatology"), "hepatolog")
        if high
        else orders.imaging(
            "elastography",
            msg("Order liver elastography"),
            msg("Liver elastography"),
            "elastograph",
            "enhanced liver fibrosis",
        )
    )
    offers = orders.offer(case.context, what, "FIB-4 above its threshold")
    finding = RiskFinding(
        key=f"{FIB4_MODEL}/{band}",
        severity=Severity.WARNING if high else Severity.INFO,
        headline=_headline(estimate, high=high),
        advice=msg("Above 2.67 advanced fibrosis is likely enough for referral to hepatology.")
        if high
        else msg("A second-line test is recommended: elastography or the enhanced liver fibrosis (ELF) test."),
        advice_source=AASLD_2023,
        proposals=offers,
        quiet=not offers,
        model=case.models[FIB4_MODEL],
        result=result,
    )
    return (finding,)


def _headline(estimate: RiskEstimate, *, high: bool) -> Message:
    shown = {"value": f"{estimate.value:.2f}", "date": published.span(estimate)}
    if high:
        return msg("FIB-4 {value} ({date}): advanced liver fibrosis is likely enough to refer", **shown)
    return msg("FIB-4 {value} ({date}): advanced liver fibrosis is not excluded", **shown)


def at_risk(case: Case) -> bool:
    """True if a guideline asks to look for fibrosis in this patient."""
    values = case.values
    measured: tuple[tuple[Feature, float], ...] = (
        (catalogue.HBA1C, PREDIABETES_HBA1C),
        (catalogue.BMI, OBESITY_BMI),
        (catalogue.ALT, RAISED_ALT),
    )
    if any(values.flag(feature) for feature in RISKS):
        return True
    return any((number := values.number(feature)) is not None and number >= limit for feature, limit in measured)
