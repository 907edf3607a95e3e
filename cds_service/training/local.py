"""A hospital's own outcomes: what a recipe reads from a table, and a new version of a model calibrated on it.

Weights stay; slope and intercepts, or intercepts alone, are fitted anew. The new version lies beside the old one and
is silent until it is signed off itself.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest
from cds_service.risk import manifest as manifests
from cds_service.risk.calibration import Calibration, Observed, Reach, Target, in_the_large, refit
from cds_service.risk.fused import FusedModel
from cds_service.risk.loading import crossing
from cds_service.risk.manifest import Input, Manifest
from cds_service.risk.trained import TrainedModel
from cds_service.training import likeness
from cds_service.training.evaluation import FEWEST, Judge, log_loss, markdown, two
from cds_service.training.hazard import Floats

Method = Literal["intercept", "slope-and-intercept"]
Rows = NDArray[np.bool_]
Patients = NDArray[np.int64]
_FOLDS = 5
FEWEST_IN_PART = 5  # outcomes, and people without one, in four fifths of the rows: only to judge the calibration
_ONE_SLOPE = (
    "With a slope for each horizon, as before, the risk of a longer one would fall below that of a shorter one for "
    "some patients: so all horizons share one slope.\n\n"
)
KEPT = ("model.py", "card.md", "attributes.json", "beeswarm.svg", "calibration.svg")


@dataclass(frozen=True, slots=True)
class Local:
    """Rows with outcomes. came: target -> (of whom it is known, 1 or 0 for each row). spoken: for whom it speaks.

    patients: of each row a number of its patient; None where everyone is there once, or nobody can tell.
    """

    matrix: NDArray[np.float32]
    came: Mapping[Target, tuple[Rows, Floats]]
    spoken: Rows
    patients: Patients | None = None


def caution(seen: Sequence[Input], learnt: Sequence[Input], recalibrates: str | None) -> str:
    """What a report says of whether its rows were trained on. seen, learnt: inputs as the table and the model had them.

    recalibrates: as in the manifest. Rows of which every input has the same distribution to the last digit are the
    training rows.
    """
    if [one.training for one in seen] == [one.training for one in learnt]:
        return (
            "**These are the rows that the model was trained on: the figures flatter it and say nothing of other "
            "patients.** Those of rows that it had not seen stand in its card."
        )
    if recalibrates is not None:
        return (
            "This version was calibrated on the site's own rows: the figures hold if none of these rows was among "
            "those, nor among those that the model was trained on. What it does on its own rows stands, cross-fitted, "
            "in its recalibration.md."
        )
    return "The figures hold if none of these rows was among those that the model was trained on."


def recalibrated(model: TrainedModel, local: Local, method: Method, fewest: int = FEWEST) -> Manifest:
    """The manifest with a calibration fitted on some rows, all else as it was.

    fewest: outcomes, and people without one, that are needed.
    Raises BadRequest if an outcome came to too few or too many, or the data turn the order of risks round.
    """
    own = {part.outcome: part for part in model.narrower}
    margins = model.margin.of_rows(local.matrix)
    observed = {
        target: Observed(margins[known & local.spoken], came[known & local.spoken])
        for target, (known, came) in local.came.items()
        if target not in own
    }
    reach = model.margin.reach() if model.calibration.slopes else None
    main = _fitted(model.calibration, observed, method, fewest, reach)
    if (fault := crossing(main, model.margin)) is not None:
        raise BadRequest(f"with these outcomes, {fault}; use --method slope-and-intercept, or more patients")
    calibration = msgspec.structs.replace(
        model.manifest.calibration,
        slope=main.slope,
        intercepts={str(target): main.intercepts[target] for target in main.horizons},
        slopes={str(target): slope for target, slope in main.slopes.items()},
        rows="this hospital's own patients",
    )
    narrower = {}
    for outcome, part in own.items():
        known, came = local.came[outcome]
        rows = known & local.spoken
        seen = {outcome: Observed(part.margin.of_rows(local.matrix)[rows], came[rows])}
        found = _fitted(part.calibration, dict(seen.items()), method, fewest)
        declared = model.manifest.narrower[outcome]
        narrower[outcome] = msgspec.structs.replace(declared, slope=found.slope, intercept=found.intercepts[outcome])
    return msgspec.structs.replace(model.manifest, calibration=calibration, narrower=narrower)


def write(model: TrainedModel, data: Path, local: Local, method: Method, out: Path) -> Path:
    """The folder of the new version, inside `out`: declaration, weights, manifest, card and the report on both.

    What came of like estimates stays behind: those of the old calibration are no longer like.
    """
    fresh = msgspec.structs.replace(recalibrated(model, local, method), **named(model, data, method))
    folder = out / model.id
    if folder.exists():
        raise BadRequest(f"{folder}: exists already; name another folder with --out")
    both = report(model, fresh, local, method)
    folder.mkdir(parents=True)
    weights = [model.manifest.weights, *(own.weights for own in model.manifest.narrower.values())]
    for name in (*KEPT, *weights):
        if (model.folder / name).is_file():
            shutil.copyfile(model.folder / name, folder / name)
    like = None if model.like is None else likeness.write(folder, msgspec.structs.replace(model.like, similar={}))
    manifests.write(msgspec.structs.replace(fresh, likeness=like), folder / "manifest.json")
    (folder / "recalibration.md").write_text(both, encoding="utf-8")
    return folder


def named(model: TrainedModel | FusedModel, data: Path, method: Method) -> dict[str, str]:
    """What a manifest says of a version calibrated here: its name, and the version whose weights these are.

    The name tells apart what was calibrated, on which table and how; a site's version that is calibrated again is
    another version of the same weights.
    """
    origin = model.manifest.recalibrates or model.version
    digest = hashlib.sha256(f"{model.version} {method} ".encode() + data.read_bytes()).hexdigest()
    return {"version": f"{origin}+local.{digest[:8]}", "recalibrates": origin}


def report(model: TrainedModel, fresh: Manifest, local: Local, method: Method) -> str:
    """Before and after, on the rows for which the model speaks; "after" is cross-fitted, so as not to be flattered."""
    before, after = model.rows.log_odds(local.matrix), _cross_fitted(model, local, method)
    rows: list[tuple[object, ...]] = []
    worse = []
    for target, (known, came) in local.came.items():
        use = known & local.spoken
        if log_loss(after[target][use], came[use]) >= log_loss(before[target][use], came[use]):
            worse.append(_named(target))
        judge = Judge(came, 0, patients=local.patients)
        for words, log_odds in (("as it was", before[target]), ("recalibrated", after[target])):
            judged = judge(log_odds, use)
            if judged is not None:
                rows.append((f"{_named(target)}, {words}", judged.people, judged.outcomes, judged.auroc,
                             two(judged.slope), two(judged.large), two(judged.ratio), f"{judged.ici:.3f}"))  # fmt: skip
    header = ("", "people", "outcomes", "AUROC", "slope", "in the large", "observed / expected", "ICI")
    return (
        f"# {model.manifest.title}: {model.version} and {fresh.version}\n\n"
        f"Method: {method.replace('-', ' ')}. The weights are the same. Figures of the new version come from a "
        f"{cross_fit(local.patients)}; the new calibration itself rests on all rows.\n\n{markdown(header, rows)}\n\n"
        f"{no_better(worse, method)}"
        f"{_ONE_SLOPE if model.calibration.slopes and not fresh.calibration.slopes else ''}"
        f"The new version is silent until it is signed off: `curbside models sign-off {model.id}`.\n"
    )


def too_few(outcome: str, events: int, people: int, fewest: int) -> str:
    """Why rows cannot calibrate an outcome. fewest: how many with and without it are needed."""
    if fewest == FEWEST:
        return (
            f"{outcome}: {events} of {people} patients had it; at least {FEWEST} with and {FEWEST} without are needed "
            "to calibrate"
        )
    return (
        f"{outcome}: those who had it, or had not, are too few patients to judge the new calibration on others than "
        "it was fitted on; give more patients"
    )


def no_better(outcomes: Sequence[str], method: Method) -> str:
    """What a report says of outcomes whose new calibration did no better than the old; nothing if there are none."""
    if not outcomes:
        return ""
    fewer = "" if method == "intercept" else " An intercept alone (`--method intercept`) needs fewer of them."
    return (
        f"**On patients that it was not fitted on, the new calibration is no better than the old one (by the log "
        f"loss): {', '.join(outcomes)}.** Keep the old version, or give more patients.{fewer}\n\n"
    )


def cross_fit(patients: Patients | None) -> str:
    """How rows were parted, in words."""
    together = " that keeps the rows of a patient together" if patients is not None else ""
    return f"{_FOLDS}-fold cross-fit{together}"


def folds(rows: int, patients: Patients | None) -> NDArray[np.int64]:
    """The fold of each row; those of one patient are in one, so that nobody is judged by what was fitted on him."""
    if patients is None:
        return np.random.default_rng(0).permutation(np.arange(rows) % _FOLDS)
    people, place = np.unique(patients, return_inverse=True)
    return folds(len(people), None)[place]


def _cross_fitted(model: TrainedModel, local: Local, method: Method) -> dict[Target, Floats]:
    fold = folds(len(local.matrix), local.patients)
    found = {target: np.empty(len(local.matrix)) for target in local.came}
    for number in np.unique(fold):
        rest, here = fold != number, fold == number
        part = Local(
            local.matrix[rest],
            {target: (known[rest], came[rest]) for target, (known, came) in local.came.items()},
            local.spoken[rest],
        )
        moved = model.with_manifest(recalibrated(model, part, method, FEWEST_IN_PART))
        for target, log_odds in moved.rows.log_odds(local.matrix[here]).items():
            found[target][here] = log_odds
    return found


def _fitted(
    known: Calibration,
    observed: Mapping[Target, Observed],
    method: Method,
    fewest: int,
    reach: Reach | None = None,
) -> Calibration:
    for target, seen in observed.items():
        events = int(np.sum(seen.outcomes))
        if min(events, len(seen.outcomes) - events) < fewest:
            raise BadRequest(too_few(_named(target), events, len(seen.outcomes), fewest))
    try:
        if method == "slope-and-intercept":
            return refit(known, observed, reach)
        shifted = {
            target: known.intercepts[target] + in_the_large(known.log_odds(target, seen.margins), seen.outcomes)
            for target, seen in observed.items()
        }
        return Calibration(known.slope, shifted, known.slopes)
    except ValueError as error:
        raise BadRequest(f"these outcomes cannot calibrate the model: {error}") from error


def _named(target: Target) -> str:
    return f"within {target} years" if isinstance(target, int) else target.replace("_", " ")
