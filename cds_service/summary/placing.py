"""Which name of a claim a time belongs to, and whether it is the time of that."""

from __future__ import annotations

from cds_service.summary.chart import Chart
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.figures import figure
from cds_service.summary.order import is_marker
from cds_service.summary.timing import fits

Group = list[Part]
_WITH = frozenset({"with", "along with", "together with", "plus", "伴", "伴有", "合并"})
_AGAINST = frozenset({"较", "比", "than", "compared with", "compared to", "versus", "vs", "relative to", "from"})
_TO = frozenset({"and", "to", "until", "through", "-", "–", "至", "到", "~"})
_POINTS = frozenset({"date", "day", "ago", "named"})  # no lengths of time
_AT = frozenset({"in", "on", "at", "(", "于", "在"})
_EVENTS = frozenset({"quit smoking", "戒烟"})  # said with a time they happened then, which no smoking status tells


def time_reasons(claim: Claim, named: list[Group], narrowed: Group, about: Group, chart: Chart) -> list[str]:
    """What is wrong about the times of a claim."""
    reasons = []
    numbers = [t for t in claim.tokens if t.number is not None]
    if claim.of("when") and any(m.text.lower() in _EVENTS for m in claim.mentions):
        return ["the record does not say when smoking was stopped"]
    reasons += _outside(claim, about)
    groups = [narrowed] if numbers or len(named) < 2 or "reason" in claim.values("cause") else named
    for at, token in enumerate(claim.tokens):
        if token.when is None or token.when.kind in ("oldness", "gap"):
            continue
        if at and is_marker(claim.tokens[at - 1]) and token.when.spans:
            continue  # before 2020: judged with the order of things
        own = (
            _beside_number(claim, about, at)
            or _bracketed(claim, named, at)
            or _each_its_own(claim, named, at)
            or _before_another(claim, named, at)
        )
        against = bool(at) and claim.tokens[at - 1].text.lower() in _AGAINST
        if _since_when(claim, at) and (first := _earliest(about)) is not None:
            own = [[first]]
        for group in [about] if against else own or groups:
            if not fits(token.when, claim, at, group, chart):
                reasons.append(f"the time {token.text} is not what is cited")
                break
    return reasons


def _since_when(claim: Claim, at: int) -> bool:
    """True for the time of `has fallen since October 2023`: a change begins with the first value."""
    return bool(at) and bool(claim.of("trend")) and claim.tokens[at - 1].text.lower() in ("since", "自")


def _earliest(about: Group) -> Part | None:
    measured = [p for p in about if p.kind == "Observation" and p.moment is not None]
    if len({p.moment for p in measured}) < 2:
        return None
    return min(measured, key=lambda p: p.dates[0].span.start)


def _outside(claim: Claim, about: Group) -> list[str]:
    """What is wrong about `between 2016 and 2019`: something of what is spoken of lies outside."""
    tokens = claim.tokens
    for at in range(1, len(tokens) - 2):
        start, link, end = tokens[at].when, tokens[at + 1].text.lower(), tokens[at + 2].when
        opened = tokens[at - 1].text.lower() == "between" or any(
            t.text in ("间", "期间", "之间") for t in tokens[at + 3 :]
        )
        if start is None or end is None or not opened or link not in _TO or not start.spans or not end.spans:
            continue
        moments = [p.moment for p in about if p.moment is not None]
        if any(not start.spans[0].start <= m <= end.spans[0].end for m in moments):
            return [f"not all that is cited lies between {tokens[at].text} and {tokens[at + 2].text}"]
    return []


def _beside_number(claim: Claim, about: Group, at: int) -> list[Group] | None:
    """The results that hold the number just before a time, where a claim has several: `28 in 2022 to 17 in 2025`."""
    values = [n for n, t in enumerate(claim.tokens) if t.number is not None and t.kind in ("number", "pressure")]
    before = [n for n in values if n < at]
    if len(values) < 2 or not before or not all(p.kind == "Observation" and not p.text for p in about):
        return None
    when = claim.tokens[at].when
    between = claim.tokens[before[-1] + 1 : at]
    if when is None or when.kind not in _POINTS or any(t.text.lower() not in _AT for t in between):
        return None
    held = [p for p in about if figure(p, claim.tokens[before[-1]], claim)]
    return [held] if held else None


def _bracketed(claim: Claim, named: list[Group], at: int) -> list[Group] | None:
    """The name before `(May 2023)`, which the time is about; None for a time without brackets."""
    around = claim.tokens[at - 1 : at] + claim.tokens[at + 1 : at + 2]
    if [t.text for t in around] != ["(", ")"] or len(named) != len(claim.mentions):
        return None
    before = [group for mention, group in zip(claim.mentions, named, strict=True) if mention.at < at]
    return [before[-1]] if before else None


def _before_another(claim: Claim, named: list[Group], at: int) -> list[Group] | None:
    """The name before a time that stands before `with` and another name: `A since 2009 with B`."""
    if len(named) != len(claim.mentions):
        return None
    before = [g for m, g in zip(claim.mentions, named, strict=True) if m.at < at]
    following = next((m for m in claim.mentions if m.at > at), None)
    if not before or following is None:
        return None
    between = [t.text.lower() for t in claim.tokens[at + 1 : following.at]]
    return [before[-1]] if set(between) & _WITH else None


def _each_its_own(claim: Claim, named: list[Group], at: int) -> list[Group] | None:
    """The name before a time, where every name has a time after it: `A since 2012 with B since 2024`."""
    whens = [n for n, t in enumerate(claim.tokens) if t.when is not None and t.when.kind not in ("oldness", "gap")]
    starts = [m.at for m in claim.mentions]
    if len(starts) < 2 or len(whens) != len(starts) or len(named) != len(starts):
        return None
    between = zip(starts, [*starts[1:], len(claim.tokens)], whens, strict=True)
    if not all(start < when < following for start, following, when in between):
        return None
    return [named[whens.index(at)]] if at in whens else None
