"""The model card of a fused survival model, after the items of TRIPOD+AI (Collins 2024, doi:10.1136/bmj-2023-078378).

All figures come from rows that the model judged had not seen: an outer fold's rows from the model of the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xgboost

from cds_service.risk.calibration import expit
from cds_service.risk.fusion import Fusion, subsets
from cds_service.training import censoring, plots
from cds_service.training.card import inputs_table
from cds_service.training.evaluation import markdown
from cds_service.training.fused_evidence import Evidence
from cds_service.training.fusing import Patients
from cds_service.training.linear import Flags, Floats, Line
from cds_service.training.metrics import Interval, net_benefit_weighted

FEWEST = 20
LogOdds = Mapping[tuple[str, int], Floats]


def write(folder: Path, manifest: Fusion, evidence: Evidence, words: Mapping[str, str]) -> None:
    """`card.md`, `calibration.svg` and `beeswarm.svg` in a model's folder."""
    sections = [
        f"# {manifest.title}\n\nModel `{manifest.id}`, version {manifest.version}. "
        "This card is written by `train.py`; do not edit it.\nEvery figure comes from people whom the model in "
        "question was not trained, tuned or calibrated on; brackets hold 95 % intervals.",
        f"## Intended use\n\n{words['Intended use']}\n\n**Not for:** {words['Not for']}",
        f"## Data\n\n{words['Data']}\n\n{_population(manifest, evidence)}",
        f"## Inputs\n\n{inputs_table(manifest.inputs)}\n\n{_modalities(manifest)}",
        f"## Method\n\n{words['Method']}\n\n{_parameters(manifest)}",
        f"## Discrimination\n\n{_discrimination(evidence)}",
        f"## Calibration\n\n{_calibration(evidence)}\n\n![Calibration plot](calibration.svg)",
        f"## Missing modalities\n\n{_patterns(evidence)}",
        f"## Subgroups\n\n{_subgroups(evidence)}",
        f"## Net benefit\n\n{_net_benefit(evidence)}",
        f"## How much the model itself varies\n\n{_spread(evidence)}",
        f"## What moves the estimates\n\n{_drivers(manifest, evidence, folder)}",
        f"## What we found in the data\n\n{words['What we found in the data']}",
        f"## Limits\n\n{words['Limits']}",
        f"## Licence and version\n\n{words['Licence']}\n\n{_version(manifest)}",
    ]
    (folder / "card.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    plots.calibration(
        {f"{evidence.outcomes[o]}, {h} years": _points(evidence, o, h) for o, h in evidence.cases},
        folder / "calibration.svg",
    )


def judged(
    patients: Patients, outcome: str, horizons: Sequence[int], log_odds: LogOdds, parts: Mapping[str, Flags]
) -> str:
    """One line a part: concordance, and at each horizon Uno's C, IPCW Brier score, slope, calibration in the large."""
    rows: list[Sequence[object]] = []
    last = horizons[-1]
    for name, keep in parts.items():
        came = patients.came[outcome][keep]
        if came.sum() < FEWEST:
            rows.append((name, int(keep.sum()), f"fewer than {FEWEST}", *[""] * (1 + 4 * len(horizons))))
            continue
        months, ended = patients.months[keep], patients.ended[keep]
        c = censoring.concordance(months, came, log_odds[outcome, last][keep])
        cells: list[object] = [name, int(keep.sum()), int(came.sum()), f"{c:.3f}"]
        for h in horizons:
            cells += _at(months, came, ended, log_odds[outcome, h][keep], h)
        rows.append(cells)
    head = ["", "people", "with it", "C"]
    for h in horizons:
        head += [f"Uno's C, {h} y", f"Brier, {h} y", f"slope, {h} y", f"in the large, {h} y"]
    return markdown(head, rows)


def _at(months: Floats, came: Flags, ended: Flags, line: Floats, horizon: int) -> list[str]:
    weight = censoring.weights(months, ended, 12 * horizon)
    happened = np.asarray(came & (months <= 12 * horizon), dtype=np.float64)
    slope, large = censoring.slope_and_large(line, happened, weight)
    return [
        f"{censoring.uno(months, came, ended, line, 12 * horizon):.3f}",
        f"{censoring.brier(expit(line), happened, weight):.3f}",
        f"{slope:.2f}",
        f"{large:+.2f}",
    ]


def _population(manifest: Fusion, evidence: Evidence) -> str:
    rows = [(name, *counts.values()) for name, counts in manifest.population.horizons.items()]
    return (
        markdown(("outcome", "people", "with it", "lost to follow-up before"), rows)
        + f"\n\nThe model speaks for {int(evidence.spoken.sum())} of these: {evidence.who}."
    )


