"""Results as Parquet: written beside, and moved to their place when they are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cds_service.cohort.files import Problem
from cds_service.cohort.scoring import Scored
from cds_service.errors import InputError

_TEXT = pa.string()
_TYPES: Mapping[str, pa.DataType] = {
    "datetime": pa.timestamp("us", tz="UTC"),
    "int": pa.int32(),
    "float": pa.float64(),
    "bool": pa.bool_(),
}


def schema(row: type) -> pa.Schema:
    """The columns of a kind of rows, which is a dataclass."""
    found = [(item.name, _TYPES.get(str(item.type).removesuffix(" | None"), _TEXT)) for item in fields(row)]
    return pa.schema(found)


PROBLEMS = pa.schema([("file", _TEXT), ("line", pa.int64()), ("reason", _TEXT)])


def working(out: Path) -> Path:
    """The folder in which results grow until they are whole, its owner's alone: what grows there is about patients.

    Raises InputError if the results are there already.
    """
    if out.exists():
        raise InputError(f"{out} is there already. Name a new folder for the results, or remove it.")
    folder = out.with_name(out.name + ".partial")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(f"{folder} cannot be made ({why}). Name a folder that you may write to.") from error
    return folder


def abandon(folder: Path) -> None:
    """Removes what a run began that has no result."""
    shutil.rmtree(folder, ignore_errors=True)


def claim(folder: Path, run: Mapping[str, Any]) -> None:
    """Makes sure that a folder that was begun before was begun for the same run. Raises InputError if it was not."""
    mark = folder / "run.json"
    text = orjson.dumps(run, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS, default=str)
    if mark.exists() and mark.read_bytes() != text:
        raise InputError(f"{folder} was begun with other options or another version. Remove it, and start again.")
    mark.write_bytes(text)


def write_rows(path: Path, rows: Sequence[Any], row: type) -> None:
    """One part, all of it or nothing. row: the dataclass of the rows."""
    shape = schema(row)
    _whole(path, pa.table({name: [getattr(one, name) for one in rows] for name in shape.names}, schema=shape))


def write_problems(path: Path, problems: Iterable[Problem]) -> None:
    """What could not be read."""
    rows = [asdict(problem) for problem in problems]
    _whole(path, pa.Table.from_pylist(rows, schema=PROBLEMS))


def _whole(path: Path, table: pa.Table) -> None:
    temporary = path.with_name(path.name + ".part")
    pq.write_table(table, temporary, compression="zstd")
    os.replace(temporary, path)


def finish(folder: Path, out: Path) -> None:
    """Moves whole results to their place; the spool, which holds the population, is removed."""
    for name in ("spool.db", "spool.db-wal", "spool.db-shm"):
        (folder / name).unlink(missing_ok=True)
    os.replace(folder, out)


def discard(folder: Path) -> None:
    """Removes results that are not wanted."""
    shutil.rmtree(folder, ignore_errors=True)


def read(out: Path) -> pa.Table:
    """All rows of whole results, in the order of the parts."""
    parts = sorted((out / "rows").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(part) for part in parts]) if parts else schema(Scored).empty_table()
