"""The worst values of a window: what scores of organ failure ask for instead of the latest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from cds_service.features.feature import FeatureValue, LowestRatio, Quantity, Reason, Value, Worst
from cds_service.features.latest import unit_of
from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.language import Message, msg

Judge = Callable[[Quantity, Measurement], Value | tuple[Reason, Message]]
Dated = tuple[datetime, float, str, str | None]


def worst(record: PatientRecord, feature: Worst, judge: Judge) -> FeatureValue | None:
    """The highest or lowest usable value in the window with its own time, or None if there is none.

    judge: the number of one measurement, or why it cannot be used; that rows had to be passed over is noted.
    """
    values, passed_over = _values(record, feature, feature.look_back, judge)
    if not values:
        return None
    sign = 1.0 if feature.highest else -1.0
    time, value, source, stated = max(values, key=lambda v: (sign * v[1], v[0], v[2]))
    note = msg("{what}: an entry of the same period cannot be used", what=feature.label) if passed_over else None
    return FeatureValue(feature, value, time, (source,), note=note, stated=stated)


def lowest_ratio(record: PatientRecord, feature: LowestRatio, judge: Judge) -> FeatureValue | None:
    """The lowest ratio of the window, or None if no two values were taken together."""
    above, _ = _values(record, feature.numerator, feature.numerator.look_back, judge)
    below, _ = _values(record, feature.denominator, None, judge)
    ratios = []
    for time, value, source, _ in above:
        pair = max((b[:3] for b in below if timedelta(0) <= time - b[0] <= feature.apart), default=None)
        if pair is not None and pair[1] > 0:
            ratios.append((feature.scale * value / pair[1], time, (source, pair[2])))
    if not ratios:
        return None
    ratio, time, sources = min(ratios)
    return FeatureValue(feature, float(f"{ratio:.12g}"), time, sources)


def _values(
    record: PatientRecord, feature: Quantity, look_back: timedelta | None, judge: Judge
) -> tuple[list[Dated], bool]:
    """Every usable dated value of the window, and if others had to be passed over."""
    values: list[Dated] = []
    passed_over = False
    for row in _rows(record, feature, look_back):
        judged = judge(feature, row)
        if isinstance(judged, tuple) or row.effective is None:
            passed_over = True
        else:
            values.append((row.effective, float(judged), row.reference, unit_of(row)))
    return values, passed_over


def _rows(record: PatientRecord, feature: Quantity, look_back: timedelta | None) -> Iterator[Measurement]:
    for dated in record.timeline(feature.codes):
        span = dated[0]
        if look_back is None or (span is not None and record.as_of - span.start <= look_back):
            yield record.measurement(dated)
