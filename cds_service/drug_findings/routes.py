"""Medicines that kill by a wrong route: vinca alkaloids into the spine, potassium as a push, and the like.

The route is read from the order's route, from the words of its dosage and from its name. Products say on their own
labels which route is fatal ("not for intrathecal use", "intrathecal use is fatal"): words that forbid a route, before
or behind it, do not order it.
Sources: the boxed warnings of the United States labels; ISMP, targeted medication safety best practices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cds_service.drug_findings.steps import ordered, removal
from cds_service.fhir.codes import SNOMED, codings, label
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.knowledge.base_files import LABEL
from cds_service.language import Message, msg
from cds_service.risk.model import Citation

_FORBIDDEN = re.compile(
    r"(?i)\b(?:not?(?! known)|never|fatal|avoid|except|non|inadvertent|accidental)\b[^.;!]{0,60}$"
    r"|(?:禁止|不可|严禁|切勿|不得|误)[^。；]{0,20}$"
)
_FATAL = re.compile(
    r"(?i)[^.;!]{0,60}\b(?:fatal(?! if)|deaths?|deadly|lethal|kills?|prohibited|forbidden|contraindicated"
    r"|not (?:allowed|permitted))\b"
    r"|[^。；]{0,20}(?:致死|致命|死亡|禁)"
)
_SPINAL = re.compile(
    r"(?i:intra-?thecal|intra-?ventricular|intra-?cisternal|\bepidural|lumbar puncture|鞘内|脑室内|硬膜外)"
    r"|(?:\d|m[gl]|mcg|M[GL]|MCG|mL) +IT\b"
)
_PUSHED = re.compile(r"(?i)\b(?:i\.?v\.?|intravenous(?:ly)?)[ ,-]*(?:push|bolus)|\bundiluted|静脉推注|静推")
_INTO_A_VEIN = re.compile(r"(?i)\b(?:i\.?v\.?|ivpb|intravenous(?:ly)?)\b|静脉")
_UNDER_THE_SKIN = re.compile(r"(?i)\bsub-?cut|\b(?:sc|sq|subq)\b|intra-?arterial|皮下|动脉内")
_DEPOT = re.compile(r"(?i)benzathine|procaine|bicillin|苄星|普鲁卡因")
_INTRATHECAL = "72607000"


@dataclass(frozen=True, slots=True)
class Deadly:
    """A route that must not be. nodes: the medicines, or a class; named: what their words must hold, if any.

    codes: SNOMED CT of the route. source: whose label says it.
    """

    id: str
    nodes: frozenset[str]
    route: re.Pattern[str]
    headline: Message
    advice: Message
    source: str
    codes: frozenset[str] = frozenset()
    named: re.Pattern[str] | None = None


DEADLY = (
    Deadly(
        "vinca-spinal",
        frozenset({"drug:vincristine", "drug:vinblastine", "drug:vindesine", "drug:vinorelbine"}),
        _SPINAL,
        msg("{drug} ordered into the spinal fluid: fatal; it is given into a vein alone"),
        msg("Stop this order. Vinca alkaloids go into a vein in a small bag, never in a syringe."),
        "vincristine",
        frozenset({_INTRATHECAL}),
    ),
    Deadly(
        "bortezomib-spinal",
        frozenset({"drug:bortezomib"}),
        _SPINAL,
        msg("{drug} ordered into the spinal fluid: fatal; it is given into a vein or under the skin"),
        msg("Stop this order: deaths are known."),
        "bortezomib",
        frozenset({_INTRATHECAL}),
    ),
    Deadly(
        "potassium-push",
        frozenset({"class:potassium-supplement"}),
        _PUSHED,
        msg("{drug} ordered as an undiluted dose or a push into a vein: cardiac arrest"),
        msg("Order it diluted, as an infusion with a rate, by your site's limits."),
        "potassium chloride",
    ),
    Deadly(
        "depot-penicillin-vein",
        frozenset({"drug:penicillin-g"}),
        _INTO_A_VEIN,
        msg("{drug} as a depot (benzathine or procaine) ordered into a vein: cardiac arrest, death"),
        msg("It goes deep into a muscle. For a vein choose aqueous penicillin G."),
        "penicillin g benzathine",
        named=_DEPOT,
    ),
    Deadly(
        "promethazine-skin",
        frozenset({"drug:promethazine"}),
        _UNDER_THE_SKIN,
        msg("{drug} ordered under the skin or into an artery: gangrene"),
        msg("Choose another medicine, or another route."),
        "promethazine",
    ),
)


def wrong_route(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """That a draft is ordered by a route that kills or maims; one finding a draft."""
    for rule in DEADLY:
        node = next((n for n in draft.nodes if rule.nodes & case.knowledge.terms.above(n)), None)
        if node is None or (rule.named is not None and not rule.named.search(draft.words)) or not _goes(draft, rule):
            continue
        name = case.knowledge.name(node)
        finding = EvidenceFinding(
            key=f"drug-safety/route/{rule.id}",
            severity=Severity.CRITICAL,
            headline=msg(rule.headline.text, drug=msg(name[:1].upper() + name[1:])),
            advice=rule.advice,
            advice_source=Citation(f"United States label of {rule.source}", LABEL + rule.source.replace(" ", "+")),
            proposals=removal(case, draft, node),
            path=(ordered(case, draft),),
        )
        return (finding,)
    return ()


def _goes(draft: safety.Exposure, rule: Deadly) -> bool:
    """True if the order's route, its dosage or its name say that it goes that way."""
    dosages = draft.row.dosage_instruction if draft.row is not None else ()
    routes = [dosage.route for dosage in dosages if dosage.route is not None]
    if any(system == SNOMED and code in rule.codes for system, code in codings(routes)):
        return True
    texts = [draft.words, *(dosage.text or "" for dosage in dosages), *(label(route) or "" for route in routes)]
    return any(
        not _FORBIDDEN.search(text[: at.start()]) and not _FATAL.match(text, at.end())
        for text in texts
        for at in rule.route.finditer(text)
    )
