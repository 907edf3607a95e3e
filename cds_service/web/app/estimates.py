"""One estimate for a page: what it is, its number, what moved it from where, and what it was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from msgspec import structs

from cds_service.explain.explanation import Baseline, Contribution
from cds_service.explain.wording import baseline, listing, moves
from cds_service.features.feature import Ambulatory, FeatureValue, Quantity
from cds_service.features.history import history
from cds_service.fhir.record import PatientRecord
from cds_service.language import Message, msg, signed
from cds_service.prospects import number
from cds_service.risk.absolute import per_unit, reference_risk
from cds_service.risk.model import EstimateKind, RiskEstimate, RiskModel
from cds_service.risk.values_in_words import in_words, percent, printed_unit, with_unit
from cds_service.web.app import drawing
from cds_service.web.app.opening import moments

_MOST_EARLIER = 6


@dataclass(frozen=True, slots=True)
class InputTrend:
    """Earlier values of one measured input with their words, the latest first, and their drawing."""

    label: Message
    values: tuple[tuple[FeatureValue, Message], ...]
    points: tuple[drawing.Point, ...]


@dataclass(frozen=True, slots=True)
class EstimateView:
    """One estimate.

    label, number: what is estimated, and the value as cards print it. meaning: how many of a hundred. bars: inputs
    that moved it. still: those that did not. start, end: names and values between which the bars lead.
    baseline: what is compared with. decides: inputs without which only an interval is known.
    """

    estimate: RiskEstimate
    model: RiskModel
    label: Message
    number: Message
    meaning: Message | None
    bars: tuple[drawing.Bar, ...]
    still: tuple[Contribution, ...]
    start: tuple[Message, Message] | None
    baseline: Message
    trend: tuple[drawing.Point, ...]
    inputs: tuple[InputTrend, ...]
    decides: Message | None

    def told(self, point: drawing.Point) -> Message:
        """An earlier value of the estimate, printed as the present one is."""
        return value(structs.replace(self.estimate, value=point.value, high=None))

    @property
    def by(self) -> Message:
        """What the amounts of the bars are, above their column."""
        if self.in_points:
            return msg("Percentage points")
        unit = printed_unit(self.estimate.unit) if self.estimate.kind is EstimateKind.QUANTITY else ""
        return msg("By ({unit})", unit=unit) if unit else msg("By")

    @property
    def in_points(self) -> bool:
        """True if the amounts of the bars are percentage points of risk."""
        return any(bar.share is not None for bar in self.bars)


def view(
    estimate: RiskEstimate, model: RiskModel, earlier: list[Any], record: PatientRecord | None = None
) -> EstimateView:
    """An estimate for the page.

    earlier: stored results with their moments. record: where earlier values of inputs are looked up; None for no look.
    """
    explanation = estimate.explanation
    bars = drawing.waterfall(explanation, per_unit(estimate))
    moved = tuple(bar for bar in bars if moves(bar.item, explanation))
    return EstimateView(
        estimate,
        model,
        label(estimate),
        value(estimate),
        _meaning(estimate),
        moved,
        tuple(bar.item for bar in bars if bar not in moved),
        _start(estimate),
        baseline(explanation),
        drawing.trend(moments(earlier, estimate.model_id, estimate.outcome, estimate.horizon_years)),
        _input_trends(estimate, record) if record is not None else (),
        _decides(estimate),
    )


def label(estimate: RiskEstimate) -> Message:
    """What is estimated, without its value."""
    if estimate.kind is not EstimateKind.PROBABILITY:
        return estimate.outcome_words
    if estimate.horizon_years is None:
        return msg("Risk of {outcome}", outcome=estimate.outcome_words)
    return msg("{years}-year risk of {outcome}", years=estimate.horizon_years, outcome=estimate.outcome_words)


def value(estimate: RiskEstimate) -> Message:
    """The value with its unit, without what is estimated."""
    if estimate.kind is not EstimateKind.POINTS:
        return number(estimate)
    if estimate.high is not None and estimate.high != estimate.value:
        return msg("{low} to {high} points", low=signed(f"{estimate.value:g}"), high=signed(f"{estimate.high:g}"))
    points = signed(f"{estimate.value:g}")
    return msg("{points} point", points=points) if points == "1" else msg("{points} points", points=points)


def _meaning(estimate: RiskEstimate) -> Message | None:
    """A probability as a count of people; it is about a group, and says nothing of what causes it."""
    if estimate.kind is not EstimateKind.PROBABILITY:
        return None
    count = round(100 * estimate.value)
    return msg("about {count} of 100 people", count=count) if count else msg("fewer than 1 of 100 people")


def _start(estimate: RiskEstimate) -> tuple[Message, Message] | None:
    """Where the bars begin: a name and the value there; None where it is no number that a reader knows."""
    explanation = estimate.explanation
    if explanation.baseline_kind is Baseline.ZERO:
        return msg("Nothing counted"), msg("{points} points", points="0")
    name = (
        msg("Reference person")
        if explanation.baseline_kind is Baseline.REFERENCE_PERSON
        else msg("Average of the training population")
    )
    risk = reference_risk(estimate)
    if risk is not None:
        return name, msg("{percent}%", percent=percent(risk))
    if estimate.kind is EstimateKind.PROBABILITY:
        return None
    return name, with_unit(explanation.baseline, estimate.unit, 0 if abs(explanation.baseline) >= 10 else 2)


def _input_trends(estimate: RiskEstimate, record: PatientRecord) -> tuple[InputTrend, ...]:
    """Measured inputs with more than one usable value, one a day."""
    found = []
    for feature in (one.feature for one in estimate.inputs):
        if not isinstance(feature, Quantity) or type(feature) not in (Quantity, Ambulatory):
            continue
        days: dict[date, tuple[datetime, FeatureValue]] = {}
        for one in history(record, feature):  # the latest first: of a day, the latest stays
            if one.effective is not None:
                days.setdefault(one.effective.date(), (one.effective, one))
        latest = sorted(days.values(), key=lambda pair: pair[0], reverse=True)[:_MOST_EARLIER]
        if len(latest) > 1:
            points = drawing.trend([(at, float(one.value)) for at, one in latest])
            words = tuple((one, in_words(one)) for _, one in latest)
            found.append(InputTrend(feature.label, words, points))
    return tuple(found)


def _decides(estimate: RiskEstimate) -> Message | None:
    """What would make an interval one number."""
    if estimate.high is None or estimate.high == estimate.value or not estimate.not_measured:
        return None
    return listing(tuple(dict.fromkeys(one.feature.label for one in estimate.not_measured)))
