"""A hospital's own outcomes for fused and imported models: reports, and a new version calibrated on them.

Weights stay. Of each outcome, log-odds become intercept(horizon) + slope x what they were, for every pattern of
modalities alike. Follow-up that ends early is accounted for by inverse probability of censoring weights.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest
from cds_service.risk import fusion
from cds_service.risk import table as tables
from cds_service.risk.calibration import expit
from cds_service.risk.declared import DECLARATION, PATIENT
from cds_service.risk.fused import FusedModel
from cds_service.risk.fused_rows import FusedRows
from cds_service.risk.fusion import Fusion, Pattern
from cds_service.risk.likeness import FILE
from cds_service.risk.manifest import Column, Input, Learnt
from cds_service.training import censoring, local
from cds_service.training.evaluation import FEWEST, Judge, check_enough, local_table, log_loss, markdown, two
from cds_service.training.hazard import Floats
from cds_service.training.local import FEWEST_IN_PART, KEPT, Method, named
from cds_service.training.modalities import Patients

Flags = NDArray[np.bool_]
Key = tuple[str, int]  # outcome, horizon in years
_NOTHING = Learnt(0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows with outcomes. came: outcome, horizon -> (1 or 0, its weight) of each row. spoken: for whom it speaks.

    patients: as in `local.Local`.
    """

    matrix: NDArray[np.float32]
    came: Mapping[Key, tuple[Floats, Floats]]
    spoken: Flags
    patients: local.Patients | None = None

    def part(self, rows: Flags) -> Seen:
        """Some of the rows."""
        came = {key: (happened[rows], weight[rows]) for key, (happened, weight) in self.came.items()}
        return Seen(self.matrix[rows], came, self.spoken[rows], None if self.patients is None else self.patients[rows])


def of_patients(patients: Patients, model: FusedModel) -> Seen:
    """What came to patients with follow-up, whose matrix is that of the model."""
    came = {}
    for outcome in model.manifest.outcomes:
        for horizon in model.manifest.horizons:
            happened = patients.came[outcome] & (patients.months <= 12 * horizon)
            weight = censoring.weights(patients.months, patients.ended, 12 * horizon)
            came[outcome, horizon] = (happened.astype(np.float64), weight)
    return Seen(patients.matrix, came, model.rows.speaks(patients.matrix))


def of_table(model: FusedModel, data: Path) -> Seen:
    """What came to the rows of a table with a column of 1 and 0 for each outcome, named as it.

    A column `patient` may tell which rows are of one patient. Raises FeatureMismatch or BadRequest as
    `risk.table.read` does.
    """
    declared = model.manifest
    if declared.horizons != (0,):
        raise BadRequest(f"{model.id}: has horizons and no recipe, so that nobody can tell which column holds them")
    marks = tuple(_mark(outcome) for outcome in declared.outcomes)
    unused = (*(name for name in declared.table.unused if name not in declared.outcomes), PATIENT)
    table = msgspec.structs.replace(declared.table, unused=unused)
    rows = tables.read(data, (*declared.inputs, *marks), table)
    matrix = tables.matrix(rows.values, declared.inputs, model.inputs)
    came = {}
    for outcome, mark in zip(declared.outcomes, marks, strict=True):
        column = np.array([np.nan if v is None else float(v) for v in rows.values[mark.id]], dtype=np.float64)
        came[outcome, 0] = (np.nan_to_num(column), np.asarray(~np.isnan(column), dtype=np.float64))
    return Seen(matrix, came, model.rows.speaks(matrix), tables.groups(data, PATIENT))


def evaluation(model: FusedModel, seen: Seen, name: str) -> str:
    """A report in Markdown of how a model without horizons does; name: of the table."""
    check_enough(name, {_named(key): happened[weight > 0] for key, (happened, weight) in seen.came.items()})
    log_odds = model.rows.log_odds(seen.matrix)
    blocks = [f"# {model.manifest.title}, version {model.version}, on {name}"]
    for (outcome, horizon), (happened, weight) in seen.came.items():
        judge, known = Judge(happened, 0, patients=seen.patients), np.asarray(weight > 0)
        found = {"everyone": known, "for whom it speaks": known & seen.spoken}
        table = local_table(judge, log_odds[outcome, horizon], found)
        blocks.append(f"## {outcome.replace('_', ' ').capitalize()}\n\n{table}")
    return "\n\n".join(blocks) + "\n"


def recalibrated(model: FusedModel, seen: Seen, method: Method, fewest: int = FEWEST) -> Fusion:
    """The manifest with patterns calibrated on the rows for which the model speaks, all else as it was.

    The observed rates of similar training patients go: they are those of the old estimates.
    Raises BadRequest if an outcome came to too few or too many, or the data turn the order of horizons round.
    """
    declared, before = model.manifest, model.rows.own_log_odds(seen.matrix)
    patterns: list[Pattern] = []
    for outcome in declared.outcomes:
        slope, moved = _fitted(outcome, declared.horizons, before, seen, method, fewest)
        for pattern in (p for p in declared.patterns if p.outcome == outcome):
            steps = {str(h): moved[h] + slope * pattern.intercepts[str(h)] for h in declared.horizons}
            if not all(a < b for a, b in pairwise(steps.values())):
                raise BadRequest(
                    f"{outcome}: these outcomes would make a longer horizon less likely than a shorter one"
                )
            weights = {id_: slope * weight for id_, weight in pattern.weights.items()}
            patterns.append(msgspec.structs.replace(pattern, intercepts=steps, weights=weights))
    return msgspec.structs.replace(declared, patterns=tuple(patterns), similar=())


