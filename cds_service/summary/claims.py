"""A sentence as claims: what each stretch of it speaks of, with which numbers, times and operators."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cds_service.summary.denials import TESTS, excluded
from cds_service.summary.lexicon import Token, scan, splits

# Words that hold a name together: the fracture of the hip is one thing.
_HOLDING = frozenset({
    "of", "the", "of the", "in", "in the", "to", "to the", "a", "an", "的", "之", "-", "'", "/", "s", "type",
    "stage", "disease", "oral", "adult", "form", "+", "by",
})  # fmt: skip
_VACCINE = re.compile(r"(?i)vaccin|immuni[sz]|shot|booster|疫苗|接种")
_BRACKET = 60  # tokens on either side of a conjunction among which its brackets may stand
_AT = frozenset({"on", "at", "by", "during"})
_LISTING = frozenset({"", "or", "and", "nor", "及", "、", "和", "或"})
_JUDGED = frozenset({"number", "pressure", "level", "compare", "trend", "when"})
_SPANNING = frozenset({"since", "自", "以来", "has", "have"})
_NAMING = frozenset({"term", "word", "side"})


@dataclass
class Mention:
    """A name in a claim: one run of terms and words. at: its place among the claim's tokens."""

    tokens: list[Token]
    at: int
    end: int
    denied: bool = False

    @property
    def text(self) -> str:
        """As written."""
        return " ".join(t.text for t in self.tokens)


@dataclass
class Claim:
    """One stretch of a sentence between commas and conjunctions.

    joined: the word or sign before it, empty for the first. around: the kinds of thing that the whole sentence names.
    """

    tokens: list[Token]
    joined: str = ""
    mentions: list[Mention] = field(default_factory=list)
    around: set[str] = field(default_factory=set)

    def of(self, kind: str) -> list[Token]:
        """Its tokens of a kind, also where the phrase has a second reading."""
        return [t for t in self.tokens if t.kind == kind or any(k == kind for k, _ in t.also)]

    def values(self, kind: str) -> set[str]:
        """The values of its operators of a kind."""
        found = {t.value for t in self.tokens if t.kind == kind}
        return found | {v for t in self.tokens for k, v in t.also if k == kind}

    @property
    def bare(self) -> bool:
        """True if it holds names and nothing that is said of them: an item of a list."""
        said = {
            "number",
            "pressure",
            "when",
            "state",
            "certainty",
            "time",
            "trend",
            "level",
            "compare",
            "freq",
            "route",
        }
        return bool(self.mentions) and not any(t.kind in said for t in self.tokens)


def claims(text: str) -> list[Claim]:
    """The claims of a sentence, in order."""
    found: list[Claim] = []
    pending: list[Token] = []
    joined = ""
    tokens = scan(text)
    for at, token in enumerate(tokens):
        if splits(token) and not _spans(tokens, at):
            if pending:
                found.append(_claim(pending, joined))
                pending, joined = [], ""
            joined = (joined + " " + token.text).strip().lower()
        else:
            pending.append(token)
    if pending:
        found.append(_claim(pending, joined))
    _carry_denial(found)
    _carry_status(found)
    around = {value for claim in found for value in claim.values("kind")}
    if _VACCINE.search(text):
        around.add("Immunization")
    for claim in found:
        claim.around = around
    return found


def _bracketed(tokens: list[Token], at: int) -> bool:
    """True for the `and` of `has declined (58 in 2023 and 48 in 2026)`: two values of one change."""
    start = max(0, at - _BRACKET)
    tokens, at = tokens[start : at + _BRACKET], at - start
    texts = [t.text for t in tokens[:at]]
    opened = len(texts) - 1 - texts[::-1].index("(") if "(" in texts else -1
    if opened < 0 or ")" in texts[opened:] or not any(t.kind == "trend" for t in tokens[:opened]):
        return False
    inside = [t for t in tokens[opened + 1 : at] if t.kind != "neutral"]
    after = next((t for t in tokens[at + 1 :] if t.kind != "neutral"), None)
    valued = any(t.number is not None for t in inside) and all(
        t.number is not None or t.when is not None or t.kind == "term" for t in inside
    )
    return valued and after is not None and after.number is not None


