"""Atrial fibrillation that seems to be over, and an appendage that was closed: what they change about anticoagulation.

The risk of stroke stays raised after an ablation and where fibrillation was closed on the list (ESC 2024; Adderley NJ
et al. BMJ 2018;361:k1717): whether to treat goes on to depend on the score. A closed appendage is an alternative that
somebody has chosen.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cds_service.features.conditions import ATRIAL_FIBRILLATION
from cds_service.features.feature import FeatureValue, FeatureValues
from cds_service.fhir.codes import label
from cds_service.fhir.resources import Procedure
from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk.model import Citation, NotEstimated

EVER = replace(ATRIAL_FIBRILLATION, id="atrial_fibrillation_ever", ever=True)
_APPENDAGE = re.compile(r"(?i)left atrial append|\blaao?\b.*(?:occlu|clos)|watchman|左心耳")
ADDERLEY_2018 = Citation(
    "Adderley NJ et al. Risk of stroke in patients with resolved atrial fibrillation. BMJ 2018;361:k1717",
    "https://doi.org/10.1136/bmj.k1717",
)


def closed_on_the_list(case: Case, edition: str) -> tuple[Finding, ...]:
    """Fibrillation whose entries are all over, where the score would recommend an anticoagulant; without alarm."""
    past = case.values.usable(EVER)
    if case.values.flag(ATRIAL_FIBRILLATION) is not False or past is None or past.value is not True:
        return ()
    model = case.models[edition]
    still = FeatureValue(ATRIAL_FIBRILLATION, True, past.effective, past.sources)
    result = model.estimate(FeatureValues(case.values.as_of, {**case.values.entries, ATRIAL_FIBRILLATION.id: still}))
    if isinstance(result, NotEstimated) or result[0].band is None or result[0].band.id != "recommended":
        return ()
    finding = RiskFinding(
        key=f"{edition}/closed-on-the-list",
        severity=Severity.INFO,
        headline=msg(
            "Atrial fibrillation is closed on the problem list, {score} {points}, and no anticoagulant is listed",
            score=model.title,
            points=int(result[0].value),
        ),
        advice=msg(
            "After an ablation, or where fibrillation seems to be over, the score goes on to decide. If it was one "
            "episode with a cause that is gone, judge."
        ),
        advice_source=ADDERLEY_2018,
        model=model,
        result=result,
    )
    return (finding,)


def with_appendage(case: Case, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings; those that advise an anticoagulant say that the appendage was closed, without alarm."""
    words = appendage(case)
    if words is None:
        return findings
    return tuple(
        replace(f, advice=msg("{advice} {closed}", advice=f.advice, closed=words), severity=Severity.INFO)
        if f.advice is not None and not f.quiet
        else f
        for f in findings
    )


def appendage(case: Case) -> Message | None:
    """When the left atrial appendage was closed, by the words of a procedure; None if none says so."""
    record = case.context.record
    for row in record.rows(Procedure):
        if row.status == "completed" and _APPENDAGE.search(label(row.code) or ""):
            done = record.date_of(row)
            if done is None:
                return msg("The left atrial appendage was closed: follow what was decided then.")
            return msg(
                "The left atrial appendage was closed on {date}: follow what was decided then.", date=done.start.date()
            )
    return None
