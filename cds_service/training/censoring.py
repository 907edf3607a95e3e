"""Figures for follow-up that ends before the outcome: weights, concordance, Brier score, and calibration with them.

Inverse probability of censoring weighting: whoever is followed long enough stands for those who were not.
Other deaths are no censoring: after one of them the outcome cannot come any more (cumulative incidence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import expit
from cds_service.risk.metrics import Interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_STEPS, _PRECISION, _LONGEST = 100, 1e-10, 2.0
DRAWS = 200  # of a bootstrap
FEWEST = 0.02  # a chance of being followed below this weighs one patient like fifty: the curve stops there


@dataclass(frozen=True, slots=True)
class Followed:
    """Chance of still being followed just before a time, by Kaplan-Meier of the censoring."""

    times: Floats
    chances: Floats

    @classmethod
    def of(cls, months: Floats, ended: Flags) -> Followed:
        """From follow-up in months and whether it ended with any death."""
        order = np.argsort(months, kind="stable")
        times, left = months[order], ~ended[order]
        at_risk = np.arange(len(times), 0, -1)
        return cls(times, np.asarray(np.cumprod(1.0 - left / at_risk), dtype=np.float64))

    def before(self, months: Floats | float) -> Floats:
        """The chance of being followed until just before, at least `FEWEST`."""
        place = np.searchsorted(self.times, np.asarray(months, dtype=np.float64), side="left")
        found = np.where(place > 0, self.chances[np.maximum(place - 1, 0)], 1.0)
        return np.maximum(found, FEWEST)


def weights(months: Floats, ended: Flags, horizon: float) -> Floats:
    """IPCW weights at a horizon in months; 0 for whoever was lost before it, alive.

    Source: Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.
    """
    followed = Followed.of(months, ended)
    known = ended | (months > horizon)
    return np.where(known, 1.0 / followed.before(np.minimum(months, horizon)), 0.0)


def concordance(
    months: Floats, came: Flags, scores: Floats, until: float = np.inf, weight: Floats | None = None
) -> float:
    """Harrell's C: of pairs in which one had the outcome first, the share in which their score was higher.

    until: only outcomes before it, in months. weight: of each earlier one (Uno's C).
    """
    agree = total = 0.0
    for i in np.flatnonzero(came & (months < until)):
        later = scores[months > months[i]]
        w = 1.0 if weight is None else weight[i]
        total += w * len(later)
        agree += w * (np.sum(scores[i] > later) + 0.5 * np.sum(scores[i] == later))
    return agree / total if total else float("nan")


def concordance_with_interval(months: Floats, came: Flags, scores: Floats) -> Interval:
    """Harrell's C with the interval of its infinitesimal jackknife: how far each patient's weight moves it.

    Source: Therneau and Watson 2015, The concordance statistic and the Cox model, Mayo Clinic technical report 85.
    """
    agree, pairs = np.zeros(len(months)), np.zeros(len(months))
    for i in np.flatnonzero(came):
        later = np.flatnonzero(months > months[i])
        won = (scores[i] > scores[later]) + 0.5 * (scores[i] == scores[later])
        agree[i] += won.sum()
        pairs[i] += len(later)
        agree[later] += won
        pairs[later] += 1.0
    if not (total := float(pairs.sum()) / 2):
        return Interval(*3 * (float("nan"),))
    c = float(agree.sum()) / 2 / total
    half = 1.96 * float(np.sqrt(np.sum((agree - c * pairs) ** 2))) / total
    return Interval(c, max(c - half, 0.0), min(c + half, 1.0))


def uno(months: Floats, came: Flags, ended: Flags, scores: Floats, until: float) -> float:
    """Uno's C up to a time in months. Source: Uno et al. 2011, doi:10.1002/sim.4154."""
    chance = Followed.of(months, ended).before(months)
    return concordance(months, came, scores, until, 1.0 / chance**2)


def brier(risk: Floats, happened: Floats, weight: Floats) -> float:
    """IPCW Brier score of the risk at a horizon; happened: 1 if the outcome came by then."""
    return float(np.sum(weight * (happened - risk) ** 2) / len(risk))


def fit(design: Floats, outcomes: Floats, weight: Floats, ridge: float = 1e-6) -> Floats:
    """Coefficients of a weighted logistic regression by Newton's method; the design has its own intercepts."""
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        predicted = expit(design @ found)
        gradient = design.T @ (weight * (outcomes - predicted)) - ridge * found
        curvature = (design * (weight * predicted * (1.0 - predicted))[:, None]).T @ design
        step = np.linalg.solve(curvature + ridge * np.eye(design.shape[1]), gradient)
        found = found + np.clip(step, -_LONGEST, _LONGEST)
        if np.max(np.abs(step)) < _PRECISION:
            break
    return found


def slope_and_large(log_odds: Floats, outcomes: Floats, weight: Floats) -> tuple[float, float]:
    """Calibration slope and calibration in the large, weighted; 1 and 0 are perfect."""
    _, slope = fit(np.column_stack([np.ones(len(log_odds)), log_odds]), outcomes, weight)
    shift = 0.0
    for _ in range(_STEPS):
        predicted = expit(log_odds + shift)
        spread = max(float(np.sum(weight * predicted * (1.0 - predicted))), 1e-9)
        step = float(np.sum(weight * (outcomes - predicted))) / spread
        shift += float(np.clip(step, -_LONGEST, _LONGEST))
        if abs(step) < _PRECISION:
            break
    return float(slope), shift


def calibration(
    log_odds: Floats,
    outcomes: Floats,
    weight: Floats,
    generator: np.random.Generator | None = None,
    draws: int = DRAWS,
    groups: NDArray[np.int64] | None = None,
) -> tuple[Interval, Interval]:
    """Slope and calibration in the large with bootstrap intervals; the weights of the censored stay as they are.

    groups: of each row, the number of its patient, where some have several rows: patients are drawn, and not rows.
    """
    chance = generator or np.random.default_rng(0)
    place = np.arange(len(log_odds)) if groups is None else np.unique(groups, return_inverse=True)[1]
    n = int(place.max()) + 1
    found = [slope_and_large(log_odds, outcomes, weight)]
    for _ in range(draws):
        often = np.bincount(chance.integers(n, size=n), minlength=n)[place]
        found.append(slope_and_large(log_odds, outcomes, weight * often))
    slope, large = (interval(column) for column in np.array(found).T)
    return slope, large


def interval(draws: Floats) -> Interval:
    """A figure, which stands first, with the 95 % interval of its bootstrap draws, which follow."""
    low, high = np.percentile(draws[1:], [2.5, 97.5]) if len(draws) > 1 else (draws[0], draws[0])
    return Interval(float(draws[0]), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which of two patients had the outcome first, worked out once so that a bootstrap replicate costs two products.

    rows: of those with the outcome. later: shape (n_rows, n), who was followed longer.
    """

    rows: NDArray[np.int64]
    later: Floats

    @classmethod
    def of(cls, months: Floats, came: Flags) -> Pairs:
        """From follow-up in months and whether the outcome came."""
        rows = np.flatnonzero(came)
        return cls(rows, np.asarray(months[None, :] > months[rows, None], dtype=np.float64))

    def agreeing(self, scores: Floats) -> Floats:
        """For each pair 1 if the scores agree with the order of outcomes, one half if they are equal."""
        own = scores[self.rows, None]
        agree = self.later * ((own > scores[None, :]) + 0.5 * (own == scores[None, :]))
        return np.asarray(agree, dtype=np.float64)

    def draws(self, agreeing: Sequence[Floats], n: int, seed: int, replicates: int) -> Floats:
        """Concordances of several scores as they are, then on resampled patients; shape (1 + replicates, scores)."""
        generator, found = np.random.default_rng(seed), []
        for replicate in range(replicates + 1):
            w = np.ones(n)
            if replicate:
                w = np.bincount(generator.integers(n, size=n), minlength=n).astype(np.float64)
            total = w[self.rows] @ (self.later @ w)
            found.append([float(w[self.rows] @ (a @ w) / total) for a in agreeing])
        return np.array(found)
