"""Statements of the paths that serve: SQL that SQLite and PostgreSQL both understand, run by the driver itself.

SQLAlchemy looks a statement up, binds, and wraps what comes back each time anew, which costs several times what
SQLite takes; and a worker that never asks it for anything need not load it, which takes a quarter of a second and
15 MB. What is rare, and what builds its conditions as it goes, uses SQLAlchemy with the tables of `tables.py`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import orjson

if TYPE_CHECKING:
    import sqlalchemy as sa

    Connection = sqlite3.Connection | sa.Connection
    Unit = Callable[[Connection], None]  # writes something in a transaction that others share

_PLACE = re.compile(r":(\w+)")


class Outcome(Protocol):
    """What came of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> Any:
        """All rows."""


class Statement:
    """One statement with `:named` places. Values are moments, UUIDs, JSON values (dict, list, tuple) and plain ones."""

    def __init__(self, text: str, locking: str = "") -> None:
        """locking: what PostgreSQL keeps others from doing with the rows until the transaction ends."""
        self._text = text
        self._postgresql = _PLACE.sub(r"%(\1)s", f"{text} {locking}".rstrip())

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Outcome:
        """Executes the statement; rows are tuples as the driver gives them. Raises what the connection raises."""
        if type(connection) is sqlite3.Connection:
            return connection.execute(self._text, _fit(values, _FOR_SQLITE))
        assert not isinstance(connection, sqlite3.Connection)
        if connection.dialect.name == "sqlite":
            return connection.exec_driver_sql(self._text, _fit(values, _FOR_SQLITE))
        return connection.exec_driver_sql(self._postgresql, _fit(values, _FOR_POSTGRESQL))


def insert_into(table: str, columns: str, otherwise: str = "") -> Statement:
    """An INSERT of one row; its places are called as the columns. otherwise: what to do where the key is there."""
    places = ", ".join(f":{name.strip()}" for name in columns.split(","))
    return Statement(f"INSERT INTO {table} ({columns}) VALUES ({places}) {otherwise}".rstrip())  # noqa: S608 - our names


def select(table: str, columns: str, rest: str = "", locking: str = "") -> Statement:
    """A SELECT of one table. rest: conditions and order."""
    return Statement(f"SELECT {columns} FROM {table} {rest}".rstrip(), locking)  # noqa: S608 - our names


def moment(value: Any) -> datetime:
    """A moment in UTC, from what the driver gives: SQLite keeps text without a zone."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


def uuid(value: Any) -> UUID:
    """A UUID, from what the driver gives."""
    return UUID(value) if isinstance(value, str) else value


def decoded(value: Any) -> Any:
    """JSON values, from what the driver gives."""
    return orjson.loads(value) if isinstance(value, str) else value


def _fit(values: Mapping[str, Any], ways: Mapping[type, Callable[[Any], Any]]) -> dict[str, Any]:
    """Each value as a driver takes it."""
    return {name: way(value) if (way := ways.get(type(value))) else value for name, value in values.items()}


def _text(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _hex(value: UUID) -> str:
    return value.hex


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


_FOR_POSTGRESQL: dict[type, Callable[[Any], Any]] = {dict: _json, list: _json, tuple: _json}
_FOR_SQLITE: dict[type, Callable[[Any], Any]] = {**_FOR_POSTGRESQL, datetime: _text, UUID: _hex}
