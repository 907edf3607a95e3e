"""Trend: what the same score would have said earlier, from the record as it was then.

The record is read again as of an earlier moment: later rows do not exist then, age and windows are those of that day,
and the model refuses as it would have refused. One thing a record does not tell: a medicine that was stopped since, or
a problem that was resolved without a date, is missing from the earlier day too. So the comparison is offered for
scores that a measurement moves, and the card says what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cds_service.features.extract import extract
from cds_service.fhir.record import PatientRecord
from cds_service.needs import with_inputs
from cds_service.risk.model import PublishedScore, RiskEstimate, RiskModel, Trend


@dataclass(frozen=True, slots=True)
class Earlier:
    """A model's first estimate at an earlier moment; at: the time of the measurement that prompted it."""

    at: datetime
    estimate: RiskEstimate


def earlier(model: RiskModel, record: PatientRecord, now: RiskEstimate) -> tuple[Earlier, ...]:
    """Earlier values of the estimate `now`, latest first; none for a model that declares no trend.

    Moments: those of the declared key measurements, a declared distance apart and as many as declared, so that the
    cost is bounded. Moments at which the model refuses, or has no estimate of that outcome, are left out.
    """
    wanted = trend_of(model)
    if wanted is None:
        return ()
    features = tuple(with_inputs(model.features))
    found = []
    for moment in _moments(record, wanted, now.effective or record.as_of):
        result = model.estimate(extract(record.at(moment), features))
        same = (e for e in result if _key(e) == _key(now)) if isinstance(result, tuple) else iter(())
        if (estimate := next(same, None)) is not None and estimate.high is None:
            found.append(Earlier(moment, estimate))
    return tuple(found)


def says_something(model: RiskModel, now: RiskEstimate, before: tuple[Earlier, ...]) -> bool:
    """True if the estimate has moved from one of its earlier values by what the model declares to be worth telling."""
    wanted = trend_of(model)
    return wanted is not None and any(abs(e.estimate.value - now.value) >= wanted.worth for e in before)


def trend_of(model: RiskModel) -> Trend | None:
    """What the model declares, or None."""
    return model.trend if isinstance(model, PublishedScore) else None


def _key(estimate: RiskEstimate) -> tuple[str, int | None]:
    return estimate.outcome, estimate.horizon_years


def _moments(record: PatientRecord, wanted: Trend, last: datetime) -> Iterator[datetime]:
    """Times of the key measurements before the present estimate, latest first, far enough apart, not too many."""
    codes = tuple(code for feature in wanted.by for code in feature.codes)
    given, limit = 0, last - wanted.apart
    for row in record.newest(codes):
        if given == wanted.most:
            return
        if row.effective is not None and row.effective <= limit:
            yield row.effective
            given, limit = given + 1, row.effective - wanted.apart
