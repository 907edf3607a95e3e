"""A population on disk, by patient: whatever order its files are in, one patient at a time is in memory.

What `files.py` reads goes once into a SQLite file beside the results; what was read already is not read again. The
resources of a patient that stand near each other are packed together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from isal import isal_zlib

from cds_service.cohort.files import BETWEEN, UNREADABLE, Keyed, Problem, broken_off, files_of, keyed_file
from cds_service.errors import InputError

SECOND_PATIENT = "a second, different Patient with an id that was read before; the first counts"
_FAST = 1
_WAITING = 16_000_000  # bytes that wait to be packed


class Advance(Protocol):
    """Is called once for each thing done: for a progress bar."""

    def __call__(self) -> None:
        """One more."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One resource as it was read: JSON bytes, and the full URL of its entry in a bundle."""

    body: bytes
    full_url: str | None


class Spool:
    """The file. Made and filled by `Spool.fill`; read by any number of processes."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        mode = "rwc" if writable else "ro"
        self._db = sqlite3.connect(f"file:{path}?mode={mode}", uri=True, isolation_level=None)
        if writable:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        self._waiting: dict[str, tuple[list[bytes], list[str]]] = {}
        self._bytes = 0
        self._types: set[str] = set()

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def patients(self) -> list[str]:
        """The ids of all patients with a Patient resource, in order."""
        return [row[0] for row in self._db.execute("SELECT id FROM patients ORDER BY id")]

    def types(self) -> frozenset[str]:
        """The resource types that the population holds: what it lists, absence may be read from."""
        return frozenset(row[0] for row in self._db.execute("SELECT DISTINCT type FROM types"))

    def rows(self, patient: str) -> list[Row]:
        """One patient's resources, in the order in which they were read."""
        found: list[Row] = []
        for packed, urls in self._db.execute(
            "SELECT bodies, urls FROM rows WHERE patient = ? ORDER BY rowid", (patient,)
        ):
            bodies = isal_zlib.decompress(packed).split(BETWEEN)
            named = urls.split("\n") if urls is not None else [""] * len(bodies)
            found += [Row(body, url or None) for body, url in zip(bodies, named, strict=True)]
        return found

    def shared(self, names: list[str]) -> list[Row]:
        """Resources that belong to nobody, by `Type/id`."""
        found = []
        for name in names:
            row = self._db.execute("SELECT body, url FROM shared WHERE name = ?", (name,)).fetchone()
            if row is not None:
                found.append(Row(isal_zlib.decompress(row[0]), row[1]))
        return found

    def problems(self) -> list[Problem]:
        """What could not be read, in the order of files and lines."""
        return [
            Problem(*row) for row in self._db.execute("SELECT file, line, reason FROM problems ORDER BY file, line")
        ]

    def sizes(self) -> tuple[int, int]:
        """Numbers of files and of resources that were read."""
        files = self._db.execute("SELECT COUNT(*) FROM files").fetchone()[0]
        rows = self._db.execute("SELECT SUM(n) FROM rows").fetchone()[0] or 0
        return int(files), int(rows)

    def fill(self, folder: Path, advance: Advance | None = None) -> None:
        """Reads all files of a folder that were not read before. advance: is told of each file.

        Raises InputError if the folder holds nothing that can be read.
        """
        for file in files_of(folder):
            stat = file.stat()
            mark = (str(file.relative_to(folder)), stat.st_size, stat.st_mtime_ns)
            known = self._db.execute("SELECT size, mtime FROM files WHERE file = ?", (mark[0],)).fetchone()
            if known is None:
                with self._transaction():
                    self._read(file, mark[0])
                    self._db.execute("INSERT INTO files VALUES (?, ?, ?)", mark)
            elif known != mark[1:]:
                raise InputError(f"{mark[0]} has changed since it was read. Use a new folder for the results.")
            if advance is not None:
                advance()
        self._note_strays()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._waiting.clear()
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _read(self, file: Path, name: str) -> None:
        self._types.clear()
        try:
            for found in keyed_file(file, name, 0):
                self._keep(found)
                if self._bytes >= _WAITING:
                    self._pack()
        except UNREADABLE as error:
            self._keep(broken_off(name, 0, error))
        self._pack()

    def _keep(self, found: Keyed) -> None:
        """Keeps one resource under its patient, or the reason why not."""
        if found.problem is not None:
            self._problem(*found.problem)
            return
        if found.patient is None:
            if found.name:
                packed = isal_zlib.compress(found.body, _FAST)
                self._db.execute("INSERT OR REPLACE INTO shared VALUES (?, ?, ?)", (found.name, packed, found.url))
            return
        if found.type == "Patient":
            self._patient(found.patient, found.body, found.file, found.line)
        if found.type not in self._types:
            self._types.add(found.type)
            self._db.execute("INSERT OR IGNORE INTO types VALUES (?)", (found.type,))
        bodies, urls = self._waiting.setdefault(found.patient, ([], []))
        bodies.append(found.body)
        urls.append((found.url or "").replace("\n", ""))
        self._bytes += len(found.body)

    def _pack(self) -> None:
        """Writes what waits, the resources of each patient together."""
        rows = (
            (
                patient,
                len(bodies),
                isal_zlib.compress(BETWEEN.join(bodies), _FAST),
                "\n".join(urls) if any(urls) else None,
            )
            for patient, (bodies, urls) in self._waiting.items()
        )
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)
        self._waiting.clear()
        self._bytes = 0

    def _patient(self, id_: str, body: bytes, file: str, line: int) -> None:
        digest = sha256(body).digest()
        known = self._db.execute("SELECT digest FROM patients WHERE id = ?", (id_,)).fetchone()
        if known is None:
            self._db.execute("INSERT INTO patients VALUES (?, ?)", (id_, digest))
        elif known[0] != digest:
            self._problem(file, line, SECOND_PATIENT)

    def _note_strays(self) -> None:
        """Rows of patients without a Patient resource are counted as a problem, once a run."""
        count = self._db.execute(
            "SELECT COUNT(DISTINCT patient) FROM rows WHERE patient NOT IN (SELECT id FROM patients)"
        ).fetchone()[0]
        self._db.execute("DELETE FROM problems WHERE file = ''")
        if count:
            self._problem("", 0, f"{count} patients are referred to, and have no Patient resource; they are left out")

    def _problem(self, file: str, line: int, reason: str) -> None:
        self._db.execute("INSERT INTO problems VALUES (?, ?, ?)", (file, line, reason))


_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (file TEXT PRIMARY KEY, size INTEGER, mtime INTEGER);
CREATE TABLE IF NOT EXISTS patients (id TEXT PRIMARY KEY, digest BLOB);
CREATE TABLE IF NOT EXISTS rows (patient TEXT, n INTEGER, bodies BLOB, urls TEXT);
CREATE INDEX IF NOT EXISTS rows_patient ON rows (patient);
CREATE TABLE IF NOT EXISTS shared (name TEXT PRIMARY KEY, body BLOB, url TEXT);
CREATE TABLE IF NOT EXISTS types (type TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS problems (file TEXT, line INTEGER, reason TEXT);
"""
