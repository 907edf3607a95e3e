"""The source data's tables as a recipe declares them: which column feeds which input, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pandas
from numpy.typing import NDArray

from cds_service.errors import FeatureMismatch
from cds_service.features.aggregate import Aggregate
from cds_service.features.feature import Coded, Derived, Feature, FirstOf, Quantity
from cds_service.risk import table as tables
from cds_service.risk.manifest import Column, Input, Learnt, Table

_NOTHING = Learnt(0, 0.0, 0.0, 0.0, 0.0, 0.0)
_DIGITS = 6  # significant digits of the training ranges in the manifest


@dataclass(frozen=True, slots=True)
class Source:
    """Where one input comes from in the source data.

    column: None for an input that is derived from others. unit: of the column; factor: from there to the feature's.
    limits: what is possible at all, in the column's unit. cells: cell -> the feature's word.
    numbers: the feature's word -> its number in the matrix. whole: completed years.
    ranges: cell -> its number, where the column has words for ranges. missing: cells that say "not measured".
    """

    feature: Feature
    column: str | None = None
    unit: str = ""
    limits: tuple[float, float] = (0.0, 1e9)
    factor: float = 1.0
    group: str | None = None
    monotone: int = 0
    cells: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    whole: bool = False
    ranges: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A column that tells an outcome or a group that is reported on.

    words: all that its cells may hold; limits: or which numbers; neither: anything. empty: whether cells may be empty.
    patient: it tells which rows are of one patient, in any words, so that none may be empty.
    """

    column: str
    words: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    empty: bool = False
    patient: bool = False


@dataclass(frozen=True)
class Data:
    """A source table: the model's inputs and matrix, and all columns as they are, for outcomes and strata."""

    inputs: tuple[Input, ...]
    matrix: NDArray[np.float32]
    frame: pandas.DataFrame


def read(
    path: Path,
    sources: Sequence[Source],
    id_column: str,
    unused: Sequence[str],
    made: Sequence[tables.Computed] = (),
    keep: Callable[[pandas.DataFrame], NDArray[np.bool_]] | None = None,
    told: Sequence[Told] = (),
) -> Data:
    """A source table, checked cell by cell as for predictions; the inputs carry their distribution in it.

    keep: which rows are of the population; all are checked, and these alone are given. told: columns of outcomes.
    Raises as `risk.table.read` does, for the columns of outcomes too.
    """
    inputs = tuple(_input(source) for source in sources)
    rows = tables.read(path, inputs, Table(id_column, tuple(unused)), made)
    matrix = tables.matrix(rows.values, inputs, [source.feature for source in sources])
    frame = pandas.read_csv(path, low_memory=False)
    _check(path, frame, told)
    if keep is not None:
        kept = keep(frame)
        matrix, frame = matrix[kept], frame[kept].reset_index(drop=True)
    described = tuple(
        msgspec.structs.replace(declared, training=_learnt(matrix[:, position]))
        for position, declared in enumerate(inputs)
    )
    return Data(described, matrix, frame)


def remade(sources: Sequence[Source]) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """What computes the derived columns of a matrix anew, for rows in which something was hidden or filled in.

    Only columns that are derived from numbers of the same matrix. A number is taken as it was written: as a float32, a
    pH of 7.35 lies below 7.35 and would fall into another band than in a record.
    """
    place = {source.feature.id: position for position, source in enumerate(sources)}
    derived = [source.feature for source in sources if source.column is None and isinstance(source.feature, Derived)]

    def anew(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        result = matrix.copy()
        for feature in derived:
            columns = [result[:, place[part.id]].astype(np.str_).astype(np.float64) for part in feature.inputs]
            values = [[None if np.isnan(x) else x for x in column.tolist()] for column in columns]
            found = tables.derive(feature, values)
            result[:, place[feature.id]] = [np.nan if value is None else value for value in found]
        return result

    return anew


def codes(feature: Feature) -> tuple[str, ...]:
    """All LOINC codes under which a record may hold an input; none for demographics and derived inputs."""
    if isinstance(feature, FirstOf):
        return tuple(dict.fromkeys(code for other in feature.alternatives for code in codes(other)))
    if isinstance(feature, Aggregate):
        return feature.of.codes
    return feature.codes if isinstance(feature, Quantity | Coded) else ()


def _check(path: Path, frame: pandas.DataFrame, told: Sequence[Told]) -> None:
    """Raises FeatureMismatch or BadRequest if a column of outcomes is missing or holds what it cannot."""
    missing = [one.column for one in told if one.column not in frame.columns]
    if missing:
        raise FeatureMismatch(
            f"{path.name}: columns are missing: {', '.join(missing)}; they tell what came of each row"
        )
    faults = []
    for one in told:
        column = frame[one.column]
        ok = column.isna().to_numpy() if one.empty else np.zeros(len(frame), dtype=np.bool_)
        if one.words:
            cells = [f"{cell:g}" if isinstance(cell, float) else str(cell).strip() for cell in column.tolist()]
            ok |= np.array([cell in one.words for cell in cells], dtype=np.bool_)
            wanted = " or ".join(one.words)
        elif one.limits is not None:
            low, high = one.limits
            ok |= pandas.to_numeric(column, errors="coerce").between(low, high).to_numpy()
            wanted = f"a number from {low:g} to {high:g}"
        elif one.patient:
            ok = column.notna().to_numpy()
            wanted = "something that tells which rows are of one patient"
        else:
            continue
        wanted += ", or nothing" if one.empty else ""
        faults += [(line, f"column {one.column}: expected {wanted}") for line in (np.flatnonzero(~ok) + 2).tolist()]
    tables.refuse(path, faults)


def _input(source: Source) -> Input:
    feature = source.feature
    if source.column is None and not isinstance(feature, Derived):
        raise ValueError(f"{feature.id} is not derived, so it needs a column")
    column = None
    if source.column is not None:
        column = Column(
            source.column, source.unit, source.factor, source.limits, dict(source.cells), dict(source.ranges),
            source.missing,
        )  # fmt: skip
    return Input(
        id=feature.id,
        label=str(feature.label),
        unit=str(getattr(feature, "unit", "")),
        codes=codes(feature),
        column=column,
        answers=dict(source.numbers),
        whole=source.whole,
        group=source.group,
        monotone=source.monotone,
        training=_NOTHING,
    )


def _learnt(values: NDArray[np.float32]) -> Learnt:
    measured = values[~np.isnan(values)].astype(np.float64)
    if not len(measured):
        return _NOTHING
    points = [measured.min(), *np.percentile(measured, [1, 50, 99]), measured.max()]
    return Learnt(len(measured), *(float(f"{point:.{_DIGITS}g}") for point in points))
