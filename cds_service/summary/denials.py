"""Which words of a name or a sentence are denied: over a whole list, and of the narrower thing and not of the wider.

`Denies fever, chills or cough` denies all three. `Never on warfarin` says nothing of other anticoagulants, while `no
anticoagulant` rules out warfarin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import takewhile

from cds_service.summary.lexicon import Token, lexicon

TESTS = frozenset({
    "#f_ct", "#f_mri", "#f_xray", "telemetry", "ultrasound", "angiography", "echocardiogram", "#echo", "#f_ultrasound",
    "#f_endoscopy", "endoscopy", "#colonoscopy", "#bronchoscopy", "#cxr", "gram", "#f_ecg",
})  # fmt: skip
_OVER_LISTS = frozenset({"denies", "denied", "deny", "否认"})
_OR = frozenset({"or", "nor", "或", "及"})
_BUT = frozenset({"but", "但", "however"})
_TELLS = frozenset({  # a new clause begins, whatever was denied before
    "reports", "reported", "complains", "complained", "endorses", "notes", "noted", "presents", "presented", "is",
    "was", "are", "were", "诉", "伴", "有", "出现",
})  # fmt: skip
_SHOWS = frozenset({"showed", "shows", "found", "revealed", "demonstrated", "confirmed"})
_BE = frozenset({"is", "was", "are", "were", "be", "been", "being"})
_BY = frozenset({"by", "on", "with", "at", "in", "after", "during", "via"})
_MADE = frozenset({
    "taken", "performed", "done", "given", "implanted", "needed", "required", "found", "seen", "identified", "obtained",
    "detected", "made", "placed", "inserted", "indicated", "administered",
})  # fmt: skip
_YET = frozenset({"yet", "able to be", "able", "to"})
_LIST = 200  # tokens of a list that is looked through
_NAMES = ("term", "word", "side")
_LISTED = frozenset({"term", "word", "side", "neutral", "kind"})


class Said(Enum):
    """How a word of a sentence is meant; open: it may be denied, and supports nothing."""

    AFFIRMED = "affirmed"
    DENIED = "denied"
    OPEN = "open"


def said(tokens: Sequence[Token]) -> list[Said]:
    """For each token of a text, how it is meant."""
    found: list[Said] = []
    now, over_lists = Said.AFFIRMED, False
    out = {
        n: Said.OPEN if at and tokens[at - 1].value == "no" else Said.DENIED  # not excluded: neither so nor not so
        for at, token in enumerate(tokens)
        if token.value == "out"
        for n in excluded(tokens, at)
    }
    for at in range(len(tokens)):
        if _undone(tokens, at):  # a biopsy was not taken
            out |= dict.fromkeys(range(_opens(tokens, at), at), Said.DENIED)
    for at, token in enumerate(tokens):
        if token.kind == "deny" and token.value == "no":
            now, over_lists = Said.DENIED, token.text.lower() in _OVER_LISTS
        elif token.text.lower() in _BUT or (token.text.lower() == "on" and _names_test(tokens[at + 1 : at + 4])):
            now = Said.AFFIRMED
        elif token.kind == "separator":
            now = _after_comma(tokens, at, now, over_lists=over_lists)
        found.append(out.get(at, now))
    return found


def _undone(tokens: Sequence[Token], at: int) -> bool:
    """True for the `not` of `was not taken`, `could not be performed`, which denies what stands before it."""
    if tokens[at].kind != "deny" or tokens[at].value != "no" or not at:
        return False
    after = takewhile(lambda word: word in _BE | _MADE | _YET, (t.text.lower() for t in tokens[at + 1 : at + 4]))
    return any(word in _MADE for word in after)


def _opens(tokens: Sequence[Token], at: int) -> int:
    """Where the clause of a place begins."""
    least = max(0, at - _LIST)
    walls = (n + 1 for n in range(at - 1, least - 1, -1) if _turns(tokens[n]) or tokens[n].text.lower() == "and")
    return next(walls, least)


def excluded(tokens: Sequence[Token], at: int) -> range:
    """The places of what `excluded` at a place rules out: before it in `was excluded by CT`, else behind it."""
    if tokens[at].kind != "deny":
        return range(0)
    end = next((n for n in range(at + 1, len(tokens)) if _turns(tokens[n])), len(tokens))
    behind = tokens[at + 1 : end]
    first = tokens[at].text.lower().split()[0]
    passive = first in _BE or (at and tokens[at - 1].text.lower() in _BE)
    if not passive and any(t.kind in _NAMES for t in behind) and behind[0].text.lower() not in _BY:
        return range(at + 1, end)
    last = at - 1 if at and tokens[at - 1].kind == "separator" else at
    start = next((n + 1 for n in reversed(range(last)) if _turns(tokens[n])), 0)
    if start and tokens[start - 1].kind != "separator":  # CT showed an effusion and embolism was excluded
        start = next((n + 1 for n in reversed(range(start, last)) if tokens[n].text.lower() == "and"), start)
    return range(start, last)


def _turns(token: Token) -> bool:
    """True where something else begins to be said."""
    return token.kind == "separator" or token.text.lower() in _BUT | _SHOWS


def _names_test(tokens: Sequence[Token]) -> bool:
    """True for `on chest X-ray`, after what was not seen there: the picture was taken."""
    return any(t.value in TESTS for t in tokens)


def _after_comma(tokens: Sequence[Token], at: int, before: Said, *, over_lists: bool) -> Said:
    if before is Said.AFFIRMED or tokens[at].value not in (",", "，"):
        return Said.AFFIRMED
    items = _items(tokens[at + 1 : at + _LIST])
    if not items:
        return Said.AFFIRMED
    links = {t.text.lower() for item in items for t in item}
    if before is Said.DENIED and (over_lists or links & _OR):
        return Said.DENIED
    first = next((t for t in items[0] if t.kind != "neutral"), None)
    condition = first is not None and first.kind == "term" and lexicon().classes.get(first.value) == "condition"
    return Said.OPEN if condition else Said.AFFIRMED


def _items(tokens: Sequence[Token]) -> list[list[Token]]:
    """The items of a list that goes on: stretches between commas that hold names and nothing that is said of them."""
    items: list[list[Token]] = []
    item: list[Token] = []
    for token in tokens:
        if token.kind == "separator" or token.text.lower() in _BUT:
            if token.text.lower() in _BUT or not any(t.kind in ("term", "word") for t in item):
                break
            items.append(item)
            item = []
            if token.value not in (",", "，"):
                return items
        elif token.kind in _LISTED and token.text.lower() not in _TELLS:
            item.append(token)
        else:
            return items
    return [*items, item] if any(t.kind in ("term", "word") for t in item) else items


def ruled_out(value: str, denied: set[str]) -> bool:
    """True if what is denied includes a term: itself, or something wider."""
    return not lexicon().implied.get(value, frozenset({value})).isdisjoint(denied)


def narrowest(values: Iterable[str]) -> set[str]:
    """Values without those terms that another of them implies: of warfarin and anticoagulant, warfarin."""
    found = set(values)
    known = lexicon()
    wider = {
        other
        for value in found
        for other in known.implied.get(value, ())
        if other != value and value not in known.implied.get(other, ()) and known.classes.get(other) != "family"
    }
    return found - wider
