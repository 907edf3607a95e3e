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
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from cds_service.risk.fusion import subsets
from cds_service.training import censoring
from cds_service.training.progress import Step, bar

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
Matrix = NDArray[np.float32]
Parameters = Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Patients:
    """Rows with inputs and follow-up.

    matrix: shape (n, n_inputs). months: > 0. came: outcome -> whether follow-up ended with it, widest outcome first;
    the first is any death, and whoever has none of them was lost or is alive.
    """

    matrix: Matrix
    months: Floats
    came: Mapping[str, Flags]

    @property
    def ended(self) -> Flags:
        """Whether follow-up ended with any death."""
        return next(iter(self.came.values()))

    def __len__(self) -> int:
        return len(self.months)


@dataclass(frozen=True, slots=True)
class Kind:
    """A modality: the columns of its model, which of them make it present, and how many of these must be measured.

    monotone: for each column, 1 if more may only raise the risk, -1 only lower it. linear: a ridge Cox regression
    instead of trees, for embeddings. sets: of a linear kind with more columns than patients can teach, sets of columns
    known beforehand, each with its sign; they weigh the same and nothing of them is learnt but their scale.
    logarithm: of one plus the size, with the sign, in place of the columns.
    """

    id: str
    columns: Sequence[int]
    own: Sequence[int]
    minimum: int
    monotone: Sequence[int]
    linear: bool = False
    sets: Sequence[tuple[Sequence[int], int]] = ()
    logarithm: bool = False

    def there(self, matrix: Matrix) -> Flags:
        """The rows in which enough of it is measured."""
        return np.asarray((~np.isnan(matrix[:, list(self.own)])).sum(axis=1) >= self.minimum)


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is done. horizons in years, ascending. start: parameters tried first; space: as in `study.Plan`.

    alone: modalities that speak alone wherever they are there, because they see what the others see.
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


