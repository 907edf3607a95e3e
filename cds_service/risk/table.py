"""Tables in a model's source data's own columns: read strictly, turned into the model's matrix, written as predictions.

Nothing is imputed and nothing is guessed: an empty cell is "not measured", and any other cell that is not what the
column holds is a fault, reported by line and column before anything is predicted.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest, FeatureMismatch
from cds_service.features.feature import Derived, Feature, Value
from cds_service.risk.manifest import Column, Input, Table
from cds_service.risk.values_in_words import printed_unit

NOT_MEASURED = frozenset({"", "NA", "NaN", "nan"})  # an empty cell, and how R and pandas write one
_SHOWN_FAULTS = 20
_COMMA = re.compile(r"-?\d+(,\d+)+(\.\d+)?")
_FEW_COLUMNS = 2  # in a header that was parted at the wrong character
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
Fault = tuple[int, str]  # line, and what is wrong there


@dataclass(frozen=True, slots=True)
class Made:
    """Columns that are computed from others of the table, as from three columns of codes one for each group of them.

    sources: columns of the table. compute: the cells of these -> the cells of all columns that are made, by name;
    raises CellError for a cell that cannot be.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]
    compute: Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Across:
    """As `Made`, of columns that need the other rows of the table, as what came before of the same patient.

    compute: the cells of the sources of all rows, in their order -> for each row the cells of the columns made.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...]
    compute: Callable[[Sequence[Sequence[str]]], Sequence[Mapping[str, str]]]


Computed = Made | Across


class CellError(ValueError):
    """A cell that `compute` cannot read. column: its name; wanted: what it should hold."""

    def __init__(self, column: str, wanted: str) -> None:
        super().__init__(wanted)
        self.column, self.wanted = column, wanted


@dataclass(frozen=True, slots=True)
class Rows:
    """A table's rows: their ids, and the values of each input with a column, None where not measured."""

    ids: tuple[str, ...]
    values: Mapping[str, tuple[Value | None, ...]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """One line a row of the table, in its order: the id, then a cell for each name of the header.

    None is an empty cell: the model refuses that row. The columns `*_unrestricted` are always filled.
    """

    header: tuple[str, ...]
    lines: tuple[tuple[str | float | None, ...], ...]

    def write(self, path: Path) -> None:
        """A CSV file, gzipped if its name ends in `.gz`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([_cell(value) for value in line] for line in self.lines)
        content = text.getvalue().encode()
        path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def read(path: Path, inputs: Sequence[Input], table: Table, made: Sequence[Computed] = ()) -> Rows:
    """The rows of a CSV file, gzipped or not.

    made: columns that the inputs name and the file lacks, because they are computed from others.
    Raises FeatureMismatch if a column that the model needs is missing, and BadRequest with a report by line and
    column if there are unknown columns, cells of another type, values that cannot be, or rows with the same id.
    """
    header, *body = lines_of(path)
    columns = {i.id: i.column for i in inputs if i.column is not None}
    faults: list[Fault] = list(_header_faults(path, header, _asked_for(columns.values(), made), table))
    faults += [
        (number, f"{len(row)} cells, expected {len(header)}")
        for number, row in enumerate(body, start=2)
        if len(row) != len(header)
    ]
    refuse(path, faults)
    place = {name: position for position, name in enumerate(header)}
    ids = tuple(row[place[table.id]].strip() for row in body)
    faults += _id_faults(ids, table.id)
    computed = _computed(body, place, made, faults)
    values = {}
    for id_, column in columns.items():
        known = computed.get(column.name)
        cells = known if known is not None else [row[place[column.name]] for row in body]
        values[id_] = tuple(_value(cell, column, number, faults) for number, cell in enumerate(cells, start=2))
    refuse(path, faults)
    return Rows(ids, values)


def _id_faults(ids: Sequence[str], column: str) -> Iterator[Fault]:
    """Rows without an id, or with that of an earlier row: which answer is whose could not be told."""
    first: dict[str, int] = {}
    for number, id_ in enumerate(ids, start=2):
        if id_ in NOT_MEASURED:
            yield number, f"column {column}: is empty; each row needs an id of its own"
        elif first.setdefault(id_, number) != number:
            yield number, f"column {column}: the id is that of line {first[id_]}; each row needs its own"


def groups(path: Path, column: str) -> NDArray[np.int64] | None:
    """For each row of a file the number of its group, as a column names it; None if there is no such column.

    Raises BadRequest with a report by line where a cell is empty.
    """
    header, *body = lines_of(path)
    if column not in header:
        return None
    cells = [row[header.index(column)].strip() for row in body]
    refuse(path, [(n, f"column {column}: is empty") for n, cell in enumerate(cells, start=2) if cell in NOT_MEASURED])
    return np.asarray(np.unique(np.array(cells, dtype=np.str_), return_inverse=True)[1], dtype=np.int64)


def _asked_for(columns: Iterable[Column], made: Sequence[Computed]) -> Iterator[str]:
    """Names of the columns that a file must have."""
    computed = {name for one in made for name in one.names}
    yield from dict.fromkeys(column.name for column in columns if column.name not in computed)
    yield from dict.fromkeys(name for one in made for name in one.sources)


def _computed(
    body: Sequence[Sequence[str]], place: Mapping[str, int], made: Sequence[Computed], faults: list[Fault]
) -> dict[str, list[str]]:
    """The cells of the columns that are computed, by name; a row that cannot be is a fault."""
    cells: dict[str, list[str]] = {name: [] for one in made for name in one.names}
    for one in made:
        if isinstance(one, Across):
            for across in one.compute([[row[place[name]].strip() for name in one.sources] for row in body]):
                for name in one.names:
                    cells[name].append(across.get(name, ""))
            continue
        for number, row in enumerate(body, start=2):
            try:
                found = one.compute([row[place[name]].strip() for name in one.sources])
            except CellError as error:
                faults.append((number, f"column {error.column}: expected {error.wanted}"))
                found = {}
            for name in one.names:
                cells[name].append(found.get(name, ""))
    return cells


def matrix(
    values: Mapping[str, Sequence[Value | None]], inputs: Sequence[Input], features: Sequence[Feature]
) -> NDArray[np.float32]:
    """The model's matrix, shape (n_rows, n_inputs), NaN for what was not measured or cannot be derived.

    values: input id -> its values. Derived inputs are computed from them as they are for a patient's record.
    """
    columns = dict(values)
    for feature in features:
        if isinstance(feature, Derived) and feature.id not in columns:
            columns[feature.id] = derive(feature, [columns[part.id] for part in feature.inputs])
    return np.array([[number(value, i) for value in columns[i.id]] for i in inputs], dtype=np.float32).T


def number(value: Value | None, declared: Input) -> float:
    """A value as it stands in the matrix: NaN if absent, words by the manifest's answers, ages in whole years."""
    if value is None:
        return math.nan
    if isinstance(value, str):
        return declared.answers.get(value, math.nan)
    return float(math.floor(value)) if declared.whole else float(value)


def derive(feature: Derived, columns: Sequence[Sequence[Value | None]]) -> tuple[Value | None, ...]:
    """The values of a derived input. columns: of its inputs, in their order."""
    given = zip(*columns, strict=True)
    lacking = all if feature.partial else any
    return tuple(None if lacking(v is None for v in row) else feature.compute(*row) for row in given)


def lines_of(path: Path) -> list[list[str]]:
    """The cells of a CSV file, gzipped or not, line by line, the header first; empty lines at its end are none.

    Raises BadRequest if it has no line, or is saved in another form.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise BadRequest(
            f"{path.name}: is no CSV file: {error} (line {reader.line_num}). Save it as CSV in UTF-8, with commas"
        ) from error
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise BadRequest(f"{path.name}: is empty; expected a header line with the names of the columns, and rows")
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(lines[0]) < _FEW_COLUMNS < "".join(lines[0]).count(mark) or lines[0] == [f"sep={mark}"]:
            raise BadRequest(
                f"{path.name}: its cells are parted by {name}; save it with commas between cells and points in numbers"
            )
    return lines


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        if content.startswith(_ZIP):
            raise BadRequest(f"{path}: is a workbook or a zip file; save its sheet as CSV in UTF-8")
        if b"\0" in content:
            raise BadRequest(f"{path}: is not a CSV file in UTF-8, plain or gzipped")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise BadRequest(f"{path}: cannot be read: {error.strerror or 'damaged gzip file'}") from error
    except (UnicodeDecodeError, EOFError, zlib.error) as error:
        raise BadRequest(f"{path}: is not a CSV file in UTF-8, plain or gzipped") from error


def columns_missing(path: Path, missing: Sequence[str], strange: Sequence[str] = ()) -> FeatureMismatch:
    """The refusal of a table that lacks columns. strange: columns that it has and should not, perhaps misspelt ones."""
    found = f" (it has {', '.join(repr(name[:40]) for name in strange[:5])}, not known here)" if strange else ""
    return FeatureMismatch(
        f"{path.name}: columns are missing: {', '.join(missing)}{found}; leave cells empty where nothing was measured"
    )


def _header_faults(path: Path, header: Sequence[str], needed: Iterable[str], table: Table) -> Iterator[Fault]:
    needed_names = list(dict.fromkeys([table.id, *needed]))
    missing = [name for name in needed_names if name not in header]
    known = {*needed_names, *table.unused}
    endings = tuple(name[1:] for name in table.unused if name.startswith("*"))
    strange = [name for name in header if name not in known and not (endings and name.endswith(endings))]
    if missing:
        raise columns_missing(path, missing, strange)
    for position, name in enumerate(header, start=1):
        if name in strange:
            yield 1, f"column {position} ('{name[:40]}') is not a column of the source data"
        elif name in header[: position - 1]:
            yield 1, f"column {position} ('{name}') is there twice"


def _value(cell: str, column: Column, line: int, faults: list[Fault]) -> Value | None:
    """A cell's value in the feature's unit, or None; what is wrong with it is added to the faults."""
    text = cell.strip()
    if text in NOT_MEASURED or text in column.missing:
        return None
    if text in column.answers:
        return column.answers[text]
    if text in column.numbers:
        return column.numbers[text]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    known = column.numbers.get(f"{value:g}")
    if known is not None:
        return known
    low, high = column.limits
    if column.numbers or not low <= value <= high:  # also true for NaN, which float() takes from many spellings
        comma = " (numbers have a point and no comma)" if _COMMA.fullmatch(text) else ""
        faults.append((line, f"column {column.name}: expected {_wanted(column)}{comma}"))
        return None
    if column.answers:
        answer = column.answers.get(f"{value:g}")
        if answer is None:
            faults.append((line, f"column {column.name}: expected {_wanted(column)}"))
        return answer
    return value * column.factor


def _wanted(column: Column) -> str:
    if column.answers:
        return " or ".join(code if code == word else f"{code} ({word})" for code, word in list(column.answers.items()))
    if column.numbers:
        return " or ".join(column.numbers)
    low, high = column.limits
    return f"a number from {low:g} to {high:g} {printed_unit(column.unit)}".rstrip() + ", or nothing"


def refuse(path: Path, faults: Sequence[Fault]) -> None:
    """Raises BadRequest with a report by line and column if there are faults."""
    if faults:
        in_order = [f"line {line}: {words}" for line, words in sorted(faults, key=lambda fault: fault[0])]
        shown = "\n  ".join(in_order[:_SHOWN_FAULTS])
        rest = len(faults) - _SHOWN_FAULTS
        more = f"\n  and {rest} more" if rest > 0 else ""
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise BadRequest(f"{path.name}: {count}, nothing was computed; mend these cells:\n  {shown}{more}")


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.9g}"
