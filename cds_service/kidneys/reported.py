"""An eGFR that the laboratory reported: where it stands alone, and where it contradicts the creatinine beside it.

Estimates and doses here rest on creatinine, whose equation is known. A reported eGFR is told where there is no
creatinine to compute one from, and where the two cannot both be right.
"""

from __future__ import annotations

from datetime import timedelta

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import Reason
from cds_service.features.latest import limit_sign
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.kidneys.estimates import DECREASED, EGFR_MODEL, KDIGO_2024, SEVERELY_DECREASED
from cds_service.language import msg
from cds_service.risk.model import NotEstimated, RiskEstimate

TOGETHER = timedelta(days=1)  # of one sample, or nearly
APART = 1.5  # times: equations in use differ by less


def reported(case: Case) -> tuple[Finding, ...]:
    """A low eGFR that was reported without a creatinine, or one that contradicts the creatinine of its day."""
    told, result = case.values.usable(catalogue.EGFR_REPORTED), case.results[EGFR_MODEL]
    if told is None or told.effective is None or case.values.flag(catalogue.DIALYSIS):
        return ()
    if isinstance(result, NotEstimated):
        alone = case.values.usable(catalogue.CREATININE) is None
        low = round(float(told.value)) < DECREASED or (
            limit_sign(told) == "<" and round(float(told.value)) == DECREASED
        )
        return _alone(case) if alone and low else ()
    return _contradicted(case, result[0])


def known(case: Case) -> bool:
    """True if a laboratory reported an eGFR of the last year and there is no creatinine, so that none is due."""
    lacking = {unusable.reason for unusable in case.values.unusable([catalogue.CREATININE])}
    old = not lacking.isdisjoint((Reason.ABSENT, Reason.STALE))
    return old and case.values.usable(catalogue.EGFR_REPORTED) is not None


def _alone(case: Case) -> tuple[Finding, ...]:
    told = case.values.usable(catalogue.EGFR_REPORTED)
    assert told is not None
    assert told.effective is not None
    egfr = round(float(told.value))
    severe = egfr < SEVERELY_DECREASED
    offers = orders.offer(case.context, orders.CREATININE, "A low eGFR was reported without creatinine")
    shown = {"egfr": f"{limit_sign(told)}{egfr}", "date": told.effective.date()}
    finding = CareGapFinding(
        key=f"egfr-reported/below-{SEVERELY_DECREASED if severe else DECREASED}",
        severity=Severity.WARNING if severe else Severity.INFO,
        headline=msg("eGFR {egfr} on {date} as reported; no creatinine to check it by", **shown),
        advice=msg(
            "Repeat it with creatinine and urine albumin: below 60 for more than 90 days is chronic kidney disease, "
            "below 30 calls for nephrology. Without creatinine doses by kidney function are checked in part only."
        ),
        advice_source=KDIGO_2024,
        proposals=offers,
        due=msg("{note}.", note=told.note) if told.note is not None else msg("Reported by the laboratory."),
        last_done=None,
        sources=told.sources,
        magnitude=1 / egfr if egfr else None,
    )
    return (finding,)


def _contradicted(case: Case, estimate: RiskEstimate) -> tuple[Finding, ...]:
    told = case.values.usable(catalogue.EGFR_REPORTED)
    if told is None or told.effective is None or estimate.effective is None:
        return ()
    said, computed = round(float(told.value)), round(estimate.value)
    low, high = sorted((said, computed))
    sign = limit_sign(told)
    within = (sign == "<" and computed <= said) or (sign == ">" and computed >= said)  # a limit holds for both
    agree = within or low >= DECREASED or high < APART * low
    if agree or abs(told.effective - estimate.effective) > TOGETHER:
        return ()
    finding = CareGapFinding(
        key="egfr-reported/contradicted",
        severity=Severity.WARNING if low < SEVERELY_DECREASED else Severity.INFO,
        headline=msg(
            "eGFR {said} as reported on {date}, but {computed} from creatinine: one of them is wrong",
            said=f"{sign}{said}",
            computed=computed,
            date=told.effective.date(),
        ),
        advice=msg("Find out which of them holds before a medicine is dosed by it. This card rests on creatinine."),
        advice_source=KDIGO_2024,
        due=msg("{note}.", note=told.note)
        if told.note is not None
        else msg("Both are of one day, and no two equations differ by half."),
        last_done=None,
        sources=tuple(
            dict.fromkeys(
                (*told.sources, *(s for v in estimate.inputs for s in v.sources if s.startswith("Observation/")))
            )
        ),
        magnitude=high / low if low else None,
    )
    return (finding,)
