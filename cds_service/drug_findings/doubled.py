"""One medicine in several orders of a call: whether one came twice, and the dose that they make together.

Two orders of one medicine may be meant: a regular and a spare dose, two strengths that make up one dose. So they are
told with their sum, and are a warning only where nothing tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from cds_service.drug_findings.steps import capital, ordered, said
from cds_service.features.doses import planned_daily_mg
from cds_service.findings import EvidenceFinding, Finding
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.language import Message, inside, msg

_MIXTURE = re.compile(r"\b(?:70|75|50) ?/ ?(?:30|25|50)\b(?! ?m)")
_CONCENTRATION = re.compile(r"(?i)\bu-?(100|200|300|500)\b|\b(100|200|300|500) ?(?:units?|iu|u) ?(?:/|per) ?ml\b")
_CORRECTION = re.compile(r"(?i)sliding|\bscale\b|correct|supplement")
_BRANDS = {"toujeo": "U-300", "lantus": "U-100", "basaglar": "U-100", "semglee": "U-100", "novolog": "U-100"}


def alike(hit: safety.Hit) -> bool:
    """True if two orders of a medicine ask for the same in the same words."""
    one, other = _both(hit)
    dosages = [exposure.row.dosage_instruction for exposure in (one, other) if exposure.row is not None]
    return len(dosages) == 2 and dosages[0] == dosages[1] and one.words.casefold() == other.words.casefold()


def in_another_product(hit: safety.Hit) -> bool:
    """True if a medicine is taken alone and in a combination, or in two combinations."""
    return isinstance(hit.against, safety.Exposure) and set(hit.draft.nodes) != set(hit.against.nodes)


def title(case: Case, hit: safety.Hit) -> Message:
    """The drug that both hold; of one combination twice all its drugs, at the beginning of a sentence."""
    nodes = (hit.node,) if in_another_product(hit) else (hit.node, *(n for n in hit.draft.nodes if n != hit.node))
    joined = capital(case.knowledge.name(nodes[0]))
    for node in nodes[1:]:
        joined = msg("{first}/{following}", first=joined, following=msg(inside(case.knowledge.name(node))))
    return joined


def in_another_strength(hit: safety.Hit) -> tuple[str, str] | None:
    """Two concentrations of one insulin, or a mixture and the plain one, as their words say; None if not both do so,
    or if one is for corrections, which stand beside any other.

    Source: ISMP, guidelines for optimizing safe subcutaneous insulin use: concentrations and mixtures are mixed up.
    """
    if not hit.node.startswith("drug:insulin") or not isinstance(hit.against, safety.Exposure):
        return None
    if any(_CORRECTION.search(said(exposure)) for exposure in _both(hit)):
        return None
    one, other = (_insulin(exposure.words) for exposure in _both(hit))
    return (one, other) if one and other and one != other else None


def _insulin(words: str) -> str | None:
    """`70/30` of a mixture, `U-300` of a concentration; None where the words tell neither."""
    mixed, given = _MIXTURE.search(words), _CONCENTRATION.search(words)
    if mixed is not None:
        return mixed[0].replace(" ", "")
    if given is not None:
        return f"U-{next(filter(None, given.groups()))}"
    return next((said for brand, said in _BRANDS.items() if brand in words.lower()), None)


def headline(case: Case, hit: safety.Hit) -> Message:
    """That a medicine is ordered twice, with the daily dose of both where both can be read."""
    drug = title(case, hit)
    if in_another_product(hit):
        return msg("{drug} is in two products that are ordered here: are both meant?", drug=drug)
    doses = [_daily_mg(case, hit, exposure) for exposure in _both(hit)]
    known = [dose for dose in doses if dose is not None]
    if len(known) < len(doses) or len(hit.draft.nodes) > 1:  # of a combination a sum would be of one drug
        return msg("{drug} is ordered twice here: are both meant?", drug=drug)
    return msg("{drug} is ordered twice here, {dose} mg a day together: are both meant?", drug=drug,
               dose=f"{sum(known):g}")  # fmt: skip


def once(case: Case, findings: Iterable[tuple[safety.Exposure, Finding]]) -> list[Finding]:
    """Each matter once: what holds for two orders of one medicine names both, and can remove both."""
    found: dict[str, Finding] = {}
    for draft, finding in findings:
        known = found.get(finding.key)
        found[finding.key] = finding if known is None else _joined(case, known, draft, finding)
    return list(found.values())


def _joined(case: Case, known: Finding, draft: safety.Exposure, other: Finding) -> Finding:
    removals = [p for p in other.proposals if p.action == "delete" and p.key not in {q.key for q in known.proposals}]
    louder = other if other.severity > known.severity else known
    found = replace(louder, proposals=(*known.proposals, *removals))
    step = ordered(case, draft)
    if isinstance(found, EvidenceFinding) and step not in found.path:
        found = replace(found, path=(*found.path[:1], step, *found.path[1:]))
    return found


def _both(hit: safety.Hit) -> tuple[safety.Exposure, safety.Exposure]:
    other = hit.against
    assert isinstance(other, safety.Exposure)
    return hit.draft, other


def _daily_mg(case: Case, hit: safety.Hit, exposure: safety.Exposure) -> float | None:
    row, name = exposure.row, case.knowledge.name(hit.node).lower()
    return None if row is None else planned_daily_mg(row.dosage_instruction, exposure.words, (name,))
