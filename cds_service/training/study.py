"""A nested cross-validation: whatever is learnt, tuning and calibration included, never sees the rows it is judged on.

For each outer fold: parameters are tuned by an inner cross-validation of the other folds, the calibration is fitted on
its out-of-fold margins, the trees are refitted on all of them, and only then is the fold predicted.
One trial tunes nothing: the parameters are those that the recipe starts with.
The final weights repeat the same steps on all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
import xgboost
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from cds_service.explain.forest import Forest
from cds_service.risk.calibration import Calibration, Reach, T, Target
from cds_service.risk.calibration import fit as calibrate
from cds_service.training.hazard import Floats, Parameters, People, Recipe, fit, margins
from cds_service.training.metrics import Ranked
from cds_service.training.progress import Step, bar

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a study is done.

    start: parameters tried first. space: parameter -> (kind "int", "float" or "log", low, high).
    calibrated_on: the rows that the calibration is fitted on.
    held_out: of the inner folds, how many are held out in turn; 0: each of them. The more inner folds, the nearer the
    models that calibrate come in size to the one that is calibrated, and with it their margins in spread.
    from_outer: with one trial, the final calibration is fitted on the margins of the outer folds.
    own_slopes: each horizon is calibrated with a slope of its own, where its risk stays below that of a longer one for
    every margin that the trees can give.
    """

    recipe: Recipe
    start: Parameters
    space: Mapping[str, tuple[str, float, float]]
    calibrated_on: NDArray[np.bool_]
    trials: int
    outer: int = 5
    inner: int = 3
    seed: int = 0
    held_out: int = 0
    from_outer: bool = False
    own_slopes: bool = False

    @property
    def splits(self) -> int:
        """How many models a calibration takes."""
        return self.held_out or self.inner


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees with their calibration, and the parameters that tuning chose."""

    booster: xgboost.Booster
    calibration: Calibration
    parameters: Parameters


@dataclass(frozen=True, slots=True)
class Study:
    """What a nested cross-validation gives.

    fold: the outer fold of each row; folds: the model that did not see that fold's rows. final: from all rows.
    """

    fold: NDArray[np.int64]
    folds: tuple[Fitted, ...]
    final: Fitted

    def log_odds(self, matrix: NDArray[np.float32], horizon: Target, /) -> Floats:
        """Calibrated log-odds of each row from the model that was not trained on it.

        matrix: the cohort's, or the same rows with inputs hidden.
        """
        result = np.empty(len(matrix))
        for number, model in enumerate(self.folds):
            rows = self.fold == number
            result[rows] = model.calibration.log_odds(horizon, margins(model.booster, matrix[rows]))
        return result


def run(cohort: People[T], plan: Plan) -> Study:
    """The nested cross-validation and the final model."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    fold = np.empty(len(cohort), dtype=np.int64)
    models = []
    everyone = np.arange(len(cohort))
    splits = folds_of(cohort, everyone, plan.outer, plan.seed)
    refit = plan.from_outer and plan.trials <= 1
    steps = (plan.outer + 1) * (max(plan.trials, 1) * plan.splits + 1) - refit * plan.splits
    with bar(steps, "Cross-validation") as step:
        for number, (train, test) in enumerate(splits):
            fold[test] = number
            models.append(_model(cohort, train, plan, step, f"Fold {number + 1} of {plan.outer}"))
        if refit:
            final = _refit(cohort, fold, models, plan)
            step("Final model")
        else:
            final = _model(cohort, everyone, plan, step, "Final model")
    return Study(fold, tuple(models), final)


def _refit(cohort: People[T], fold: Indices, models: Sequence[Fitted], plan: Plan) -> Fitted:
    """The trees of all rows, calibrated on the margins of the models that had not seen a row."""
    held_out = np.empty(len(cohort))
    for number, model in enumerate(models):
        held_out[fold == number] = margins(model.booster, cohort.matrix[fold == number])
    parameters = models[0].parameters
    booster = fit(cohort, np.arange(len(cohort)), parameters, plan.recipe)
    calibration = calibrate(cohort.observed(held_out, plan.calibrated_on), _reach(booster, plan))
    return Fitted(booster, calibration, parameters)


def folds_of(cohort: People[T], rows: Indices, folds: int, seed: int) -> list[tuple[Indices, Indices]]:
    """Training and test rows of each fold; they keep the strata in equal shares and groups together."""
    strata = cohort.strata[rows]
    if cohort.groups is None:
        pairs = StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, strata)
    else:
        pairs = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(rows, strata, cohort.groups[rows])
    return [(rows[a], rows[b]) for a, b in pairs]


def _model(cohort: People[T], rows: Indices, plan: Plan, step: Step, name: str) -> Fitted:
    """Tuning, calibration on the best trial's out-of-fold margins, and refit, all on some rows."""
    folds = folds_of(cohort, rows, plan.inner, plan.seed + 1)[: plan.splits]
    best: tuple[float, Parameters, Floats] | None = None

    def objective(trial: optuna.Trial) -> float:
        nonlocal best
        for parameter, bounds in plan.space.items():
            _suggest(trial, parameter, *bounds)
        parameters = _parameters(plan, trial.params)
        held_out = np.full(len(cohort), np.nan)
        for train, test in folds:
            booster = fit(cohort, train, parameters, plan.recipe)
            held_out[test] = margins(booster, cohort.matrix[test])
            step(f"{name}: tuning")
        seen = rows[~np.isnan(held_out[rows])]
        score = _discrimination(cohort, seen, held_out[seen], plan.calibrated_on)
        if best is None or score > best[0]:
            best = score, parameters, held_out
        return score

    sampler = optuna.samplers.TPESampler(seed=plan.seed, n_startup_trials=5)
    search = optuna.create_study(direction="maximize", sampler=sampler)
    search.enqueue_trial({parameter: plan.start[parameter] for parameter in plan.space})
    search.optimize(objective, n_trials=max(plan.trials, 1))
    if best is None:
        raise ValueError("no trial of the tuning was completed")
    _, parameters, held_out = best
    booster = fit(cohort, rows, parameters, plan.recipe)
    observed = cohort.observed(held_out, plan.calibrated_on & ~np.isnan(held_out))
    calibration = calibrate(observed, _reach(booster, plan))
    step(name)
    return Fitted(booster, calibration, parameters)


def _reach(booster: xgboost.Booster, plan: Plan) -> Reach | None:
    """How far the margin of trees goes, if their horizons are to have slopes of their own."""
    forest = Forest.read(bytes(booster.save_raw("ubj"))) if plan.own_slopes else None
    return None if forest is None else forest.reach()


def _suggest(trial: optuna.Trial, name: str, kind: str, low: float, high: float) -> None:
    if kind == "int":
        trial.suggest_int(name, int(low), int(high))
    else:
        trial.suggest_float(name, low, high, log=kind == "log")


def _parameters(plan: Plan, tried: Mapping[str, float | int]) -> Parameters:
    """The start with what was tried, to four digits: what the manifest prints is what was used."""
    return {
        **plan.start,
        **{name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in tried.items()},
    }


def _discrimination(cohort: People[T], rows: Indices, scores: Floats, core: NDArray[np.bool_]) -> float:
    """AUROC averaged over horizons, over everyone and over the people for whom the model speaks."""
    values = []
    for horizon, known in cohort.known.items():
        outcomes = cohort.within(horizon)
        for use in (known[rows], known[rows] & core[rows]):
            values.append(Ranked(scores[use], outcomes[rows][use]).auroc())
    return float(np.mean(values))