@dataclass(frozen=True, slots=True)
class Line:
    """A linear model: weights of standardised columns."""

    mean: Floats
    scale: Floats
    weight: Floats
    logarithm: bool = False

    def parts(self, matrix: Matrix) -> Floats:
        """What each column adds to each row's margin; one that is not measured adds nothing."""
        given = tamed(matrix) if self.logarithm else matrix
        return np.asarray(np.nan_to_num((given - self.mean) / self.scale) * self.weight, dtype=np.float64)

    def margins(self, matrix: Matrix) -> Floats:
        """One margin a row; a column that is not measured counts as the average, which no answer is given on."""
        return np.asarray(self.parts(matrix).sum(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Part:
    """One modality and outcome: a model of its margin, and log-odds = intercept + slope x margin."""

    model: xgboost.Booster | Line
    intercept: float
    slope: float

    def log_odds(self, matrix: Matrix) -> Floats:
        """Log-odds at the longest horizon from the modality alone."""
        return self.intercept + self.slope * margins(self.model, matrix)


@dataclass(frozen=True, slots=True)
class Combiner:
    """One pattern and outcome. weights: by modality. intercepts: by horizon. people: that it was fitted on."""

    weights: Mapping[str, float]
    intercepts: Mapping[int, float]
    people: int


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused model as it was trained."""

    kinds: Sequence[Kind]
    parts: Mapping[tuple[str, str], Part]
    combiners: Mapping[tuple[str, tuple[str, ...]], Combiner]
    parameters: Parameters

    def log_odds(self, matrix: Matrix, outcome: str, horizon: int, pattern: tuple[str, ...]) -> Floats:
        """Log-odds with one pattern, whatever is measured."""
        combiner = self.combiners[outcome, pattern]
        total = np.full(len(matrix), combiner.intercepts[horizon])
        for kind in self.kinds:
            if kind.id in pattern:
                total += combiner.weights[kind.id] * self.parts[outcome, kind.id].log_odds(
                    matrix[:, list(kind.columns)]
                )
        return total


@dataclass(frozen=True, slots=True)
class Fusing:
    """A nested cross-validation: `fold` of each row, the model that did not see it, and the model of all rows."""

    fold: Indices
    folds: tuple[Fused, ...]
    final: Fused

    def log_odds(self, matrix: Matrix, outcome: str, horizon: int, pattern: tuple[str, ...]) -> Floats:
        """Log-odds of each row from the model that was not trained on it."""
        result = np.empty(len(matrix))
        for number, model in enumerate(self.folds):
            rows = self.fold == number
            result[rows] = model.log_odds(matrix[rows], outcome, horizon, pattern)
        return result


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
    """Tuning (unless parameters are given), calibrations, combiners and refit, all on some rows."""
    parameters = given if given is not None else _tuned(patients, rows, plan, step, name)
    held_out = _held_out(patients, rows, plan, parameters, plan.calibration)
    parts, combiners = {}, {}
    for outcome in patients.came:
        seen = _Seen.of(patients, rows, outcome, plan.horizons)
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
        return _line(np.asarray(matrix, dtype=np.float64), months, came[rows], kind)
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


def margins(model: xgboost.Booster | Line, matrix: Matrix) -> Floats:
    """A model's margin of each row: for trees the logarithm of the time to the outcome, so that less is worse."""
    if isinstance(model, Line):
        return model.margins(matrix)
    return np.asarray(model.predict(xgboost.DMatrix(matrix, nthread=1), output_margin=True), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of an outcome among some rows: for each horizon whether it came, and the weight of each row."""

    happened: Sequence[Floats]
    weight: Sequence[Floats]

    @classmethod
    def of(cls, patients: Patients, rows: Indices, outcome: str, horizons: Sequence[int]) -> _Seen:
        months, came, ended = patients.months[rows], patients.came[outcome][rows], patients.ended[rows]
        return cls(
            [np.asarray(came & (months <= 12 * h), dtype=np.float64) for h in horizons],
            [censoring.weights(months, ended, 12 * h) for h in horizons],
        )

    def directed(self, margin: Floats, there: Flags, sign: float) -> tuple[list[float], float]:
        """Intercepts and slope of a margin whose direction is known.

        Where out-of-fold margins are noise, the fitted slope may point the wrong way and would turn the model over:
        then it is next to flat instead.
        """
        intercepts, (slope,) = self.fit([margin], there)
        if sign * slope > 0.0:
            return intercepts, slope
        slope = sign * 0.1 / max(float(margin[there].std()), 1e-9)
        level, _ = self.fit([np.zeros(len(margin))], there)
        return [a - slope * float(margin[there].mean()) for a in level], slope

    def fit(self, columns: Sequence[Floats], there: Flags) -> tuple[list[float], list[float]]:
        """Intercepts of the horizons and common slopes of the columns, over all horizons together."""
        blocks, n = [], len(self.happened)
        shown = np.column_stack([column[there] for column in columns])
        mean, scale = shown.mean(axis=0), np.maximum(shown.std(axis=0), 1e-9)
        for position in range(n):
            marks = np.zeros((len(shown), n))
            marks[:, position] = 1.0
            blocks.append(np.column_stack([marks, (shown - mean) / scale]))
        outcomes, weight = (np.concatenate([x[there] for x in xs]) for xs in (self.happened, self.weight))
        found = censoring.fit(np.vstack(blocks), outcomes, weight)
        slopes = found[n:] / scale
        return (found[:n] - float(slopes @ mean)).tolist(), slopes.tolist()


def _combined(
    patients: Patients, rows: Indices, plan: Plan, outcome: str, apart: Mapping[str, Floats], pattern: tuple[str, ...]
) -> Combiner:
    """The combiner of one pattern: weights by a Cox regression over all follow-up, slope and intercepts by horizon."""
    seen = _Seen.of(patients, rows, outcome, plan.horizons)
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
    intercepts, slope = seen.directed(together, there, 1.0)
    fused = dict(zip(pattern, (slope * weights).tolist(), strict=True))
    return Combiner(fused, dict(zip(plan.horizons, intercepts, strict=True)), int(there.sum()))


def _held_out(
    patients: Patients, rows: Indices, plan: Plan, parameters: Parameters, folds: int
) -> dict[tuple[str, str], Floats]:
    """Out-of-fold margins by outcome and modality, in the order of the rows."""
    found = {(outcome, kind.id): np.zeros(len(rows)) for outcome in patients.came for kind in plan.kinds}
    place = {row: position for position, row in enumerate(rows.tolist())}
    for inner, test in _folds(patients, rows, folds, plan.seed + 1):
        at = [place[row] for row in test.tolist()]
        for outcome in patients.came:
            for kind in plan.kinds:
                shown = inner[kind.there(patients.matrix[inner])]
                model = train(patients, shown, outcome, kind, plan, parameters)
                found[outcome, kind.id][at] = margins(model, patients.matrix[test][:, np.array(kind.columns)])
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
    strata = sum(np.asarray(came[rows], dtype=np.int64) for came in patients.came.values())
    pairs = StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, strata)
    return [(rows[a], rows[b]) for a, b in pairs]


def _line(matrix: Floats, months: Floats, came: Flags, kind: Kind, ridge: float = 20.0) -> Line:
    """A ridge Cox regression of standardised columns; or the sum of sets of them, each the mean of its columns."""
    given = tamed(matrix) if kind.logarithm else matrix
    mean, scale = np.nanmean(given, axis=0), np.maximum(np.nanstd(given, axis=0), 1e-6)
    z = np.nan_to_num((given - mean) / scale)
    if not kind.sets:
        return Line(mean, scale, cox(z, months, came, ridge), kind.logarithm)
    weight = np.zeros(z.shape[1])
    for columns, sign in kind.sets:
        members = list(columns)
        spread = max(float(z[:, members].mean(axis=1).std()), 1e-6)
        weight[members] += sign / (len(members) * spread)
    return Line(mean, scale, weight, kind.logarithm)


def tamed(matrix: Floats | Matrix) -> Floats:
    """The logarithm of one plus the size, with the sign: heavy tails become short."""
    return np.asarray(np.sign(matrix) * np.log1p(np.abs(matrix)), dtype=np.float64)


def cox(matrix: Floats, months: Floats, came: Flags, ridge: float) -> Floats:
    """Coefficients of a Cox regression with a ridge penalty (ties after Breslow)."""
    order = np.argsort(-months, kind="stable")
    z, event = matrix[order], np.asarray(came[order], dtype=np.float64)
    found = np.zeros(z.shape[1])
    for _ in range(50):
        line = z @ found
        w = np.exp(line - line.max())
        risk = np.cumsum(w)
        mean = np.cumsum(w[:, None] * z, axis=0) / risk[:, None]
        gradient = (event[:, None] * (z - mean)).sum(axis=0) - ridge * found
        later = np.cumsum((event / risk)[::-1])[::-1]
        curvature = (z * (w * later)[:, None]).T @ z - (mean * event[:, None]).T @ mean + ridge * np.eye(len(found))
        step = np.linalg.solve(curvature, gradient)
        found = found + step
        if np.max(np.abs(step)) < 1e-8:
            break
    return found
