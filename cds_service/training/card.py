"""A model card after the items of TRIPOD+AI (Collins 2024, doi:10.1136/bmj-2023-078378), written by the recipe.

All figures come from rows that the model judged had not seen: an outer fold's rows from the model of the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xgboost

from cds_service.risk.fusion import Fusion
from cds_service.risk.manifest import Calibrated, Input, Manifest
from cds_service.training import figures, plots, rivals, steadiness
from cds_service.training.evaluation import calibration_points, markdown
from cds_service.training.evidence import Evidence, Explained
from cds_service.training.hazard import Floats, Matrix
from cds_service.training.masking import Dropout
from cds_service.training.steadiness import Tested

SHOWN_INPUTS = 14
SWARM = 1200


WORDS = ("Intended use", "Not for", "Data", "Method", "What we found in the data", "Limits", "Licence")


NET_BENEFIT = figures.NET_BENEFIT
GAP = "\n\n"


def read_words(path: Path) -> Mapping[str, str]:
    """What only a person can say of a model: the sections of a Markdown file by heading.

    Raises ValueError if one of `WORDS` is missing.
    """
    parts = path.read_text(encoding="utf-8").split("\n## ")[1:]
    words = {title: text.strip() for title, _, text in (part.partition("\n") for part in parts)}
    missing = [title for title in WORDS if not words.get(title)]
    if missing:
        raise ValueError(f"{path}: a model card needs the sections {', '.join(missing)}")
    return words


def write(folder: Path, evidence: Evidence, words: Mapping[str, str]) -> None:
    """`card.md`, `calibration.svg` and `beeswarm.svg` in a model's folder."""
    ours = {h: evidence.study.log_odds(evidence.cohort.matrix, h) for h in evidence.horizons}
    others = _rivals(evidence)
    sections = [
        head(evidence.manifest),
        f"## Intended use\n\n{words['Intended use']}\n\n**Not for:** {words['Not for']}",
        f"## Data\n\n{words['Data']}\n\n{_population(evidence)}",
        f"## Inputs\n\n{inputs(evidence.manifest)}",
        f"## Method\n\n{words['Method']}\n\n{validation(evidence.manifest)}\n\n{_parameters(evidence)}",
        f"## Discrimination\n\n{figures.discrimination(evidence, ours, others)}",
        f"## Calibration\n\n{figures.calibration(evidence, ours)}",
        f"## Gain over age and sex\n\n{figures.gains(evidence, ours, others)}",
        f"## Subgroups\n\n{figures.subgroups(evidence, ours)}",
        f"## Missing inputs\n\n{figures.patterns(evidence)}",
        *steady(evidence.tested, evidence.dropout, evidence.patterns),
        f"## Net benefit\n\n{figures.net_benefit(evidence, ours, others)}",
        f"## What moves the estimates\n\n{drivers(evidence)}",
        f"## What we found in the data\n\n{words['What we found in the data']}",
        f"## Limits\n\n{words['Limits']}",
        f"## Licence and version\n\n{words['Licence']}\n\n{version(evidence.manifest)}",
    ]
    (folder / "card.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    plots.calibration(
        {
            f"{h} years": calibration_points(ours[h][rows], evidence.cohort.within(h)[rows])
            for h in evidence.horizons
            for rows in [evidence.cohort.known[h] & evidence.spoken]
        },
        folder / "calibration.svg",
    )
    swarm(evidence, folder / "beeswarm.svg")


def steady(tested: Sequence[Tested], dropout: Dropout, patterns: Mapping[str, frozenset[str]]) -> list[str]:
    """The sections on applicability, similar people, refits and plausible values."""
    return [
        f"## Applicability\n\n{steadiness.applicable(tested)}",
        f"## Similar people\n\n{steadiness.similar(tested)}",
        f"## Steadiness\n\n{steadiness.refitted(tested)}",
        f"## Plausible values\n\n{steadiness.plausible(tested, dropout, patterns)}",
    ]


