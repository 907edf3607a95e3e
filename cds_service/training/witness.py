"""Made-up rows and what a model apart said of them at import: another release of its library must say the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cds_service.training.original import Floats

_ROWS = 20
_WITHIN = 1e-5  # between margins, on the same file with other releases of libraries
_ENDING = ".witness.json"


def write(weights: Path, oracle: Callable[[Floats], Floats], rows: Floats) -> None:
    """Beside the weights: rows of values that samples have, put together anew so that none is a sample; and margins."""
    generator = np.random.default_rng(0)
    made = np.column_stack([_drawn(column[~np.isnan(column)], generator) for column in rows.T])
    rows_ = [[None if np.isnan(v) else float(v) for v in row] for row in made]
    found = {"rows": rows_, "margins": oracle(made).tolist()}
    weights.with_name(weights.name + _ENDING).write_text(json.dumps(found), encoding="utf-8")


def _drawn(values: Floats, generator: np.random.Generator) -> Floats:
    return generator.choice(values, _ROWS) if len(values) else np.full(_ROWS, np.nan)


def agrees(weights: Path, margins: Callable[[Floats], Floats]) -> bool:
    """Whether a model still says the same; True where nothing was written."""
    path = weights.with_name(weights.name + _ENDING)
    if not path.is_file():
        return True
    found = json.loads(path.read_text(encoding="utf-8"))
    now = margins(np.array(found["rows"], dtype=np.float64))
    return bool(np.all(np.abs(now - np.array(found["margins"])) <= _WITHIN))
