"""What a backtest found, in numbers: discrimination, calibration, use, subgroups, time, and what a threshold would do.

Rows are calls of hooks. Intervals take the calls of a patient together: who comes ten times tells less than ten people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cds_service.cohort.groups import DIMENSIONS
from cds_service.cohort.planning import Load, Plan
from cds_service.cohort.withholding import withheld
from cds_service.risk import metrics
from cds_service.risk.calibration import expit
from cds_service.risk.metrics import Floats, Interval, Patients

Texts = NDArray[np.str_]
Rows = NDArray[np.bool_]
SMALLEST = 100  # patients in a subgroup; with fewer it is withheld
FEWEST = 10  # patients with the outcome, and without it, below which no measure is given
_EDGE = 1e-6


@dataclass(frozen=True)
class Judgeable:
    """Estimates of one kind with what happened later. outcomes: 1, 0. days: to the outcome, NaN without one.

    patients: of each row, the number of its patient. load: all of them, also where it is not known what happened.
    """

    name: str
    version: str
    outcome: str
    title: str
    probability: bool
    values: Floats
    outcomes: Floats
    days: Floats
    months: Texts
    dates: NDArray[np.datetime64]
    groups: Mapping[str, Texts]
    patients: Patients
    load: Load
    unknown: int = 0
    intervals: int = 0
    refusals: Mapping[str, int] | None = None

    def of(self, rows: Rows) -> tuple[Floats, Floats, Patients]:
        """Values, outcomes and patients of some rows."""
        return self.values[rows], self.outcomes[rows], self.patients[rows]


@dataclass(frozen=True, slots=True)
class Measures:
    """How good one kind of estimate is; None where there are too few outcomes, or the estimate is no probability."""

    n: int
    events: int
    auroc: Interval | None = None
    auprc: float | None = None
    slope: Interval | None = None
    intercept: Interval | None = None
    observed_expected: Interval | None = None


@dataclass(frozen=True, slots=True)
class At:
    """What a threshold would do. per_100: cards in 100 calls. benefit: net benefit, and that of treating all.

    lead: median days from a right card to the outcome.
    """

    threshold: float
    per_100: float
    right: Interval | None
    found: Interval | None
    benefit: tuple[float, float] | None
    lead: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """One subgroup, or those of a dimension that are told as one; measures is None where it is withheld.

    Source of the rule: `withholding.py`.
    """

    dimension: str
    name: str
    measures: Measures | None


@dataclass(frozen=True, slots=True)
class Month:
    """One month, or quarter: calls, outcomes, expected number, and how far the estimates moved from the first ones."""

    name: str
    n: int
    events: int
    observed_expected: Interval | None
    psi: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """All about one kind of estimate for one outcome."""

    of: Judgeable
    measures: Measures
    curve: tuple[Floats, Floats] | None
    thresholds: tuple[At, ...]
    groups: tuple[Group, ...]
    months: tuple[Month, ...]
    plans: tuple[Plan, ...]


def judge(given: Judgeable, at_most_per_day: float | None = None) -> Judgement:
    """All numbers for one kind of estimate."""
    enough = _enough(given.outcomes, given.patients)
    curve = metrics.smoothed(given.values, given.outcomes) if enough and given.probability else None
    plans = tuple(given.load.planned(at_most_per_day)) if at_most_per_day is not None else ()
    return Judgement(
        given,
        measures(given.values, given.outcomes, given.patients, given.probability),
        curve,
        tuple(_thresholds(given)),
        tuple(_groups(given)),
        tuple(_months(given)),
        plans,
    )


def measures(values: Floats, outcomes: Floats, patients: Patients, probability: bool) -> Measures:
    """Discrimination, and calibration of probabilities."""
    n, events = len(outcomes), int(outcomes.sum())
    if not _enough(outcomes, patients):
        return Measures(n, events)
    who = _repeated(patients)
    area, precision = metrics.auroc_with_interval(values, outcomes, who), metrics.Ranked(values, outcomes).auprc()
    if not probability:
        return Measures(n, events, area, precision)
    odds = log_odds(values)
    slope = metrics.slope(odds, outcomes, who) if np.ptp(odds) > 0 else None
    ratio = metrics.observed_to_expected(odds, outcomes, who)
    return Measures(n, events, area, precision, slope, metrics.large(odds, outcomes, who), ratio)


def _repeated(patients: Patients) -> Patients | None:
    """The patients, if one of them is there more than once."""
    return patients if len(np.unique(patients)) < len(patients) else None


def log_odds(values: Floats) -> Floats:
    """Log-odds of probabilities, none of them infinite."""
    p = np.clip(values, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(p / (1.0 - p)))


def expected(values: Floats) -> float:
    """The number of outcomes that probabilities tell."""
    return float(np.sum(expit(log_odds(values))))


def psi(reference: Floats, now: Floats, bins: int = 10) -> float:
    """Population stability index of values against earlier ones, in tenths of these; above 0.2 is a marked shift.

    Source: Yurdakul 2018, Statistical properties of population stability index.
    """
    if len(reference) == 0 or len(now) == 0:
        return float("nan")
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    before = np.bincount(np.searchsorted(edges, reference, "right"), minlength=len(edges) + 1) / len(reference)
    after = np.bincount(np.searchsorted(edges, now, "right"), minlength=len(edges) + 1) / len(now)
    before, after = np.maximum(before, 1e-4), np.maximum(after, 1e-4)
    return float(np.sum((after - before) * np.log(after / before)))


def _enough(outcomes: Floats, patients: Patients) -> bool:
    return all(len(np.unique(patients[outcomes == came])) >= FEWEST for came in (0.0, 1.0))


def _steps(given: Judgeable) -> list[float]:
    """Thresholds worth showing: round shares, or each number of points that occurs."""
    if given.probability:
        return [0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7]
    return [float(value) for value in np.unique(given.values)[:40]]


def _thresholds(given: Judgeable) -> Iterator[At]:
    n, events = len(given.values), int(given.outcomes.sum())
    for step in _steps(given) if n else ():
        flagged, had = given.values >= step, given.outcomes > 0
        cards, told = int(flagged.sum()), len(np.unique(given.patients[flagged])) >= FEWEST
        days = given.days[flagged & had]
        benefit = None
        if given.probability:
            everybody = metrics.net_benefit(np.ones(n), given.outcomes, step)
            benefit = (metrics.net_benefit(given.values, given.outcomes, step), everybody)
        yield At(
            step,
            100.0 * cards / n,
            metrics.share_among(given.outcomes[flagged], given.patients[flagged]) if told else None,
            metrics.share_among(flagged[had].astype(np.float64), given.patients[had]) if events else None,
            benefit,
            float(np.median(days)) if len(days) else None,
        )


def _groups(given: Judgeable) -> Iterator[Group]:
    for dimension in DIMENSIONS:
        names = given.groups[dimension]
        every = sorted(set(names.tolist()))
        kept_back = withheld(names, given.patients, lambda rows: _too_few(given, rows))
        for name in every:
            told = None if name in kept_back else measures(*given.of(names == name), given.probability)
            yield Group(dimension, name, told)
        if 0 < len(kept_back) < len(every):
            together = given.of(np.isin(names, kept_back))
            yield Group(dimension, f"{', '.join(kept_back)} (together)", measures(*together, given.probability))


def _too_few(given: Judgeable, rows: Rows) -> bool:
    _, outcomes, who = given.of(rows)
    return len(np.unique(who)) < SMALLEST or not _enough(outcomes, who)


def _months(given: Judgeable) -> Iterator[Month]:
    names = sorted(set(given.months.tolist()))
    first = np.isin(given.months, names[: max(len(names) // 4, 1)])
    for name in names:
        values, outcomes, who = given.of(given.months == name)
        ratio = None
        if given.probability and expected(values) > 0:
            ratio = metrics.observed_to_expected(log_odds(values), outcomes, _repeated(who))
        yield Month(name, len(values), int(outcomes.sum()), ratio, psi(given.values[first], values))


def month(at: datetime) -> str:
    """The quarter of a year that a moment falls in, such as `2019-Q3`."""
    return f"{at.year}-Q{(at.month + 2) // 3}"
