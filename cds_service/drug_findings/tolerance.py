"""Opioids that are only for who takes opioids already: the fentanyl patch, fentanyl through a mucous membrane.

Whether somebody is used to opioids is read from the medication list: a full opioid that is taken or on hold. A list
that is not there, or holds an entry that cannot be recognised, does not show that there is none; the card then asks. So
it does where one was ended, which is how opioids are changed; what the draft itself takes the place of counts as taken.
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
from cds_service.language import Message, msg
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
    taken = [*known.current, *known.held, *known.replaced]
    if any(_is_opioid(case, exposure) for exposure in taken):
        return ()
    record = case.context.record
    before = next((e for e in safety.ended(record, case.knowledge.terms) if _is_opioid(case, e)), None)
    listed = bool(taken) or record.has_list("MedicationRequest")
    sure = listed and before is None and not safety.unresolved(taken)
    headline = msg("Fentanyl in this form, and no other opioid on the medication list: only for who is used to opioids")
    if not sure:
        headline = msg("Fentanyl in this form is only for who is used to opioids, which the list does not tell")
    if before is not None:
        headline = msg("Fentanyl in this form is only for who is used to opioids; the one on record was ended: until "
                       "when was it taken?")  # fmt: skip
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
        path=(ordered(case, draft), *_ended(before)),
    )
    return (finding,)


def _is_opioid(case: Case, exposure: safety.Exposure) -> bool:
    return any(OPIOID in case.knowledge.terms.above(node) for node in exposure.nodes) and not exposure.local


def _ended(before: safety.Exposure | None) -> tuple[tuple[Message, str], ...]:
    return ((msg("Ended: {words}", words=before.words), before.reference),) if before is not None else ()


def _dosage(draft: safety.Exposure) -> str:
    return " ".join(d.text or "" for d in draft.row.dosage_instruction) if draft.row is not None else ""
