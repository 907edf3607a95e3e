"""Dates and spans of time as sentences write them, absolute and relative, in English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cds_service.fhir.times import Span, parse

_MONTHS = {
    name: n
    for n, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1)
    for name in names.split()
}  # fmt: skip
_MONTH = r"(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_NUMBERS = {
    w: n
    for n, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
_HAN = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2, "半": 0.5}
_N = r"(?P<n>\d+(?:\.\d+)?|" + "|".join(_NUMBERS) + r"|a|an|several)"
_HALF = r"(?P<half>(?: |-)and(?: |-)a(?: |-)half)?"
_UNIT = r"(?P<unit>minute|hour|day|week|month|year)s?"
_PART = r"(?P<part>early|mid|middle of|late|the beginning of|the start of|the middle of|the end of)(?: in)?[ -]"
_PARTS = {
    "early": 1,
    "mid": 2,
    "middle of": 2,
    "late": 3,
    "the beginning of": 1,
    "the start of": 1,
    "the middle of": 2,
    "the end of": 3,
    "初": 1,
    "上旬": 1,
    "中": 2,
    "中旬": 2,
    "下旬": 3,
    "底": 3,
    "末": 3,
}
_CAPITAL = r"(?P<month>(?-i:January|February|March|April|June|July|August|September|October|November|December))"
_RELATIVE = r"(?P<word>this year|last year|this month|last month)"
_HAN_RELATIVE = r"(?P<word>今年|本年|去年|前年|本月|上月|上个月)"
_NTH = {
    w: n
    for n, w in enumerate(("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), 2)
}
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12, "春": 3, "夏": 6, "秋": 9, "冬": 12}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_HAN_UNIT = {
    "分钟": "minute",
    "小时": "hour",
    "天": "day",
    "日": "day",
    "周": "week",
    "星期": "week",
    "个月": "month",
    "个半月": "month",
    "年半": "year",
    "月": "month",
    "年": "year",
}
_HN = (
    r"(?P<n>\d+(?:\.\d+)?|[一二三四五六七八九十两半]+)\s*(?:多|余)?"
    r"(?P<unit>分钟|小时|天|日|周|星期|个月|个半月|年半|年)(?:多|余)?"
)
_HAN_MORE = re.compile(r"[多余]")
_MORE = re.compile(r"(?i)\b(over|more than|at least)\b|[多余]")
_B = r"(?<![\w.])"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.I))
    for kind, pattern in (
        ("days", _B + r"(?P<d>\d{1,2})(?:st|nd|rd|th)? ?(?:to|-|–|until|through|and) ?(?P<e>\d{1,2})(?:st|nd|rd|th)?(?: of)? " + _MONTH + r",? (?P<y>(?:18|19|20)\d\d)(?!\w)"),
        ("days", _B + _MONTH + r" (?P<d>\d{1,2})(?:st|nd|rd|th)? ?(?:to|-|–|until|through) ?(?P<e>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>(?:18|19|20)\d\d)(?!\w)"),
        ("months", _B + r"(?:between|from) " + _MONTH + r" (?:and|to|until|through) (?P<until>[a-z]+)\.?,? (?P<y>(?:18|19|20)\d\d)(?!\w)"),
        ("days", r"(?<!\d)(?P<y>(?:18|19|20)\d\d)年(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]?(?:至|到|-|~)(?P<e>\d{1,2})[日号]"),
        ("named", _B + _MONTH + r"(?: (?P<d>\d{1,2})(?:st|nd|rd|th)?)?,?(?: of)? " + _RELATIVE + r"(?!\w)"),
        ("named", _B + r"(?:(?P<d>\d{1,2})(?:st|nd|rd|th)?(?: of)? )" + _MONTH + r",?(?: of)? " + _RELATIVE + r"(?!\w)"),
        ("named", _HAN_RELATIVE + r"\s?(?:(?P<m>\d{1,2})\s?月份?)?(?:\s?(?P<d>\d{1,2})\s?[日号])?(?!\d)"),
        ("date", _B + _PART + r"(?:" + _MONTH + r",?(?: of)? )?(?P<y>(?:19|20)\d\d)(?!\w)"),
        ("season", _B + r"(?P<season>spring|summer|autumn|fall|winter)(?: of)? (?P<y>(?:19|20)\d\d)(?!\w)"),
        ("season", r"(?<!\d)(?P<y>(?:19|20)\d\d)年(?P<season>春|夏|秋|冬)[季天]?"),
        ("day", _B + _PART + _MONTH + r"(?! ?\d)(?!\w)"),
        ("date", r"(?<!\d)(?P<y>(?:19|20)\d\d)\s?年(?:\s?(?P<m>\d{1,2})\s?月)?(?P<part>初|上旬|中旬|下旬|底|末|中)(?!性)"),
        ("iso", _B + r"(?P<y>(?:18|19|20)\d\d)[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?(?![\w/-])"),
        ("zh", r"(?<!\d)(?P<y>(?:18|19|20)\d\d)\s?年(?:\s?(?P<m>\d{1,2})\s?月(?:\s?(?P<d>\d{1,2})\s?[日号])?)?份?(?!前)"),
        ("slash", _B + r"(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>(?:18|19|20)\d\d)(?![\w/])"),
        ("dmy", _B + r"(?P<d>\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]" + _MONTH + r",?[ -](?P<y>(?:18|19|20)\d\d)(?!\w)"),
        ("mdy", _B + _MONTH + r" (?P<d>\d{1,2})(?:st|nd|rd|th)?,? (?P<y>(?:18|19|20)\d\d)(?!\w)"),
        ("my", _B + _MONTH + r",?(?: of)? (?P<y>(?:18|19|20)\d\d)(?!\w)"),
        ("nth", _B + r"(?:(?:hospital |post[- ]?operative )?day (?P<n>\d{1,2})|(?P<nth>" + "|".join(_NTH) + r") day)(?= (?:of|in|on|since)(?!\w))"),
        ("nth", r"第\s?(?P<n>\d{1,2}|[一二三四五六七八九十]+)\s?(?:天|日)"),
        ("oldness", _B + r"(?P<n>\d{1,3}|" + "|".join(_NUMBERS) + r")[- ](?P<unit>year|month|week|day)s?[- ]old(?!\w)"),
        ("oldness", _B + r"(?P<n>\d{1,3})[ -]?(?:y/?o|yo|yrs?[ -]old|years? of age|y\.o\.)(?!\w)"),
        ("oldness", _B + r"age (?:of )?(?P<n>\d{1,3}|" + "|".join(_NUMBERS) + r")(?!\w|\.\d)"),
        ("oldness", _B + r"aged? (?P<n>\d{1,3})(?: years?)?(?!\w|\.\d)"),
        ("oldness", _B + r"(?P<n>\d{1,3})(?=[ -]?(?:F|M)(?![\w/]))"),
        ("oldness", r"(?<![\d.])(?P<n>\d{1,3}|[一二三四五六七八九十两]+)\s?(?P<unit>岁|个月大|月龄)"),
        ("gap", _B + r"(?:about |approximately |around |some )?" + _N + _HALF + "[ -]" + _UNIT + r"(?= (?:(?:before|prior to|after|following|earlier than|later than)(?! ?[,.;]| ?$)|later(?!\w)))"),
        ("past", _B + r"(?:in|over|during|within|for) the (?:past|last|preceding|previous) (?:" + _N + " )?" + _UNIT + r"(?!\w)"),
        ("past", r"(?:过去|最近)\s?" + _HN + r"(?:内|来|以来|间)?"),
        ("for", r"近\s?" + _HN + r"(?=\s?(?:[,，。;；、)）]|$))"),
        ("past", r"近\s?" + _HN + r"(?:内|来|以来|间)?"),
        ("ago", _B + r"(?:about |approximately |around |over |more than )?" + _N + _HALF + "[ -]" + _UNIT + r" (?:ago|earlier|previously|before|prior)(?!\w)"),
        ("ago", r"(?:约|大约)?\s?" + _HN + r"(?:以)?前"),
        ("for", _B + r"for (?:about |approximately |the (?:past|last) |over |more than |at least |nearly )?" + _N + _HALF + "[ -]" + _UNIT + r"(?!\w)"),
        ("for", _B + r"(?P<under>(?:for )?(?:less than|under) )?(?:about |approximately |nearly |almost |some )?" + _N + "[ -]" + r"(?P<unit>year|month)s?(?=\s?\)|\s?\.?$)"),
        ("for", _B + r"(?:an? )?" + _N + _HALF + "[ -]" + _UNIT + r"(?:'s|s')? history of"),
        ("for", r"(?:已有?|病史|患病|病程|史)\s?(?:约)?" + _HN + r"(?:余|多)?"),
        ("for", _HN + r"(?:病史|史)"),
        ("lasting", _B + r"(?:after|over|lasting|lasted|during|across|spanning|within|in) (?:a period of |about |approximately )?" + _N + _HALF + "[ -]" + _UNIT + r"(?!\w)"),
        ("lasting", _B + _N + _HALF + "[ -]" + _UNIT + r"[ -](?:stay|period|course|hospitali[sz]ation|admission|interval)(?!\w)"),
        ("lasting", r"(?:历时|持续了?|共|为期|住院|间隔|相隔)\s?" + _HN + r"(?:内|间)?"),
        ("lasting", _HN + r"(?:内|间|期间|来|以来)"),
        ("year", _B + r"(?P<y>(?:19|20)\d\d)s?(?![\w/%-]|\.\d| ?(?:mg|ml|mcg|ug|g|units|kg|x|/|cells))"),
        ("md", _B + _MONTH + r" (?P<d>\d{1,2})(?:st|nd|rd|th)?(?![\w,.]?\d)(?!\w)"),
        ("md", _B + r"(?P<d>\d{1,2})(?:st|nd|rd|th)?(?: of)? " + _MONTH + r"(?! ?\d)(?!\w)"),
        ("md", r"(?:(?<=in )|(?<=since )|(?<=from )|(?<=of )|(?<=until )|(?<=last )|(?<=the ))" + _MONTH + r"(?! ?\d)(?!\w)"),
        ("md", _B + _CAPITAL + r"(?! ?\d)(?!\w)"),
        ("md", r"(?<!\d)(?P<m>\d{1,2})\s?月\s?(?P<d>\d{1,2})\s?[日号]"),
        ("md", r"(?<![\d年个])(?P<m>\d{1,2})\s?月(?:份)?(?![\s\d龄大余多])"),
        ("for", r"(?<![\d.])" + _HN + r"(?=\s?(?:[,，。;；、]|$))"),
        ("named", _B + r"(?P<word>(?:earlier )?today|yesterday(?: (?:morning|afternoon|evening|night))?|overnight|tonight|this (?:morning|afternoon|evening|month|week|year)|last (?:month|week|year|night)|(?:on |last |this past |last night, )?(?:" + "|".join(_WEEKDAYS) + r"))(?!\w)"),
        ("named", r"(?P<word>今天|今日|今晨|今早|昨天|昨日|昨晚|昨夜|前天|前日|本周|上周)"),
        ("clock", _B + r"(?:at )?(?P<h>\d{1,2}):(?P<min>\d\d)(?::\d\d)?(?: ?(?:UTC|GMT|am|pm|h))?(?!\w)"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class When:
    """A time of a sentence.

    kind: `date` (spans: what it may mean), `ago`, `for`, `past`, `lasting` (days: how long; most: under which `over ten years`
    stays, 0 for an exact length), `oldness` (days as
    years), `nth` (the n-th day of something), `day` (month and day without a year; third: which third of the month) `days` (from one day to another) or
    `clock`.
    """

    kind: str
    end: int
    spans: tuple[Span, ...] = ()
    days: float = 0.0
    unit: str = ""
    amount: float = 1.0
    month: int = 0
    day: int = 0
    word: str = ""
    most: float = 0.0
    third: int = 0


def when_at(text: str, start: int) -> When | None:
    """The time that begins at a place of a text, or None."""
    for kind, pattern in _PATTERNS:
        match = pattern.match(text, start)
        if match is not None:
            found = _when(kind, match)
            if found is not None:
                return found
    return None


def _when(kind: str, match: re.Match[str]) -> When | None:
    part = match.groupdict()
    end = match.end()
    if kind in ("iso", "zh", "dmy", "mdy", "my", "year", "date"):
        span = _span(int(part["y"]), _month(part), int(part.get("d") or 0))
        if span is not None and part.get("part"):
            span = _third(span, _PARTS[part["part"].lower()])
        return When("date", end, (span,)) if span is not None else None
    if kind == "nth":
        number = _NTH.get((part.get("nth") or "").lower()) or _amount(part.get("n"))
        return When("nth", end, amount=float(number), days=float(number)) if number else None
    if kind == "season":
        first = _SEASONS[part["season"].lower()]
        return When(
            "date", end, tuple(_quarter(int(part["y"]) - back, first) for back in ((0, 1) if first > 9 else (0,)))
        )
    if kind == "days":
        month = int(part["m"]) if part.get("m") else _MONTHS[(part.get("month") or "").lower()]
        ends = tuple(_span(int(part["y"]), month, int(part[name])) for name in ("d", "e"))
        return When("days", end, tuple(s for s in ends if s is not None)) if None not in ends else None
    if kind == "months":
        last = _MONTHS.get((part.get("until") or "").lower())
        if last is None:
            return None
        ends = (_span(int(part["y"]), _MONTHS[part["month"].lower()], 0), _span(int(part["y"]), last, 0))
        return When("days", end, tuple(s for s in ends if s is not None))
    if kind == "slash":
        a, b, y = int(part["a"]), int(part["b"]), int(part["y"])
        spans = tuple(s for s in (_span(y, a, b), _span(y, b, a)) if s is not None)
        return When("date", end, spans) if spans else None
    if kind in ("md", "day"):
        third = _PARTS[part["part"].lower()] if part.get("part") else 0
        return When("day", end, month=_month(part), day=int(part.get("d") or 0), third=third)
    if kind == "named":
        return When("named", end, word=part["word"].lower(), month=_month(part), day=int(part.get("d") or 0))
    if kind == "clock":
        return When("clock", end, amount=int(part["h"]) * 60 + int(part["min"]))
    return _length(kind, match.group(), part, end)


def _quarter(year: int, month: int) -> Span:
    """Three months from a month on."""
    start = _midnight(date(year, month, 1))
    return Span(start, _midnight(date(year + (month > 10), (month + 2) % 12 + 1, 1)))


def _month(part: dict[str, str | None]) -> int:
    """The month of a match, 0 if it names none."""
    number = part.get("m")
    return int(number) if number else _MONTHS.get((part.get("month") or "").lower(), 0)


def _third(span: Span, part: int) -> Span:
    """The first, middle or last third of a month or year; each reaches a sixth into its neighbours."""
    length = (span.end - span.start) / 6
    return Span(span.start + max(0, 2 * part - 3) * length, span.start + min(6, 2 * part + 1) * length)


def _length(kind: str, text: str, part: dict[str, str | None], end: int) -> When | None:
    amount = _amount(part.get("n"))
    if amount is None:
        return None
    unit = (part.get("unit") or "year").lower()
    if part.get("half") or unit in ("个半月", "年半"):
        amount += 0.5
    unit = {"岁": "year", "个月大": "month", "月龄": "month"}.get(unit, _HAN_UNIT.get(unit, unit))
    more = kind in ("ago", "for", "lasting") and _MORE.search(text) is not None
    if part.get("under"):
        return When(kind, end, days=amount * _DAYS[unit] / 2, unit=unit, amount=amount, most=amount * _DAYS[unit])
    most = (amount + (1 if amount % 10 else 10)) if _HAN_MORE.search(text) else 1.5 * amount
    return When(
        kind, end, days=amount * _DAYS[unit], unit=unit, amount=amount, most=most * _DAYS[unit] if more else 0.0
    )


def _amount(text: str | None) -> float | None:
    if text is None:
        return 1.0
    text = text.lower()
    if text in ("a", "an"):
        return 1.0
    if text in _NUMBERS:
        return float(_NUMBERS[text])
    if text[0] in _HAN:
        tens, ten, ones = text.partition("十")
        return float(_HAN.get(tens, 1) * 10 + _HAN.get(ones, 0)) if ten else float(_HAN[text[0]])
    try:
        return float(text)
    except ValueError:
        return None


def _span(year: int, month: int, day: int) -> Span | None:
    if not month:
        return parse(f"{year:04}")
    return parse(f"{year:04}-{month:02}-{day:02}" if day else f"{year:04}-{month:02}")


def named_span(when: When, now: datetime) -> Span | None:
    """What `last month`, `yesterday`, `April this year`, `去年4月` mean at a moment."""
    word, today = when.word.removeprefix("earlier "), now.date()
    if word in _YEARS:
        return _span(today.year - _YEARS[word], when.month, when.day)
    if word in _MONTHS_AGO:
        month = today.replace(day=1) - timedelta(days=_MONTHS_AGO[word])
        return _span(month.year, month.month, when.day) if when.month in (0, month.month) else None
    if word in _DAYS_AGO:
        return parse((today - timedelta(days=_DAYS_AGO[word])).isoformat())
    if word == "overnight":
        return Span(_midnight(today) - timedelta(hours=8), _midnight(today) + timedelta(hours=10))
    for number, name in enumerate(_WEEKDAYS):
        if word.endswith(name):
            back = (today.weekday() - number) % 7
            return parse((today - timedelta(days=back or 7)).isoformat())
    monday = today - timedelta(days=today.weekday())
    if word in ("last week", "上周"):
        monday -= timedelta(days=7)
    return Span(_midnight(monday), _midnight(monday + timedelta(days=7)))


_YEARS = {"this year": 0, "今年": 0, "本年": 0, "last year": 1, "去年": 1, "前年": 2}
_MONTHS_AGO = {"this month": 0, "本月": 0, "last month": 1, "上月": 1, "上个月": 1}
_DAYS_AGO = {
    "today": 0, "this morning": 0, "this afternoon": 0, "this evening": 0, "tonight": 0, "今天": 0, "今日": 0, "今晨": 0,
    "今早": 0, "yesterday": 1, "yesterday morning": 1, "yesterday afternoon": 1, "yesterday evening": 1,
    "yesterday night": 1, "last night": 1, "昨天": 1, "昨日": 1, "昨晚": 1, "昨夜": 1, "前天": 2, "前日": 2,
}  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
