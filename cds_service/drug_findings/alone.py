"""Rules about one draft, no rows of the graph: how often, by which route, for whom, how much, why stopped."""

from __future__ import annotations

from cds_service.drug_findings.routes import wrong_route
from cds_service.drug_findings.stopped import stopped_before
from cds_service.drug_findings.tolerance import not_used_to_opioids
from cds_service.drug_findings.too_much import too_much
from cds_service.drug_findings.weekly import not_weekly
from cds_service.findings import Finding
from cds_service.hook import Case
from cds_service.knowledge import safety


def rules(case: Case, draft: safety.Exposure, known: safety.Medicines) -> tuple[Finding, ...]:
    """What these rules say of a draft."""
    return (
        *not_weekly(case, draft),
        *wrong_route(case, draft),
        *not_used_to_opioids(case, draft, known),
        *too_much(case, draft, known),
        *stopped_before(case, draft, known),
    )
