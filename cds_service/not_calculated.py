"""The line of a card for an estimate that was refused, with orders of what it lacks."""

from __future__ import annotations

from cds_service import orders
from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk.model import NotEstimated, Refusal


def not_calculated(case: Case, model_id: str, result: NotEstimated, what: Message, reason: str) -> tuple[Finding, ...]:
    """A line on the card; it opens one only if something can be ordered that is not ordered yet."""
    if result.refusal is Refusal.NOT_APPLICABLE:
        return ()
    lacking, wanted = orders.lacking(result.unusable), orders.mending(result.unusable)
    offers = tuple(proposal for order in wanted for proposal in orders.offer(case.context, order, reason))
    finding = RiskFinding(
        key=f"{model_id}/refused",
        severity=Severity.INFO,
        headline=msg("{what}; {lacking}", what=what, lacking=lacking) if lacking is not None else what,
        short_headline=msg("{what}: inputs are missing, old or unusable", what=what),
        proposals=offers,
        quiet=result.refusal is not Refusal.INPUT or not offers,
        model=case.models[model_id],
        result=result,
    )
    return (finding,)
