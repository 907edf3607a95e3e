"""How steady a model's answers are: under other patients, other values of what is missing, and for unusual patients.

Everything is measured on the rows of the first outer fold, which none of the models here was fitted on. An individual's
probability cannot be observed, so no range here is an interval for it: a range over refits says how much the same
method would have differed had other patients been drawn.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from cds_service.risk.calibration import Target, expit
from cds_service.risk.manifest import Input
from cds_service.training.evaluation import Judge, Rows, judged_table, markdown
from cds_service.training.hazard import Matrix, Recipe, fit, margins
from cds_service.training.masking import Dropout
from cds_service.training.study import Study

REFITS, EXPLAINED, DONORS = 20, 300, 25
_LOW, _HIGH = 5, 95


@dataclass(frozen=True, slots=True)
class Tested:
    """One margin as it was studied. title: target -> how a reader calls it; thresholds: target -> risks that matter."""

    study: Study
    cohort: Any
    recipe: Recipe
    titles: Mapping[Target, str]
    thresholds: Mapping[Target, Sequence[float]]
    inputs: Sequence[Input]
    spoken: Rows
    seed: int
    refits: int = REFITS

    @property
    def held_out(self) -> NDArray[np.int64]:
        """The rows of the first outer fold for which the model speaks."""
        return np.flatnonzero((self.study.fold == 0) & self.spoken)


def refitted(tested: Sequence[Tested]) -> str:
    """Range over refits, share of refits on the same side of each threshold, and how often reasons stay the same."""
    lines: list[Sequence[object]] = []
    for one in tested:
        model, rows = one.study.folds[0], one.held_out
        matrix = one.cohort.matrix[rows]
        refits = [_refit(one, number) for number in range(one.refits)]
        found = np.stack([margins(booster, matrix) for booster in refits])
        own = margins(model.booster, matrix)
        top = _kept_reasons(one, refits, matrix[:EXPLAINED])
        for target, title in one.titles.items():
            risks, risk = (expit(model.calibration.log_odds(target, m)) for m in (found, own))
            width = np.percentile(risks, _HIGH, axis=0) - np.percentile(risks, _LOW, axis=0)
            for threshold in one.thresholds.get(target, (0.5,)):
                same = ((risks >= threshold) == (risk >= threshold)).mean(axis=0)
                near = width[np.argsort(np.abs(risk - threshold))[: max(len(risk) // 10, 1)]]
                lines.append(
                    (f"{title}, {100 * threshold:.0f} %", f"{100 * np.median(width):.1f} points",
                     f"{100 * np.median(near):.1f} points", f"{100 * same.mean():.0f} %",
                     f"{100 * np.mean(same >= 0.9):.0f} %", f"{top:.1f} of 3")
                )  # fmt: skip
    count = tested[0].refits
    head = ("threshold", "5th to 95th percentile over refits, median row", "the same, the tenth nearest the threshold",
            "refits on the same side", "rows of which nine in ten refits agree", "top three reasons kept")  # fmt: skip
    return (
        f"{count} models were refitted on rows drawn with replacement (people, where one has several rows) and asked "
        "about rows that none had seen. The range is that of the same method on other patients; it is no interval for "
        f"one person's risk. Reasons are groups of inputs, the three largest contributions of a row.\n\n"
        f"{markdown(head, lines)}"
    )


def plausible(tested: Sequence[Tested], dropout: Dropout, patterns: Mapping[str, frozenset[str]]) -> str:
    """What estimates would have been with other values in place of what is missing, by what is missing."""
    lines: list[Sequence[object]] = []
    for one in tested:
        model, rows = one.study.folds[0], one.held_out[:EXPLAINED]
        matrix = one.cohort.matrix[rows]
        for name, pattern in patterns.items():
            columns = [column for panel in pattern for column in dropout.panels[panel]]
            drawn = np.stack([margins(model.booster, each) for each in _filled(one, matrix, columns, dropout)])
            for target, title in one.titles.items():
                risks = expit(model.calibration.log_odds(target, drawn))
                low, high = np.percentile(risks, [_LOW, _HIGH], axis=0)
                threshold = one.thresholds.get(target, (0.5,))[0]
                lines.append(
                    (f"{title}: {name}", f"{100 * np.median(high - low):.1f} points",
                     f"{100 * np.percentile(high - low, 90):.1f} points",
                     f"{100 * np.mean((low < threshold) & (high >= threshold)):.0f} %")
                )  # fmt: skip
    head = ("missing", "5th to 95th percentile, median row", "the same, one row in ten has more",
            "rows whose range crosses the first threshold")  # fmt: skip
    return (
        f"What was hidden is filled in with the values of {DONORS} other training patients who had them, together as "
        "they were measured; the table tells how far the estimate would move.\n\n" + markdown(head, lines)
    )


def applicable(tested: Sequence[Tested]) -> str:
    """Discrimination and calibration for rows that pass the checks made of each patient, and for those that do not."""
    blocks = []
    for one in tested:
        beyond, odd = _unusual(one)
        for target, title in one.titles.items():
            judge = Judge(one.cohort.within(target), one.seed, 200)
            known = one.cohort.known[target]
            log_odds = one.study.log_odds(one.cohort.matrix, target)
            parts = {
                "pass all checks": known & one.spoken & ~beyond & ~odd,
                "marked: an input beyond the training data": known & one.spoken & beyond,
                "unlike the training data as a whole": known & one.spoken & odd,
                "refused: age, or too little measured": known & ~one.spoken,
            }
            found = {name: judge(log_odds, rows) if rows.any() else None for name, rows in parts.items()}
            blocks.append(f"**{title.capitalize()}**\n\n{judged_table(found)}")
    return (
        "Each row is checked against the rows of the other folds. Beyond: an input lies below the lowest or above the "
        "highest of them. Unlike as a whole: the mean squared distance of its measured inputs from their average, "
        "in standard deviations, is among the highest 5 %.\n\n" + "\n\n".join(blocks)
    )


def similar(tested: Sequence[Tested], bins: int = 10) -> str:
    """What came of people with like estimates, out of fold: what stands for an individual's unobservable risk."""
    lines: list[Sequence[object]] = []
    for one in tested:
        for target, title in one.titles.items():
            rows = np.flatnonzero(one.cohort.known[target] & one.spoken)
            risk = expit(one.study.log_odds(one.cohort.matrix, target)[rows])
            came = one.cohort.within(target)[rows]
            for group in np.array_split(np.argsort(risk, kind="stable"), bins):
                low, high = _wilson(float(came[group].sum()), len(group))
                lines.append(
                    (f"{title}, {100 * risk[group].min():.1f} to {100 * risk[group].max():.1f} %", len(group),
                     f"{100 * risk[group].mean():.1f} %", f"{100 * came[group].mean():.1f} %",
                     f"{100 * low:.1f} to {100 * high:.1f} %")
                )  # fmt: skip
    return markdown(("estimate", "people", "mean estimate", "observed", "95 % interval"), lines)


