"""Statements of the hook path, worked out once for a dialect: SQLAlchemy's way from a statement to a cursor, short.

SQLAlchemy looks a statement up, binds, and wraps what comes back each time anew, which costs several times what
SQLite takes. What it works out depends on the statement and the dialect alone. On SQLite the driver's own cursor does
the rest; on PostgreSQL SQLAlchemy goes on watching for connections that break.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

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

    statements: one for every dialect, or one by the dialect's name. columns: of an INSERT, those that get values; by
    default all.
    """

    def __init__(self, statements: Executable | Mapping[str, Executable], columns: Sequence[str] | None = None) -> None:
        self._statements = statements
        self._columns = columns
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
        statements = self._statements
        statement = statements[dialect.name] if isinstance(statements, Mapping) else statements
        columns = list(self._columns) if self._columns is not None else None
        compiled = statement.compile(dialect=dialect, column_keys=columns)
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


def reader(type_: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any]:
    """What makes a value of that type from what the driver gives."""
    return type_.dialect_impl(dialect).result_processor(dialect, None) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
