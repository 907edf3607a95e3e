"""Statements of the hook path, worked out once for a dialect: SQLAlchemy's way from a statement to a cursor, short.

SQLAlchemy looks a statement up, binds, and wraps what comes back each time anew, which costs several times what
SQLite takes. What it works out depends on the statement and the dialect alone. On SQLite the driver's own cursor does
the rest; on PostgreSQL SQLAlchemy goes on watching for connections that break.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Executable = sa.Insert | sa.Update | sa.Select[Any] | sa.CompoundSelect[Any]
_Process = Callable[[Any], Any]


class Outcome(Protocol):
    """What came of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> Any:
        """All rows."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """SQL of one dialect, what its parameters are called, and how each is made fit for the driver."""

    sql: str
    names: tuple[str, ...]
    positional: bool
    processors: tuple[tuple[str, _Process], ...]
    fixed: Mapping[str, Any]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        found = {**self.fixed, **values}
        for name, process in self.processors:
            found[name] = process(found[name])
        return tuple(found[name] for name in self.names) if self.positional else {n: found[n] for n in self.names}


class Prepared:
    """A statement by dialect, made ready at its first use.

    statement: one for every dialect, or what makes that of a dialect.
    """

    def __init__(self, statement: Executable | Callable[[sa.Dialect], Executable]) -> None:
        self._statement = statement
        self._ready: dict[str, _Ready] = {}

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> Outcome:
        """Executes the statement; rows are tuples as the driver gives them. Raises SQLAlchemyError."""
        ready = self._ready.get(connection.dialect.name) or self._prepare(connection.dialect)
        if not ready.positional:
            return connection.exec_driver_sql(ready.sql, ready.parameters(values))
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            return driver.execute(ready.sql, ready.parameters(values))
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                ready.sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
            ) from error

    def _prepare(self, dialect: sa.Dialect) -> _Ready:
        statement = self._statement(dialect) if callable(self._statement) else self._statement
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        processors = tuple(
            (name, process)
            for name, bound in compiled.binds.items()
            if (process := bound.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        )
        names = tuple(compiled.positiontup or compiled.binds)
        fixed = {name: bound.value for name, bound in compiled.binds.items() if bound.value is not None}
        ready = _Ready(str(compiled), names, bool(compiled.positional), processors, fixed)
        self._ready[dialect.name] = ready
        return ready


def insert_into(table: sa.Table, dialect: sa.Dialect) -> sqlite.Insert | postgresql.Insert:
    """The dialect's own INSERT, which knows ON CONFLICT; the other dialect is never imported, which takes 0.1 s."""
    if dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def reader(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any]:
    """What makes a value of that type from what the driver gives."""
    return type_.dialect_impl(dialect).result_processor(dialect, None) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
