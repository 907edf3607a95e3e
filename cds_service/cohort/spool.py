"""A population on disk, by patient: whatever order its files are in, one patient at a time is in memory.

FHIR Bulk Data exports (NDJSON by type, gzipped or not) and folders of bundles are read once, line by line, into a
SQLite file beside the results; what was read already is not read again. Source: hl7.org/fhir/uv/bulkdata.
"""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

import msgspec

from cds_service.errors import InputError

BUNDLES = (".json", ".json.gz")
LINES = (".ndjson", ".ndjson.gz")
SECOND_PATIENT = "a second, different Patient with an id that was read before; the first counts"
UNREADABLE = (OSError, EOFError, zlib.error)
_LONGEST_LINE = 64_000_000
_FAST = 1


class Advance(Protocol):
    """Is called once for each thing done: for a progress bar."""

    def __call__(self) -> None:
        """One more."""
        ...


class Head(msgspec.Struct, rename="camel"):
    """What is read of a line to know whose it is."""

    resource_type: str = ""
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None
    beneficiary: _Reference | None = None


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Entry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    entry: list[_Entry] = []


_HEAD = msgspec.json.Decoder(Head)
_BUNDLE = msgspec.json.Decoder(_Bundle)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read: where, and why; never what it said. line: from 1; 0 for the whole file."""

    file: str
    line: int
    reason: str


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
        found = self._db.execute("SELECT body, url FROM rows WHERE patient = ? ORDER BY rowid", (patient,))
        return [Row(zlib.decompress(body), url) for body, url in found]

    def shared(self, names: list[str]) -> list[Row]:
        """Resources that belong to nobody, by `Type/id`."""
        found = []
        for name in names:
            row = self._db.execute("SELECT body, url FROM shared WHERE name = ?", (name,)).fetchone()
            if row is not None:
                found.append(Row(zlib.decompress(row[0]), row[1]))
        return found

    def problems(self) -> list[Problem]:
        """What could not be read, in the order of files and lines."""
        return [
            Problem(*row) for row in self._db.execute("SELECT file, line, reason FROM problems ORDER BY file, line")
        ]

    def sizes(self) -> tuple[int, int]:
        """Numbers of files and of resources that were read."""
        files = self._db.execute("SELECT COUNT(*) FROM files").fetchone()[0]
        rows = self._db.execute("SELECT COUNT(*) FROM rows").fetchone()[0]
        return int(files), int(rows)

    def fill(self, folder: Path, advance: Advance | None = None) -> None:
        """Reads all files of a folder that were not read before. advance: is told of each file.

        Raises InputError if the folder holds nothing that can be read.
        """
        files = files_of(folder)
        if not files:
            raise InputError(
                f"there is no FHIR file in {folder}. Give a folder of .ndjson or .json files, each gzipped or not."
            )
        for file in files:
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
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _read(self, file: Path, name: str) -> None:
        try:
            for found in keyed_file(file, name, 0):
                self._keep(found)
        except UNREADABLE as error:
            self._keep(broken_off(name, 0, error))

    def _keep(self, found: Keyed) -> None:
        """Keeps one resource under its patient, or the reason why not."""
        if found.problem is not None:
            self._problem(*found.problem)
            return
        packed = zlib.compress(found.body, _FAST)
        if found.type == "Patient" and found.patient is not None:
            self._patient(found.patient, packed, found.file, found.line)
        if found.patient is None:
            if found.name:
                self._db.execute("INSERT OR REPLACE INTO shared VALUES (?, ?, ?)", (found.name, packed, found.url))
            return
        self._db.execute("INSERT INTO rows VALUES (?, ?, ?)", (found.patient, packed, found.url))
        self._db.execute("INSERT OR IGNORE INTO types VALUES (?)", (found.type,))

    def _patient(self, id_: str, packed: bytes, file: str, line: int) -> None:
        known = self._db.execute("SELECT body FROM patients WHERE id = ?", (id_,)).fetchone()
        if known is None:
            self._db.execute("INSERT INTO patients VALUES (?, ?)", (id_, packed))
        elif known[0] != packed:
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
CREATE TABLE IF NOT EXISTS patients (id TEXT PRIMARY KEY, body BLOB);
CREATE TABLE IF NOT EXISTS rows (patient TEXT, body BLOB, url TEXT);
CREATE INDEX IF NOT EXISTS rows_patient ON rows (patient);
CREATE TABLE IF NOT EXISTS shared (name TEXT PRIMARY KEY, body BLOB, url TEXT);
CREATE TABLE IF NOT EXISTS types (type TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS problems (file TEXT, line INTEGER, reason TEXT);
"""


