"""How steady a model's answers are: under other patients, other values of what is missing, and for unusual patients.

Everything is measured on the rows of the first outer fold, which none of the models here was fitted on. An individual's
probability cannot be observed, so no range here is an interval for it: a range over refits says how much the same
method would have differed had other patients been drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import xgboost
from numpy.typing import NDArray

from cds_service.risk.calibration import Target, expit
from cds_service.risk.likeness import Alike
from cds_service.risk.manifest import Input
from cds_service.training import steady_words as words
from cds_service.training.evaluation import FEWEST, Judge, Rows, judged_table
from cds_service.training.hazard import Floats, Matrix, Recipe, fit, margins
from cds_service.training.masking import Dropout
from cds_service.training.study import Study

REFITS, EXPLAINED, DONORS, ALIKE = 20, 300, 25, 10


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
    rows = []
    for one in tested:
        model, held_out = one.study.folds[0], one.held_out
        matrix = one.cohort.matrix[held_out]
        refits = [_refit(one, number) for number in range(one.refits)]
        found = np.stack([margins(booster, matrix) for booster in refits])
        own = margins(model.booster, matrix)
        top = _kept_reasons(one, refits, matrix[:EXPLAINED])
        for target, title in one.titles.items():
            risks, risk = (expit(model.calibration.log_odds(target, m)) for m in (found, own))
            for threshold in one.thresholds.get(target, (0.5,)):
                rows.append(words.agreement(title, threshold, risk, risks, top))
    return words.refitted(tested[0].refits, rows)


def plausible(tested: Sequence[Tested], dropout: Dropout, patterns: Mapping[str, frozenset[str]]) -> str:
    """What estimates would have been with other values in place of what is missing, by what is missing."""
    rows = []
    for one in tested:
        model, held_out = one.study.folds[0], one.held_out[:EXPLAINED]
        matrix = one.cohort.matrix[held_out]
        for name, pattern in patterns.items():
            columns = [column for panel in pattern for column in dropout.panels[panel]]
            drawn = np.stack([margins(model.booster, each) for each in _filled(one, matrix, columns, dropout)])
            for target, title in one.titles.items():
                risks = expit(model.calibration.log_odds(target, drawn))
                rows.append(words.moved(f"{title}: {name}", risks, one.thresholds.get(target, (0.5,))[0]))
    return words.plausible(DONORS, rows)


def applicable(tested: Sequence[Tested]) -> str:
    """Discrimination and calibration for rows that pass the checks made of each patient, and for those that do not."""
    blocks = []
    for one in tested:
        beyond, odd = words.unusual(one.cohort.matrix, one.study.fold, one.spoken)
        for target, title in one.titles.items():
            judge = Judge(one.cohort.within(target), one.seed, 200)
            log_odds = one.study.log_odds(one.cohort.matrix, target)
            parts = words.checked(one.cohort.known[target], one.spoken, beyond, odd, "age, or too little measured")
            found = {name: judge(log_odds, rows) if rows.any() else None for name, rows in parts.items()}
            blocks.append(f"**{title.capitalize()}**\n\n{judged_table(found)}")
    return words.applicable(blocks)


def similar(tested: Sequence[Tested]) -> str:
    """What came of people with like estimates, out of fold: what stands for an individual's unobservable risk."""
    found = []
    for one in tested:
        for target, title in one.titles.items():
            rows = one.cohort.known[target] & one.spoken
            found += [words.alike(title, *group) for group in alike(one.study, one.cohort, target, rows)]
    return words.similar(found)


def alike(study: Study, cohort: Any, target: Target, rows: Rows) -> list[tuple[Floats, Floats]]:
    """Some rows in ten groups of equal size by their out-of-fold risk, lowest first: risks, and to whom it came."""
    risk, came = expit(study.log_odds(cohort.matrix, target)[rows]), cohort.within(target)[rows]
    groups = np.array_split(np.argsort(risk, kind="stable"), ALIKE)
    return [(risk[group], came[group]) for group in groups]


def bands(one: Tested) -> dict[str, tuple[Alike, ...]]:
    """The same as data, to one decimal of a percent as the card tells it, with how far refits differ on each group."""
    matrix, found = one.cohort.matrix[one.held_out], {}
    own = margins(one.study.folds[0].booster, matrix)
    refits = np.stack([margins(_refit(one, number), matrix) for number in range(one.refits)])
    for target in one.titles:
        groups = alike(one.study, one.cohort, target, one.cohort.known[target] & one.spoken)
        risk, risks = (expit(one.study.final.calibration.log_odds(target, m)) for m in (own, refits))
        found[str(target)] = apart([_band(*group) for group in groups], risk, risks)
    return found


def _band(risk: Floats, came: Floats) -> Alike:
    low, high, share = (float(f"{100 * part:.1f}") for part in (risk.min(), risk.max(), came.mean()))
    return Alike(low, high, len(risk), share)


def apart(groups: Sequence[Alike], risk: Floats, risks: Floats) -> tuple[Alike, ...]:
    """Groups with how far refits differ on rows that none of them had seen: nine in ten rows differ less.

    risk: of such rows, by the model of the same fold, which tells their group. risks: by refits, (n_refits, n_rows).
    """
    shown, width = np.round(100 * risk, 1), 100 * (risks.max(axis=0) - risks.min(axis=0))
    place = np.searchsorted([group.high for group in groups], shown)
    place[shown < groups[0].low] = len(groups)
    each = [width[place == number] for number in range(len(groups))]
    ninth = [float(f"{np.percentile(rows, 90):.1f}") if len(rows) >= FEWEST else None for rows in each]
    return tuple(msgspec.structs.replace(group, apart=found) for group, found in zip(groups, ninth, strict=True))


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
    table, to = xgboost.DMatrix(matrix, nthread=1), words.to_groups([i.group or i.id for i in one.inputs])

    def top(booster: xgboost.Booster) -> NDArray[np.int64]:
        return words.reasons(np.asarray(booster.predict(table, pred_contribs=True), dtype=np.float64)[:, :-1] @ to)

    return words.kept(top(one.study.folds[0].booster), [top(booster) for booster in refits])


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
