"""What a sentence says once for several names: a time, a level, a change, a status, or values in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

from cds_service.summary.claims import Claim, Mention
from cds_service.summary.lexicon import Token, lexicon

_SAID_OF_ALL = frozenset({"level", "trend", "state", "certainty", "freq", "route", "time", "deny"})
_TOGETHER = frozenset({"and", "和", "及", "与", "以及", "、", "both", "or", "或", "plus", "/"})
_RESPECTIVELY = frozenset({"respectively", "分别", "分别为", "各为"})
_OVER = frozenset({"past", "stopped", "completed", "held"})
_LEADING = frozenset({"on", "with", "under", "for", "taking", "after", "following", "at"})
_LISTED = frozenset({"", ",", ", and", "，", *_TOGETHER})


def share(found: list[Claim]) -> None:
    """Gives each name of a list what the sentence says of the list: changes the claims."""
    _share_times(found)
    _share_said(found)
    _share_values(found)
    _share_in_order(found)


def _share_times(found: list[Claim]) -> None:
    """A time before or after a list holds for each of its items: `In 2015, A and B`, `A and B since 2015`."""
    lead = [t for t in found[0].tokens if t.kind == "when"] if found and not found[0].mentions else []
    if lead and all(t.kind in ("when", "neutral", "state") for t in found[0].tokens):
        for claim in found[1:]:
            if claim.mentions and not claim.of("when"):
                claim.tokens = [*claim.tokens, *lead]
    for at in range(len(found) - 1, 0, -1):
        claim, before = found[at], found[at - 1]
        times = [t for t in claim.tokens if t.kind == "when" and t.when is not None and t.when.kind != "oldness"]
        opens = next((t for t in claim.tokens if t.kind != "neutral"), None)
        listed = opens is not None and opens.kind in ("term", "word", "side", "number")
        kinds = [{_class(m) for m in one.mentions} for one in (before, claim)]
        apart = bool(set(claim.joined) & set(";；.。")) or (kinds[1] == {"measure"} and kinds[0] != {"measure"})
        apart = apart or bool({t.value for t in before.of("state")} & _OVER) or _led(claim)
        if times and listed and not apart and before.mentions and not before.of("when") and claim.mentions:
            before.tokens = [*before.tokens, *times]


def _led(claim: Claim) -> bool:
    """True if a claim begins with a word that sets it apart from the list before: `on`, `with`."""
    return claim.tokens[0].text.lower() in _LEADING


def _share_said(found: list[Claim]) -> None:
    """`A and B are low`, `A, B and C were stopped`: what follows the last name of a list is said of each."""
    for at in range(len(found) - 1, 0, -1):
        claim = found[at]
        joined = set(claim.joined.replace(",", " ").split()) & _TOGETHER
        if not joined or len(claim.mentions) != 1 or (claim.of("number") and not claim.of("level")):
            continue
        said = [t for t in claim.tokens[claim.mentions[0].end :] if _of_all(t)]
        if not any(t.kind != "deny" for t in said):
            continue
        for place in range(at - 1, -1, -1):
            before = found[place]
            if not _alike(before, claim):
                break
            before.tokens = [*before.tokens, *said]
            if before.joined.strip() not in _LISTED:
                break


def _of_all(token: Token) -> bool:
    return token.kind in _SAID_OF_ALL and token.kind not in ("neutral", "term")


def _alike(before: Claim, claim: Claim) -> bool:
    """True for a bare name of the same class of thing."""
    if not before.bare or before.of("deny") or len(before.mentions) != 1:
        return False
    one, other = _class(before.mentions[0]), _class(claim.mentions[0])
    return one == other


def _class(mention: Mention) -> str:
    return next((lexicon().classes.get(t.value, "") for t in mention.tokens if t.kind == "term"), "")


def _share_values(found: list[Claim]) -> None:
    """`A and B are normal (136 and 4.2)`: as many numbers as names, in the same order."""
    for at in range(1, len(found)):
        names = _names_before(found, at)
        values = [t for t in found[at].tokens if _amount(t)]
        if not names or len(values) != 1 or len(found[at].mentions) != 1:
            continue
        if found[at].tokens.index(values[0]) < found[at].mentions[0].end:
            continue
        rest = found[at + 1 : at + 1 + len(names)]
        amounts = [[t for t in claim.tokens if _amount(t)] for claim in rest]
        if len(rest) != len(names) or any(len(a) != 1 or c.mentions for a, c in zip(amounts, rest, strict=True)):
            continue
        if not all(set(c.joined.replace(",", " ").split()) <= _TOGETHER for c in rest):
            continue
        ordered = [*values, *(a[0] for a in amounts)]
        for claim, value in zip([*names, found[at]], ordered, strict=True):
            claim.tokens = [*(t for t in claim.tokens if not _amount(t)), value]
        for claim in rest:
            claim.tokens = [t for t in claim.tokens if not _amount(t)]


def _share_in_order(found: list[Claim]) -> None:
    """`ALT and AST have risen, 61 and 82 respectively`: values after a list whose names have none, in its order."""
    for at, claim in enumerate(found):
        run = list(takewhile(lambda c: not c.mentions and len([t for t in c.tokens if _amount(t)]) == 1, found[at:]))
        said = [t for c in run for t in c.tokens if t.text.lower() in _RESPECTIVELY][:1]
        names = found[max(0, at - len(run)) : at]
        bare = [c for c in names if len(c.mentions) == 1 and not any(_amount(t) for t in c.tokens)]
        if claim.mentions or len(run) < 2 or not said or len(bare) != len(run):
            continue
        for name, value in zip(names, run, strict=True):
            name.tokens = [*name.tokens, *said, next(t for t in value.tokens if _amount(t))]
        for value in run:
            value.tokens = [t for t in value.tokens if not _amount(t)]
        return


def _names_before(found: Sequence[Claim], at: int) -> list[Claim]:
    """The bare names that a list which ends with a claim begins with; empty if it ends no list."""
    if not set(found[at].joined.replace(",", " ").split()) & _TOGETHER:
        return []
    names: list[Claim] = []
    for before, claim in reversed(list(pairwise(found[: at + 1]))):
        if any(_amount(t) for t in before.tokens) or len(before.mentions) != 1 or not claim.mentions:
            break
        names.insert(0, before)
        if before.joined.strip() not in _LISTED:
            break
    return names


def _amount(token: Token) -> bool:
    return token.kind in ("number", "pressure") and token.number is not None
