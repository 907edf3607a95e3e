"""Builds the graph: the curated base, what was imported before, and one source anew; in one step or not at all.

Without imports no file is needed: the base is built in memory (and kept beside its own files where it can be), so
that an installation needs no folder and can never serve an old base. With imports there is one file, which holds
base and imports and is replaced as a whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from cds_service.compiled import compiled
from cds_service.errors import KnowledgeError
from cds_service.knowledge import base_files, base_variants, preventive, schema
from cds_service.knowledge.graph import COLUMNS, Graph, state
from cds_service.knowledge.rows import Writer

Fill = Callable[[sqlite3.Connection], None]
_COPIED = {
    "source": "id", "node": "source", "name": "source", "code": "source", "member": "source",
}  # fmt: skip
_EDGE = ", ".join(COLUMNS)


def opened(path: Path | None) -> Graph:
    """The graph to serve: the imports' file if there is one, brought up to the shipped base; else the base alone.

    Raises KnowledgeError if the file is of another schema, or is old and its folder cannot be written.
    """
    if path is None or not path.exists():
        return Graph(_base(base_files.digest()))
    found = state(path)
    if found.get("schema") != str(schema.VERSION):
        raise KnowledgeError(
            f"knowledge: {path} is not a graph of this version. Remove it, and import its sources again."
        )
    if found.get("base") != base_files.digest():
        rebuild(path)
    return Graph(path)


@lru_cache(maxsize=1)
def _base(digest: str) -> bytes:
    """The base alone, as the bytes of a database; digest: of its files."""
    return compiled(base_files.FOLDER / "base", digest, _made)


def _made() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(schema.DDL)
        base_files.write(Writer(connection, base_files.SOURCE), _further)
        connection.commit()
        _finish(connection, "")
        return connection.serialize()


def rebuild(path: Path, source: str | None = None, fill: Fill = lambda _: None) -> None:
    """Replaces the file by a new one: base, what it held, and what `fill` writes instead of one source.

    Nothing is changed if anything fails. Of several at once the second waits, and keeps what the first one brought.
    Raises KnowledgeError if the folder cannot be written.
    """
    folder = path.parent
    with _worded(folder):
        folder.mkdir(parents=True, exist_ok=True)
        turn = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(turn, fcntl.LOCK_EX)
        with _worded(folder):
            handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
        os.close(handle)
        _replace(path, Path(name), source, fill)
    finally:
        os.close(turn)


@contextmanager
def _worded(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KnowledgeError(f"knowledge: cannot write to {folder} ({error.strerror}). Set knowledge.path.") from error


def _replace(path: Path, new: Path, source: str | None, fill: Fill) -> None:
    """Makes a new file of an empty one, and puts it in the place of the file; removes it if anything fails."""
    try:
        new.write_bytes(_base(base_files.digest()))
        with closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            _fill(connection, path if state(path).get("schema") == str(schema.VERSION) else None, source, fill)
            connection.commit()
        with new.open("rb") as written:
            os.fsync(written.fileno())
        new.chmod(0o644)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _further(into: Writer) -> int:
    return base_variants.write(into) + preventive.write(into)


def _fill(connection: sqlite3.Connection, old: Path | None, source: str | None, fill: Fill) -> None:
    """Adds to the base what the replaced file held and what `fill` writes."""
    if old is not None:
        _copy(connection, old, {base_files.SOURCE, source or base_files.SOURCE})
    fill(connection)
    _finish(connection, base_files.SOURCE)


def _finish(connection: sqlite3.Connection, indexed: str) -> None:
    """Indexes the rows of all sources but the one that is indexed already, and says what the database is."""
    _index(connection, indexed)
    held = connection.execute("SELECT id, released, digest FROM source ORDER BY id").fetchall()
    whole = hashlib.sha256(repr((schema.VERSION, held)).encode()).hexdigest()[:16]
    meta = {"schema": str(schema.VERSION), "base": base_files.digest(), "digest": whole}
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
    connection.commit()


def _copy(connection: sqlite3.Connection, old: Path, without: set[str]) -> None:
    """The rows of all other sources, from the database that is replaced."""
    connection.execute("ATTACH ? AS old", (str(old),))
    marks = ",".join("?" * len(without))
    for table, column in _COPIED.items():
        connection.execute(f"INSERT INTO {table} SELECT * FROM old.{table} WHERE {column} NOT IN ({marks})", [*without])  # noqa: S608
    connection.execute(
        f"INSERT INTO edge ({_EDGE}) SELECT {_EDGE} FROM old.edge WHERE source NOT IN ({marks}) ORDER BY id",  # noqa: S608
        [*without],
    )
    connection.commit()
    connection.execute("DETACH old")


def _index(connection: sqlite3.Connection, without: str) -> None:
    """The words of every row: names of its nodes, what it says, whom it cites."""
    connection.execute(
        "INSERT INTO edge_text (rowid, words) SELECT e.id, "
        "COALESCE((SELECT name FROM node WHERE id = e.subject LIMIT 1), '') || ' ' || "
        "COALESCE((SELECT name FROM node WHERE id = e.object LIMIT 1), '') || ' ' || "
        "COALESCE((SELECT name FROM node WHERE id = e.context LIMIT 1), '') || ' ' || "
        "e.statement || ' ' || COALESCE(json_extract(e.properties, '$.management'), '') || ' ' || e.citation "
        "FROM edge e WHERE e.source != ? ORDER BY e.id",
        (without,),
    )