def _rivals(evidence: Evidence) -> dict[str, dict[int, Floats]]:
    """Out-of-fold log-odds of the other models by name and horizon."""
    cohort, fold = evidence.cohort, evidence.study.fold
    ids = [declared.id for declared in evidence.manifest.inputs]
    age, sex = ids.index("age"), ids.index("sex")
    found: dict[str, dict[int, Floats]] = {}
    for h in evidence.horizons:
        found.setdefault("age and sex", {})[h] = rivals.age_and_sex(cohort, age, sex, h, fold)
        found.setdefault("logistic regression, same inputs", {})[h] = rivals.logistic(cohort, cohort.matrix, h, fold)
        found.setdefault("XGBoost classifier of each horizon, same inputs", {})[h] = rivals.boosted(
            cohort, cohort.matrix, h, fold, evidence.seed
        )
        found.setdefault("ceiling: XGBoost on all columns that do not leak", {})[h] = rivals.boosted(
            cohort, evidence.ceiling, h, fold, evidence.seed
        )
    return found


def head(manifest: Manifest | Fusion) -> str:
    """The title and what holds for every figure."""
    done = "trained, tuned or calibrated" if tuned(manifest) else "trained or calibrated"
    return (
        f"# {manifest.title}\n\n"
        f"Model `{manifest.id}`, version {manifest.version}. "
        f"This card is written by `train.py`; do not edit it.\n"
        f"Every figure of how well it does comes from people whom the model in question was not {done} on; brackets "
        f"hold 95 % intervals."
    )


def tuned(manifest: Manifest | Fusion) -> bool:
    """Whether the recipe searched for parameters: one trial is the parameters that it starts with."""
    return int(manifest.training["trials"]) > 1


def validation(manifest: Manifest) -> str:
    """What the cross-validation repeated in every fold, and where the parameters come from."""
    trials, inner = manifest.training["trials"], manifest.training["inner_folds"]
    if tuned(manifest):
        return (
            f"Nested cross-validation: for every outer fold, parameters are tuned (Optuna, TPE, {trials} trials) and "
            f"the calibration is fitted by an inner cross-validation ({inner} folds) of the other folds alone; the "
            f"final model repeats the same steps on all rows."
        )
    held_out = manifest.training.get("inner_held_out")
    final = "the final model repeats the same steps on all rows"
    if held_out is not None or manifest.training.get("from_outer"):
        final = "that of the final model on the margins of the outer folds' models, each for the rows it had not seen"
    inner = f"{inner} folds" if held_out is None else f"{inner} folds, of which {held_out} are held out in turn"
    return (
        f"Nested cross-validation: for every outer fold, the calibration is fitted by an inner cross-validation "
        f"({inner}) of the other folds alone; {final}.\n"
        f"Nothing is tuned within the folds: the parameters were chosen beforehand, in comparisons on these same rows."
    )


def _population(evidence: Evidence) -> str:
    rows = []
    for h in evidence.horizons:
        known, died = evidence.cohort.known[h], evidence.cohort.within(h)
        spoken = known & evidence.spoken
        rows.append(
            (f"death within {h} years", int(known.sum()), int(died[known].sum()), int(spoken.sum()),
             int(died[spoken].sum()))
        )  # fmt: skip
    low, high = evidence.manifest.speaks.age
    return markdown(("outcome", "people", "deaths", f"aged {low}–{high}", f"deaths at {low}–{high}"), rows)


def inputs(manifest: Manifest) -> str:
    """The inputs as a table, and for whom the model speaks."""
    speaks = manifest.speaks
    return (
        f"{inputs_table(manifest.inputs)}\n\nThe model speaks for ages {speaks.age[0]} to {speaks.age[1]}. "
        f"It needs {', '.join(speaks.required)} and at least {speaks.minimum} measurements. "
        f"What is not measured stays missing: nothing is imputed."
    )


