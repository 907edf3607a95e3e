"""The database: connections of each process its own, never across a fork; migrations before it.

SQLite (WAL, synchronous=FULL) is embedded; PostgreSQL by URL. Nothing but the modules of `stores/` writes SQL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING

from cds_service.errors import StoreError
from cds_service.stores import new_database
from cds_service.stores.checkpoints import Checkpoints
from cds_service.stores.sqlite_file import BUSY_MS, HURRIED_MS, STARTING_MS, SqliteFile

if TYPE_CHECKING:
    import sqlalchemy as sa

    from cds_service.stores.statements import Connection

HEAD = "0007"  # the newest file in migrations/versions


class Conflict(StoreError):
    """A row with that key is there already."""


class Database:
    """The connections of a process to one database; a SQLite connection must not cross a fork.

    `reading` and `writing` are for the statements of `statements.py`, and on a SQLite file go to the driver.
    `engine` and `transaction` are SQLAlchemy's, which is loaded when one of them is first asked for.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._file = SqliteFile.of(url)
        self._turn: AbstractContextManager[object] = nullcontext() if self._file is None else Lock()
        self._checkpoints = None if self._file is None else Checkpoints(self._file)
        self._engine: sa.Engine | None = None
        self._process = 0
        self.keeps = True  # whether what this process wrote last was kept

    @property
    def engine(self) -> sa.Engine:
        """The engine of this process."""
        if self._engine is None:
            from cds_service.stores.engines import open_engine

            self._engine = open_engine(self.url)
        elif self._process != os.getpid():
            self._engine.dispose(close=False)  # the parent's connections stay the parent's
        self._process = os.getpid()
        return self._engine

    def writing(self, failing: str) -> AbstractContextManager[Connection]:
        """A transaction that writes, committed at its end and durable then.

        Raises Conflict or another StoreError that says what was failing and why.
        On SQLite one at a time in this process: its own way of waiting is to ask again now and then, and under load
        somebody asks in vain until the time is up. After a write that failed, the next ones hardly wait for another
        process's lock until one is kept: else each call would wait behind the waiting of those before it.
        """
        there = self._file
        return self._noting(self._writing_elsewhere(failing) if there is None else self._writing_file(there, failing))

    def reading(self, failing: str) -> AbstractContextManager[Connection]:
        """A connection that reads. Raises StoreError that says what was failing and why."""
        return self._reading_file(self._file, failing) if self._file is not None else self._reading_elsewhere(failing)

    @contextmanager
    def _noting(self, writing: AbstractContextManager[Connection]) -> Iterator[Connection]:
        """Notes whether a transaction was kept; what its own statements raise says nothing about the database.

        Neither does one that changed nothing: a full disk takes it.
        """
        try:
            with writing as connection:
                yield connection
                changed = self.keeps or _changed(connection)
        except Conflict:
            raise
        except StoreError:
            self.keeps = False
            raise
        self.keeps = changed

    @contextmanager
    def _writing_file(self, file: SqliteFile, failing: str) -> Iterator[Connection]:
        try:
            with self._turn:
                with file.transaction(hurried=not self.keeps) as connection:
                    yield connection
                self._committed()
        except sqlite3.Error as error:
            raise failed(failing, error, isinstance(error, sqlite3.IntegrityError)) from error

    @contextmanager
    def _writing_elsewhere(self, failing: str) -> Iterator[Connection]:
        from sqlalchemy.exc import IntegrityError, SQLAlchemyError

        try:
            with self.transaction() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise failed(failing, error, isinstance(error, IntegrityError)) from error

    @contextmanager
    def _reading_file(self, file: SqliteFile, failing: str) -> Iterator[Connection]:
        try:
            with file.connection() as connection:
                yield connection
        except sqlite3.Error as error:
            raise failed(failing, error) from error

    @contextmanager
    def _reading_elsewhere(self, failing: str) -> Iterator[Connection]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise failed(failing, error) from error

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A transaction of SQLAlchemy's, committed at its end; takes turns with `writing`. Raises SQLAlchemyError."""
        engine = self.engine
        with self._turn:
            with engine.begin() as connection:
                wait_ms = BUSY_MS if self.keeps else HURRIED_MS
                if self._checkpoints is not None:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
                elif not self.keeps and connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
                yield connection
            self._committed()

    def _committed(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.committed()

    def close(self) -> None:
        """Closes this process's connections; used again, it opens new ones."""
        if self._checkpoints is not None:
            self._checkpoints.wait()
        if self._file is not None:
            self._file.close()
        if self._engine is not None and self._process == os.getpid():
            self._engine.dispose()


def _changed(connection: Connection) -> bool:
    """Whether a transaction that is about to be committed changed anything."""
    if isinstance(connection, sqlite3.Connection):
        return connection.in_transaction
    if connection.dialect.name != "postgresql":
        return True
    return connection.exec_driver_sql("SELECT txid_current_if_assigned()").scalar() is not None


def failed(failing: str, error: Exception, conflict: bool = False) -> StoreError:
    """What is said of a statement that failed. failing: what could not be done. conflict: a row is there already."""
    kind = Conflict if conflict else StoreError
    why = reason(error)
    return kind(f"{failing} ({type(error).__name__}{f': {why}' if why else ''})")


_REASONS = {
    "SQLITE_BUSY": "another process keeps it busy",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk fails",
    "SQLITE_NOTADB": "the file is no database",
    "SQLITE_READONLY": "it may not be written",
    "25006": "it may not be written",
    "53100": "the disk is full",
    "53300": "it takes no more connections",
    "55P03": "another process keeps it busy",
    "57P01": "it is being shut down",
    "57P03": "it is starting or stopping",
}


def reason(error: Exception) -> str | None:
    """Why a database failed, by its code: its own words may quote a row. None for what needs no words of its own."""
    cause = getattr(error, "orig", error)  # SQLAlchemy's holds the driver's
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    if not code and type(cause).__name__ == "OperationalError":
        return "it cannot be reached"  # what PostgreSQL's driver says before there is a server to give a code
    return _REASONS.get("_".join(code.split("_")[:2]))


def migrate(url: str) -> None:
    """Brings the database to `HEAD`; a database that is there already is only looked at.

    Raises StoreError where it cannot be reached or written.
    """
    file = SqliteFile.of(url, STARTING_MS)
    if file is not None and _is_newest(file, url):
        return
    from cds_service.stores import engines

    engines.migrate(url, HEAD)


def _is_newest(file: SqliteFile, url: str) -> bool:
    """True if a file has the newest schema, which a new one is given."""
    try:
        found = file.revision()
        if found is not None:
            return found == HEAD
        with file.connection() as connection:
            return new_database.create(connection)
    except sqlite3.Error as error:
        raise unusable(url, error) from error
    finally:
        file.close()


def unusable(url: str, error: sqlite3.Error) -> StoreError:
    """What is said of a SQLite file that cannot be opened."""
    from cds_service.stores import engines

    return engines.unusable(url, error)
