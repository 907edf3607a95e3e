"""Acute kidney injury by creatinine: the criteria of KDIGO 2012, with the reference values of NHS England's alerts.

A rise counts if it is 1.5-fold or more over the lowest value of the 7 days before, 0.3 mg/dL or more within 48 hours,
or 1.5-fold or more over the median of the values 8 to 365 days before. The last of these is presumed, not known, to
have happened within a week, so it is called possible. A value that is falling by as much is not steady either.
Sources: KDIGO Clinical Practice Guideline for Acute Kidney Injury, Kidney Int Suppl 2012;2:1-138, section 2.1;
NHS England algorithm of 2014 as described by Sawhney 2015, doi:10.1371/journal.pone.0131909.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low
from typing import Literal, NamedTuple

from cds_service.features.feature import Feature, FeatureValue, Quantity, Reason, Unusable, Value
from cds_service.features.latest import unit_of
from cds_service.features.si import holds_si, in_si
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.language import InUnits, Message, msg

Judge = Callable[[Quantity, Measurement], Value | tuple[Reason, Message]]

RATIO = 1.5
DIFFERENCE, ROUNDING = 0.3, 0.005  # mg/dL; values come with two decimals
TWO_DAYS, WEEK, YEAR = timedelta(hours=48), timedelta(days=7), timedelta(days=365)


class Point(NamedTuple):
    """One creatinine in mg/dL, its time, its reference, and the unit in which the record has it."""

    value: float
    time: datetime
    reference: str
    stated: str | None = None


@dataclass(frozen=True, slots=True)
class Rise:
    """A creatinine that has risen, or is still falling after a rise.

    kind: `week` and `difference` are the criteria of KDIGO, `year` presumes that the rise is recent.
    """

    latest: Point
    reference: Point
    kind: Literal["week", "difference", "year", "falling"]

    @property
    def ratio(self) -> float:
        """The latest value over the reference."""
        return _ratio(self.latest, self.reference)

    @property
    def stage(self) -> int:
        """KDIGO 2012: 1, 2 from twice, 3 from three times the reference or from 4.0 mg/dL."""
        if self.ratio >= 3 or self.latest.value >= 4.0:
            return 3
        return 2 if self.ratio >= 2 else 1


@dataclass(frozen=True, slots=True)
class Unsteady(Feature):
    """True if the latest creatinine in the window has risen or fallen as in acute kidney injury.

    Equations for the glomerular filtration rate hold in a steady state alone.
    """

    creatinine: Quantity


def _ratio(one: Point, other: Point) -> float:
    """Without the noise of binary fractions: 1.65 is 1.5 times 1.1."""
    return round(one.value / other.value, 9)


def rise_of(points: Sequence[Point]) -> Rise | None:
    """The rise that the latest creatinine shows, or None. points: latest first, one a moment."""
    if len(points) < 2:
        return None
    latest, earlier = points[0], points[1:]
    week = [p for p in earlier if latest.time - p.time <= WEEK]
    rises = [Rise(latest, p, "week") for p in week if _ratio(latest, p) >= RATIO]
    days = [p for p in week if latest.time - p.time <= TWO_DAYS]
    rises += [Rise(latest, p, "difference") for p in days if latest.value - p.value >= DIFFERENCE - ROUNDING]
    known = max(rises, key=lambda r: r.ratio, default=None)
    year = [p for p in earlier if WEEK < latest.time - p.time <= YEAR]
    usual = _median(year)
    presumed = Rise(latest, usual, "year") if usual is not None and _ratio(latest, usual) >= RATIO else None
    if known is not None or presumed is not None:
        return known if presumed is None or (known is not None and known.ratio >= presumed.ratio) else presumed
    fallen = [p for p in week if _ratio(p, latest) >= RATIO or _dropped(p, latest)]
    return Rise(latest, max(fallen, key=lambda p: p.value), "falling") if fallen else None


def _dropped(earlier: Point, latest: Point) -> bool:
    close = latest.time - earlier.time <= TWO_DAYS
    return close and earlier.value - latest.value >= DIFFERENCE - ROUNDING


def _median(points: Sequence[Point]) -> Point | None:
    """The point with the median value, of an even number the lower one; the latest of several."""
    if not points:
        return None
    middle = median_low(p.value for p in points)
    return next(p for p in points if p.value == middle)


def creatinines(record: PatientRecord, creatinine: Quantity, judge: Judge) -> Iterator[Point]:
    """Usable dated values in mg/dL, latest first; where values of one moment differ, that moment is left out.

    judge: the number of one measurement, or why it cannot be used.
    """
    pending: list[Point] = []
    for row in record.newest(creatinine.codes):
        judged = judge(creatinine, row)
        if row.effective is None or isinstance(judged, tuple):
            continue
        point = Point(float(judged), row.effective, row.reference, unit_of(row))
        if pending and pending[0].time != point.time:
            yield from _agreed(pending)
            pending = []
        pending.append(point)
    yield from _agreed(pending)


def _agreed(points: Sequence[Point]) -> Iterator[Point]:
    if len(points) == 1:
        yield points[0]
    elif points and max(p.value for p in points) - min(p.value for p in points) <= ROUNDING:
        yield min(points, key=lambda p: p.reference)


def latest_rise(record: PatientRecord, creatinine: Quantity, judge: Judge) -> Rise | None:
    """The rise that the record's latest creatinine shows, or None."""
    points: list[Point] = []
    for point in creatinines(record, creatinine, judge):
        if points and points[0].time - point.time > YEAR:
            break
        points.append(point)
    return rise_of(points)


def unsteady(
    record: PatientRecord, feature: Unsteady, judge: Judge, latest: FeatureValue | Unusable
) -> FeatureValue | Unusable:
    """True with both values, False if there is a creatinine and it has not risen, or the reason why there is none.

    latest: what extraction made of the creatinine.
    """
    if isinstance(latest, Unusable):
        return Unusable(feature, latest.reason, latest.words, latest.effective, latest.sources)
    rise = latest_rise(record, feature.creatinine, judge)
    if rise is None:
        return FeatureValue(feature, False, latest.effective, latest.sources)
    return FeatureValue(
        feature,
        True,
        rise.latest.time,
        (rise.latest.reference, rise.reference.reference),
        note=in_words(rise, feature.creatinine),
    )


def told(point: Point, creatinine: Quantity, beside: Point) -> Message:
    """A value with its unit, in the site's or the record's own.

    creatinine: the feature that the points are read by. beside: the value with which it is compared, whose unit counts
    in the record's own: two values of one sentence have one unit.
    """
    plain = msg("{value} {unit}", value=f"{point.value:.3g}", unit="mg/dL")
    other = in_si(creatinine, point.value)
    if other is None:
        return plain
    in_umol = msg("{value} {unit}", value=f"{other[0]:.0f}", unit="µmol/L")
    return msg("{value}", value=InUnits(plain, in_umol, holds_si(other[1], beside.stated)))


def in_words(rise: Rise, creatinine: Quantity) -> Message:
    """Both values with their dates."""
    return msg(
        "Creatinine was {now} on {day} and {before} on {earlier}",
        now=told(rise.latest, creatinine, rise.latest),
        day=rise.latest.time.date(),
        before=told(rise.reference, creatinine, rise.latest),
        earlier=rise.reference.time.date(),
    )
