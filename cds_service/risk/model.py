"""What every model gives: estimates with explanations, or a worded refusal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cds_service.explain.explanation import Explanation
from cds_service.features.feature import Feature, FeatureValue, FeatureValues, Quantity, Unusable
from cds_service.language import Message, msg

if TYPE_CHECKING:
    from cds_service.risk.levers import Lever


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that a reader can open."""

    text: str
    url: str


class EstimateKind(Enum):
    """How an estimate is read."""

    PROBABILITY = "probability"  # 0-1, of an outcome within a horizon
    POINTS = "points"
    QUANTITY = "quantity"  # in `unit`


@dataclass(frozen=True, slots=True)
class Band:
    """A named range of an estimate, e.g. `intermediate`, with the threshold in words."""

    id: str
    label: Message


class RiskEstimate(msgspec.Struct, frozen=True):
    """One number, its outcome, horizon, explanation and sources.

    outcome: stable id such as `total_cvd` or `death`; outcome_words for people.
    horizon_years: None for scores and quantities.
    value: probability 0-1, points, or a quantity in `unit`; for an interval of possible totals this is
        the lower bound and `high` the upper one, and `high` is None for a point estimate.
    effective: the oldest measurement that the estimate rests on.
    """

    model_id: str
    version: str
    kind: EstimateKind
    outcome: str
    outcome_words: Message
    horizon_years: int | None
    value: float
    unit: str
    band: Band | None
    explanation: Explanation
    inputs: tuple[FeatureValue, ...]
    not_measured: tuple[Unusable, ...] = ()
    high: float | None = None
    effective: datetime | None = None
    notes: tuple[Message, ...] = ()


class Refusal(Enum):
    """Why a model gives no number, and so where its reason goes."""

    NOT_APPLICABLE = "not-applicable"  # a child, no atrial fibrillation: audit record only
    INPUT = "input"  # indicated, but an input is missing, old or unusable: a line on the card
    OUT_OF_RANGE = "out-of-range"  # indicated, but outside the validity range: a line on the card
    FAILED = "failed"  # the program that computes it gave no answer: a card says so, whatever else was found


class NotEstimated(msgspec.Struct, frozen=True):
    """A worded refusal; `unusable` names the inputs at fault, in the order in which to mend them."""

    model_id: str
    refusal: Refusal
    reason: Message
    unusable: tuple[Unusable, ...] = ()


Result = tuple[RiskEstimate, ...] | NotEstimated
VectorCheck = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]


class RiskModel(Protocol):
    """A published score or a trained model, as the pipeline sees it."""

    @property
    def id(self) -> str:
        """kebab-case, never changes its meaning."""
        ...

    @property
    def version(self) -> str:
        """Changes with every change of equation, weights or thresholds."""
        ...

    @property
    def title(self) -> Message:
        """The name on cards."""
        ...

    @property
    def citation(self) -> Citation:
        """Where the equation was published, or the model's card."""
        ...

    @property
    def features(self) -> tuple[Feature, ...]:
        """All that the model asks of a record."""
        ...

    @property
    def trained(self) -> bool:
        """True if it must stay silent until a local evaluation is signed off."""
        ...

    def estimate(self, values: FeatureValues) -> Result:
        """Estimates with explanations, or a refusal; never raises for what a record holds."""
        ...


@dataclass(frozen=True, slots=True)
class Trend:
    """That earlier values of a score are worth computing, and at which moments.

    by: the measurements whose earlier times count. apart: the least distance. most: how many. worth: the least
    difference, in the unit of the first estimate, that is worth telling.
    """

    by: tuple[Quantity, ...]
    worth: float
    apart: timedelta = timedelta(days=150)
    most: int = 3


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """A published equation or point score: one file in `models/` declares one.

    compute: the whole of it, from feature values to result.
    vectors: `meta.score` of a vector file -> function (inputs, expected) -> our outputs in the same shape
        as `expected`; used by `curbside models vectors` and the tests.
    limits: validity limits and departures from the paper, for `curbside models show` and the card.
    default_off: True for what a site must ask for (`[models] enabled`): superseded scores, other regions' editions.
    levers: the inputs that can be changed, with their guideline targets. trend: when earlier values are worth telling.
    """

    id: str
    version: str
    title: Message
    citation: Citation
    features: tuple[Feature, ...]
    compute: Callable[[FeatureValues], Result]
    vectors: Mapping[str, VectorCheck]
    limits: Message
    tolerance: float = 1e-4
    trained: bool = False
    default_off: bool = False
    levers: tuple[Lever, ...] = ()
    trend: Trend | None = None

    def estimate(self, values: FeatureValues) -> Result:
        """Estimates with explanations, or a refusal."""
        return self.compute(values)


RESEARCH = msg("Research only: not for treatment decisions.")


def is_research(model: RiskModel) -> bool:
    """True for a model that is declared to be for research only: what it says is marked so wherever it stands."""
    return bool(getattr(model, "research", False))


def is_on(model: RiskModel, enabled: Collection[str]) -> bool:
    """True unless the model is off by default and the site did not enable it."""
    return not (isinstance(model, PublishedScore) and model.default_off) or model.id in enabled
