"""Writes `likeness.json` of a model's folder: averages, spreads and the distance of its training rows.

    python -m cds_service.training.likeness ID --data TABLE [--out FOLDER]

makes the file of a model that was trained before; `curbside models train` writes it with the weights.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.registry import shipped
from cds_service.risk.likeness import FILE, FURTHEST, Likeness
from cds_service.risk.manifest import Input

Floats = NDArray[np.float64]
UNLIKE = 95  # percentile, as in the card
_DIGITS = 6


def of(matrix: NDArray[np.float32], inputs: Sequence[Input], spoken: NDArray[np.bool_]) -> Likeness:
    """Of training rows; spoken: those for which the model speaks, among which one in twenty is unlike the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an input of which nobody has a value stays unknown
        middle: Floats = np.asarray(np.nanmean(matrix, axis=0, dtype=np.float64))
        spread: Floats = np.maximum(np.nanstd(matrix, axis=0, dtype=np.float64), 1e-6)
    scores = np.clip((matrix - middle) / spread, -FURTHEST, FURTHEST) ** 2
    apart = np.nansum(scores, axis=1) / np.maximum((~np.isnan(scores)).sum(axis=1), 1)
    known = {
        declared.id: (_rounded(middle[column]), _rounded(spread[column]))
        for column, declared in enumerate(inputs)
        if np.isfinite(middle[column])
    }
    return Likeness(known, _rounded(np.percentile(apart[spoken], UNLIKE)))


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def write(folder: Path, found: Likeness) -> None:
    """The file, the same bytes for the same rows."""
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def main() -> None:
    """Writes the file of one model."""
    from cds_service.training.run import recipe

    parser = argparse.ArgumentParser(description="The likeness.json of a model, from its source data's table.")
    parser.add_argument("id")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    write(given.out or shipped("models") / given.id, recipe(given.id).likeness(given.data))


if __name__ == "__main__":
    main()
