"""When an order runs, as its timing bounds it, and which orders follow each other instead of running at once.

A bound is `timing.repeat.boundsPeriod`; an order without one runs from any time on, for ever. A day on which one
order ends and the next begins is the day of the change, and no day of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.fhir import resources as fhir
from cds_service.fhir.times import Span, parse
from cds_service.language import Message, msg


@dataclass(frozen=True, slots=True)
class Course:
    """When an order runs: its first and its last day or moment, None where it does not say."""

    start: Span | None = None
    end: Span | None = None

    def ends_before(self, other: Course) -> bool:
        """True if it is over when the other begins; two of one and the same day run at once."""
        if self.end is None or other.start is None or self.end.start > other.start.start:
            return False
        return self.start is None or self.start.start < other.start.start

    def begun_by(self, other: Course) -> bool:
        """True if it has begun when the other begins."""
        if self.start is None or other.start is None:
            return self.start is None
        return self.start.start <= other.start.start

    def told(self, words: Message) -> Message:
        """Words with the days between which it runs; the words alone where nothing bounds it."""
        if self.start is not None and self.end is not None:
            return msg("{words}, from {start} to {end}", words=words, start=self.start.start.date(),
                       end=self.end.start.date())  # fmt: skip
        if self.start is not None:
            return msg("{words}, from {start}", words=words, start=self.start.start.date())
        return words if self.end is None else msg("{words}, until {end}", words=words, end=self.end.start.date())


OPEN = Course()


def course_of(dosages: Sequence[fhir.Dosage]) -> Course:
    """When an order with these dosages runs: from the first begin to the last end, open where one of them is."""
    courses = [bounded(dosage) for dosage in dosages]
    starts = [course.start for course in courses if course.start is not None]
    ends = [course.end for course in courses if course.end is not None]
    return Course(
        min(starts) if starts and len(starts) == len(courses) else None,
        max(ends) if ends and len(ends) == len(courses) else None,
    )


def bounded(dosage: fhir.Dosage) -> Course:
    """When one dosage runs."""
    repeat: Any = dosage.timing.get("repeat") if isinstance(dosage.timing, dict) else None
    period: Any = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
    said = [period.get(member) for member in ("start", "end")] if isinstance(period, dict) else [None, None]
    start, end = (parse(text) if isinstance(text, str) else None for text in said)
    return Course(start, end)


def follow(one: Course, other: Course) -> bool:
    """True if one of the two is over when the other begins."""
    return one.ends_before(other) or other.ends_before(one)


def at_once(courses: Sequence[Course], amounts: Sequence[float]) -> float:
    """The highest sum of amounts of courses that run at one time; 0 of none."""
    return max((_sum_at(begins, courses, amounts) for begins in courses), default=0.0)


def _sum_at(begins: Course, courses: Sequence[Course], amounts: Sequence[float]) -> float:
    """The sum of what runs when a course begins."""
    pairs = zip(courses, amounts, strict=True)
    return sum(amount for course, amount in pairs if course.begun_by(begins) and not course.ends_before(begins))
