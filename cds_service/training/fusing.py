"""Late fusion, trained: a model a modality and outcome, its calibration, and a combiner for each pattern of modalities.

Everything that joins the parts learns from out-of-fold margins. Modality dropout in full: each patient enters the
combiner of every pattern whose modalities they have, as if the others were missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
import xgboost
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from cds_service.risk.fusion import subsets
from cds_service.training import censoring, linear
from cds_service.training.at_horizons import Happened
from cds_service.training.fused_model import Combiner, Fused, Fusing, Indices, Parameters, Part, margins
from cds_service.training.linear import Flags, Floats, Line, cox
from cds_service.training.modalities import Kind, Patients
from cds_service.training.progress import Step, bar


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is done. horizons in years, ascending. start: parameters tried first; space: as in `study.Plan`.

    alone: modalities that speak alone wherever they are there, because they see what the others see.
    by_horizon: whether each horizon has a slope of its own, where there are outcomes enough to tell.
    outer, inner, calibration: folds of the validation, of the tuning, and of the margins that parts are joined on.
    """

    kinds: Sequence[Kind]
    horizons: Sequence[int]
    start: Parameters
    space: Mapping[str, tuple[str, float, float]]
    rounds: int
    trials: int
    seed: int
    outer: int = 5
    inner: int = 3
    calibration: int = 5
    alone: frozenset[str] = frozenset()
    by_horizon: bool = False


