"""How many a sentence counts: things of a kind that are cited, doses each, the end of a list."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.figures import KINDS, MEASURE_WORDS, MEDICATION
from cds_service.summary.lexicon import Token

Group = list[Part]
_COUNTED_NOW = ("Medication", "Condition")
_TOTALS = frozenset({"共", "总共", "合计", "共计", "总计", "in total"})
_EACH = frozenset({"each", "各"})


def counts(claim: Claim, usable: Group, reasons: list[str]) -> set[int]:
    """Places of numbers that count resources; adds a reason where the count is wrong."""
    found: set[int] = set()
    for at, token in enumerate(claim.tokens):
        if token.number is None or token.kind != "number" or token.number.unit or token.number.decimals:
            continue
        noun = _counted(claim.tokens[at + 1 : at + 5])
        if noun is not None and at and _timed(claim.tokens[at - 1]):
            found.add(at)
            reasons += [] if token.number.value == 1 else [f"{token.text} times is not what is cited"]
            continue
        if noun is None and _summed(claim.tokens, at):
            noun = ""
        if noun is None:
            continue
        wanted = KINDS.get(noun, frozenset({noun})) if noun else None
        if noun == "Medication":
            wanted = MEDICATION
        elif noun == "Condition":
            wanted = frozenset({"Condition"})
        elif noun == "Procedure":
            wanted = frozenset({"Procedure"})
        now = "active" in claim.values("state")
        counted = {
            p.reference
            for p in usable
            if (wanted is None or p.kind in wanted) and not (now and p.state == "past" and noun in _COUNTED_NOW)
        }
        found.add(at)
        if any(t.text.lower() in _EACH for t in claim.tokens) and _each(usable, wanted, int(token.number.value)):
            continue
        if len(counted) != int(token.number.value):
            reasons.append(f"{token.text} are counted, {len(counted)} are cited")
    return found


def _timed(token: Token) -> bool:
    """True for a frequency or time of day before a number of times: 每晨2次."""
    return token.kind == "freq" or token.value in ("#before_breakfast", "#after_breakfast")


def _each(usable: Group, wanted: frozenset[str] | None, number: int) -> bool:
    """True if of each name as many are cited as `two doses each of A and B` says."""
    by_name: dict[frozenset[str], set[str]] = {}
    for part in usable:
        if wanted is None or part.kind in wanted:
            by_name.setdefault(frozenset(text for _, text in part.source.names), set()).add(part.reference)
    return len(by_name) > 1 and all(len(references) == number for references in by_name.values())


def _summed(tokens: Sequence[Token], at: int) -> bool:
    """True for `共3种`, which ends a list."""
    return (
        bool(at)
        and tokens[at - 1].text in _TOTALS
        and [t.text for t in tokens[at + 1 :] if t.start > tokens[at].start] in ([m] for m in MEASURE_WORDS)
    )


def _counted(following: Sequence[Token]) -> str | None:
    """What kind of thing a number counts; None if it counts nothing."""
    for n, token in enumerate(following):
        if token.kind == "kind" and n and following[0].text in MEASURE_WORDS:
            return token.value
        noun = next((v for k, v in ((token.kind, token.value), *token.also) if k == "count"), None)
        if noun is not None:
            return noun
        if token.kind not in ("state", "term", "word", "neutral", "kind", "agree", "form") or token.text.lower() in (
            "of",
            "on",
            "for",
            "with",
        ):
            return None
    return None