def _modalities(manifest: Fusion) -> str:
    lines = [
        f"- **{m.label}**: {', '.join(m.inputs)}; there if at least {m.minimum} of {', '.join(m.own)} are measured."
        for m in manifest.modalities
    ]
    low, high = manifest.speaks.age
    return (
        "\n".join(lines)
        + f"\n\nThe model speaks for ages {low} to {high} and needs {', '.join(manifest.speaks.required)} and one "
        "modality. What is not measured stays missing: nothing is imputed."
    )


def _parameters(manifest: Fusion) -> str:
    chosen = ", ".join(f"{name} {value}" for name, value in manifest.training.items())
    rows = [
        (f"{p.outcome}: {' + '.join(p.modalities)}", p.people,
         ", ".join(f"{id_} {w:.2f}" for id_, w in p.weights.items()),
         ", ".join(f"{a:.3f} at {h} y" for h, a in p.intercepts.items()),
         ", ".join(f"{b:.2f} at {h} y" for h, b in p.slopes.items()))
        for p in manifest.patterns
    ]  # fmt: skip
    return f"Final model: {chosen}.\n\n{markdown(('combiner', 'people', 'weights', 'intercepts', 'slopes'), rows)}"


def _discrimination(evidence: Evidence) -> str:
    blocks, p = [], evidence.patients
    last = evidence.plan.horizons[-1]
    for outcome, title in evidence.outcomes.items():
        everyone = np.ones(len(p), dtype=np.bool_)
        for who, keep in (("everyone", everyone), (evidence.who, evidence.spoken)):
            scores = {
                "this model": evidence.ours[outcome, last],
                **{n: by[outcome] for n, by in evidence.rivals.items()},
            }
            pairs = censoring.Pairs.of(p.months[keep], p.came[outcome][keep])
            agreeing = [pairs.agreeing(s[keep]) for s in scores.values()]
            draws = pairs.draws(agreeing, int(keep.sum()), evidence.plan.seed, evidence.replicates)
            rows = []
            for position, name in enumerate(scores):
                lead = "" if not position else _signed(_interval(draws[:, 0] - draws[:, position]))
                rows.append((name, _interval(draws[:, position]), lead))
            table = markdown(("", "C", "C of this model minus this"), rows)
            blocks.append(f"**{title.capitalize()}, {who}** ({int(keep.sum())} people)\n\n{table}")
    return (
        "Harrell's C over all follow-up, by the risk at the longest horizon; the folds' scores are pooled.\n\n"
        + "\n\n".join(blocks)
    )


def _calibration(evidence: Evidence) -> str:
    return _tables(evidence, evidence.ours, {"everyone": evidence.spoken | True, evidence.who: evidence.spoken})


def _subgroups(evidence: Evidence) -> str:
    return _tables(evidence, evidence.ours, {n: evidence.spoken & rows for n, rows in evidence.subgroups.items()})


def _tables(evidence: Evidence, log_odds: LogOdds, parts: Mapping[str, Flags]) -> str:
    return "\n\n".join(
        f"**{title.capitalize()}**\n\n{judged(evidence.patients, o, evidence.plan.horizons, log_odds, parts)}"
        for o, title in evidence.outcomes.items()
    )


def _patterns(evidence: Evidence) -> str:
    """The same rows with modalities taken away; each pattern has its own combiner."""
    blocks, p = [], evidence.patients
    complete = evidence.spoken & np.all([k.there(p.matrix) for k in evidence.plan.kinds], axis=0)
    for outcome, title in evidence.outcomes.items():
        lines = []
        for pattern in subsets(evidence.full):
            log_odds = {
                (outcome, h): evidence.fusing.log_odds(p.matrix, outcome, h, pattern) for h in evidence.plan.horizons
            }
            name = " + ".join(pattern)
            lines.append(judged(p, outcome, evidence.plan.horizons, log_odds, {name: complete}).split("\n"))
        table = "\n".join([*lines[0], *(rows[2] for rows in lines[1:])])
        blocks.append(f"**{title.capitalize()}**\n\n{table}")
    return (
        "The same patients, of whom every modality is known, each time; the line says what the model was shown.\n\n"
        + "\n\n".join(blocks)
    )


