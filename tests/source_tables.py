"""Generated rows in the columns that a trained model's manifest declares, with outcomes where a test asks for them."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cds_service.risk.fused import FusedModel
from cds_service.risk.manifest import Column, Input
from cds_service.risk.trained import TrainedModel

Model = TrainedModel | FusedModel
MADE_FROM = {
    "diag_1": ("250.83", "428", "?"),
    "diag_2": ("401", "V45", "?"),
    "diag_3": ("?",),
    "patient_nbr": ("7", "8", "9"),
}
DOSES = ("No", "Steady", "Up")


def columns(model: Model) -> list[str]:
    """The columns that a table must have, beside the id: those of the inputs and those from which others are made."""
    made = getattr(model, "made", ())
    computed = {name for one in made for name in one.names}
    own = [i.column.name for i in model.manifest.inputs if i.column is not None and i.column.name not in computed]
    found = dict.fromkeys([*own, *(name for one in made for name in one.sources)])
    return [name for name in found if name != model.manifest.table.id]


def rows(model: Model, n: int, seed: int = 3, empty: float = 0.1) -> dict[str, list[str]]:
    """Column -> cells. empty: the share of cells without a value, of inputs that may be missing."""
    g = np.random.default_rng(seed)
    declared = {i.column.name: i for i in model.manifest.inputs if i.column is not None}
    needed = {i.column.name for i in model.manifest.inputs if i.column and i.id in model.manifest.speaks.required}
    found = {model.manifest.table.id: [f"r{n - i}" for i in range(n)]}
    for name in columns(model):
        if name in declared:
            cells = [_cell(declared[name], g) for _ in range(n)]
            gone = g.random(n) < (0.0 if name in needed or name == "Age" else empty)
            found[name] = ["" if lost else cell for lost, cell in zip(gone, cells, strict=True)]
        elif name == "MechVentStartTime":
            found[name] = [str(g.choice(["", "12"])) for _ in range(n)]
        else:
            found[name] = [str(g.choice(MADE_FROM.get(name, DOSES))) for _ in range(n)]
    return found


def write(path: Path, cells: Mapping[str, Sequence[str]]) -> Path:
    """The cells as CSV, gzipped if the name ends so."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _cell(declared: Input, g: np.random.Generator) -> str:
    column, seen = declared.column or Column("", "", 1.0, (0, 0)), declared.training
    if column.answers or column.numbers:
        return str(g.choice([*column.answers, *column.numbers]))
    low, high = (max(min(v / column.factor, column.limits[1]), column.limits[0]) for v in (seen.p01, seen.p99))
    if column.limits == (0.0, 1.0):
        return str(g.integers(0, 2))
    return f"{g.uniform(low, high):.4g}"
