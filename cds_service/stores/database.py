"""The database: connections of each process its own, never across a fork; migrations before it.

SQLite (WAL, synchronous=FULL) is embedded; PostgreSQL by URL. Nothing but the modules of `stores/` writes SQL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from cds_service.errors import InputError, SettingsError, StoreError
from cds_service.stores import new_database, reaching
from cds_service.stores.checkpoints import UNASKED_PAGES, Checkpoints

HEAD = "0006"  # the newest file in migrations/versions
_POOL_S = 2.5  # how long a thread waits for one of its process's connections
_BUSY_MS = 2500  # how long a write waits for another process's before it fails


class Database:
    """An engine whose connections every process opens for itself: a SQLite connection must not cross a fork.

    What it has learnt of its statements does, so that workers need not learn it again.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine | None = None
        self._process = 0
        self._turn: AbstractContextManager[object] = nullcontext()
        self._checkpoints: Checkpoints | None = None

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        if self._engine is None:
            self._engine = open_engine(self.url)
            if self._engine.dialect.name == "sqlite":
                self._turn, self._checkpoints = Lock(), Checkpoints()
        elif self._process != os.getpid():
            self._engine.dispose(close=False)  # the parent's connections stay the parent's
        self._process = os.getpid()
        return self._engine

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes, committed at its end.

        On SQLite one at a time in this process: its own way of waiting is to ask again now and then, and under load
        somebody asks in vain until the time is up.
        """
        engine = self.engine
        with self._turn:
            with engine.begin() as connection:
                yield connection
            if self._checkpoints is not None:
                self._checkpoints.committed(engine)

    def close(self) -> None:
        """Closes this process's connections; used again, it opens new ones."""
        if self._engine is not None and self._process == os.getpid():
            self._engine.dispose()


def open_engine(url: str, *, pooled: bool = True) -> Engine:
    """An engine with JSON by orjson and, on SQLite, the pragmas of a durable embedded store."""
    options: dict[str, Any] = {"pool_timeout": _POOL_S} if pooled else {"poolclass": NullPool}
    if url.startswith("postgresql"):
        options["connect_args"] = dict(reaching.ARGUMENTS)
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
        event.listen(engine, "connect", _pragmas)
    elif pooled:
        reaching.guard(engine)
    return engine


def back_up(database: Database, file: Path) -> None:
    """Copies a SQLite database into a new file, as it is at one moment, while others write.

    Raises InputError for another database or a file that is there already, StoreError where copying fails.
    """
    if database.engine.dialect.name != "sqlite":
        raise InputError("the store is not SQLite: back it up with its own tools, such as pg_dump.")
    if file.exists():
        raise InputError(f"{file} is there already: name a new file.")
    try:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
        file.chmod(0o600)
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the store could not be copied to {file} ({type(error).__name__})") from error


def migrate(url: str) -> None:
    """Brings the database to `HEAD`; a database that is there already is only looked at.

    Raises StoreError where it cannot be reached or written.
    """
    engine = open_engine(url, pooled=False)
    try:
        if _revision(engine) != HEAD and not new_database.create(engine):
            upgrade(engine)
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(
            f"the store {make_url(url).render_as_string(hide_password=True)} cannot be opened or written. "
            "Check store.url, the folder's permissions and that the database runs."
        ) from error
    finally:
        engine.dispose()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(engine: Engine) -> None:
    """Brings a database to `HEAD` migration by migration."""
    from alembic import command  # a quarter of a second and ten megabytes: only where there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    log = f"wal_autocheckpoint={UNASKED_PAGES}"
    for pragma in ("journal_mode=WAL", "synchronous=FULL", log, f"busy_timeout={_BUSY_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()
