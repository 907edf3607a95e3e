"""Where a result stands: whether a word of a claim speaks of its level or of a change, and whether that is so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile

from cds_service.summary.claims import Claim
from cds_service.summary.degrees import degrees
from cds_service.summary.evidence import Part
from cds_service.summary.figures import RANGE_WORDS
from cds_service.summary.levels import level_of
from cds_service.summary.lexicon import Token, lexicon

Group = list[Part]
_MAY_BE_LEVEL = frozenset({
    "increased", "decreased", "reduced", "降低", "减少", "增加", "减低", "增多", "升高至",
    "增高至", "降低至", "升高到", "增高到", "降低到",
})  # fmt: skip
_BEFORE = frozenset({
    "较前", "较上次", "较前次", "较既往", "比前", "比上次", "较之前", "较以前", "与前相比", "than before",
    "than previously",
    "compared with before", "from before", "from baseline", "compared with baseline", "较基线", "较入院时",
    "from previously",
})  # fmt: skip
_BESIDE = frozenset({"较", "比", "compared with", "compared to", "versus", "vs", "relative to"})
_AGAINST = _BEFORE | frozenset({
    "较", "比", "较前", "前次", "上次", "compared with", "compared to", "versus", "vs", "relative to", "from", "than",
    "与前相比", "相比", "by", "previously",
})  # fmt: skip


_ALWAYS = frozenset(
    {"since", "always", "remained", "remains", "throughout", "consistently", "一直", "始终", "均", "以来"}
)
_WAYS = {  # words for a change that a document may use of anything
    "up": re.compile(r"(?i)\b(?:increas|larger|bigger|grown|up-?titrat|higher)\w*|加量|增[大加多]"),
    "down": re.compile(r"(?i)\b(?:decreas|reduc|smaller|shr[aiu]nk|lower)\w*|减[量少小]|缩小"),
}


def written(about: Group, kind: str) -> set[str]:
    """The operators of a kind that stand in the resources' own words: weight gain is a reason, not a change."""
    found = {value for part in about for k, value in part.operators if k == kind}
    if kind == "trend":
        found |= {way for way, words in _WAYS.items() if any(words.search(part.text) for part in about if part.text)}
    if kind == "trend":  # of a symptom, more and worse are one
        found |= {"up", "worse"} if found & {"up", "worse"} or any("more" in p.reasons for p in about) else set()
        found |= {"down", "better"} if found & {"down", "better"} else set()
    return found


def is_level(claim: Claim, about: Group) -> bool:
    """True if `increased` can only mean high: a single value is spoken of and no earlier one is named."""
    dated = {p.moment for p in about if p.amounts}
    return len(dated) < 2 and len(claim.of("number")) <= 1


def against_before(claim: Claim) -> set[str]:
    """`up` for `较前升高` and `higher than before`: a level against an earlier one is a change."""
    then = any(
        token.text.lower() in _BESIDE and following.when is not None and following.when.kind != "oldness"
        for token, following in pairwise(claim.tokens)
    )
    if not then and not any(t.text.lower() in _BEFORE for t in claim.tokens):
        return set()
    return {{"high": "up", "low": "down"}[value] for value in claim.values("level") & {"high", "low"}}


def moved(claim: Claim) -> bool:
    """True if a word of the claim can only mean a change: `fell`, `较前降低`; `reduced` alone may mean low."""
    if against_before(claim):
        return True
    words = [t for t in claim.tokens if t.kind == "trend" and t.value in ("up", "down")]
    against = any(t.text.lower() in _AGAINST for t in claim.tokens)
    return bool(words) and (against or any(t.text.lower() not in _MAY_BE_LEVEL for t in words))


def level_reasons(claim: Claim, about: Group, named: list[Group]) -> list[str]:
    """What is wrong about high, low, normal, and how far from the limit."""
    said = claim.values("level") | beyond_range(claim.tokens)
    trend = claim.values("trend") - written(about, "trend")
    if not said and is_level(claim, about) and trend & {"up", "down"}:
        said = {"high" if "up" in trend else "low"}
    if not said:
        return []
    denied = any(t.kind == "deny" for t in claim.tokens)
    texts = {v for p in about for k, v in p.operators if k == "level"}
    measured = [p for p in about if p.kind == "Observation"]
    collective = any(lexicon().classes.get(t.value) == "group" for m in claim.mentions for t in m.tokens)
    for level in said:
        own = _bearer(claim, level, named, measured)
        holding = [p for p in own if _at(level, p)]
        right = bool(holding) or (level in texts and not measured)
        if level == "normal" and (collective or _throughout(claim)):
            right = right and len(holding) == len([p for p in own if level_of(p) is not None])
        if right == denied:
            return [f"the record does not support that it is {'not ' if denied else ''}{level}"]
        degree = {"slight": "mild", "marked": "marked"}
        far = {degree[d] for d in claim.values("degree") & set(degree)}
        if holding and not denied and not any(far <= degrees(p) for p in holding):
            return ["the result is not that far from its limit"]
    return []


def _throughout(claim: Claim) -> bool:
    """True for `have been normal since 2023`, which all of the cited values are to show."""
    return any(t.text.lower() in _ALWAYS for t in claim.tokens)


def _bearer(claim: Claim, level: str, named: list[Group], measured: Group) -> Group:
    """Of a claim's several names the one that a word of level is said of: the nearest before it, else all."""
    at = next((n for n, t in enumerate(claim.tokens) if ("level", level) in ((t.kind, t.value), *t.also)), None)
    if at is None or len(named) < 2 or len(named) != len(claim.mentions):
        return measured
    before = [group for mention, group in zip(claim.mentions, named, strict=True) if mention.end <= at]
    own = [p for p in before[-1] if any(p is q for q in measured)] if before else []
    return own or measured


def _at(level: str, part: Part) -> bool:
    """True if a measurement is at a level: high, low, normal, abnormal or critical."""
    if level == "critical":
        return bool(part.source.flags & {"HH", "LL", "AA"})
    found = level_of(part)
    if level in ("high", "low") and _critical(part, level):
        return True
    return found == level or (level == "abnormal" and found in ("high", "low", "critical"))


def beyond_range(tokens: Sequence[Token]) -> set[str]:
    """`high` for `above the upper reference limit`, `low` for `below the range`: no number follows."""
    for at, token in enumerate(tokens):
        if token.kind == "compare" and token.value in ("gt", "lt"):
            following = list(takewhile(lambda t: t.kind == "neutral", tokens[at + 1 :]))
            rest = tokens[at + 1 + len(following) : at + 2 + len(following)]
            if any(t.text.lower() in RANGE_WORDS for t in following) and not any(t.number for t in rest):
                return {"high" if token.value == "gt" else "low"}
    return set()


def _critical(part: Part, level: str) -> bool:
    return bool(part.source.flags & ({"HH"} if level == "high" else {"LL"}))