def inputs_table(declared: Sequence[Input]) -> str:
    """The inputs with unit, codes, source column, constraint and distribution in the training population."""
    arrow = {1: "up only", -1: "down only", 0: ""}
    rows = []
    for one in declared:
        learnt = one.training
        source = "derived" if one.column is None else f"`{one.column.name}`"
        rows.append(
            (one.label, one.unit or "–", ", ".join(one.codes) or "–", source, arrow[one.monotone],
             f"{learnt.p50:.4g}", f"{learnt.p01:.4g} to {learnt.p99:.4g}", learnt.measured)
        )  # fmt: skip
    return markdown(
        ("input", "unit", "LOINC", "source column", "constraint", "median", "1st to 99th percentile", "measured in"),
        rows,
    )


def _parameters(evidence: Evidence) -> str:
    manifest = evidence.manifest
    chosen = ", ".join(f"{name} {value}" for name, value in manifest.training.items())
    lines = stated(manifest.calibration, {h: f"at {h} years" for h in manifest.calibration.intercepts})
    return f"Final model: {chosen}. Calibration: {lines}."


def stated(calibration: Calibrated, words: Mapping[str, str]) -> str:
    """Slope and intercepts, and what they were fitted on. words: of what, by horizon or outcome."""
    slope = f"slope {calibration.slope:.4f}"
    if calibration.slopes:
        own = {h: calibration.slopes.get(h, calibration.slope) for h in calibration.intercepts}
        slope = "slopes " + ", ".join(f"{b:.4f} {words[h]}" for h, b in own.items())
    intercepts = ", ".join(f"{a:.4f} {words[h]}" for h, a in calibration.intercepts.items())
    return f"{slope}, intercepts {intercepts}; fitted on {calibration.rows}"


def drivers(evidence: Explained, outcome: str = "") -> str:
    """Mean absolute contribution of each input in the final model, with the beeswarm.

    outcome: in words, whose margin it is, where a model has several.
    """
    phi, _ = _contributions(evidence)
    size = np.abs(phi).mean(axis=0)
    order = np.argsort(-size, kind="stable")[:SHOWN_INPUTS]
    rows = [(evidence.manifest.inputs[i].label, f"{size[i]:.3f}") for i in order]
    which = " of the longest horizon" if evidence.manifest.calibration.slopes else ""
    return (
        f"{f'For {outcome}.{GAP}' if outcome else ''}{markdown(('input', 'mean size on the log-odds'), rows)}{GAP}"
        f"![Contributions of each input](beeswarm.svg){GAP}"
        f"Exact SHAP values on the calibrated log-odds{which}, of the final model for people it was trained on. "
        f"They describe the model, not causes."
    )


def _contributions(evidence: Explained) -> tuple[Floats, Matrix]:
    """Calibrated contributions in the final model for some of the people for whom it speaks."""
    people = np.flatnonzero(evidence.spoken)
    chosen = np.random.default_rng(evidence.seed).permutation(people)[:SWARM]
    matrix = evidence.matrix[np.sort(chosen)]
    rows = xgboost.DMatrix(matrix, nthread=1)
    phi = np.asarray(evidence.study.final.booster.predict(rows, pred_contribs=True), dtype=np.float64)[:, :-1]
    return phi * evidence.study.final.calibration.slope, matrix


def swarm(evidence: Explained, path: Path) -> None:
    """The beeswarm plot of the inputs that move the estimates most."""
    phi, matrix = _contributions(evidence)
    order = np.argsort(-np.abs(phi).mean(axis=0), kind="stable")[:SHOWN_INPUTS]
    names = [evidence.manifest.inputs[i].label for i in order]
    plots.beeswarm(phi[:, order], matrix[:, order], names, path)


def version(manifest: Manifest) -> str:
    """Libraries and digest."""
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    return f"Made with {libraries}. SHA-256 of the weights: `{manifest.sha256}`."
