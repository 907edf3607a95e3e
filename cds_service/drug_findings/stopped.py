"""A medicine that is ordered again though an entry of it was stopped because it harmed, with no allergy entered.

The reason stands in `statusReason`, as a code of HL7's list or in words. Entries that were stopped for another reason,
or for none, are told by nobody: most orders are renewed that way. A harm that may be over, such as a high potassium, is
information: such a medicine is often taken again on purpose.
"""

from __future__ import annotations

from cds_service.drug_findings.steps import capital, ordered, removal
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.language import msg
from cds_service.markdown import shorten

MOST = 60  # characters of the reason in a headline


def stopped_before(case: Case, draft: safety.Exposure, known: safety.Medicines) -> tuple[Finding, ...]:
    """That the drug of a draft was stopped for harm; the latest such entry."""
    for node in () if draft.local else draft.nodes:
        if any(node in allergy.nodes for allergy in known.allergies):
            continue  # the allergy speaks, and louder
        if any(node in exposure.nodes for exposure in known.current):
            continue  # it has been taken again since
        entry = next((one for one in known.stopped if node in one.exposure.nodes and not one.exposure.local), None)
        if entry is None:
            continue
        why = shorten(entry.reason, MOST)
        finding = EvidenceFinding(
            key=f"drug-safety/stopped/{node.partition(':')[2]}",
            severity=Severity.INFO if entry.passing else Severity.WARNING,
            headline=msg("{drug} was stopped before: {why}", drug=capital(case.knowledge.name(node)), why=why),
            short_headline=msg("{drug} was stopped before for harm", drug=capital(case.knowledge.name(node))),
            advice=msg(
                "Find out what happened. If this medicine did it, choose another and enter the intolerance; no allergy "
                "to it is on record."
            ),
            proposals=removal(case, draft, node),
            path=(
                ordered(case, draft),
                (msg("Stopped: {words}, for {why}", words=entry.exposure.words, why=why), entry.exposure.reference),
            ),
        )
        return (finding,)
    return ()