def files_of(folder: Path) -> list[Path]:
    """The files of a population, in the order of their names. Raises InputError for what is no folder."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give the folder of an export or of bundles.")
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith((*LINES, *BUNDLES)))


def opened(file: Path) -> IO[bytes]:
    """A file for reading, unpacked if its name ends in .gz."""
    return cast("IO[bytes]", gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb"))


@dataclass(frozen=True, slots=True)
class Keyed:
    """One resource as it stands in a file, and whose it is; or the reason why it cannot be used.

    name: `Type/id`, empty without an id. order: by file and place in it.
    """

    file: str
    line: int
    order: tuple[int, int]
    type: str = ""
    name: str = ""
    patient: str | None = None
    body: bytes = b""
    url: str | None = None
    problem: tuple[str, int, str] | None = None


def keyed_file(file: Path, name: str, number: int) -> Iterator[Keyed]:
    """The resources of a file of either kind. number: of the file, for the order. Raises one of `UNREADABLE`."""
    if not file.name.endswith(LINES):
        yield from keyed_bundle(file, name, number)
        return
    with opened(file) as stream:
        for place, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1):
            if line.strip():
                yield keyed_line(line, name, place, (number, place))


def broken_off(name: str, number: int, error: Exception) -> Keyed:
    """The problem of a file that cannot be read to its end."""
    reason = f"the file cannot be read to its end ({type(error).__name__})"
    return Keyed(name, 0, (number, 0), problem=(name, 0, reason))


def keyed_line(
    body: bytes, file: str, line: int, order: tuple[int, int], url: str | None = None, owner: str | None = None
) -> Keyed:
    """One resource in JSON. owner: the patient of the bundle that it stands in, where that has one."""
    head = _head(body)
    if head is None or not head.resource_type:
        return Keyed(file, line, order, problem=(file, line, "the line is not a FHIR resource in JSON"))
    if head.resource_type == "Patient" and not head.id:
        return Keyed(file, line, order, problem=(file, line, "a Patient without an id"))
    name = f"{head.resource_type}/{head.id}" if head.id else ""
    return Keyed(file, line, order, head.resource_type, name, owner or _patient_of(head), body.strip(), url)


def keyed_bundle(file: Path, name: str, number: int) -> Iterator[Keyed]:
    """The resources of a file that holds a Bundle, or one resource. number: of the file, for the order."""
    with opened(file) as stream:
        data = stream.read()
    try:
        bundle = _BUNDLE.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield Keyed(name, 0, (number, 0), problem=(name, 0, "the file is not a FHIR Bundle in JSON"))
        return
    if bundle.resource_type != "Bundle":
        yield keyed_line(data, name, 0, (number, 0))
        return
    heads = [_head(bytes(entry.resource)) for entry in bundle.entry]
    people = [head.id for head in heads if head is not None and head.resource_type == "Patient"]
    owner = people[0] if len(people) == 1 else None
    for place, entry in enumerate(bundle.entry, 1):
        if bytes(entry.resource):
            yield keyed_line(bytes(entry.resource), name, place, (number, place), entry.full_url, owner)


def _head(body: bytes) -> Head | None:
    try:
        return _HEAD.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _patient_of(head: Head) -> str | None:
    """The id of the patient whose resource it is, or None."""
    if head.resource_type == "Patient":
        return head.id
    for reference in (head.subject, head.patient, head.beneficiary):
        target = reference.reference if reference is not None else None
        if target:
            parts = target.split("/_history/", 1)[0].rsplit("/", 2)
            if len(parts) >= 2 and parts[-2] == "Patient":
                return parts[-1]
    return None