def _spans(tokens: list[Token], at: int) -> bool:
    """True for the `and` of `between 113 and 117`."""
    if _bracketed(tokens, at):
        return True
    around = tokens[at - 1 : at] + tokens[at + 1 : at + 2]
    if at > 1 and len(around) == 2 and all(t.when is not None for t in around):
        return tokens[at].text.lower() == "and" and tokens[at - 2].text.lower() == "between"
    numbered = len(around) == 2 and all(t.number is not None for t in around)
    return at > 1 and numbered and tokens[at].text.lower() == "and" and tokens[at - 2].text.lower().endswith("between")


def _claim(tokens: list[Token], joined: str) -> Claim:
    claim = Claim(tokens, joined)
    run: list[Token] = []
    start = at = 0
    denied = False
    for at, token in enumerate(tokens):
        if token.kind in _NAMING:
            if not run:
                start = at
            run.append(token)
        elif run and token.kind in ("neutral", "kind", "route", "form") and token.text.lower() in _HOLDING:
            continue
        else:
            if run:
                claim.mentions.append(Mention(run, start, at, denied))
                run = []
            if token.kind == "deny" and token.value == "no":
                denied = not denied
    if run:
        claim.mentions.append(Mention(run, start, at + 1, denied))
    for mention in claim.mentions:
        if mention.denied and mention.at and tokens[mention.at - 1].text.lower() in _AT and _is_test(mention):
            mention.denied = False  # no embolism on CT: the CT was made
    last = max((m.end for m in claim.mentions), default=0)
    after = tokens[last:]
    trailing = any(t.kind == "deny" and t.value == "no" for t in after)
    undone = any(
        t.kind == "deny" and t.value == "no" and ("time", "done") in ((n.kind, n.value), *n.also)
        for t, n in itertools.pairwise(after)
    )
    if undone or (
        trailing and not any(t.kind in _JUDGED for t in after)
    ):  # metformin: not taken; no allergy after the name
        for mention in claim.mentions:
            mention.denied = not mention.denied
    out = {n for n, t in enumerate(tokens) if t.value == "out" for n in excluded(tokens, n)}
    for mention in claim.mentions:
        if mention.at in out:
            mention.denied = not mention.denied
    return claim


def _is_test(mention: Mention) -> bool:
    return any(t.value in TESTS for t in mention.tokens)


def _carry_denial(found: list[Claim]) -> None:
    """No fever, cough or rash: what is denied of the first is denied of the bare items that follow."""
    for before, claim in itertools.pairwise(found):
        opened = bool(before.mentions) and before.mentions[-1].denied and not before.of("state")
        opens = claim.tokens[0].kind in _NAMING and claim.bare and not claim.of("deny")
        if opened and opens and claim.joined.replace(",", "").strip() in _LISTING:
            for mention in claim.mentions:
                mention.denied = True


def _carry_status(found: list[Claim]) -> None:
    """He takes A and B: what is said to be current of the first is said of what follows in the list."""
    for before, claim in itertools.pairwise(found):
        opens = next((t for t in claim.tokens if t.kind != "neutral"), None)
        listed = (
            opens is not None and opens.kind in (*_NAMING, "number") and not claim.of("state") and not claim.of("deny")
        )
        current = [t for t in before.of("state") if t.value == "active" and t.text.lower() not in _SPANNING]
        if listed and current and claim.mentions and not claim.of("time"):
            claim.tokens = [*claim.tokens, *current]


def all_of(found: Iterable[Claim], kind: str) -> Iterator[Token]:
    """The tokens of a kind in all claims."""
    for claim in found:
        yield from claim.of(kind)
