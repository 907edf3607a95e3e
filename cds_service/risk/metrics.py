"""How good predictions are on people whose outcome is known, with intervals; numpy alone.

Arrays are one entry a person: `outcomes` 0 or 1, `log_odds` calibrated, `scores` in any order-preserving unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import expit, in_the_large, slope_and_intercept

Floats = NDArray[np.float64]
Patients = NDArray[np.int64]
REPLICATES = 1000
_CELLS = 30_000  # weights that are in memory at once
_Z = 1.959964
_NONE = 3.688879  # the Poisson mean of which nothing comes with a probability of 2.5 %


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Ranked:
    """Scores sorted once, so that many bootstrap replicates cost one pass each.

    weights: of the people in the order of the scores; where several replicates are asked for, a row of them each.
    """

    def __init__(self, scores: Floats, outcomes: Floats) -> None:
        self._order = np.argsort(scores, kind="stable")
        ordered = np.asarray(scores)[self._order]
        self._outcomes = np.asarray(outcomes, dtype=np.float64)[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])

    def _tied(self, weights: Floats | None) -> tuple[Floats, Floats]:
        """Weight of people with and without the outcome at each distinct score, lowest first."""
        weight = np.ones(len(self._order)) if weights is None else weights[..., self._order]
        cases = np.add.reduceat(weight * self._outcomes, self._starts, axis=-1)
        others = np.add.reduceat(weight * (1.0 - self._outcomes), self._starts, axis=-1)
        return cases, others

    def auroc(self, weights: Floats | None = None) -> float:
        """Probability that a person with the outcome scores higher than one without; ties count half."""
        return float(self.aurocs(weights))

    def aurocs(self, weights: Floats | None) -> Floats:
        """The same for each replicate."""
        cases, others = self._tied(weights)
        below = np.cumsum(others, axis=-1) - others
        area: Floats = np.sum(cases * (below + others / 2.0), axis=-1) / (cases.sum(axis=-1) * others.sum(axis=-1))
        return area

    def auprc(self, weights: Floats | None = None) -> float:
        """Average precision: precision averaged over the people with the outcome."""
        return float(self.auprcs(weights))

    def auprcs(self, weights: Floats | None) -> Floats:
        """The same for each replicate."""
        cases, others = (part[..., ::-1] for part in self._tied(weights))
        everyone = np.cumsum(cases + others, axis=-1)
        precision = np.divide(np.cumsum(cases, axis=-1), everyone, out=np.zeros_like(everyone), where=everyone > 0)
        area: Floats = np.sum(precision * cases, axis=-1) / cases.sum(axis=-1)
        return area


def auroc(
    scores: Floats, outcomes: Floats, seed: int, replicates: int = REPLICATES, patients: Patients | None = None
) -> Interval:
    """AUROC with a bootstrap interval. patients: of each row its patient, where some have several rows."""
    ranked = Ranked(scores, outcomes)
    return _bootstrap(ranked.aurocs, len(outcomes), seed, replicates, patients)


def auprc(
    scores: Floats, outcomes: Floats, seed: int, replicates: int = REPLICATES, patients: Patients | None = None
) -> Interval:
    """Area under the precision-recall curve with a bootstrap interval; patients as in `auroc`."""
    ranked = Ranked(scores, outcomes)
    return _bootstrap(ranked.auprcs, len(outcomes), seed, replicates, patients)


def gain(scores: Floats, rival: Floats, outcomes: Floats, seed: int, replicates: int = REPLICATES) -> Interval:
    """AUROC of `scores` minus that of a rival on the same people, with a paired-bootstrap interval."""
    ours, theirs = Ranked(scores, outcomes), Ranked(rival, outcomes)
    return _bootstrap(lambda w: ours.aurocs(w) - theirs.aurocs(w), len(outcomes), seed, replicates)


def slope(log_odds: Floats, outcomes: Floats, patients: Patients | None = None) -> Interval:
    """Calibration slope with a Wald interval; 1 is perfect, below 1 the estimates are too extreme.

    patients: as in `auroc`; the variance is then the sandwich of the sums of each patient (Liang and Zeger 1986,
    doi:10.1093/biomet/73.1.13).
    """
    value, _ = slope_and_intercept(log_odds, outcomes)
    centred = log_odds - log_odds.mean()
    fitted = expit(value * log_odds + in_the_large(value * log_odds, outcomes))
    spread = fitted * (1.0 - fitted)
    mean = np.sum(spread * centred) / spread.sum()
    curvature = np.sum(spread * (centred - mean) ** 2)
    error = 1.0 / np.sqrt(curvature)
    if patients is not None:
        error = _of_sums((outcomes - fitted) * (centred - mean), patients) / curvature
    return Interval(value, value - _Z * error, value + _Z * error)


def large(log_odds: Floats, outcomes: Floats, patients: Patients | None = None) -> Interval:
    """Calibration in the large with a Wald interval; 0 is perfect, above 0 more came true than was expected.

    patients: as in `slope`.
    """
    value = in_the_large(log_odds, outcomes)
    fitted = expit(log_odds + value)
    curvature = np.sum(fitted * (1.0 - fitted))
    error = 1.0 / np.sqrt(curvature)
    if patients is not None:
        error = _of_sums(outcomes - fitted, patients) / curvature
    return Interval(value, value - _Z * error, value + _Z * error)


def observed_to_expected(log_odds: Floats, outcomes: Floats, patients: Patients | None = None) -> Interval:
    """Observed over expected number of outcomes, with an interval from the observed number (Poisson, log scale).

    patients: as in `slope`; the variance of the number is then that of the sums of each patient's outcomes.
    Where none came, the upper end is what would bring none in 2.5 of 100 such times.
    """
    observed, expected = float(np.sum(outcomes)), float(np.sum(expit(log_odds)))
    ratio = observed / expected
    if observed == 0.0:
        return Interval(0.0, 0.0, _NONE / expected)
    error = 1.0 / np.sqrt(max(observed, 1.0))
    if patients is not None:
        error = _of_sums(outcomes, patients) / max(observed, 1.0)
    spread = np.exp(_Z * error)
    return Interval(ratio, ratio / spread, ratio * spread)


def net_benefit(risk: Floats, outcomes: Floats, threshold: float) -> float:
    """True positives per person minus false positives weighted by the odds of the threshold.

    Source: Vickers and Elkin 2006, doi:10.1177/0272989X06295361.
    """
    flagged = risk >= threshold
    right = float(np.sum(outcomes[flagged]))
    wrong = float(np.sum(flagged)) - right
    return (right - wrong * threshold / (1.0 - threshold)) / len(outcomes)


def _of_sums(rows: Floats, patients: Patients) -> float:
    """The root of the sum of squares of the sums of each patient's rows."""
    sums = np.bincount(np.unique(patients, return_inverse=True)[1], weights=rows)
    return float(np.sqrt(np.sum(sums**2)))


