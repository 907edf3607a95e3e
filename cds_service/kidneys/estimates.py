"""The models that the kidney findings rest on, and what they say of a case."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.features.kidney_disease import KidneyDisease, kidney_disease
from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation, NotEstimated, RiskEstimate, RiskModel

EGFR_MODEL, CYSTATIN_MODEL = "ckd-epi-2021", "ckd-epi-2021-cystatin"
KDIGO_2024 = Citation("KDIGO 2024 CKD guideline", "https://doi.org/10.1016/j.kint.2023.10.018")
# The calibration that a site has enabled, and of that the equation with more of the inputs.
KFRE_MODELS = ("kfre-8-other-regions", "kfre-4-other-regions", "kfre-8", "kfre-4")
DECREASED, REDUCED, SEVERELY_DECREASED = 60, 45, 30  # mL/min/{1.73_m2}, of the eGFR as reported (whole number)


def disease(case: Case) -> KidneyDisease | None:
    """Chronic kidney disease, where its model gives an eGFR to stage it by."""
    if isinstance(case.results[EGFR_MODEL], NotEstimated):
        return None
    return kidney_disease(case.context.record, case.values)


def stage_line(case: Case, found: KidneyDisease | None) -> tuple[Finding, ...]:
    """The eGFR behind the stage: told where another finding opens the card."""
    if found is None:
        return ()
    finding = RiskFinding(
        key=f"{EGFR_MODEL}/stage",
        severity=Severity.INFO,
        headline=msg("Chronic kidney disease {stage}", stage=found.stage),
        quiet=True,
        model=case.models[EGFR_MODEL],
        result=case.results[EGFR_MODEL],
    )
    return (finding,)


def cystatin_line(case: Case) -> tuple[Finding, ...]:
    """The eGFR from creatinine and cystatin C where both are on record: told where another finding opens the card.

    What is said of the stage rests on creatinine, whose course is known; a second test says which way it may be wrong.
    """
    result = case.results[CYSTATIN_MODEL]
    if isinstance(result, NotEstimated):
        return ()
    model = case.models[CYSTATIN_MODEL]
    finding = RiskFinding(
        key=f"{CYSTATIN_MODEL}/estimate",
        severity=Severity.INFO,
        headline=model.title,
        advice=msg(
            "Where both were measured, this estimate is the more accurate one: use it where a stage or a dose is near "
            "a limit. The other lines of this card rest on creatinine alone."
        ),
        advice_source=KDIGO_2024,
        quiet=True,
        model=model,
        result=result,
    )
    return (finding,)


def kidney_failure(case: Case) -> tuple[RiskModel, tuple[RiskEstimate, ...]] | None:
    """The KFRE that fits the site and what is known, with its estimates, or None."""
    for id_ in KFRE_MODELS:
        result = case.results.get(id_)
        if isinstance(result, tuple):
            return case.models[id_], result
    return None


def kfre_reason(case: Case) -> Iterator[Message]:
    """A risk of kidney failure that calls for a nephrologist, as printed."""
    found = kidney_failure(case)
    five = next((e for e in found[1] if e.horizon_years == 5), None) if found is not None else None
    if five is not None and round(100 * five.value, 1) >= case.thresholds["refer_at_kfre"]:
        yield msg("5-year risk of kidney failure {risk}% (KFRE)", risk=published.percent(five.value))


def failure_line(case: Case) -> tuple[Finding, ...]:
    """The risk of kidney failure, beside what the stage calls for."""
    found = kidney_failure(case)
    if found is None:
        return ()
    model, result = found
    five_first = tuple(sorted(result, key=lambda e: -(e.horizon_years or 0)))
    line = RiskFinding(
        key="kfre/risk", severity=Severity.INFO, headline=model.title, quiet=True, model=model, result=five_first
    )
    return (line,)
