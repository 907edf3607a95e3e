"""Opioids that are only for who takes opioids already: the fentanyl patch, fentanyl through a mucous membrane.

Whether somebody is used to opioids is read from the medication list: a full opioid that is taken or on hold. A list
that is not there, or holds an entry that cannot be recognised, does not show that there is none; the card then asks.
Source: the boxed warning of the United States label of transdermal fentanyl (60 mg of oral morphine a day, or as much
of another opioid, for a week or longer).
"""

from __future__ import annotations

import re

from cds_service.drug_findings.steps import ordered, removal
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.knowledge.base_files import LABEL
from cds_service.language import msg
from cds_service.risk.model import Citation

NODE, OPIOID = "drug:fentanyl", "class:full-opioid"
_FORM = re.compile(
    r"(?i)\b(?:patch(?:es)?|transdermal|td|buccal|lozenge|lollipop|transmucosal|sublingual|duragesic|actiq|fentora|abstral)\b"
    r"|贴"
)
SOURCE = Citation("United States label of transdermal fentanyl (boxed warning)", LABEL + "fentanyl")


def not_used_to_opioids(case: Case, draft: safety.Exposure, known: safety.Medicines) -> tuple[Finding, ...]:
    """That nothing on the list shows the tolerance which the draft requires."""
    if NODE not in draft.nodes or not _FORM.search(f"{draft.words} {_dosage(draft)}"):
        return ()
    taken = [*known.current, *known.held]
    if any(OPIOID in case.knowledge.terms.above(node) for exposure in taken for node in exposure.nodes):
        return ()
    listed = bool(taken) or case.context.record.has_list("MedicationRequest")
    sure = listed and not safety.unresolved(taken)
    headline = msg("Fentanyl in this form, and no other opioid on the medication list: only for who is used to opioids")
    if not sure:
        headline = msg("Fentanyl in this form is only for who is used to opioids, which the list does not tell")
    finding = EvidenceFinding(
        key="drug-safety/opioid-tolerance/fentanyl",
        severity=Severity.WARNING if sure else Severity.INFO,
        headline=headline,
        advice=msg(
            "Contraindicated without tolerance: breathing has stopped (boxed warning). Used to opioids means a week or "
            "longer on 60 mg of oral morphine a day, or as much of another. Else choose a short-acting opioid in a low "
            "dose, and offer naloxone."
        ),
        advice_source=SOURCE,
        proposals=removal(case, draft, NODE) if sure else (),
        path=(ordered(case, draft),),
    )
    return (finding,)


def _dosage(draft: safety.Exposure) -> str:
    return " ".join(d.text or "" for d in draft.row.dosage_instruction) if draft.row is not None else ""
