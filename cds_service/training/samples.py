"""The rows on which an imported model is compared with its original, and what they and its splits tell of units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import numpy as np

from cds_service.errors import BadRequest, PluginError
from cds_service.explain.forest import Forest
from cds_service.risk import table
from cds_service.risk.declared import PATIENT, Declaration
from cds_service.training.original import Floats

FEWEST = 5  # rows
_SLACK = 1e-3
_SPLITS = 10  # fewer may send gaps one way by chance
BEYOND = 3e38  # a split that parts only those who have a value from those who have none


def read(path: Path, found: Declaration) -> Floats:
    """Rows of numbers, one column a feature in the declaration's order, NaN for what was not measured.

    Raises BadRequest with a report by line and column if a cell is no number, or beyond what is declared as seen.
    """
    lines = table.lines_of(path)
    header, body = [name.strip() for name in lines[0]], lines[1:]
    ids = [one.id for one in found.features]
    if missing := [id_ for id_ in ids if id_ not in header]:
        raise BadRequest(
            f"{path.name}: has no column {', '.join(missing)}; give one column for each feature id, with commas between"
        )
    table.refuse(path, list(_header_faults(header, {*ids, "id", PATIENT, found.outcome})))
    faults: list[table.Fault] = []
    place = [header.index(id_) for id_ in ids]
    rows = [
        [_number(row, at, one.id, one.seen, (number, faults)) for at, one in zip(place, found.features, strict=True)]
        for number, row in enumerate(body, start=2)
        if row
    ]
    table.refuse(path, faults)
    if len(rows) < FEWEST:
        raise BadRequest(f"{path.name}: has {len(rows)} rows; at least {FEWEST} are needed to compare on")
    return np.array(rows, dtype=np.float64)


def complete(path: Path, rows: Floats) -> Floats:
    """The rows without a gap: all that a model sees whose declaration requires every feature. Raises BadRequest."""
    found: Floats = rows[~np.isnan(rows).any(axis=1)]
    if len(found) < FEWEST:
        raise BadRequest(
            f"{path.name}: has {len(found)} rows without a gap, and the declaration requires every feature (minimum); "
            f"at least {FEWEST} are needed to compare on"
        )
    return found


def _header_faults(header: Sequence[str], known: Set[str]) -> Iterator[table.Fault]:
    for position, name in enumerate(header, start=1):
        if name not in known:
            yield 1, f"column {position} ('{name[:40]}') is no feature of the declaration"
        elif name in header[: position - 1]:
            yield 1, f"column {position} ('{name}') is there twice"


def _number(
    row: Sequence[str], at: int, id_: str, seen: tuple[float, float], told: tuple[int, list[table.Fault]]
) -> float:
    line, faults = told
    cell = row[at].strip() if at < len(row) else ""
    if cell in table.NOT_MEASURED:
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        faults.append((line, f"column {id_}: expected a number, or nothing where nothing was measured"))
        return float("nan")
    if not seen[0] <= value <= seen[1]:
        faults.append(
            (line, f"column {id_}: expected {seen[0]:g} to {seen[1]:g}, which is declared as seen in training")
        )
    return value


def knows_no_gaps(forest: Forest) -> bool:
    """Whether XGBoost met no gap while it grew trees: it then sends gaps one and the same way at every split."""
    splits = forest.children[::2] != np.arange(len(forest.split))
    ways = forest.missing_left[forest.split[splits]]
    return len(ways) >= _SPLITS and (bool(np.all(ways)) or not np.any(ways))


def check_splits(path: Path, forest: Forest, found: Declaration) -> None:
    """Raises PluginError if trees part an input where nobody is said to have had a value.

    Training on another unit, or on -999 for gaps, shows there: neither can be seen in a file otherwise.
    """
    for place, one in enumerate(found.features):
        at = forest.at[forest.feature == place].astype(np.float64)
        low, high = one.seen
        beyond = _outside(at[np.abs(at) < BEYOND], low, high)
        if len(beyond):
            raise PluginError(
                f"{path.name}: parts {one.id} at {beyond[0]:g}, and features.{one.id}.seen says that training rows "
                f"had {low:g} to {high:g}; was it trained in another unit, or with a number such as -999 for gaps? "
                "Then train it anew; else widen `seen`"
            )


def _outside(at: Floats, low: float, high: float) -> Floats:
    """Splits that part nobody within a range.

    XGBoost puts splits that part gaps alone at v - |v| and v + |v| of the lowest and highest value v; they may be so.
    """
    lowest, highest = low - abs(low) - _SLACK, high + abs(high) + _SLACK
    below = (at <= np.float32(low)) & ((at < lowest) | (at > (_SLACK if low >= 0 else low)))
    return at[below | (at > highest)]


def check_means(path: Path, means: Sequence[float], found: Declaration) -> None:
    """Raises PluginError if a scaler's average of an input lies beyond what is said to have been seen."""
    for one, mean in zip(found.features, means, strict=True):
        if not one.seen[0] <= mean <= one.seen[1]:
            raise PluginError(
                f"{path.name}: its scaler takes {mean:g} for the average of {one.id}, and features.{one.id}.seen says "
                f"that training rows had {one.seen[0]:g} to {one.seen[1]:g}; was it trained in another unit? Mend "
                "`seen`, or train it in the declared unit"
            )
