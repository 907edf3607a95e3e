"""Calibration of one margin for several horizons or ordered outcomes: an intercept for each, and a slope.

logit P(horizon) = intercept(horizon) + slope x margin. The slope is positive and the intercepts rise with the
horizon, so that a longer horizon never has a lower risk, and the risks of two people never change places between
horizons. A horizon may have a slope of its own, as where a hazard is not proportional; lines that are not parallel
cross somewhere, and `crossed` tells whether within the margins that the trees can give: then the calibration is
refused. The map is affine on the log-odds for everyone, which keeps attributions exact; isotonic regression would not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Target = int | str  # a horizon in years, or the name of an outcome
Reach = tuple[float, float]  # the least and the greatest margin that the trees can give
T = TypeVar("T", int, str)
_STEPS, _PRECISION, _LONGEST = 100, 1e-10, 2.0  # of Newton's method: steps, when to stop, and no step beyond this


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibrated log-odds and probability of each horizon for a margin.

    intercepts: horizon in years -> intercept, in ascending order of both; or outcome -> intercept, where each outcome
    includes the one before it. slopes: of targets that have one of their own; all others have `slope`.
    Raises ValueError if a slope is not positive or the intercepts do not rise in that order.
    """

    slope: float
    intercepts: Mapping[Target, float]
    slopes: Mapping[Target, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        horizons = self.horizons
        for slope in (self.slope, *self.slopes.values()):
            if not np.isfinite(slope) or slope <= 0:
                raise ValueError(f"the slope must be positive, got {slope}")
        if unknown := [named(target) for target in self.slopes if target not in self.intercepts]:
            raise ValueError(f"{unknown[0]} has a slope and no intercept")
        for shorter, longer in pairwise(horizons):
            if not self.intercepts[shorter] < self.intercepts[longer]:
                raise ValueError(f"the intercept of {named(longer)} must be above that of {named(shorter)}")

    @property
    def horizons(self) -> tuple[Target, ...]:
        """The horizons in years, shortest first; or the outcomes, narrowest first."""
        return _in_order(self.intercepts)

    def slope_of(self, horizon: Target) -> float:
        """The slope of a horizon's line."""
        return self.slopes.get(horizon, self.slope)

    def log_odds(self, horizon: Target, margin: Floats | float) -> Floats:
        """Calibrated log-odds of the outcome within the horizon."""
        return np.asarray(self.intercepts[horizon] + self.slope_of(horizon) * np.asarray(margin, dtype=np.float64))

    def crossed(self, reach: Reach) -> tuple[Target, Target] | None:
        """A horizon and the next longer one, whose risk is the lower at some margin within reach; None if none is."""
        for shorter, longer in pairwise(self.horizons):
            if any(self.log_odds(longer, margin) < self.log_odds(shorter, margin) for margin in reach):
                return shorter, longer
        return None

    def probability(self, horizon: Target, margin: Floats | float) -> Floats:
        """Calibrated probability of the outcome within the horizon, 0-1."""
        return expit(self.log_odds(horizon, margin))


def _in_order(targets: Iterable[Target]) -> tuple[Target, ...]:
    given = tuple(targets)
    years = sorted(target for target in given if isinstance(target, int))
    return tuple(years) if len(years) == len(given) else given


def named(target: Target) -> str:
    """A horizon or an outcome in the words of a message."""
    return f"{target} years" if isinstance(target, int) else target


def expit(log_odds: Floats) -> Floats:
    """The probability of log-odds."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64))))


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen at one horizon: margins of the people followed that long, and 1 if the outcome came."""

    margins: Floats
    outcomes: Floats


def fit(observed: Mapping[T, Observed] | Mapping[Target, Observed], reach: Reach | None = None) -> Calibration:
    """The calibration of greatest likelihood over all horizons together, by Newton's method.

    observed: horizon in years, or outcome in ascending order -> what was seen; rows differ between horizons, as
    follow-up does. Margins must come from models that were not trained on those rows.
    reach: of the trees, if each horizon shall have a slope of its own: it has, unless lines fitted so would cross
    within reach; then all share one.
    Raises ValueError if a horizon has no outcome or nothing else.
    """
    seen: dict[Target, Observed] = dict(observed.items())
    horizons = _in_order(seen)
    for h in horizons:
        what = "horizon" if isinstance(h, int) else "outcome"
        if len(np.unique(seen[h].outcomes)) < 2:
            raise ValueError(f"the {what} of {named(h)} needs people with and without the outcome")
    if reach is not None:
        lines = {h: _fitted([seen[h]]) for h in horizons}
        *shorter, longest = horizons
        own = {h: lines[h][1] for h in shorter}
        apart = _ordered(lines[longest][1], {h: lines[h][0][0] for h in horizons}, own, reach)
        if apart is not None:
            return apart
    intercepts, slope = _fitted([seen[h] for h in horizons])
    return Calibration(slope, dict(zip(horizons, intercepts, strict=True)))


def refit(known: Calibration, observed: Mapping[Target, Observed], reach: Reach | None) -> Calibration:
    """A calibration on other rows: each line is moved, and all are scaled alike, as the greatest likelihood has it.

    Slopes of their own keep their ratio, which a smaller table cannot tell. reach: of the trees. Where lines with
    slopes of their own would cross within reach, all horizons share one. Raises ValueError as `fit` does.
    """
    if known.slopes:
        lines = [Observed(known.log_odds(h, observed[h].margins), observed[h].outcomes) for h in known.horizons]
        shifts, scale = _fitted(lines)
        moved = {h: shift + scale * known.intercepts[h] for h, shift in zip(known.horizons, shifts, strict=True)}
        found = _ordered(scale * known.slope, moved, {h: scale * b for h, b in known.slopes.items()}, reach)
        if found is not None:
            return found
    return fit(observed)


def _ordered(
    slope: float, intercepts: Mapping[Target, float], slopes: Mapping[Target, float], reach: Reach | None
) -> Calibration | None:
    """A calibration with slopes of their own; None if the order of risks would not hold everywhere within reach."""
    try:
        found = Calibration(slope, intercepts, slopes)
    except ValueError:
        return None
    return found if reach is not None and found.crossed(reach) is None else None


def _fitted(seen: Sequence[Observed]) -> tuple[list[float], float]:
    """The intercept of each of several horizons or outcomes, and the slope that they share."""
    design = np.vstack([_design(one.margins, position, len(seen)) for position, one in enumerate(seen)])
    outcomes = np.concatenate([np.asarray(one.outcomes, dtype=np.float64) for one in seen])
    *intercepts, slope = _newton(design, outcomes).tolist()
    return intercepts, float(slope)


def slope_and_intercept(log_odds: Floats, outcomes: Floats) -> tuple[float, float]:
    """Calibration slope, and calibration in the large (the intercept with the slope held at 1).

    A perfect model has 1 and 0. Source: Van Calster et al. 2019, doi:10.1186/s12916-019-1466-7.
    """
    weights = _newton(_design(log_odds, 0, 1), np.asarray(outcomes, dtype=np.float64))
    return float(weights[-1]), in_the_large(log_odds, outcomes)


def in_the_large(log_odds: Floats, outcomes: Floats) -> float:
    """The shift of all log-odds that makes expected and observed numbers equal; 0 if they are."""
    shift = 0.0
    for _ in range(_STEPS):
        predicted = expit(log_odds + shift)
        step = float(np.sum(outcomes - predicted) / np.sum(predicted * (1.0 - predicted)))
        shift += float(np.clip(step, -_LONGEST, _LONGEST))
        if abs(step) < _PRECISION:
            break
    return shift


def _newton(design: Floats, outcomes: Floats) -> Floats:
    """Coefficients of a logistic regression; the last column of the design is the margin, whose slope starts at 1."""
    weights = np.append(np.zeros(design.shape[1] - 1), 1.0)
    for _ in range(_STEPS):
        predicted = expit(design @ weights)
        gradient = design.T @ (outcomes - predicted)
        curvature = (design * (predicted * (1.0 - predicted))[:, None]).T @ design
        step = np.linalg.solve(curvature, gradient)
        weights = weights + np.clip(step, -_LONGEST, _LONGEST)
        if np.max(np.abs(step)) < _PRECISION:
            break
    return weights


def _design(margins: Sequence[float] | Floats, position: int, horizons: int) -> Floats:
    """One indicator column a horizon, then the margin."""
    rows = np.zeros((len(margins), horizons + 1))
    rows[:, position] = 1.0
    rows[:, -1] = margins
    return rows