def _net_benefit(evidence: Evidence) -> str:
    rows, p, keep = [], evidence.patients, evidence.spoken
    for (outcome, horizon), thresholds in evidence.thresholds.items():
        weight = censoring.weights(p.months, p.ended, 12 * horizon)[keep]
        happened = np.asarray(p.came[outcome] & (p.months <= 12 * horizon), dtype=np.float64)[keep]
        risk = expit(evidence.ours[outcome, horizon][keep])
        for threshold in thresholds:
            mine, of_all = (net_benefit_weighted(r, happened, weight, threshold) for r in (risk, np.ones(len(risk))))
            rows.append(
                (f"{evidence.outcomes[outcome]} within {horizon} years, {100 * threshold:.0f} %",
                 f"{100 * np.mean(risk >= threshold):.1f} %", f"{mine:+.4f}", f"{of_all:+.4f}")
            )  # fmt: skip
    return markdown(("threshold", "at or above it", "net benefit", "net benefit if all counted as above"), rows)


def _spread(evidence: Evidence) -> str:
    """The range over refits, and how often a refit stands on the other side of a threshold."""
    risks, rows = evidence.spread(), []
    for (outcome, horizon), found in risks.items():
        keep = found[:, evidence.spoken]
        width = np.percentile(keep, 90, axis=0) - np.percentile(keep, 10, axis=0)
        cells = [f"{evidence.outcomes[outcome]} within {horizon} years", f"{100 * np.median(width):.1f} points"]
        mine = expit(evidence.ours[outcome, horizon][evidence.spoken])
        for threshold in evidence.thresholds.get((outcome, horizon), ())[:1]:
            same = np.mean((keep >= threshold) == (mine >= threshold))
            cells.append(f"{100 * same:.0f} % (threshold {100 * threshold:.0f} %)")
        rows.append([*cells, ""][:3])
    return (
        f"{evidence.refits} models were refitted on patients drawn with replacement. "
        "The range is that of the same method on other patients; it is no interval for one person's risk.\n\n"
        + markdown(("", "10th to 90th percentile of refits, median patient", "refits on the same side"), rows)
    )


def _points(evidence: Evidence, outcome: str, horizon: int, bins: int = 8) -> tuple[Floats, Floats]:
    keep, p = evidence.spoken, evidence.patients
    weight = censoring.weights(p.months, p.ended, 12 * horizon)[keep]
    happened = np.asarray(p.came[outcome] & (p.months <= 12 * horizon), dtype=np.float64)[keep]
    risk = expit(evidence.ours[outcome, horizon][keep])
    groups = np.array_split(np.argsort(risk, kind="stable"), bins)
    observed = [float(np.sum(weight[g] * happened[g]) / np.sum(weight[g])) for g in groups]
    return np.array([risk[g].mean() for g in groups]), np.array(observed)


def _drivers(manifest: Fusion, evidence: Evidence, folder: Path) -> str:
    """Mean absolute contribution of each input with every modality there, first outcome, with the beeswarm."""
    outcome, p = next(iter(evidence.outcomes)), evidence.patients
    final, rows = evidence.fusing.final, np.flatnonzero(evidence.spoken)
    phi = np.zeros((len(rows), p.matrix.shape[1]))
    for kind in final.kinds:
        part, columns = final.parts[outcome, kind.id], list(kind.columns)
        weight = final.combiners[outcome, evidence.full].weights[kind.id] * part.slope
        if isinstance(part.model, Line):
            phi[:, columns] += weight * part.model.parts(p.matrix[rows][:, columns])
        else:
            matrix = xgboost.DMatrix(p.matrix[rows][:, columns], nthread=1)
            phi[:, columns] += weight * part.model.predict(matrix, pred_contribs=True)[:, :-1]
    size = np.abs(phi).mean(axis=0)
    order = np.argsort(-size, kind="stable")[:14]
    kept = range(len(size)) if len(size) == len(manifest.inputs) else np.flatnonzero(size).tolist()
    named = {column: declared.label for column, declared in zip(kept, manifest.inputs, strict=True)}
    labels = [named[i] for i in order.tolist()]
    plots.beeswarm(phi[:, order], p.matrix[rows][:, order], labels, folder / "beeswarm.svg")
    table = markdown(
        ("input", "mean size on the log-odds"), [(n, f"{size[i]:.3f}") for n, i in zip(labels, order, strict=True)]
    )
    return (
        f"{evidence.outcomes[outcome].capitalize()}, with every modality.\n\n{table}\n\n"
        "![Contributions of each input](beeswarm.svg)\n\n"
        "Exact SHAP values on the fused log-odds. They describe the model, not causes."
    )


def _version(manifest: Fusion) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    digests = "\n".join(f"- {p.weights}: `{p.sha256}`" for p in manifest.parts)
    return f"Made with {libraries}. SHA-256 of the weights:\n\n{digests}"


def _interval(draws: Floats) -> Interval:
    low, high = np.percentile(draws[1:], [2.5, 97.5]) if len(draws) > 1 else (draws[0], draws[0])
    return Interval(float(draws[0]), float(low), float(high))


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"
