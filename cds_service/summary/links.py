"""What a medicine or a procedure is for: only what its own resource says, however the sentence words it.

That metformin is usually given for diabetes is no statement of this record: `A for B` and `B treated with A` need the
link itself. Beside each other (`B, on A`) they claim none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from cds_service.summary.claims import Claim, Mention
from cds_service.summary.evidence import Part
from cds_service.summary.lexicon import Token
from cds_service.summary.order import Spoken

_BEARING = frozenset({
    "MedicationRequest", "MedicationStatement", "MedicationAdministration", "Procedure", "Encounter", "CarePlan",
    "ServiceRequest", "Goal",
})  # fmt: skip
COMPLICATED = frozenset({"complicated by", "并发"})
_FOLLOWS = {"#cirrhosis": frozenset({"#ascites", "#varices"})}  # what comes of it as a rule, and of little else
Said = tuple[Mention, list[Part]]


def link_reasons(found: Sequence[Claim], spoken: Sequence[Spoken]) -> list[str]:
    """What is wrong about `A for B`, `B is treated with A`: the record names no such reason."""
    mentions = {m.tokens[0].start: m for claim in found for m in claim.mentions}
    named = [(mentions[start], group) for start, group in sorted(spoken, key=lambda s: s[0]) if start in mentions]
    tokens = {t.start: t for claim in found for t in claim.tokens}
    listed = {m.tokens[0].start for claim in found if claim.bare and claim.joined for m in claim.mentions}
    reasons = []
    for token in tokens.values():
        also: list[Said] = []
        if token.text.lower() in COMPLICATED:
            continue  # to `follow_reasons`
        if _means(token, "reason") or _means(token, "due"):
            givers, illness = _before(named, token), _next(named, token)
            also = _further(named, token, listed)
            if givers is None and illness is not None and _illness(illness[1]):  # for A he takes B
                givers = next((one for one in _after(named, illness) if not _illness(one[1])), None)
            elif givers is not None and illness is not None and _illness(givers[1]) and _given(illness[1]):
                givers, illness, also = illness, givers, []  # A, for which he takes B
        elif _means(token, "treated"):
            givers, illness = _next(named, token) or _giver_before(named, token), _illness_before(named, token)
        else:
            continue
        for one in (illness, *also) if givers is not None else ():
            if givers is not None and one is not None and not _stated(givers, one):
                reasons.append(f"the record does not say that it is for {one[0].text}")
    return reasons


def follow_reasons(found: Sequence[Claim], spoken: Sequence[Spoken]) -> list[str]:
    """What is wrong about `cirrhosis, complicated by ascites`: only what comes of it as a rule is told so."""
    mentions = {m.tokens[0].start: m for claim in found for m in claim.mentions}
    named = [(mentions[start], group) for start, group in sorted(spoken, key=lambda s: s[0]) if start in mentions]
    for token in (t for claim in found for t in claim.tokens if t.text.lower() in COMPLICATED):
        illness, after = _before(named, token), [one for one in named if one[0].tokens[0].start > token.start]
        parts = [p for one in (illness, *after) if one is not None for p in one[1]]
        if any(("cause", "due") in p.operators or p.reasons or p.kind == "AllergyIntolerance" for p in parts):
            continue
        known = (
            {f for p in illness[1] for v in p.affirmed for f in _FOLLOWS.get(v, ())} if illness is not None else set()
        )
        turned = illness is not None and {t.value for t in illness[0].tokens} <= known  # what follows is said to lead
        if turned or not after or not all(_comes_of(one, known) and _not_before(one, illness) for one in after):
            return ["the record does not name that cause"]
    return []


def _comes_of(one: Said, known: set[str]) -> bool:
    """True if all that a name says is known to follow, or its name is taken whole from entries that are of that."""
    values = {t.value for t in one[0].tokens}
    whole = all(v.startswith("@") for v in values)
    return values <= known or (whole and all(not known.isdisjoint(p.affirmed) for p in one[1]))


def _not_before(one: Said, illness: Said | None) -> bool:
    """True unless the record dates all of it before the illness."""
    ends = [p.dates[0].span.end for p in one[1] if p.dates]
    starts = [p.dates[0].span.start for p in illness[1] if p.dates] if illness is not None else []
    return not ends or not starts or max(ends) > min(starts)


def _means(token: Token, value: str) -> bool:
    return ("cause", value) in ((token.kind, token.value), *token.also)


def _before(named: Sequence[Said], token: Token) -> Said | None:
    return next((one for one in reversed(named) if one[0].tokens[0].start < token.start), None)


def _next(named: Sequence[Said], token: Token) -> Said | None:
    return next((one for one in named if one[0].tokens[0].start > token.start), None)


def _further(named: Sequence[Said], token: Token, listed: set[int]) -> list[Said]:
    """The illnesses of a list after its first: `for A, B and C`."""
    after = [one for one in named if one[0].tokens[0].start > token.start][1:]
    return list(takewhile(lambda one: one[0].tokens[0].start in listed and _illness(one[1]), after))


def _after(named: Sequence[Said], one: Said) -> list[Said]:
    return [other for other in named if other[0].tokens[0].start > one[0].tokens[0].start]


def _illness_before(named: Sequence[Said], token: Token) -> Said | None:
    before = [one for one in named if one[0].tokens[0].start < token.start]
    return next((one for one in reversed(before) if _illness(one[1])), None)


def _giver_before(named: Sequence[Said], token: Token) -> Said | None:
    """The medicine before a link word that ends its clause, as 治疗 does."""
    before = [one for one in named if one[0].tokens[0].start < token.start]
    return next((one for one in reversed(before) if not _illness(one[1])), None)


def _illness(group: Sequence[Part]) -> bool:
    return bool(group) and all(p.kind == "Condition" for p in group)


def _given(group: Sequence[Part]) -> bool:
    return bool(group) and all(p.kind.startswith("Medication") for p in group)


def _stated(givers: Said, illness: Said) -> bool:
    """True if nothing is linked (a reason that the giver itself bears is one), or the link stands in the record."""
    if not _illness(illness[1]) and any(p.kind in _BEARING for p in illness[1]):
        return True
    if any(p.kind == "AllergyIntolerance" or ("cause", "due") in p.operators for p in (*givers[1], *illness[1])):
        return True
    if any(p.text and any(p is q for q in illness[1]) for p in givers[1]):
        return True  # in one sentence of a document, which `relations` compares
    values = {t.value for t in illness[0].tokens}
    return any(values <= p.reasons for p in givers[1])
