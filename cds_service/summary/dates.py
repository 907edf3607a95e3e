"""Dates in text, found in the ways in which they are written, and moved by some days in the same form."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_NAMES = "|".join(f"{m[:3].title()}(?:{m[3:]})?" if len(m) > 3 else m.title() for m in _MONTHS)
_NAME = rf"(?P<m>{_NAMES})\.?"
_Y, _D = r"(?P<y>(?:1[89]|20|21)\d\d)", r"(?P<d>\d{1,2})"
_M = r"(?P<m>\d{1,2})"
Match = re.Match[str]


@dataclass(frozen=True, slots=True)
class Found:
    """A date in a text. day: None for a month. moved: the text of it, some days later, in the same form."""

    start: int
    end: int
    text: str
    day: date | None
    moved: str


def _month(name: str) -> int:
    return (
        int(name) if name.isdecimal() else next(n for n, m in enumerate(_MONTHS, 1) if m.startswith(name.lower()[:3]))
    )


def _named(month: int, like: str) -> str:
    full = _MONTHS[month - 1].title()
    return full if len(like) > 3 else full[:3]


def _padded(number: int, like: str) -> str:
    return (
        f"{number:02}" if like.startswith("0") or (len(like) == 2 and number < 10 and like[0] == "0") else str(number)
    )


def _iso(m: Match, day: date) -> str:
    return f"{day.year}{m['s']}{day.month:02}{m['s']}{day.day:02}"


def _day_first(m: Match, day: date) -> str:
    return f"{_padded(day.day, m['d'])} {_named(day.month, m['m'])} {day.year}"


def _month_first(m: Match, day: date) -> str:
    return f"{_named(day.month, m['m'])} {_padded(day.day, m['d'])}, {day.year}"


def _chinese(m: Match, day: date) -> str:
    return f"{day.year}年{_padded(day.month, m['m'])}月{_padded(day.day, m['d'])}日"


def _compact(m: Match, day: date) -> str:
    return f"{day:%Y%m%d}"


_DAYS: tuple[tuple[re.Pattern[str], Callable[[Match, date], str]], ...] = (
    (re.compile(rf"(?<!\d){_Y}(?P<s>[-/.]){_M}(?P=s){_D}(?!\d)"), _iso),
    (re.compile(rf"(?<!\d){_Y}年\s?{_M}月\s?{_D}[日号]"), _chinese),
    (re.compile(rf"(?<!\d){_D}(?:st|nd|rd|th)?(?:\s+of)?[\s-]+{_NAME},?[\s-]+{_Y}(?!\d)", re.I), _day_first),
    (re.compile(rf"\b{_NAME}\s+{_D}(?:st|nd|rd|th)?,?\s+{_Y}(?!\d)", re.I), _month_first),
    (re.compile(r"(?<![\d.])(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?![\d.])"), _compact),
)
_MONTHLY: tuple[tuple[re.Pattern[str], Callable[[Match, int, int], str]], ...] = (
    (re.compile(rf"(?<![\d-]){_Y}-(?P<m>0[1-9]|1[0-2])(?![\d-])"), lambda m, y, n: f"{y}-{n:02}"),
    (re.compile(rf"(?<!\d){_Y}年\s?{_M}月(?!\s?\d)"), lambda m, y, n: f"{y}年{n}月"),
    (re.compile(rf"\b{_NAME},?\s+{_Y}(?!\d)"), lambda m, y, n: f"{_named(n, m['m'])} {y}"),
)
# Written so that nobody can say which day is meant, or without a year: these are replaced, not moved.
UNSURE = re.compile(
    rf"(?<![\d/.-])\d{{1,2}}([/.-])\d{{1,2}}\1(?:19|20)?\d\d(?![\d/])|(?<!\d)\d{{1,2}}月\d{{1,2}}[日号]"
    rf"|\b(?:{_NAMES})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\s*\d)|(?<![\d/.])\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_NAMES})\b"
)


def dates(text: str, days: int) -> list[Found]:
    """The days and months in a text that are sure, in order; where they overlap, the longer form."""
    found: list[Found] = []
    for one in (*_whole(text, days), *_months(text, round(days / 30.44))):
        place = bisect_right(found, one.start, key=lambda other: other.start)
        before, after = found[place - 1 : place], found[place : place + 1]
        if not any(other.end > one.start for other in before) and not any(other.start < one.end for other in after):
            found.insert(place, one)
    return found


def _whole(text: str, days: int) -> Iterator[Found]:
    for pattern, write in _DAYS:
        for m in pattern.finditer(text):
            try:
                day = date(int(m["y"]), _month(m["m"]), int(m["d"]))
                moved = write(m, day + timedelta(days=days))
            except (ValueError, OverflowError):
                continue
            yield Found(m.start(), m.end(), m[0], day, moved)


def _months(text: str, months: int) -> Iterator[Found]:
    for pattern, write in _MONTHLY:
        for m in pattern.finditer(text):
            number = _month(m["m"])
            if not 1 <= number <= 12:
                continue
            total = int(m["y"]) * 12 + number - 1 + months
            yield Found(m.start(), m.end(), m[0], None, write(m, total // 12, total % 12 + 1))
