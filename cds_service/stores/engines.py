"""SQLAlchemy's engines: for PostgreSQL, for what is rare on SQLite, and for migrations. Loaded only where needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from cds_service.errors import SettingsError, StoreError
from cds_service.stores import reaching
from cds_service.stores.sqlite_file import BUSY_MS, STARTING_MS, prepare

_MIGRATION_LOCK = 20261127  # any number that nobody else locks
_POOL_S = 2.5  # how long a thread waits for one of its process's connections


def open_engine(url: str, *, pooled: bool = True) -> Engine:
    """An engine with JSON by orjson and, on SQLite, the pragmas of a durable embedded store. Raises SettingsError.

    pooled: for calls, which wait for nothing long; else for one piece of work, such as a start's.
    """
    options: dict[str, Any] = {"pool_timeout": _POOL_S} if pooled else {"poolclass": NullPool}
    if url.startswith("postgresql"):
        options["connect_args"] = dict(reaching.ARGUMENTS if pooled else reaching.PATIENT)
    try:
        engine = create_engine(
            make_url(url), json_serializer=_to_json, json_deserializer=orjson.loads, hide_parameters=True, **options
        )
    except (ArgumentError, ModuleNotFoundError) as error:
        raise SettingsError(
            f"settings: store.url cannot be used ({type(error).__name__}). "
            "Write sqlite:////absolute/path/curbside.db, or postgresql+psycopg://... with its driver installed."
        ) from error
    if engine.dialect.name == "sqlite":
        if engine.url.query.get("mode") != "ro":  # to a file that is only read nothing is written, not even its mode
            event.listen(engine, "connect", _pragmas)
    elif pooled:
        reaching.guard(engine)
    return engine


def migrate(url: str, head: str) -> None:
    """Brings a database that is not at `head` there. Raises StoreError where it cannot be reached or written.

    All migrations or none: a process that is killed meanwhile leaves the schema as it was. Of several that start at
    once, one migrates and the others wait for it.
    """
    with _once(url) as engine:
        if _found(engine, head) != head:
            upgrade(engine)


def schema(url: str, head: str) -> str | None:
    """The schema of a database; None where it has none of ours. Raises StoreError as `migrate` does."""
    with _once(url) as engine:
        return _found(engine, head)


@contextmanager
def _once(url: str) -> Iterator[Engine]:
    """An engine for one piece of work. Raises StoreError where the database cannot be reached or written."""
    engine = open_engine(url, pooled=False)
    try:
        yield engine
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) else None
        raise unusable(make_url(url).render_as_string(hide_password=True), cause) from error
    finally:
        engine.dispose()


def newer(found: str, head: str) -> StoreError:
    """What is said of a store of a later release."""
    return StoreError(
        f"the store was written by a newer release (its schema is {found}, this one knows {head}). "
        "Install that release again, or restore a copy from before it."
    )


def unusable(url: str, cause: BaseException | None) -> StoreError:
    """What is said of a store that cannot be opened. url: without a password. cause: the driver's error."""
    reason = _reason(cause)
    return StoreError(
        f"the store {url} cannot be opened or written{f' ({reason})' if reason else ''}. "
        "Check store.url, the folder's permissions and that the database runs."
    )


_STATES = {
    "28P01": "the password is wrong",
    "28000": "that user may not log in",
    "3D000": "there is no database of that name",
    "42501": "that user may not make tables",
    "53300": "the database takes no more connections",
    "55P03": "another process keeps it busy, such as one that migrates it",
}
_SIGNS = (
    ("refused", "nothing listens there"),
    ("password authentication failed", _STATES["28P01"]),
    ("does not exist", "there is no such database or user"),
    ("resolve", "its host is not known"),
    ("translate host name", "its host is not known"),
    ("Name or service not known", "its host is not known"),
    ("timeout", "it does not answer"),
    ("No such file", "there is no such socket"),
)


def _reason(cause: BaseException | None) -> str | None:
    """What a driver's error means, in words of ours; SQLite's own are fixed ones, of which none holds a value."""
    if isinstance(cause, sqlite3.Error):
        return str(cause)
    known = _STATES.get(getattr(cause, "sqlstate", None) or "")
    return known or next((words for sign, words in _SIGNS if sign in str(cause)), None)


def _found(engine: Engine, head: str) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found > head:  # they are numbered
        raise newer(found, head)
    return str(found) if found is not None else None


def upgrade(engine: Engine) -> None:
    """Brings a database to the newest schema, migration by migration."""
    from alembic import command  # a quarter of a second and ten megabytes: only where there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.connect() as connection:
        _alone(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")  # from the revision that it finds now: another may have been quicker
        connection.commit()


def _alone(connection: Connection) -> None:
    """Begins a transaction that no other migration runs beside, whatever the driver begins by itself."""
    if connection.dialect.name == "sqlite":  # whose driver would commit each change of the schema for itself
        connection.exec_driver_sql(f"PRAGMA busy_timeout={STARTING_MS}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {STARTING_MS}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)
    prepare(connection, BUSY_MS)


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()
