"""What every card says of steadiness, be the model of one margin or fused: words, heads of tables, and their cells."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cds_service.training.evaluation import markdown

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]
Row = Sequence[object]
LOW, HIGH = 5, 95
_Z2 = 1.96**2


def applicable(blocks: Sequence[str]) -> str:
    """The section on rows that pass the checks made of each patient, and on those that do not."""
    return (
        "Each row is checked against the rows of the other folds. Beyond: an input lies below the lowest or above the "
        "highest of them. Unlike as a whole: the mean squared distance of its measured inputs from their average, "
        "in standard deviations, is among the highest 5 %.\n\n" + "\n\n".join(blocks)
    )


def checked(known: Flags, spoken: Flags, beyond: Flags, odd: Flags, refused: str) -> Mapping[str, Flags]:
    """The rows by what the checks say; known: whose outcome is known. refused: why the model does not speak."""
    return {
        "pass all checks": known & spoken & ~beyond & ~odd,
        "marked: an input beyond the training data": known & spoken & beyond,
        "unlike the training data as a whole": known & spoken & odd,
        f"refused: {refused}": known & ~spoken,
    }


def unusual(matrix: Matrix, fold: NDArray[np.int64], spoken: Flags) -> tuple[Flags, Flags]:
    """Rows with an input beyond the other folds' rows, and rows that are unlike them as a whole."""
    beyond, apart = np.zeros(len(matrix), dtype=np.bool_), np.zeros(len(matrix))
    for number in np.unique(fold):
        test, train = fold == number, matrix[fold != number]
        low, high = np.fmin.reduce(train, axis=0), np.fmax.reduce(train, axis=0)
        beyond[test] = ((matrix[test] < low) | (matrix[test] > high)).any(axis=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # an input of which nobody has a value stays unknown
            middle, spread = np.nanmean(train, axis=0), np.maximum(np.nanstd(train, axis=0), 1e-6)
        scores = np.clip((matrix[test] - middle) / spread, -6, 6) ** 2
        measured = np.maximum((~np.isnan(scores)).sum(axis=1), 1)
        apart[test] = np.nansum(scores, axis=1) / measured
    return beyond, np.asarray(apart > np.percentile(apart[spoken], 95), dtype=np.bool_)


def refitted(refits: int, rows: Sequence[Row]) -> str:
    """The section on models refitted on rows drawn with replacement."""
    head = ("threshold", "5th to 95th percentile over refits, median row", "the same, the tenth nearest the threshold",
            "refits on the same side", "rows of which nine in ten refits agree", "top three reasons kept")  # fmt: skip
    return (
        f"{refits} models were refitted on rows drawn with replacement (people, where one has several rows) and asked "
        "about rows that none had seen. The range is that of the same method on other patients; it is no interval for "
        f"one person's risk. Reasons are groups of inputs, the three largest contributions of a row.\n\n"
        f"{markdown(head, rows)}"
    )


def agreement(title: str, threshold: float, risk: Floats, risks: Floats, top: float) -> Row:
    """How refits agree with a model. risk: its own; risks: shape (refits, n). top: of three reasons, those kept."""
    width = np.percentile(risks, HIGH, axis=0) - np.percentile(risks, LOW, axis=0)
    same = ((risks >= threshold) == (risk >= threshold)).mean(axis=0)
    near = width[np.argsort(np.abs(risk - threshold))[: max(len(risk) // 10, 1)]]
    return (
        f"{title}, {100 * threshold:.0f} %", f"{100 * np.median(width):.1f} points",
        f"{100 * np.median(near):.1f} points", f"{100 * same.mean():.0f} %", f"{100 * np.mean(same >= 0.9):.0f} %",
        f"{top:.1f} of 3",
    )  # fmt: skip


def to_groups(names: Sequence[str]) -> Floats:
    """What sums columns to groups, shape (n_columns, n_groups); names: of each column its group."""
    groups = {name: position for position, name in enumerate(dict.fromkeys(names))}
    found = np.zeros((len(names), len(groups)))
    for position, name in enumerate(names):
        found[position, groups[name]] = 1.0
    return found


def reasons(phi: Floats) -> NDArray[np.int64]:
    """The three largest contributions of each row, phi: shape (n, n_groups)."""
    return np.argsort(-np.abs(phi), axis=1, kind="stable")[:, :3]


def kept(own: NDArray[np.int64], others: Sequence[NDArray[np.int64]]) -> float:
    """Of a model's three reasons of a row, how many are among those of a refit, on average."""
    return float(np.mean([(own[:, :, None] == other[:, None, :]).any(axis=2).sum(axis=1) for other in others]))


def plausible(donors: int, rows: Sequence[Row]) -> str:
    """The section on other values in place of what is missing."""
    head = ("missing", "5th to 95th percentile, median row", "the same, one row in ten has more",
            "rows whose range crosses the first threshold")  # fmt: skip
    return (
        f"What was hidden is filled in with the values of {donors} other training patients who had them, together as "
        "they were measured; the table tells how far the estimate would move.\n\n" + markdown(head, rows)
    )


def moved(title: str, risks: Floats, threshold: float) -> Row:
    """How far other values move the estimates, risks: shape (donors, n)."""
    low, high = np.percentile(risks, [LOW, HIGH], axis=0)
    return (
        title, f"{100 * np.median(high - low):.1f} points", f"{100 * np.percentile(high - low, 90):.1f} points",
        f"{100 * np.mean((low < threshold) & (high >= threshold)):.0f} %",
    )  # fmt: skip


def similar(rows: Sequence[Row]) -> str:
    """The section on what came of people with like estimates."""
    return markdown(("estimate", "people", "mean estimate", "observed", "95 % interval"), rows)


def alike(title: str, risk: Floats, came: Floats, weight: Floats | None = None) -> Row:
    """What came of a group of people. weight: of those followed long enough, who stand for the others too."""
    w = np.ones(len(risk)) if weight is None else weight
    share, effective = float(np.sum(w * came) / np.sum(w)), float(np.sum(w) ** 2 / np.sum(w**2))
    low, high = wilson(share, effective)
    return (
        f"{title}, {100 * risk.min():.1f} to {100 * risk.max():.1f} %", len(risk), f"{100 * risk.mean():.1f} %",
        f"{100 * share:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %",
    )  # fmt: skip


def wilson(share: float, n: float) -> tuple[float, float]:
    """A 95 % interval of a share. Source: Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    centre, half = (share * n + _Z2 / 2) / (n + _Z2), 1.96 * np.sqrt(share * (1 - share) * n + _Z2 / 4) / (n + _Z2)
    return float(centre - half), float(centre + half)
