"""The model card of named outcomes, after the items of TRIPOD+AI (Collins 2024, doi:10.1136/bmj-2023-078378).

All figures come from rows that the model judged had not seen: an outer fold's rows from the model of the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cds_service.risk.calibration import expit
from cds_service.training import card, metrics, plots, rivals
from cds_service.training.evaluation import calibration_points, judged_table, markdown, two
from cds_service.training.evidence import OutcomeEvidence
from cds_service.training.figures import signed
from cds_service.training.hazard import Floats
from cds_service.training.ordered import Ordered

ByOutcome = Mapping[str, Floats]
LOGISTIC = "logistic regression, same inputs"


def write(folder: Path, evidence: OutcomeEvidence, words: Mapping[str, str]) -> None:
    """`card.md`, `calibration.svg` and `beeswarm.svg` in a model's folder."""
    ours = {name: evidence.study.log_odds(evidence.matrix, name) for name in evidence.titles}
    others = {name: _others(evidence, name) for name in evidence.titles}
    sections = [
        card.head(evidence.manifest),
        f"## Intended use\n\n{words['Intended use']}\n\n**Not for:** {words['Not for']}",
        f"## Data\n\n{words['Data']}\n\n{_population(evidence)}",
        f"## Inputs\n\n{card.inputs(evidence.manifest)}",
        f"## Method\n\n{words['Method']}\n\n{card.validation(evidence.manifest)}\n\n{_parameters(evidence)}",
        f"## Discrimination\n\n{_discrimination(evidence, ours, others)}",
        f"## Calibration\n\n{_calibration(evidence, ours)}",
        f"## Subgroups\n\n{_subgroups(evidence, ours)}",
        f"## Missing inputs\n\n{_patterns(evidence)}",
        *card.steady(evidence.tested, evidence.dropout, evidence.patterns),
        f"## Net benefit\n\n{_net_benefit(evidence, ours, others)}",
        f"## What moves the estimates\n\n{card.drivers(evidence, _widest(evidence))}",
        f"## What we found in the data\n\n{words['What we found in the data']}",
        f"## Limits\n\n{words['Limits']}",
        f"## Licence and version\n\n{words['Licence']}\n\n{card.version(evidence.manifest)}",
    ]
    (folder / "card.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    spoken = evidence.spoken
    plots.calibration(
        {
            title: calibration_points(ours[name][spoken], evidence.cohort.within(name)[spoken])
            for name, title in evidence.titles.items()
        },
        folder / "calibration.svg",
    )
    card.swarm(evidence, folder / "beeswarm.svg")


def _widest(evidence: OutcomeEvidence) -> str:
    """The outcome whose margin explains, where each has its own; else nothing."""
    return list(evidence.titles.values())[-1] if isinstance(evidence.study, Ordered) else ""


def report(evidence_title: str, caution: str, blocks: Mapping[str, str]) -> str:
    """A short report: a heading, what to beware of, then a table for each outcome."""
    parts = [f"## {title}\n\n{table}" for title, table in blocks.items()]
    return "\n\n".join([f"# {evidence_title}", caution, *parts]) + "\n"


def _population(evidence: OutcomeEvidence) -> str:
    spoken, rows = evidence.spoken, []
    for name, title in evidence.titles.items():
        y = evidence.cohort.within(name)
        rows.append((title, len(y), int(y.sum()), int(spoken.sum()), int(y[spoken].sum())))
    return markdown(("outcome", "rows", "with it", f"{evidence.who}", "with it"), rows)


def _parameters(evidence: OutcomeEvidence) -> str:
    manifest = evidence.manifest
    chosen = ", ".join(f"{name} {value}" for name, value in manifest.training.items())
    lines = card.stated(manifest.calibration, {name: f"for {title}" for name, title in evidence.titles.items()})
    own = "".join(
        f" {evidence.titles[name].capitalize()} has a margin of its own, slope {one.slope:.4f}, intercept "
        f"{one.intercept:.4f}; where it exceeds that of what includes it, the lower one stands."
        for name, one in manifest.narrower.items()
    )
    return f"Final model: {chosen}. Calibration: {lines}.{own}"


def _others(evidence: OutcomeEvidence, name: str) -> dict[str, Floats]:
    """Out-of-fold log-odds, or published scores, of what the model is compared with."""
    cohort, fold = evidence.cohort, evidence.study.fold
    seed, trials = evidence.seed, evidence.trials
    return {
        LOGISTIC: rivals.logistic(cohort, cohort.matrix, name, fold),
        "tuned XGBoost, same inputs": rivals.tuned(cohort, cohort.matrix, name, fold, seed, trials, evidence.inner),
        "ceiling: tuned XGBoost on all columns that do not leak": rivals.tuned(
            cohort, evidence.ceiling, name, fold, seed, trials, evidence.inner
        ),
        **{title: by_outcome[name] for title, by_outcome in evidence.scores.items() if name in by_outcome},
    }


def _discrimination(evidence: OutcomeEvidence, ours: ByOutcome, others: Mapping[str, ByOutcome]) -> str:
    """AUROC and AUPRC beside the other models, and the paired difference to each."""
    blocks = []
    for name, title in evidence.titles.items():
        judge, lines = evidence.judge(name), []
        for other, scores in {"this model": ours[name], **others[name]}.items():
            rows = evidence.spoken & ~np.isnan(scores)
            y = judge.outcomes[rows]
            lead = judge.gain(ours[name], scores, rows) if other != "this model" else None
            lines.append(
                (other, int(rows.sum()), metrics.auroc(scores[rows], y, evidence.seed, evidence.replicates),
                 metrics.auprc(scores[rows], y, evidence.seed, evidence.replicates),
                 "" if lead is None else signed(lead))
            )  # fmt: skip
        table = markdown(("", "rows", "AUROC", "AUPRC", "AUROC of this model minus this"), lines)
        blocks.append(f"**{title.capitalize()}**\n\n{table}")
    return f"For {evidence.who}.\n{_compared(evidence.trials)}\n\n" + "\n\n".join(blocks)


def _compared(trials: int) -> str:
    """How what the model is compared with was made."""
    return (
        "Logistic regression: ridge, logarithms of the inputs beside the inputs, medians with an indicator for what is "
        f"missing. Tuned XGBoost: in each fold the best of {trials} sets of parameters drawn at random, by AUROC "
        "within the other folds, without constraints."
    )


def _calibration(evidence: OutcomeEvidence, ours: ByOutcome) -> str:
    """Slope, calibration in the large, observed over expected, ICI."""
    rows = []
    for name, title in evidence.titles.items():
        judged = evidence.judge(name)(ours[name], evidence.spoken)
        if judged is not None:
            rows.append((title, two(judged.slope), two(judged.large), two(judged.ratio), f"{judged.ici:.3f}"))
    table = markdown(("", "slope", "in the large", "observed / expected", "ICI"), rows)
    return f"{table}\n\n![Calibration plot](calibration.svg)"


def _subgroups(evidence: OutcomeEvidence, ours: ByOutcome) -> str:
    blocks = []
    for name, title in evidence.titles.items():
        judge = evidence.judge(name)
        parts = {part: judge(ours[name], evidence.spoken & rows) for part, rows in evidence.subgroups.items()}
        blocks.append(f"**{title.capitalize()}**\n\n{judged_table(parts)}")
    return "\n\n".join(blocks)


def _patterns(evidence: OutcomeEvidence) -> str:
    """The same rows with panels hidden."""
    blocks = []
    for name, title in evidence.titles.items():
        judge = evidence.judge(name)
        parts = {"as recorded": judge(evidence.study.log_odds(evidence.matrix, name), evidence.spoken)}
        for words, pattern in evidence.patterns.items():
            hidden = evidence.dropout.without(evidence.matrix, pattern)
            parts[words] = judge(evidence.study.log_odds(hidden, name), evidence.spoken)
        blocks.append(f"**{title.capitalize()}**\n\n{judged_table(parts)}")
    return "The same rows each time; the line says what the model was not told.\n\n" + "\n\n".join(blocks)


def _net_benefit(evidence: OutcomeEvidence, ours: ByOutcome, others: Mapping[str, ByOutcome]) -> str:
    """What acting at each threshold is worth, beside what the other ways of deciding are."""
    rows = []
    for name, thresholds in evidence.thresholds.items():
        spoken = evidence.spoken
        risk, y = expit(ours[name][spoken]), evidence.cohort.within(name)[spoken]
        for threshold in thresholds:
            flagged = risk >= threshold
            came = f"{100 * y[flagged].mean():.0f} %" if flagged.any() else "–"
            ways = (risk, expit(others[name][LOGISTIC][spoken]), np.ones(len(y)))
            worth = [f"{metrics.net_benefit(r, y, threshold):+.4f}" for r in ways]
            title = f"{evidence.titles[name]}, {100 * threshold:.0f} %"
            rows.append((title, f"{100 * flagged.mean():.1f} %", came, *worth, "0"))
    return markdown(card.NET_BENEFIT, rows)
