"""Gives the estimates on a card what their models declare: what would change them, and what they were before."""

from __future__ import annotations

from dataclasses import replace

from cds_service.findings import Finding, RiskFinding
from cds_service.hook import Case
from cds_service.trend import earlier, says_something
from cds_service.what_if import at_targets


def with_outlook(case: Case, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, those with estimates completed; as they are where no card opens, for nobody would read it."""
    if all(finding.quiet for finding in findings):
        return findings
    return tuple(_completed(case, f) if isinstance(f, RiskFinding) else f for f in findings)


def _completed(case: Case, finding: RiskFinding) -> RiskFinding:
    result = finding.result
    if not isinstance(result, tuple):
        return finding
    changes = at_targets(finding.model, case.values, result)
    before = earlier(finding.model, case.context.record, result[0])
    if not says_something(finding.model, result[0], before):
        before = ()
    return replace(finding, changes=changes, before=before) if changes or before else finding
