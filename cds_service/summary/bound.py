"""In a sentence of a document, what is said belongs to the name that it stands beside.

`Sodium 132 mmol/L, potassium 3.1 mmol/L` holds every word and number of `Potassium 132 mmol/L`, which it does not say.
A clause that names nothing belongs to the name before it, one at the beginning to all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cds_service.summary.claims import Claim, claims
from cds_service.summary.lexicon import Token
from cds_service.summary.spelling import normal

_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_OF = re.compile(r"(?<!\d)(\d+(?:\.\d+)?) ?(?:/|of|out of) ?(\d+(?:\.\d+)?)(?![\d.])")
_COUNTED = frozenset({"number", "pressure", "when"})
_SAID = frozenset({"kind", "trend", "state", "freq", "side", "level", "time", "rank", "ordinal"})
_EARLIER = frozenset({
    "previously", "previous", "prior", "before", "earlier", "baseline", "from baseline", "formerly", "既往", "之前",
    "以前", "前次", "上次", "此前", "原",
})  # fmt: skip
_CHANGE = re.compile(
    r"(?i)\b(?:up|down|by|lost|gained|loss of|gain of|increase of|decrease of)\s+(?:about\s+)?(\d[\d.]*)"
)
_ALSO = frozenset({"and", "but", "then", ",", "并", "且"})
_BE = frozenset({"is", "was", "are", "were", "be", "been", "has been", "have been"})
_OTHER = "the document says that of something else"


@dataclass(frozen=True, slots=True)
class Group:
    """A name with all that is said of it: the clause that names it and those after it that name nothing."""

    names: frozenset[str]
    tokens: tuple[Token, ...]


def groups_of(text: str) -> tuple[Group, ...]:
    """The names of a sentence of a document, in order, each with what is said of it."""
    found: list[Group] = []
    leading: tuple[Token, ...] = ()
    for clause in claims(normal(text)):
        names = _names([clause])
        if found and follows(clause):
            found[-1] = Group(found[-1].names | names, (*found[-1].tokens, *clause.tokens))
        elif names:
            found.append(Group(names, (*leading, *clause.tokens)))
        elif found:
            found[-1] = Group(found[-1].names, (*found[-1].tokens, *clause.tokens))
        else:
            leading = (*leading, *clause.tokens)
    return tuple(found)


def follows(clause: Claim) -> bool:
    """True for a clause that says more of the name before it: `and will be continued`, `and resolved`."""
    if set(clause.joined.split()) - _ALSO or not clause.joined:
        return False
    first = next((t for t in clause.tokens if t.kind != "neutral" or t.text.lower() in _BE), None)
    if first is None or any(t.kind == "term" for m in clause.mentions for t in m.tokens):
        return False
    return first.kind in ("time", "state", "trend") or first.text.lower() in _BE or first.text.lower().endswith("ed")


def own_groups(about: Sequence[Claim], groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups of a text that name what the claims name; all where none does."""
    named = _names(about)
    return tuple(group for group in groups if not named.isdisjoint(group.names)) or tuple(groups)


def bound_reasons(claim: Claim, own: Sequence[Group], groups: Sequence[Group], text: str) -> list[str]:
    """What a claim takes from what the text says of another name, or of an earlier time.

    own: the groups of the text that name what the claim speaks of, out of all its groups.
    """
    others = [group for group in groups if group not in own]
    reasons: list[str] = []
    if others:
        numbers, known = _numbers(claim.tokens), _numbers(t for g in own for t in g.tokens)
        if not known:  # fever and cough for 3 days
            known = _numbers(t for g in groups[groups.index(own[-1]) + 1 :][:1] for t in g.tokens)
        if (numbers - known) & _numbers(t for g in others for t in g.tokens):
            reasons.append(_OTHER)
        said, here = _operators(claim.tokens), _operators(t for g in own for t in g.tokens)
        if (said - here) & _operators(t for g in others for t in g.tokens):
            reasons.append(_OTHER)
    return reasons + _once(claim, own) + _changed(claim, text)


def ratio_reasons(sentence: str, text: str) -> list[str]:
    """What is wrong about `2 of 4` or `7/10`: the two numbers do not stand so in the text."""
    known = {m.groups() for m in _OF.finditer(normal(text))}
    said = {m.groups() for m in _OF.finditer(normal(sentence))}
    return [f"not in what is cited: {one} of {other}" for one, other in sorted(said - known)] if known else []


def _names(of: Iterable[Claim]) -> frozenset[str]:
    """The terms that claims name; their other words where they name no term."""
    tokens = [t for claim in of for m in claim.mentions for t in m.tokens if t.kind != "side"]
    return frozenset(t.value for t in tokens if t.kind == "term") or frozenset(t.value for t in tokens)


def _numbers(tokens: Iterable[Token]) -> set[float]:
    """Numbers, amounts and dates; ages, which are the patient's whatever else is named, are not among them."""
    counted = (t for t in tokens if t.kind in _COUNTED and (t.when is None or t.when.kind != "oldness"))
    return {float(d) for t in counted for d in _DIGITS.findall(t.text)}


def _operators(tokens: Iterable[Token]) -> set[tuple[str, str]]:
    """What is said of a name; `has` and `since` are said of anything."""
    return {(t.kind, t.value) for t in tokens if t.kind in _SAID and (t.kind, t.value) != ("state", "active")}


def _once(claim: Claim, own: Sequence[Group]) -> list[str]:
    """What is wrong about a number that the text gives for an earlier time alone."""
    if claim.of("trend") or any(t.text.lower() in _EARLIER for t in claim.tokens):
        return []
    earlier: set[float] = set()
    now: set[float] = set()
    for group in own:
        pool = now
        for token in group.tokens:
            if token.text.lower() in _EARLIER:
                pool = earlier
            elif token.kind == "term":
                pool = now
            pool |= _numbers([token])
    if _numbers(t for t in claim.tokens if t.kind != "when") & (earlier - now):
        return ["the document gives it as an earlier value"]
    return []


def _changed(claim: Claim, text: str) -> list[str]:
    """What is wrong about `Weight 4 kg` where the text says `down 4 kg`."""
    changes = {float(m[1].rstrip(".")) for m in _CHANGE.finditer(normal(text))}
    others = _numbers_of(_CHANGE.sub(" ", normal(text)))
    if claim.of("trend") or not changes:
        return []
    said = _numbers(t for t in claim.tokens if t.kind == "number")
    return ["the document gives it as a change"] if said & (changes - others) else []


def _numbers_of(text: str) -> set[float]:
    return {float(d) for d in _DIGITS.findall(text)}
