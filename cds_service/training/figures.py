"""The sections of a model card that hold figures, as Markdown; all from rows that the model judged had not seen.

`ours`: horizon -> out-of-fold log-odds of the model. `others`: name -> the same of the models it is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cds_service.risk.calibration import expit
from cds_service.training import metrics
from cds_service.training.evaluation import Judged, Rows, judged_table, markdown, two
from cds_service.training.evidence import Evidence
from cds_service.training.hazard import Floats


def discrimination(evidence: Evidence, ours: Mapping[int, Floats], others: Mapping[str, Mapping[int, Floats]]) -> str:
    """AUROC and AUPRC beside the other models, and the paired difference to each."""
    blocks = []
    for h in evidence.horizons:
        judge, known = evidence.judge(h), evidence.cohort.known[h]
        complete = known & _complete(evidence)
        those = f"of these, everything but the rarely ordered tests measured ({int(complete.sum())} people)"
        for title, rows in [*_ranges(evidence, known), (those, complete)]:
            lines = []
            for name, log_odds in {"this model": ours[h], **{n: by[h] for n, by in others.items()}}.items():
                y = judge.outcomes[rows]
                lead = judge.gain(ours[h], log_odds, rows) if name != "this model" else None
                lines.append(
                    (name, metrics.auroc(log_odds[rows], y, evidence.seed, evidence.replicates),
                     metrics.auprc(log_odds[rows], y, evidence.seed, evidence.replicates),
                     "" if lead is None else signed(lead))
                )  # fmt: skip
            table = markdown(("", "AUROC", "AUPRC", "AUROC of this model minus this"), lines)
            blocks.append(f"**Death within {h} years, {title}**\n\n{table}")
    return "\n\n".join(blocks)


def _ranges(evidence: Evidence, known: Rows) -> list[tuple[str, Rows]]:
    low, high = evidence.manifest.speaks.age
    return [
        (f"everyone ({int(known.sum())} people)", known),
        (f"aged {low}–{high} ({int((known & evidence.spoken).sum())} people)", known & evidence.spoken),
    ]


def calibration(evidence: Evidence, ours: Mapping[int, Floats]) -> str:
    """Slope, calibration in the large, observed over expected and ICI; and the same by survey wave."""
    rows = []
    for h in evidence.horizons:
        judge = evidence.judge(h)
        for title, people in _ranges(evidence, evidence.cohort.known[h]):
            judged = judge(ours[h], people)
            if judged is not None:
                rows.append(
                    (
                        f"{h} years, {title}",
                        two(judged.slope),
                        two(judged.large),
                        two(judged.ratio),
                        f"{judged.ici:.3f}",
                    )
                )
    table = markdown(("", "slope", "in the large", "observed / expected", "ICI"), rows)
    waves = [
        f"**Death within {h} years by survey wave, ages for which the model speaks**\n\n"
        + judged_table(_parts(evidence, ours[h], h, evidence.waves))
        for h in evidence.horizons
    ]
    return f"{table}\n\n![Calibration plot](calibration.svg)\n\n" + "\n\n".join(waves)


def gains(evidence: Evidence, ours: Mapping[int, Floats], others: Mapping[str, Mapping[int, Floats]]) -> str:
    """What the model adds to age and sex, for everyone and within age bands."""
    rows: list[Sequence[object]] = []
    for h in evidence.horizons:
        judge, known = evidence.judge(h), evidence.cohort.known[h]
        parts = {"everyone": known, "ages for which it speaks": known & evidence.spoken}
        parts |= {f"aged {name}": known & band for name, band in evidence.age_bands.items()}
        for name, people in parts.items():
            gain = judge.gain(ours[h], others["age and sex"][h], people)
            if gain is None:
                rows.append((f"{h} years, {name}", "withheld", "", ""))
                continue
            y = judge.outcomes[people]
            ranked = [metrics.Ranked(x[people], y).auroc() for x in (ours[h], others["age and sex"][h])]
            rows.append(
                (
                    f"{h} years, {name}",
                    f"{ranked[0]:.3f}",
                    f"{ranked[1]:.3f}",
                    f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})",
                )
            )
    return markdown(("AUROC", "this model", "age and sex alone", "gain"), rows)


def subgroups(evidence: Evidence, ours: Mapping[int, Floats]) -> str:
    """Discrimination and calibration by sex, race and ethnicity, and age band."""
    blocks = [
        f"**Death within {h} years**\n\n"
        + judged_table(_parts(evidence, ours[h], h, {**evidence.subgroups, **evidence.age_bands}))
        for h in evidence.horizons
    ]
    return "Within the ages for which the model speaks. Race and ethnicity are never inputs.\n\n" + "\n\n".join(blocks)


def _parts(evidence: Evidence, log_odds: Floats, horizon: int, parts: Mapping[str, Rows]) -> dict[str, Judged | None]:
    judge, known = evidence.judge(horizon), evidence.cohort.known[horizon] & evidence.spoken
    return {name: judge(log_odds, known & rows) for name, rows in parts.items() if (known & rows).any()}


def patterns(evidence: Evidence) -> str:
    """The same people with panels hidden: those of whom everything but the rare tests was measured."""
    complete = _complete(evidence)
    blocks = []
    for h in evidence.horizons:
        judge, people = evidence.judge(h), complete & evidence.cohort.known[h]
        parts = {"all inputs": judge(evidence.study.log_odds(evidence.cohort.matrix, h), people)}
        for name, pattern in evidence.patterns.items():
            hidden = evidence.dropout.without(evidence.cohort.matrix, pattern)
            parts[name] = judge(evidence.study.log_odds(hidden, h), people)
        blocks.append(f"**Death within {h} years**\n\n{judged_table(parts)}")
    return (
        "The same people each time: those of whom everything but the rarely ordered tests was measured; "
        "the line says what the model was told.\n\n" + "\n\n".join(blocks)
    )


def _complete(evidence: Evidence) -> Rows:
    """Of whom everything was measured but what every pattern hides, within the ages for which the model speaks."""
    rare = frozenset.intersection(*evidence.patterns.values()) if evidence.patterns else frozenset()
    hidden = {column for name in rare for column in evidence.dropout.panels[name]}
    common = [column for column in range(evidence.cohort.matrix.shape[1]) if column not in hidden]
    return np.asarray(~np.isnan(evidence.cohort.matrix[:, common]).any(axis=1) & evidence.spoken)


NET_BENEFIT = (
    "threshold", "at or above it", "of these with it", "net benefit", "of logistic regression",
    "if all counted as above", "if none did",
)  # fmt: skip


def net_benefit(evidence: Evidence, ours: Mapping[int, Floats], others: Mapping[str, Mapping[int, Floats]]) -> str:
    """What acting at each threshold is worth, beside what the other ways of deciding are."""
    rows = []
    for h, thresholds in evidence.thresholds.items():
        people = evidence.cohort.known[h] & evidence.spoken
        risk, y = expit(ours[h][people]), evidence.cohort.within(h)[people]
        for threshold in thresholds:
            flagged = risk >= threshold
            died = f"{100 * y[flagged].mean():.0f} %" if flagged.any() else "–"
            ways = (risk, expit(others["logistic regression, same inputs"][h][people]), np.ones(len(y)))
            worth = [f"{metrics.net_benefit(r, y, threshold):+.4f}" for r in ways]
            rows.append((f"{h} years, {100 * threshold:.0f} %", f"{100 * flagged.mean():.1f} %", died, *worth, "0"))
    return markdown(NET_BENEFIT, rows)


def signed(interval: metrics.Interval) -> str:
    """An interval with three decimals and signs."""
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"
