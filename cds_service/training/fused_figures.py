"""The sections of a fused model's card that hold figures, as Markdown; all from rows that the model had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cds_service.risk.calibration import expit
from cds_service.risk.fusion import subsets
from cds_service.training import censoring
from cds_service.training.evaluation import markdown, two
from cds_service.training.figures import signed
from cds_service.training.fused_evidence import Evidence
from cds_service.training.linear import Flags, Floats
from cds_service.training.metrics import ici, net_benefit_weighted
from cds_service.training.modalities import Patients

FEWEST = 20
LogOdds = Mapping[tuple[str, int], Floats]


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
    known, had = int((weight > 0).sum()), int(happened[weight > 0].sum())
    if min(had, known - had) < FEWEST:
        return ["–"] * 4
    slope, large = censoring.slope_and_large(line, happened, weight)
    return [
        f"{censoring.uno(months, came, ended, line, 12 * horizon):.3f}",
        f"{censoring.brier(expit(line), happened, weight):.3f}",
        f"{slope:.2f}",
        f"{large:+.2f}",
    ]


def discrimination(evidence: Evidence) -> str:
    """Concordance beside the other models, and the paired difference to each."""
    blocks = []
    for outcome in evidence.outcomes:
        rivals = {name: by[outcome] for name, by in evidence.rivals.items()}
        for who, keep in _wholes(evidence).items():
            blocks.append(_beside(evidence, outcome, who, keep, rivals))
        scores = {name: by[outcome] for name, by in evidence.published.items()}
        known = evidence.spoken & ~np.any([np.isnan(s) for s in scores.values()], axis=0) if scores else None
        if known is not None:
            blocks.append(_beside(evidence, outcome, "those of whom published scores can be computed", known, scores))
    return (
        "Harrell's C over all follow-up, by the risk at the longest horizon; the folds' scores are pooled.\n\n"
        + "\n\n".join(blocks)
    )


def _beside(evidence: Evidence, outcome: str, who: str, keep: Flags, others: Mapping[str, Floats]) -> str:
    p, scores = evidence.patients, {"this model": evidence.ours[outcome, evidence.plan.horizons[-1]], **others}
    pairs = censoring.Pairs.of(p.months[keep], p.came[outcome][keep])
    agreeing = [pairs.agreeing(s[keep]) for s in scores.values()]
    draws = pairs.draws(agreeing, int(keep.sum()), evidence.plan.seed, evidence.replicates)
    rows = []
    for position, name in enumerate(scores):
        lead = "" if not position else signed(censoring.interval(draws[:, 0] - draws[:, position]))
        rows.append((name, censoring.interval(draws[:, position]), lead))
    table = markdown(("", "C", "C of this model minus this"), rows)
    return f"**{evidence.outcomes[outcome].capitalize()}, {who}** ({int(keep.sum())} people)\n\n{table}"


def calibration(evidence: Evidence) -> str:
    """Figures at each horizon, then slope and calibration in the large with intervals, and the ICI."""
    rows, generator = [], np.random.default_rng(evidence.plan.seed)
    for outcome, horizon in evidence.cases:
        for who, keep in _wholes(evidence).items():
            happened, weight = (column[keep] for column in evidence.seen(outcome, horizon))
            line, known = evidence.ours[outcome, horizon][keep], weight > 0
            draws = min(evidence.replicates, censoring.DRAWS)
            slope, large = censoring.calibration(line, happened, weight, generator, draws)
            off = ici(line[known], happened[known], weight[known])
            rows.append((f"{evidence.title(outcome, horizon)}, {who}", two(slope), two(large), f"{off:.3f}"))
    intervals = markdown(("", "slope", "in the large", "ICI"), rows)
    return f"{_tables(evidence, evidence.ours, _wholes(evidence))}\n\n{intervals}"


def subgroups(evidence: Evidence) -> str:
    """The same figures by group."""
    return _tables(evidence, evidence.ours, {n: evidence.spoken & rows for n, rows in evidence.subgroups.items()})


def patterns(evidence: Evidence) -> str:
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


def net_benefit(evidence: Evidence) -> str:
    """What acting at each threshold is worth, beside what the other ways of deciding are."""
    rows, keep = [], evidence.spoken
    for (outcome, horizon), thresholds in evidence.thresholds.items():
        happened, weight = (column[keep] for column in evidence.seen(outcome, horizon))
        risk = expit(evidence.ours[outcome, horizon][keep])
        linear = _as_risk(evidence.rivals[evidence.linear_words][outcome][keep], happened, weight)
        for threshold in thresholds:
            flagged = risk >= threshold
            among = np.sum((weight * happened)[flagged]) / max(float(np.sum(weight[flagged])), 1e-9)
            ways = (risk, linear, np.ones(len(risk)))
            worth = [f"{net_benefit_weighted(r, happened, weight, threshold):+.4f}" for r in ways]
            title = f"{evidence.title(outcome, horizon)}, {100 * threshold:.0f} %"
            rows.append((title, f"{100 * flagged.mean():.1f} %", f"{100 * among:.0f} %", *worth, "0"))
    head = ("threshold", "at or above it", "of these with it", "net benefit", "of Cox regression",
            "if all counted as above", "if none did")  # fmt: skip
    if not rows:
        return "None: nobody decides by a threshold of this estimate."
    return f"Cox regression has the same inputs and is calibrated on these very rows.\n\n{markdown(head, rows)}"


def points(evidence: Evidence, outcome: str, horizon: int, bins: int = 8) -> tuple[Floats, Floats]:
    """Mean estimate and observed share in groups of equal size, lowest risk first."""
    keep = evidence.spoken
    happened, weight = (column[keep] for column in evidence.seen(outcome, horizon))
    risk = expit(evidence.ours[outcome, horizon][keep])
    groups = np.array_split(np.argsort(risk, kind="stable"), bins)
    observed = [float(np.sum(weight[g] * happened[g]) / np.sum(weight[g])) for g in groups]
    return np.array([risk[g].mean() for g in groups]), np.array(observed)


def _wholes(evidence: Evidence) -> dict[str, Flags]:
    """Everyone, and whom the model speaks for if that is not everyone."""
    everyone = {"everyone": np.ones(len(evidence.patients), dtype=np.bool_)}
    return everyone if evidence.spoken.all() else {**everyone, evidence.who: evidence.spoken}


def _tables(evidence: Evidence, log_odds: LogOdds, parts: Mapping[str, Flags]) -> str:
    return "\n\n".join(
        f"**{title.capitalize()}**\n\n{judged(evidence.patients, o, evidence.plan.horizons, log_odds, parts)}"
        for o, title in evidence.outcomes.items()
    )


def _as_risk(scores: Floats, happened: Floats, weight: Floats) -> Floats:
    design = np.column_stack([np.ones(len(scores)), scores])
    return expit(design @ censoring.fit(design, happened, weight))