def _refit(one: Tested, number: int) -> xgboost.Booster:
    """The model of the first fold on its own rows, drawn with replacement."""
    generator = np.random.default_rng([one.seed, number])
    rows = np.flatnonzero(one.study.fold != 0)
    if one.cohort.groups is None:
        drawn = generator.choice(rows, len(rows))
    else:
        groups = one.cohort.groups[rows]
        people, place = np.unique(groups, return_inverse=True)
        often = np.bincount(generator.integers(len(people), size=len(people)), minlength=len(people))
        drawn = np.repeat(rows, often[place])
    recipe = replace(one.recipe, seed=one.recipe.seed + number + 1)
    return fit(one.cohort, drawn, one.study.folds[0].parameters, recipe)


def _kept_reasons(one: Tested, refits: Sequence[xgboost.Booster], matrix: Matrix) -> float:
    """Of the three largest contributions of a row, how many are among those of a refit, on average."""
    names = [declared.group or declared.id for declared in one.inputs]
    groups = {name: position for position, name in enumerate(dict.fromkeys(names))}
    table, to = xgboost.DMatrix(matrix, nthread=1), np.zeros((len(names), len(groups)))
    for position, name in enumerate(names):
        to[position, groups[name]] = 1.0

    def top(booster: xgboost.Booster) -> NDArray[np.int64]:
        phi = np.asarray(booster.predict(table, pred_contribs=True), dtype=np.float64)[:, :-1] @ to
        return np.argsort(-np.abs(phi), axis=1, kind="stable")[:, :3]

    own = top(one.study.folds[0].booster)
    return float(np.mean([(own[:, :, None] == top(booster)[:, None, :]).any(axis=2).sum(axis=1) for booster in refits]))


def _filled(one: Tested, matrix: Matrix, columns: Sequence[int], dropout: Dropout) -> list[Matrix]:
    """Copies of rows with some columns from others, in whom at least half of what they measure is there."""
    train = one.cohort.matrix[one.study.fold != 0]
    there = np.flatnonzero((~np.isnan(train[:, columns])).mean(axis=1) >= 0.5)
    if not len(there):
        there = np.arange(len(train))
    generator, copies = np.random.default_rng(one.seed), []
    for _ in range(DONORS):
        copy = matrix.copy()
        copy[:, columns] = train[generator.choice(there, len(matrix))][:, columns]
        copies.append(dropout.consistent(copy))
    return copies


def _unusual(one: Tested) -> tuple[Rows, Rows]:
    """Rows with an input beyond the other folds' rows, and rows that are unlike them as a whole."""
    matrix = one.cohort.matrix
    beyond, apart = np.zeros(len(matrix), dtype=np.bool_), np.zeros(len(matrix))
    for number in np.unique(one.study.fold):
        test, train = one.study.fold == number, matrix[one.study.fold != number]
        low, high = np.fmin.reduce(train, axis=0), np.fmax.reduce(train, axis=0)
        beyond[test] = ((matrix[test] < low) | (matrix[test] > high)).any(axis=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # an input of which nobody has a value stays unknown
            middle, spread = np.nanmean(train, axis=0), np.maximum(np.nanstd(train, axis=0), 1e-6)
        scores = np.clip((matrix[test] - middle) / spread, -6, 6) ** 2
        measured = np.maximum((~np.isnan(scores)).sum(axis=1), 1)
        apart[test] = np.nansum(scores, axis=1) / measured
    return beyond, np.asarray(apart > np.percentile(apart[one.spoken], 95), dtype=np.bool_)


def _wilson(came: float, n: int) -> tuple[float, float]:
    """A 95 % interval of a share. Source: Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    z2 = 1.96**2
    centre, half = (came + z2 / 2) / (n + z2), 1.96 * np.sqrt(came * (n - came) / n + z2 / 4) / (n + z2)
    return float(centre - half), float(centre + half)
