"""Opioids that are only for who takes opioids already: the fentanyl patch, fentanyl through a mucous membrane.

Whether somebody is used to opioids is read from the medication list: an opioid that is taken or on hold, or that the
draft takes the place of. A weak one alone shows little. A list that is not there, or holds an entry that cannot be
recognised, does not show that there is none; nor does it where an opioid was ended or given, which is how opioids are
changed: the card then asks.
Source: the boxed warning of the United States label of transdermal fentanyl (60 mg of oral morphine a day, or as much
of another opioid, for a week or longer).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from cds_service.drug_findings.steps import ordered, removal, said
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.knowledge.base_files import LABEL
from cds_service.language import inside, msg
from cds_service.risk.model import Citation

NODE, OPIOID, BUPRENORPHINE = "drug:fentanyl", "class:full-opioid", "drug:buprenorphine"
LATELY = timedelta(days=365)  # an order may be ended long after its date
WEAK = frozenset({"drug:codeine", "drug:dihydrocodeine", "drug:tramadol"})
_FORM = re.compile(
    r"(?i)\b(?:patch(?:es)?|transdermal|td|buccal|lozenge|lollipop|transmucosal|sublingual|duragesic|actiq|fentora|abstral)\b"
    r"|贴"
)
_INJECTED = re.compile(r"(?i)\b(?:inj\w*|iv|i\.v|intraven\w*|epidural\w*|pca|infusion|ampoules?|vials?)\b|注射")
SOURCE = Citation("United States label of transdermal fentanyl (boxed warning)", LABEL + "fentanyl")


def not_used_to_opioids(case: Case, draft: safety.Exposure, known: safety.Medicines) -> tuple[Finding, ...]:
    """That nothing on the list shows the tolerance which the draft requires."""
    if NODE not in draft.nodes or _INJECTED.search(draft.words) or not _FORM.search(said(draft)):
        return ()
    taken = [*known.current, *known.held, *known.replaced]
    opioids = _opioids(case, taken)
    if opioids - WEAK:
        return ()
    listed = bool(taken) or case.context.record.has_list("MedicationRequest")
    earlier = safety.given(case.context.record, case.knowledge.terms, case.context.now - LATELY)
    beside = next((exposure for exposure in earlier if _opioids(case, [exposure])), None)
    sure = listed and beside is None and not opioids and not safety.unresolved(taken)
    headline = msg("Fentanyl in this form, and no other opioid on the medication list: only for who is used to opioids")
    if opioids:
        names = inside(case.knowledge.name(min(opioids)))
        headline = msg("Fentanyl in this form is only for who is used to opioids; of them only {opioid} is on the "
                       "list: how much a day?", opioid=msg(names))  # fmt: skip
    elif beside is not None:
        headline = msg("Fentanyl in this form is only for who is used to opioids; one is on record, but not on the "
                       "list: is it still taken?")  # fmt: skip
    elif not sure:
        headline = msg("Fentanyl in this form is only for who is used to opioids, which the list does not tell")
    also = ((msg("Also on record: {words}", words=beside.words), beside.reference),) if beside is not None else ()
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
        path=(ordered(case, draft), *also),
    )
    return (finding,)


def _opioids(case: Case, exposures: Iterable[safety.Exposure]) -> frozenset[str]:
    """The opioids among medicines that act in the whole body."""
    nodes = {node for exposure in exposures if not exposure.local for node in exposure.nodes}
    return frozenset(n for n in nodes if n == BUPRENORPHINE or OPIOID in case.knowledge.terms.above(n))