def _bootstrap(
    statistic: Callable[[Floats | None], Floats], n: int, seed: int, replicates: int, patients: Patients | None = None
) -> Interval:
    generator = np.random.default_rng(seed)
    place = np.arange(n) if patients is None else np.unique(patients, return_inverse=True)[1]
    drawn = int(place.max()) + 1
    at_once = max(1, _CELLS // n)
    values = []
    for start in range(0, replicates, at_once):
        weights = np.empty((min(at_once, replicates - start), n))
        for row in weights:
            row[:] = np.bincount(generator.integers(drawn, size=drawn), minlength=drawn)[place]
        values.append(statistic(weights))
    low, high = np.nanpercentile(np.concatenate(values), [2.5, 97.5])
    return Interval(float(statistic(None)), float(low), float(high))


def auroc_with_interval(scores: Floats, outcomes: Floats, patients: Patients | None = None) -> Interval:
    """AUROC with DeLong's interval, which costs one sorting where a bootstrap costs a thousand.

    patients: as in `auroc`; the variance is then that of the sums of each patient's parts.
    Source: Sun and Xu 2014, doi:10.1109/LSP.2014.2337313; Obuchowski 1997, doi:10.2307/2533958.
    """
    had = outcomes > 0
    ill, well = np.sort(scores[had]), np.sort(scores[~had])
    parts = np.where(had, np.searchsorted(well, scores, "left") + np.searchsorted(well, scores, "right"), 0.0)
    parts /= 2.0 * len(well)
    below = np.searchsorted(ill, scores, "left") + np.searchsorted(ill, scores, "right")
    parts = np.where(had, parts, 1.0 - below / (2.0 * len(ill)))
    area = float(parts[had].mean())
    if patients is None:
        spread = sum(float(np.var(parts[rows], ddof=1)) / rows.sum() for rows in (had, ~had) if rows.sum() > 1)
    else:
        spread = _of_sums((parts - area) / np.where(had, len(ill), len(well)), patients) ** 2 * _few(patients)
    half = _Z * float(np.sqrt(spread))
    return Interval(area, max(area - half, 0.0), min(area + half, 1.0))


def share(part: float, whole: float) -> Interval:
    """A share with Wilson's interval; the whole must not be 0. Source: Wilson 1927, doi:10.2307/2276774."""
    found, weight = part / whole, _Z**2 / whole
    centre = (found + weight / 2.0) / (1.0 + weight)
    half = _Z / (1.0 + weight) * float(np.sqrt(found * (1.0 - found) / whole + weight / (4.0 * whole)))
    return Interval(found, min(centre - half, found), max(centre + half, found))


def share_among(came: Floats, patients: Patients) -> Interval:
    """The share of ones among rows, of which there must be some; Wilson's interval counts as many rows as would tell
    as much if all were of different patients.

    Where all rows agree, the patients count. Source: Korn and Graubard 1998, Survey Methodology 24:193.
    """
    n, found = len(came), float(np.mean(came))
    each = len(np.unique(patients))
    alone = found * (1.0 - found) / n
    if each < n:
        together = (_of_sums(came - found, patients) / n) ** 2 * _few(patients)
        n_alike = n / max(together / alone, 1.0) if alone > 0.0 and each > 1 else float(each)
        return share(found * n_alike, n_alike)
    return share(found * n, n)


def _few(patients: Patients) -> float:
    """What makes up for sums of few patients being too alike; 1 for many."""
    each = len(np.unique(patients))
    return each / max(each - 1, 1)


def smoothed(estimates: Floats, outcomes: Floats, points: int = 40) -> tuple[Floats, Floats]:
    """The share with the outcome along the estimates: a Gaussian kernel over the ranks, so that no bin is empty.

    Returns estimates and observed shares at as many points, from the lowest to the highest rank.
    """
    order = np.argsort(estimates, kind="stable")
    x, y = np.asarray(estimates, dtype=np.float64)[order], np.asarray(outcomes, dtype=np.float64)[order]
    ranks, width = np.arange(len(x)) / max(len(x) - 1, 1), 0.05
    at = np.linspace(0.0, 1.0, points)
    found = np.empty((2, points))
    for i, place in enumerate(at):
        near = slice(*np.searchsorted(ranks, [place - 3 * width, place + 3 * width]))
        weight = np.exp(-0.5 * ((ranks[near] - place) / width) ** 2)
        found[:, i] = np.average(x[near], weights=weight), np.average(y[near], weights=weight)
    return found[0], found[1]
