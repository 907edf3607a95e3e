"""Tables of a model card: how good a model is on rows not trained on, whole and in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest
from cds_service.risk.calibration import expit
from cds_service.training import metrics
from cds_service.training.metrics import Floats, Interval, Patients

Rows = NDArray[np.bool_]
FEWEST_TO_TRAIN = 40
FEWEST = 20  # outcomes, and people without one, below which a part is not reported


@dataclass(frozen=True, slots=True)
class Judged:
    """Discrimination and calibration in one set of people; None where too few had the outcome."""

    people: int
    outcomes: int
    auroc: Interval
    auprc: Interval
    slope: Interval
    large: Interval
    ratio: Interval
    ici: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges log-odds of one horizon. replicates: of the bootstrap.

    patients: of each row its patient, where some have several rows, so that intervals are not too narrow.
    """

    outcomes: Floats
    seed: int
    replicates: int = metrics.REPLICATES
    patients: Patients | None = None

    def __call__(self, log_odds: Floats, rows: Rows) -> Judged | None:
        """The figures for some people, or None if too few of them had the outcome or too few had not."""
        x, y = log_odds[rows], self.outcomes[rows]
        who = None if self.patients is None else self.patients[rows]
        if not self.enough(rows):
            return None
        return Judged(
            people=len(y),
            outcomes=int(y.sum()),
            auroc=metrics.auroc(x, y, self.seed, self.replicates, who),
            auprc=metrics.auprc(x, y, self.seed, self.replicates, who),
            slope=metrics.slope(x, y, who),
            large=metrics.large(x, y, who),
            ratio=metrics.observed_to_expected(x, y, who),
            ici=metrics.ici(x, y),
        )

    def enough(self, rows: Rows) -> bool:
        """Whether enough people with and without the outcome are there to say anything."""
        events = float(self.outcomes[rows].sum())
        return min(events, float(np.sum(rows)) - events) >= FEWEST

    def gain(self, log_odds: Floats, rival: Floats, rows: Rows) -> Interval | None:
        """AUROC minus a rival's for some people, or None if too few had the outcome."""
        if not self.enough(rows):
            return None
        return metrics.gain(log_odds[rows], rival[rows], self.outcomes[rows], self.seed, self.replicates)


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A GitHub-flavoured Markdown table; the first column is text, the others are right-aligned."""
    ruler = ["---"] + ["---:"] * (len(header) - 1)
    lines = [header, ruler, *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def calibration_points(log_odds: Floats, outcomes: Floats, bins: int = 10) -> tuple[Floats, Floats]:
    """Mean estimate and observed share in groups of equal size, lowest risk first."""
    risk = expit(log_odds)
    groups = np.array_split(np.argsort(risk, kind="stable"), bins)
    return np.array([risk[g].mean() for g in groups]), np.array([outcomes[g].mean() for g in groups])


def judged_table(parts: Mapping[str, Judged | None]) -> str:
    """One line a part: people, outcomes, AUROC, slope, calibration in the large, observed to expected."""
    rows: list[Sequence[object]] = []
    for name, judged in parts.items():
        if judged is None:
            rows.append((name, "withheld", f"fewer than {FEWEST}", "", "", "", ""))
        else:
            ratio = f"{judged.ratio.value:.2f} ({judged.ratio.low:.2f} to {judged.ratio.high:.2f})"
            rows.append(
                (name, judged.people, judged.outcomes, judged.auroc, f"{judged.slope.value:.2f}",
                 f"{judged.large.value:+.2f}", ratio)
            )  # fmt: skip
    header = ("", "people", "outcomes", "AUROC", "slope", "in the large", "observed / expected")
    return markdown(header, rows)


def local_table(judge: Judge, log_odds: Floats, parts: Mapping[str, Rows]) -> str:
    """What a hospital reads of its own rows, one line a part: with the intervals of the calibration, and the ICI."""
    rows: list[Sequence[object]] = []
    for name, part in parts.items():
        judged = judge(log_odds, part)
        if judged is None:
            rows.append((name, "withheld", f"fewer than {FEWEST} with or without", *[""] * 5))
        else:
            rows.append((name, judged.people, judged.outcomes, judged.auroc, two(judged.slope), two(judged.large),
                         two(judged.ratio), f"{judged.ici:.3f}"))  # fmt: skip
    header = ("", "people", "outcomes", "AUROC", "slope", "in the large", "observed / expected", "ICI")
    return markdown(header, rows)


def check_enough(name: str, seen: Mapping[str, Floats]) -> None:
    """Raises BadRequest if no outcome can be judged. name: of the table. seen: outcome in words -> 1 or 0 of each row
    of which it is known.
    """
    if any(min(came.sum(), len(came) - came.sum()) >= FEWEST for came in seen.values()):
        return
    counted = "; ".join(f"{words}: {int(came.sum())} of {len(came)}" for words, came in seen.items())
    raise BadRequest(
        f"{name}: nothing can be judged from these rows ({counted}); at least {FEWEST} with and {FEWEST} without an "
        "outcome are needed"
    )


def check_trainable(name: str, seen: Mapping[str, Floats]) -> None:
    """Raises BadRequest if an outcome came to too few or too many to part them in folds of folds; as `check_enough`."""
    for words, came in seen.items():
        if min(came.sum(), len(came) - came.sum()) < FEWEST_TO_TRAIN:
            raise BadRequest(
                f"{name}: holds too few rows to train on ({words}: {int(came.sum())} of {len(came)}); at least "
                f"{FEWEST_TO_TRAIN} with and {FEWEST_TO_TRAIN} without an outcome are needed; give the whole table of "
                "its source"
            )


def log_loss(log_odds: Floats, outcomes: Floats, weight: Floats | None = None) -> float:
    """The mean of minus the log-likelihood of each row; lower is better. weight: of each row."""
    return float(np.average(np.logaddexp(0.0, log_odds) - outcomes * log_odds, weights=weight))


def two(interval: Interval) -> str:
    """A figure of calibration with its interval, to two digits."""
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
