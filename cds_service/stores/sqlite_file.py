"""Connections to a SQLite file by Python's own driver: each process opens its own, and keeps them for its threads."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from time import monotonic, sleep

BUSY_MS = 2500  # how long a write waits for another process's before it fails
STARTING_MS = 120_000  # the same for a start, which may find another process making or migrating the tables
HURRIED_MS = 100  # the same while writes fail: calls queue behind each other's waiting
UNASKED_PAGES = 16_000  # 64 MB: from this on, SQLite moves the log within a commit after all
AGAIN_S = 0.005  # between two attempts at what SQLite does not wait for by itself
PRAGMAS = (
    "synchronous=FULL",
    f"wal_autocheckpoint={UNASKED_PAGES}",
    "foreign_keys=ON",
)
_FILE = re.compile(r"sqlite(?:\+pysqlite)?:///(?!:memory:|file:)([^?]+)")
_forked: list[sqlite3.Connection] = []  # of parents: to close them here would end the parents' locks


def private(path: str) -> None:
    """Makes an empty file for a new database that its owner alone can read, and its logs with it; else does nothing."""
    with suppress(OSError):  # it is there; or SQLite says why it cannot be made
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def prepare(connection: sqlite3.Connection, wait_ms: int) -> None:
    """Makes a connection durable, and its statements wait for other processes. Raises sqlite3.Error."""
    for pragma in (f"busy_timeout={wait_ms}", *PRAGMAS):
        connection.execute(f"PRAGMA {pragma}")
    _write_ahead(connection, monotonic() + wait_ms / 1000)


def _write_ahead(connection: sqlite3.Connection, until: float) -> None:
    """Has a log written ahead of the file, which only a file's first connection changes anything by.

    Of two processes that do so at once SQLite tells the second that the file is locked, however long it may wait:
    each holds what the other waits for. until: by the monotonic clock.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or monotonic() > until:
                raise
            sleep(AGAIN_S)
        else:
            return


class SqliteFile:
    """One file, and the connections of this process that nobody uses at the moment."""

    def __init__(self, path: str, wait_ms: int = BUSY_MS) -> None:
        self.path, self._wait_ms = path, wait_ms
        self._free: list[sqlite3.Connection] = []
        self._process = os.getpid()

    @classmethod
    def of(cls, url: str, wait_ms: int = BUSY_MS) -> SqliteFile | None:
        """The file of a store's URL; None if the URL names another database, or asks for more than a file.

        wait_ms: how long a statement waits for another process's write.
        """
        found = _FILE.fullmatch(url)
        return cls(found[1], wait_ms) if found is not None else None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection, given back at the end with nothing of it left open. Raises sqlite3.Error."""
        taken = self._take()
        try:
            yield taken
        except sqlite3.Error:
            taken.close()  # whatever is wrong with it, the next one is new
            raise
        except BaseException:
            taken.rollback()
            self._free.append(taken)
            raise
        self._free.append(taken)

    @contextmanager
    def transaction(self, hurried: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that begins with its first write and is committed at its end. Raises sqlite3.Error."""
        with self.connection() as connection:
            if hurried:
                connection.execute(f"PRAGMA busy_timeout={HURRIED_MS}")
            try:
                yield connection
                self.commit(connection)
            finally:
                if hurried:
                    connection.execute(f"PRAGMA busy_timeout={self._wait_ms}")

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commits; what was written is on the disk when it returns. Raises sqlite3.Error."""
        connection.commit()

    def _take(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            _forked.extend(self._free)
            self._free, self._process = [], os.getpid()
        try:
            return self._free.pop()
        except IndexError:
            return self._open()

    def _open(self) -> sqlite3.Connection:
        private(self.path)
        opened = sqlite3.connect(self.path, self._wait_ms / 1000, check_same_thread=False)
        try:
            prepare(opened, self._wait_ms)
        except sqlite3.Error:
            opened.close()
            raise
        return opened

    def revision(self) -> str | None:
        """Of the schema; None where there is none. Raises sqlite3.Error."""
        with self.connection() as connection, closing(connection.cursor()) as cursor:
            if not cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            found = cursor.execute("SELECT version_num FROM alembic_version").fetchone()
            return found[0] if found else None

    def close(self) -> None:
        """Closes this process's connections; used again, it opens new ones."""
        if self._process == os.getpid():
            while self._free:
                self._free.pop().close()
