"""Gives the estimates on a card what their models declare: that they are for research only, what would change them,
and what they were before.
"""

from __future__ import annotations

from dataclasses import replace

from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk.model import is_research
from cds_service.trend import earlier, says_something
from cds_service.what_if import at_targets


def with_outlook(case: Case, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, those with estimates completed; as they are where no card opens, for nobody would read it."""
    marked = tuple(_marked(f) if isinstance(f, RiskFinding) else f for f in findings)
    if all(finding.quiet for finding in marked):
        return marked
    return tuple(_completed(case, f) if isinstance(f, RiskFinding) else f for f in marked)


def _marked(finding: RiskFinding) -> RiskFinding:
    """An estimate for research says so in its first words; it never alarms and proposes nothing, whatever its hook."""
    if not is_research(finding.model):
        return finding
    short = finding.short_headline
    return replace(
        finding,
        headline=_for_research(finding.headline),
        short_headline=_for_research(short) if short is not None else None,
        severity=Severity.INFO,
        proposals=(),
    )


def _for_research(headline: Message) -> Message:
    return msg("Research only: {headline}", headline=headline)


def _completed(case: Case, finding: RiskFinding) -> RiskFinding:
    result = finding.result
    if not isinstance(result, tuple):
        return finding
    changes = at_targets(finding.model, case.values, result)
    before = earlier(finding.model, case.context.record, result[0])
    if not says_something(finding.model, result[0], before):
        before = ()
    return replace(finding, changes=changes, before=before) if changes or before else finding
