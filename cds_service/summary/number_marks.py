"""What a number of a document is: the highest, the earlier one, that at discharge, how much it changed, days or weeks.

`Troponin peaked at 4.2 and fell to 0.8` holds the words and numbers of `Troponin fell to 4.2`, which it does not say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.summary.keys import Clause, Unit, figures, nearest

_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")
_WALL = re.compile(r"[,;，；。]|\band\b|\bthen\b", re.IGNORECASE)
_BEFORE, _BEHIND, _ROUND = "before", "behind", "round"


@dataclass(frozen=True, slots=True)
class _Marks:
    """Values of one kind that a number may have, by the words before it, behind it or on either side.

    telling: values that a number may not lose: the highest is not any value.
    """

    wrong: str
    side: str
    values: Mapping[str, re.Pattern[str]]
    telling: frozenset[str] = frozenset()


def _marks(wrong: str, side: str, telling: str = "", **values: str) -> _Marks:
    words = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in values.items()}
    return _Marks(wrong, side, words, frozenset(telling.split()))


_EARLIER = "the document gives it as an earlier value"
_RANKED = "the document gives it as the highest or lowest"
MARKS = (
    _marks(
        "the document has it the other way round",
        _BEFORE,
        "first amount",
        amount=r"\bby (?:about |around )?$|[了约]$",
        first=r"\bfrom (?:about )?$|[由从]$",
        last=r"\bto (?:about )?$|[至到]$",
    ),
    _marks(
        "the document gives another number as the highest or lowest",
        _BEFORE,
        "high low",
        high=r"(?:\bpeak(?:ed|ing)?\b|\bmaxim\w+|\bhighest\b|最高|峰值)[^\d]{0,20}$",
        low=r"(?:\bnadir\b|\bminim\w+|\blowest\b|最低)[^\d]{0,20}$",
    ),
    _marks(
        "the document gives it for another time of the stay",
        _ROUND,
        arrival=r"\b(?:on|at) (?:admission|arrival|presentation)\b|入院时?",
        leaving=r"\b(?:on|at|before) discharge\b|出院时?",
    ),
    _marks(
        "the document has another unit of time",
        _BEHIND,
        hour=r"^[ -]?(?:hours?\b|小时)",
        day=r"^[ -]?(?:days?\b|[天日])",
        week=r"^[ -]?(?:weeks?\b|周)",
        month=r"^[ -]?(?:months?\b|个?月)",
        year=r"^[ -]?(?:years?\b|年)",
    ),
    _marks(
        _EARLIER,
        _BEHIND,
        "ago",
        ago=r"^\s?[%\w/.]{0,8}\s?(?:\w+\s){0,2}(?:months?|years?|weeks?|days?) ago\b",
    ),
)
_MOVING = frozenset({"trend", "rank", "compare"})
_THEN = re.compile(
    r"\b(?:previous|prior|earlier|initial|baseline|from|before|admission|arrival|ago)\w*|既往|之前|原|由|从|曾|入院",
    re.IGNORECASE,
)
_FIRST, _AGAIN = re.compile("首次|初次|首发"), re.compile(r"\bagain\b|再次|再发|复发", re.IGNORECASE)
_LEAST = 3
_MEASURES = frozenset({
    "%", "mg", "g", "mcg", "ug", "kg", "ml", "l", "dl", "mmol", "umol", "mol", "ng", "pg", "cm", "mm", "m", "mmhg",
    "bpm", "hour", "day", "week", "month", "year", "iu", "u", "meq", "unit", "pack",
})  # fmt: skip
_LINKS = frozenset({"percent", "from", "with", "and", "after", "before", "when", "during", "over", "then"})
Marked = dict[str, list[tuple[frozenset[str], ...]]]


def marked(text: str) -> Marked:
    """For each number of a text, what it is at each place where it stands, one set of values for each kind of mark."""
    plain = figures(text)
    spans = [m.span() for m in _NUMBER.finditer(plain)]
    walls = sorted({*(m.start() for m in _WALL.finditer(plain)), len(plain)})
    found: Marked = {}
    wall = 0
    for n, (start, end) in enumerate(spans):
        while walls[wall] < start:
            wall += 1
        before = max(spans[n - 1][1] if n else 0, walls[wall - 1] if wall else 0, start - 60)
        behind = min(spans[n + 1][0] if n + 1 < len(spans) else len(plain), walls[wall], end + 60)
        sides = plain[before:start], plain[end:behind], plain[end : min(walls[wall], end + 60)]
        found.setdefault(str(float(plain[start:end])), []).append(tuple(_of(kind, *sides) for kind in MARKS))
    return found


def _of(kind: _Marks, left: str, right: str, rest: str) -> frozenset[str]:
    """Its values. rest: what stands behind it, over the next number too."""
    sides = {_BEFORE: (left,), _BEHIND: (rest,), _ROUND: (left, right) if _han(left + right) else (right, left)}
    for side in sides[kind.side]:
        found = frozenset(name for name, words in kind.values.items() if words.search(side))
        if found:
            return found
    return frozenset()


def _han(text: str) -> bool:
    return any("\u3400" <= c <= "\u9fff" for c in text)


def mark_reasons(said: Sequence[Unit], written: Sequence[Marked]) -> list[str]:
    """What is wrong about the numbers of a sentence that rests on sentences of documents."""
    known: Marked = {}
    for one in written:
        for number, places in one.items():
            known.setdefault(number, []).extend(places)
    return [reason for unit in said for reason in _unit_reasons(unit, known)]


def _unit_reasons(unit: Unit, known: Marked) -> Iterator[str]:
    moving = bool(unit.kinds & _MOVING) or _THEN.search(unit.text) is not None
    for number, places in marked(unit.text).items():
        each = [[_wrong(one, other, moving=moving) for other in known[number]] for one in places if number in known]
        yield from (tries[0] for tries in each if all(tries))


def _wrong(said: tuple[frozenset[str], ...], written: tuple[frozenset[str], ...], *, moving: bool) -> str:
    for kind, one, other in zip(MARKS, said, written, strict=True):
        if one and other and not one & other:
            return kind.wrong
        if other and not one and other <= kind.telling and not moving:
            return _RANKED if "high" in kind.values else _EARLIER
    return ""


def ordinal_reasons(said: Iterable[Clause], written: Sequence[Clause]) -> list[str]:
    """What is wrong about `the first seizure in 2019` where the document says `first in 2015, second in 2019`."""
    return ["the document says that of another time" for one in said if _of_another(one, written)]


def _of_another(said: Clause, written: Sequence[Clause]) -> bool:
    rank = _rank(said)
    own = [one for one in written if rank and rank == _rank(one)]
    others = [one for one in written if _rank(one) not in ("", rank) or _AGAIN.search(one.text)]
    values = _plain(said) - {n for one in own for n in _plain(one)}
    return bool(own) and any(values & _plain(one) for one in others)


def _rank(clause: Clause) -> str:
    """The first ordinal of a clause, such as 1.0; empty without one."""
    ordinals = sorted(n for n, word in clause.numbers if word.startswith("第"))
    return ordinals[0] if ordinals else "1.0" if _FIRST.search(clause.text) else ""


def _plain(clause: Clause) -> frozenset[str]:
    return frozenset(n for n, word in clause.numbers if not word.startswith("第"))


def swap_reasons(said: Iterable[Clause], written: Sequence[Clause]) -> list[str]:
    """What is wrong about `drain out on day 5` where the document says `drain out on day 3, home on day 5`."""
    known = [replace(one, keys=one.keys | one.about) for one in written]
    return ["the document says that of something else" for one in said if one.keys and _swapped(one, known)]


def _swapped(said: Clause, written: Sequence[Clause]) -> bool:
    best = nearest(said.keys, written)
    best = [one for one in best if said.first in one.keys] or best
    for number, unit in said.numbers:
        if any(u == unit and (m, u) in said.numbers for other in best for m, u in other.numbers):
            continue  # it tells two clauses as one
        ordinal = unit.startswith("第")
        there = ordinal or any(number == n for other in written for n, _ in other.numbers)
        here = any(number == n and (u == unit or not ordinal) for other in best for n, u in other.numbers)
        another = any(_alike(u, unit) and n != number for other in best for n, u in other.numbers)
        if (there and not here and another) or (unit not in _LINKS and _measured(number, unit, written)):
            return True
    return False


def _alike(one: str, other: str) -> bool:
    """True for two numbers of one unit, or two of none: ages, years, scores."""
    return one == other or (one.isascii() and other.isascii() and not {one, other} & _MEASURES)


def _measured(number: str, unit: str, written: Sequence[Clause]) -> bool:
    """True for `2 ulcers` where the document has nothing but `2 cm`."""
    units = {u for other in written for n, u in other.numbers if n == number}
    return bool(units) and units <= _MEASURES and unit.isascii() and len(unit) > _LEAST and unit not in _MEASURES