def run(patients: Patients, plan: Plan) -> Fusing:
    """The nested cross-validation and the final model; the same rows and plan give the same bytes."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    fold, models, everyone = np.empty(len(patients), dtype=np.int64), [], np.arange(len(patients))
    with bar((plan.outer + 1) * (plan.trials + 1), "Cross-validation") as step:
        for number, (train, test) in enumerate(_folds(patients, everyone, plan.outer, plan.seed)):
            fold[test] = number
            models.append(fit(patients, train, plan, step, f"Fold {number + 1} of {plan.outer}"))
        final = fit(patients, everyone, plan, step, "Final model")
    return Fusing(fold, tuple(models), final)


def fit(patients: Patients, rows: Indices, plan: Plan, step: Step, name: str, given: Parameters | None = None) -> Fused:
    """Tuning (unless parameters are given), calibrations, combiners and refit, all on some rows.

    rows: may name a patient several times, as when patients are drawn with replacement.
    """
    parameters = given if given is not None else _tuned(patients, rows, plan, step, name)
    held_out = _held_out(patients, rows, plan, parameters, plan.calibration)
    parts, combiners = {}, {}
    for outcome in patients.came:
        seen = _seen(patients, rows, outcome, plan)
        apart: dict[str, Floats] = {}
        for kind in plan.kinds:
            margin, there = held_out[outcome, kind.id], kind.there(patients.matrix[rows])
            intercepts, slope = seen.directed(margin, there, 1.0 if kind.linear else -1.0)
            model = train(patients, rows[there], outcome, kind, plan, parameters)
            parts[outcome, kind.id] = Part(model, intercepts[-1], slope)
            apart[kind.id] = intercepts[-1] + slope * margin
        for pattern in subsets(apart):
            combiners[outcome, pattern] = _combined(patients, rows, plan, outcome, apart, pattern)
    step(name)
    return Fused(plan.kinds, parts, combiners, parameters)


def train(
    patients: Patients, rows: Indices, outcome: str, kind: Kind, plan: Plan, parameters: Parameters
) -> xgboost.Booster | Line:
    """The model of one modality: trees with the accelerated failure time objective, or a ridge Cox regression."""
    matrix, months = patients.matrix[rows][:, np.array(kind.columns)], patients.months[rows]
    came = patients.came[outcome]
    if kind.linear:
        return linear.line(np.asarray(matrix, dtype=np.float64), months, came[rows], kind.sets, kind.logarithm)
    table = xgboost.DMatrix(matrix, nthread=1)
    table.set_float_info("label_lower_bound", months)
    table.set_float_info("label_upper_bound", np.where(came[rows], months, np.inf))
    settings = {
        "objective": "survival:aft",
        "aft_loss_distribution": "logistic",
        "tree_method": "hist",
        "nthread": 1,
        "seed": plan.seed,
        "monotone_constraints": "(" + ",".join(str(-sign) for sign in kind.monotone) + ")",
        **parameters,
    }
    return xgboost.train(settings, table, plan.rounds)


def _seen(patients: Patients, rows: Indices, outcome: str, plan: Plan) -> Happened:
    return Happened.of(patients.months[rows], patients.came[outcome][rows], patients.ended[rows], plan.horizons)


def _combined(
    patients: Patients, rows: Indices, plan: Plan, outcome: str, apart: Mapping[str, Floats], pattern: tuple[str, ...]
) -> Combiner:
    """The combiner of one pattern: weights by a Cox regression over all follow-up, slope and intercepts by horizon."""
    seen = _seen(patients, rows, outcome, plan)
    there = np.all([kind.there(patients.matrix[rows]) for kind in plan.kinds if kind.id in pattern], axis=0)
    speaking = plan.alone & set(pattern) or set(pattern)
    columns = np.column_stack([apart[id_][there] * (id_ in speaking) for id_ in pattern])
    weights = cox(columns, patients.months[rows][there], patients.came[outcome][rows][there], 1e-3)
    while weights.min() < 0.0:  # a part that would count against itself counts nothing
        columns = np.where(weights > 0.0, columns, 0.0)
        weights = cox(columns, patients.months[rows][there], patients.came[outcome][rows][there], 1e-3)
    if len(pattern) == 1:
        weights = np.ones(1)
    together = np.zeros(len(rows))
    together[there] = columns @ weights
    intercepts, slopes = seen.lines(together, there, plan.by_horizon)
    fused = dict(zip(pattern, (slopes[-1] * weights).tolist(), strict=True))
    relative = {h: slope / slopes[-1] for h, slope in zip(plan.horizons, slopes, strict=True)}
    return Combiner(fused, dict(zip(plan.horizons, intercepts, strict=True)), int(there.sum()), relative)


def _held_out(
    patients: Patients, rows: Indices, plan: Plan, parameters: Parameters, folds: int
) -> dict[tuple[str, str], Floats]:
    """Out-of-fold margins by outcome and modality, in the order of the rows."""
    found = {(outcome, kind.id): np.zeros(len(rows)) for outcome in patients.came for kind in plan.kinds}
    for inner, test in _folds(patients, rows, folds, plan.seed + 1):
        others, those = rows[inner], patients.matrix[rows[test]]
        for outcome in patients.came:
            for kind in plan.kinds:
                shown = others[kind.there(patients.matrix[others])]
                model = train(patients, shown, outcome, kind, plan, parameters)
                found[outcome, kind.id][test] = margins(model, those[:, np.array(kind.columns)])
    return found


def _tuned(patients: Patients, rows: Indices, plan: Plan, step: Step, name: str) -> Parameters:
    """The parameters with the best concordance of all parts, out of fold."""
    best: tuple[float, Parameters] | None = None

    def objective(trial: optuna.Trial) -> float:
        nonlocal best
        for parameter, (kind, low, high) in plan.space.items():
            if kind == "int":
                trial.suggest_int(parameter, int(low), int(high))
            else:
                trial.suggest_float(parameter, low, high, log=kind == "log")
        rounded = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in trial.params.items()}
        parameters = {**plan.start, **rounded}
        found = _held_out(patients, rows, plan, parameters, plan.inner)
        months = patients.months[rows]
        score = float(np.mean([_ranked(months, patients.came[o][rows], m) for (o, _), m in found.items()]))
        if best is None or score > best[0]:
            best = score, parameters
        step(f"{name}: tuning")
        return score

    if not plan.space or plan.trials < 1:
        return plan.start
    search = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=plan.seed))
    search.enqueue_trial({parameter: plan.start[parameter] for parameter in plan.space})
    search.optimize(objective, n_trials=plan.trials)
    return best[1] if best is not None else plan.start


def _ranked(months: Floats, came: Flags, margin: Floats) -> float:
    """Concordance in whichever direction the margin runs."""
    found = censoring.concordance(months, came, margin)
    return max(found, 1.0 - found)


def _folds(patients: Patients, rows: Indices, folds: int, seed: int) -> list[tuple[Indices, Indices]]:
    """Positions among the rows, for training and test; a patient who is among them several times is in one fold."""
    strata = sum(np.asarray(came[rows], dtype=np.int64) for came in patients.came.values())
    if len(np.unique(rows)) == len(rows):
        return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, strata))
    return list(StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(rows, strata, rows))
