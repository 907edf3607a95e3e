"""FHIR dates and times as spans of time: what a partial date leaves open stays open.

`2026` may be any moment of that year, `2026-05-06` any of that day, an instant is a span of length zero. The first
moment of a month or a year knows that it is one: its day prints as the record has it.
A time keeps its own offset, so that a card shows the day that the ward had; moments compare the same whatever their
offset. A time without a zone, and a date, are read as UTC. Junk gives None, never an error.
Source: hl7.org/fhir/R4/datatypes.html.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from cds_service.language import MonthOnly, YearOnly

DAY = timedelta(days=1)
_NO_TIME = timedelta(0)
ZONE_SLACK = timedelta(hours=14)  # a day without a zone may begin this much before it does in UTC


class InMonth(datetime):
    """The first moment of a month of which the day is not known; its day prints as the month."""

    def date(self) -> MonthOnly:
        """The first day, which prints as it is known."""
        return MonthOnly(self.year, self.month, self.day)


class InYear(datetime):
    """The first moment of a year of which no more is known; its day prints as the year."""

    def date(self) -> YearOnly:
        """The first day, which prints as it is known."""
        return YearOnly(self.year, self.month, self.day)


def exact(moment: datetime | None) -> datetime | None:
    """The moment without what is known of its precision: for JSON."""
    if isinstance(moment, InMonth | InYear):
        return datetime.fromtimestamp(moment.timestamp(), moment.tzinfo)
    return moment


class Span(NamedTuple):
    """The first and the last moment that a FHIR date or time may mean, in its own offset; UTC where it has none."""

    start: datetime
    end: datetime

    @property
    def partial(self) -> bool:
        """True for a date, a month or a year."""
        return self.start != self.end

    @property
    def vague(self) -> bool:
        """True for a month or a year: the day is not known."""
        return self.end - self.start > DAY

    def after(self, moment: datetime) -> bool:
        """True if it lies after the moment whatever it means, and whatever the zone of a bare date."""
        return self.start - moment > (ZONE_SLACK if self.partial else _NO_TIME)


def parse(text: str | None) -> Span | None:
    """The span that a FHIR date, dateTime or instant means, or None if it is not one."""
    if text is None or len(text) < 4 or (len(text) > 4 and text[4] != "-"):
        return None
    try:
        if len(text) > 10:
            return _instant(text)
        return _partial(text)
    except (ValueError, OverflowError):
        return None


class Times(dict[str | None, Span | None]):
    """Spans by text, each parsed once: the rows of one visit share their time."""

    def __missing__(self, text: str | None) -> Span | None:
        span = self[text] = parse(text)
        return span


def _instant(text: str) -> Span | None:
    if text[10] != "T":
        return None
    if text[17:19] == "60":  # a leap second, which FHIR allows and datetime does not
        text = text[:17] + "59" + text[19:]
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if not 1 < moment.year < 9999:
        _ = moment.astimezone(UTC)  # one that UTC cannot express is junk
    return Span(moment, moment)


def _partial(text: str) -> Span | None:
    if not text.replace("-", "").isdecimal() or not text.isascii():
        return None
    if len(text) == 10:
        start = datetime.fromisoformat(text).replace(tzinfo=UTC)
        following = start + DAY
    elif len(text) == 7:
        start = InMonth(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
        following = (start + 31 * DAY).replace(day=1)
    elif len(text) == 4:
        start = InYear(int(text), 1, 1, tzinfo=UTC)
        following = datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    else:
        return None
    return Span(start, following - timedelta(microseconds=1))


def whole_day(text: str | None) -> date | None:
    """The calendar day of a FHIR date with day precision, or None: for birth dates."""
    span = parse(text)
    if span is None or text is None or len(text) < 10:
        return None
    return date.fromisoformat(text[:10])


def years_between(earlier: date, later: date) -> float:
    """Exact age in years (unit a): completed years plus the elapsed part of the running one.

    The whole part is the number of birthdays passed; one born on 29 February has it on 1 March in other years.
    """
    years = later.year - earlier.year
    birthday = _anniversary(earlier, later.year)
    if birthday > later:
        years -= 1
        birthday = _anniversary(earlier, later.year - 1)
    following = _anniversary(earlier, birthday.year + 1)
    return years + (later - birthday).days / (following - birthday).days


def _anniversary(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
