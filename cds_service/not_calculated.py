"""The line of a card for an estimate that was refused, with orders of what it lacks, and for one that failed."""

from __future__ import annotations

from cds_service import orders
from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk.model import NotEstimated, Refusal


def not_calculated(
    case: Case, model_id: str, result: NotEstimated, what: Message, reason: Message | str
) -> tuple[Finding, ...]:
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
        quiet=result.refusal is not Refusal.FAILED and (result.refusal is not Refusal.INPUT or not offers),
        model=case.models[model_id],
        result=result,
    )
    return (finding,)


def with_failures(case: Case, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, and one that opens a card for each model whose program gave no answer, unless one tells it.

    Without it, a service that says nothing without an estimate would look as if it had nothing to say.
    """
    told = {f.model.id for f in findings if isinstance(f, RiskFinding) and not f.quiet}
    failed = {
        id_: result
        for id_, result in case.results.items()
        if isinstance(result, NotEstimated) and result.refusal is Refusal.FAILED and id_ not in told
    }
    lines = (
        RiskFinding(
            key=f"{id_}/failed",
            severity=Severity.INFO,
            headline=msg("{title}: {reason}", title=case.models[id_].title, reason=result.reason),
            short_headline=result.reason,
            advice=msg("Nothing is known of this risk now. Judge without it, and tell those who run the service."),
            model=case.models[id_],
            result=result,
        )
        for id_, result in failed.items()
    )
    return (*findings, *lines)
