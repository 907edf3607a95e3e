"""Comparisons that name no limit: of one measurement with another, of now with then, and values told in a row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cds_service.summary.amounts import as_unit
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.figures import RANGE_WORDS
from cds_service.summary.lexicon import Token, lexicon
from cds_service.summary.order import Spoken, Step

_THAN = frozenset({"gt", "lt", "ge", "le"})
_THEN = frozenset({"ago", "named", "date", "day"})
_DONE = frozenset({
    "measured", "checked", "taken", "done", "recorded", "dated", "performed", "obtained", "drawn", "collected", "seen",
})  # fmt: skip
_NOW = frozenset({"now", "currently", "today", "目前", "现", "现为", "现在", "今天"})
_ROW = 3


def beside_reasons(found: Sequence[Claim], spoken: Sequence[Spoken]) -> list[str]:
    """What is wrong about `AST is higher than ALT`: the latest cited value of each is compared."""
    tokens = sorted({t.start: t for claim in found for t in claim.tokens}.values(), key=lambda t: t.start)
    reasons = []
    for at, token in enumerate(tokens):
        if token.kind != "compare" or token.value not in _THAN:
            continue
        following = next((t for t in tokens[at + 1 :] if t.kind != "neutral"), None)
        if any(t.text.lower() in RANGE_WORDS for t in tokens[at + 1 : at + 4]):
            continue  # above the upper limit: judged as a level
        anchor = next((g for start, g in spoken if following is not None and start == following.start), None)
        subject = next((g for start, g in reversed(spoken) if start < token.start), None)
        if anchor is None or not _measured(anchor):
            continue
        denied = bool(at) and tokens[at - 1].kind == "deny"
        if subject is None or not _measured(subject) or _holds(subject, anchor, token.value) == denied:
            reasons.append("the record does not show that comparison")
    return reasons


def against_then(claim: Claim, about: Sequence[Part]) -> set[str]:
    """`up` or `down` for `lower than two years ago` and `higher than previously`; empty for a limit or an age."""
    if not about or not all(p.kind == "Observation" and not p.text for p in about):
        return set()
    for at, token in enumerate(claim.tokens):
        if token.kind != "compare" or token.value not in _THAN:
            continue
        following = next((t for t in claim.tokens[at + 1 :] if t.kind != "neutral"), None)
        open_ended = following is None and token.text.lower().endswith(("than", "于"))
        then = following is not None and following.when is not None and following.when.kind in _THEN
        before = {t.text.lower() for t in claim.tokens[:at]}
        if open_ended or (then and not before & _DONE and token.text.lower() not in ("over", "under")):
            return {"up" if token.value in ("gt", "ge") else "down"}
    return set()


def row_reasons(steps: Sequence[Step]) -> list[str]:
    """What is wrong about values in a row: three or more keep to one direction of time, and `now` is the last."""
    row: list[set[float]] = []
    for at, (claim, parts) in enumerate(steps):
        goes_on = bool(at) and not claim.mentions and bool(_measure(parts) & _measure(steps[at - 1][1]))
        row = [*row, _moments(parts)] if goes_on else [_moments(parts)]
        now = any(t.text.lower() in _NOW for t in claim.tokens)
        if goes_on and now and row[-1] and row[-2] and max(row[-1]) <= min(row[-2]):
            return ["the cited values do not come in that order"]
        known = [next(iter(m)) for m in row if len(m) == 1]
        if len(known) >= _ROW and len(claim.of("when")) == 0:
            later = [b >= a for a, b in pairwise(known)]
            if not (all(later) or all(b <= a for a, b in pairwise(known))):
                return ["the cited values do not come in that order"]
    return []


def _measure(parts: Sequence[Part]) -> set[str]:
    return {t for p in parts for t in p.affirmed if lexicon().classes.get(t) == "measure"}


def _moments(parts: Sequence[Part]) -> set[float]:
    return {p.moment.timestamp() for p in parts if p.moment is not None and p.kind == "Observation"}


def _measured(parts: Sequence[Part]) -> bool:
    return any(p.kind == "Observation" and p.amounts for p in parts)


def _holds(subject: Sequence[Part], anchor: Sequence[Part], comparison: str) -> bool:
    one, other = _latest(subject), _latest(anchor)
    if one is None or other is None or one.reference == other.reference:
        return False
    value = as_unit(other.amounts[0].unit, one.amounts[0], one.source.codes)
    if value is None:
        return False
    limit = other.amounts[0].value
    return {"gt": value > limit, "lt": value < limit, "ge": value >= limit, "le": value <= limit}[comparison]


def _latest(parts: Sequence[Part]) -> Part | None:
    measured = [p for p in parts if p.amounts and p.moment is not None and not p.amounts[0].comparator]
    return max(measured, key=lambda p: p.dates[0].span.start, default=None)


def doubled_or_halved(change: float, claim: Claim, tokens: Sequence[Token]) -> dict[str, bool]:
    """Whether a relative change is a doubling, a halving or another multiple.

    The sentence may qualify it: more than, nearly, exactly.
    """
    said = {t.value for t in tokens if t.kind == "compare"} | claim.values("compare")
    folds = {f"x{n}": n - 0.5 <= 1 + change < n + 0.5 for n in range(3, 11)}
    if said & {"gt", "ge"}:
        return {**folds, "twice": change > 1.0, "half": change < -0.5}
    if said & {"lt", "le"}:
        return {**folds, "twice": 0 < change < 1.0, "half": -0.5 < change < 0}
    if "about" in said:
        return {**folds, "twice": 0.75 <= change <= 1.25, "half": -0.6 <= change <= -0.4}
    return {**folds, "twice": 0.85 <= change <= 1.2, "half": -0.55 <= change <= -0.45}