def write(model: FusedModel, data: Path, seen: Seen, method: Method, out: Path) -> Path:
    """The folder of the new version, inside `out`: declaration, weights, manifest, card and the report on both."""
    fresh = msgspec.structs.replace(recalibrated(model, seen, method), **named(model, data, method))
    folder = out / model.id
    if folder.exists():
        raise BadRequest(f"{folder}: exists already; name another folder with --out")
    both = report(model, fresh, seen, method)
    folder.mkdir(parents=True)
    for name in (*KEPT, DECLARATION, FILE, *(part.weights for part in model.manifest.parts)):
        if (model.folder / name).is_file():
            shutil.copyfile(model.folder / name, folder / name)
    fusion.write(fresh, folder / "manifest.json")
    (folder / "recalibration.md").write_text(both, encoding="utf-8")
    return folder


def report(model: FusedModel, fresh: Fusion, seen: Seen, method: Method) -> str:
    """Before and after, on the rows for which the model speaks; "after" is cross-fitted, so as not to be flattered."""
    before, after = model.rows.log_odds(seen.matrix), _cross_fitted(model, seen, method)
    rows: list[tuple[object, ...]] = []
    worse = []
    for key, (happened, weight) in seen.came.items():
        keep = seen.spoken & (weight > 0)
        losses = [log_loss(line[key][keep], happened[keep], weight[keep]) for line in (before, after)]
        worse += [_named(key)] if losses[1] >= losses[0] else []
        for words, log_odds in (("as it was", before[key]), ("recalibrated", after[key])):
            among = None if seen.patients is None else seen.patients[keep]
            slope, large = censoring.calibration(log_odds[keep], happened[keep], weight[keep], groups=among)
            error = censoring.brier(expit(log_odds[keep]), happened[keep], weight[keep])
            rows.append((f"{_named(key)}, {words}", int(keep.sum()), int(happened[keep].sum()), two(slope),
                         two(large), f"{error:.3f}"))  # fmt: skip
    header = ("", "people", "outcomes", "slope", "in the large", "Brier")
    return (
        f"# {model.manifest.title}: {model.version} and {fresh.version}\n\n"
        f"Method: {method.replace('-', ' ')}. The weights are the same. Figures of the new version come from a "
        f"{local.cross_fit(seen.patients)}; the new calibration itself rests on all rows.\n\n"
        f"{markdown(header, rows)}\n\n"
        f"{local.no_better(worse, method)}"
        f"The new version is silent until it is signed off: `curbside models sign-off {model.id}`.\n"
    )


def _cross_fitted(model: FusedModel, seen: Seen, method: Method) -> dict[Key, Floats]:
    fold = local.folds(len(seen.matrix), seen.patients)
    found = {key: np.empty(len(seen.matrix)) for key in seen.came}
    for number in np.unique(fold):
        here = fold == number
        moved = recalibrated(model, seen.part(~here), method, FEWEST_IN_PART)
        rows = FusedRows(moved, model.inputs, tuple(gate for gate, _ in model.gates), model.scorers)
        for key, log_odds in rows.log_odds(seen.matrix[here]).items():
            found[key][here] = log_odds
    return found


def _fitted(
    outcome: str, horizons: tuple[int, ...], before: Mapping[Key, Floats], seen: Seen, method: Method, fewest: int
) -> tuple[float, dict[int, float]]:
    """One slope for all horizons of an outcome, and the intercept of each."""
    designs, outcomes, weights = [], [], []
    for position, horizon in enumerate(horizons):
        happened, weight = seen.came[outcome, horizon]
        keep = seen.spoken & (weight > 0)
        events = int(happened[keep].sum())
        if min(events, int(keep.sum()) - events) < fewest:
            raise BadRequest(local.too_few(_named((outcome, horizon)), events, int(keep.sum()), fewest))
        design = np.zeros((int(keep.sum()), len(horizons) + 1))
        design[:, position], design[:, -1] = 1.0, before[outcome, horizon][keep]
        designs.append(design)
        outcomes.append(happened[keep])
        weights.append(weight[keep])
    if method == "intercept":
        parts = zip(horizons, designs, outcomes, weights, strict=True)
        return 1.0, {h: censoring.slope_and_large(d[:, -1], y, w)[1] for h, d, y, w in parts}
    *intercepts, slope = censoring.fit(np.vstack(designs), np.concatenate(outcomes), np.concatenate(weights)).tolist()
    if slope <= 0:
        raise BadRequest(f"{outcome}: with these outcomes the model ranks the wrong way round; it cannot be calibrated")
    return float(slope), {h: float(a) for h, a in zip(horizons, intercepts, strict=True)}


def _mark(outcome: str) -> Input:
    """The column of an outcome, read as strictly as an input."""
    column = Column(outcome, "1", 1.0, (0, 1), numbers={"0": 0.0, "1": 1.0})
    return Input(f"outcome:{outcome}", outcome, "1", (), column, {}, False, None, 0, _NOTHING)


def _named(key: Key) -> str:
    outcome, horizon = key
    words = outcome.replace("_", " ")
    return f"{words} within {horizon} {'year' if horizon == 1 else 'years'}" if horizon else words
