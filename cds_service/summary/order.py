"""Which came first: `A before B`, `A was followed by B`, `three years after B`, `before 2020`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cds_service.fhir.times import Span
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.lexicon import Token
from cds_service.summary.timing import close

Spoken = tuple[int, list[Part]]  # where a name stands in the sentence, and the parts that bear it
# What stands before the marker came earlier (-1) or later (1) than what stands after it.
_MARKERS = {
    "before": -1, "prior to": -1, "preceded": -1, "precedes": -1, "predates": -1, "predated": -1, "earlier than": -1,
    "followed by": -1, "早于": -1, "先于": -1, "after": 1, "following": 1, "subsequent to": 1, "later than": 1,
    "followed": 1, "preceded by": 1, "晚于": 1, "之后": -1, "以后": -1, "后": -1, "之前": 1, "以前": 1, "前": 1,
}  # fmt: skip
_EARLIER = frozenset(
    {"before", "prior to", "preceded", "precedes", "predates", "predated", "earlier than", "早于", "先于"}
)
_THEN = frozenset({"then", "later", "subsequently", "afterwards", "随后", "之后", "此后"})
Step = tuple[Claim, list[Part]]  # a claim with numbers, and the parts that hold them
_ADMITTED = frozenset({"admission", "admitted", "was admitted", "入院"})
_UNDER = frozenset({"on", "under", "during", "while on", "taking", "receiving", "with"})
_WHILE = frozenset({"治疗", "中", "期间", "下"})
_HAN_BESIDE = frozenset({"前", "之前", "以前", "后", "之后", "以后"})
_LATER = frozenset({"later", "afterwards", "thereafter"})


def is_marker(token: Token) -> bool:
    """True for `before`, `after` and their like."""
    return token.text.lower() in _MARKERS


def before_or_after(claim: Claim, stay: Token) -> bool:
    """True for the admission of `after the admission`, `入院前`, whose order `order_reasons` judges."""
    if stay.text.lower() not in _ADMITTED:
        return False
    at = next((n for n, t in enumerate(claim.tokens) if t is stay), 0)
    near = claim.tokens[at + 1 : at + 2] if stay.text == "入院" else claim.tokens[max(0, at - 3) : at]
    return any(is_marker(t) for t in near)


def order_reasons(found: Sequence[Claim], spoken: Sequence[Spoken], usable: Sequence[Part]) -> list[str]:
    """What is wrong about the order of two things, or about the time between them; of documents nothing.

    usable: all parts of what is cited, among which a stay may be that no name means: `after admission`.
    """
    if any(group and all(p.text for p in group) for _, group in spoken):
        return []  # to `relations`
    tokens = sorted((t for claim in found for t in claim.tokens), key=lambda t: t.start)
    tokens = [t for n, t in enumerate(tokens) if not n or t.start != tokens[n - 1].start]
    reasons = []
    for at, token in enumerate(tokens):
        gap = tokens[at - 1] if at and tokens[at - 1].when is not None else None
        gap = gap if gap is not None and gap.when is not None and gap.when.kind == "gap" else None
        if token.text.lower() in _LATER and gap is not None:
            first, second = _last_two(spoken, token.start)
            right = first is not None and second is not None and _holds(first, second, gap)
        elif token.text.lower() in _MARKERS:
            right = _marked(tokens, at, gap, spoken, usable)
        else:
            continue
        if not right:
            reasons.append(f"the record does not show that order: {token.text}")
    return reasons


def under_reasons(found: Sequence[Claim], spoken: Sequence[Spoken]) -> list[str]:
    """What is wrong about `platelets fell on heparin` where none of the values was measured while it was given."""
    mentions = {m.tokens[0].start: (claim, m) for claim in found for m in claim.mentions}
    measured = [p for _, group in spoken for p in group if p.kind == "Observation" and not p.text]
    for start, group in spoken:
        claim, mention = mentions.get(start, (None, None))
        if claim is None or mention is None or not measured or not all(p.kind.startswith("Medication") for p in group):
            continue
        before = [t.text.lower() for t in claim.tokens[max(0, mention.at - 2) : mention.at]]
        behind = [t.text.lower() for t in claim.tokens[mention.end : mention.end + 2]]
        if {*before} & _UNDER or {*behind} & _WHILE:
            last = max((m for p in measured if (m := p.moment) is not None), default=None)
            if last is None or not any((began := _begin(p)) is not None and began.start <= last for p in group):
                return [f"the record does not show that it was measured under {mention.text}"]
    return []


def step_reasons(steps: Sequence[Step]) -> list[str]:
    """What is wrong about values said one after the other: `38.4, then 39.2`."""
    for (_, before), (claim, now) in pairwise(steps):
        first = next((t.text.lower() for t in claim.tokens if t.kind != "separator"), "")
        if not (_THEN & set(claim.joined.split()) or first in _THEN):
            continue
        if all(p.kind == "Observation" for p in (*before, *now)) and not _holds(before, now, None):
            return ["the cited values do not come in that order"]
    return []


def _marked(
    tokens: Sequence[Token], at: int, gap: Token | None, spoken: Sequence[Spoken], usable: Sequence[Part]
) -> bool:
    token = tokens[at]
    sign = _MARKERS[token.text.lower()]
    following = next((t for t in tokens[at + 1 :] if t.kind != "neutral"), None)
    subject = next((g for start, g in reversed(spoken) if start < token.start), None)
    if following is not None and following.when is not None and following.when.spans:
        return subject is None or any(_beside(p, span, sign) for p in subject for span in following.when.spans)
    after = [g for start, g in spoken if start > token.start]
    stays = [p for p in usable if p.kind == "Encounter"]
    if at and tokens[at - 1].text == "入院" and token.text in _HAN_BESIDE and stays and after:
        beside = _sooner if sign > 0 else _later
        return all(beside(p, stays) for p in after[0] if p.kind != "Encounter")
    anchor = after[0] if after else None
    stay = next((t for t in tokens[at + 1 : at + 4] if t.text.lower() in _ADMITTED), None)
    if anchor is None and stay is not None and subject is not None:  # fell after admission
        anchor = stays
        own = [p for p in subject if p.kind != "Encounter"]
        if sign > 0:
            return all(_holds(anchor, [p], gap) for p in own)
        if anchor and own:
            return all(_sooner(p, anchor) for p in own)
    if subject is None and len(after) > 1:  # After A, B
        subject = after[1]
    if anchor is None or subject is None:
        return gap is None
    if {p.reference for p in anchor} & {p.reference for p in subject}:  # a visit comes after its own reason
        return gap is None and token.text.lower() not in _EARLIER
    first, second = (subject, anchor) if sign < 0 else (anchor, subject)
    return _holds(first, second, gap)


def _sooner(part: Part, stays: Sequence[Part]) -> bool:
    """True if something may have begun before one of some stays."""
    own, others = _begin(part), [span for one in stays if (span := _begin(one)) is not None]
    return own is None or not others or any(own.start < other.end for other in others)


def _later(part: Part, stays: Sequence[Part]) -> bool:
    """True if something may have begun after one of some stays."""
    own, others = _begin(part), [span for one in stays if (span := _begin(one)) is not None]
    return own is None or not others or any(own.end > other.start for other in others)


def _last_two(spoken: Sequence[Spoken], before: int) -> tuple[list[Part] | None, list[Part] | None]:
    groups = [g for start, g in spoken if start < before]
    return (groups[-2], groups[-1]) if len(groups) > 1 else (None, None)


def _holds(first: list[Part], second: list[Part], gap: Token | None) -> bool:
    """True if something of the first is earlier than something of the second, by the gap if there is one."""
    for one in first:
        for other in second:
            start, end = _begin(one), _begin(other)
            if start is None or end is None or start.end > end.start:
                continue
            if gap is None or gap.when is None:
                return True
            days = [(end.start - start.start).total_seconds() / 86400, (end.end - start.start).total_seconds() / 86400]
            if any(close(d, gap.when) for d in days) or days[0] <= gap.when.days <= days[1]:
                return True
    return False


def _beside(part: Part, span: Span, sign: int) -> bool:
    own = _begin(part)
    return own is not None and (own.end <= span.start if sign < 0 else own.start >= span.end)


def _begin(part: Part) -> Span | None:
    """When it began; None if that is not recorded."""
    spans = [m.span for m in part.dates if not m.path.startswith("abatement") and not m.path.endswith(".end")]
    return min(spans, key=lambda span: span.start, default=None)
