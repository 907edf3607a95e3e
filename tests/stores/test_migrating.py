"""Bringing a store to the newest schema: by several processes at once, from an old one, and when it is cut short."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Timer

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from kept import keep

from cds_service.errors import StoreError
from cds_service.stores import engines
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import HEAD, Database, migrate


def to(url: str, revision: str) -> None:
    """Brings a store to some revision, up or down."""
    config = Config()
    config.set_main_option("script_location", str(Path(engines.__file__).parent / "migrations"))
    engine = engines.open_engine(url, pooled=False)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        newer = sa.inspect(connection).has_table("alembic_version")
        (command.downgrade if newer else command.upgrade)(config, revision)
        connection.commit()
    engine.dispose()


def at_once(url: str, processes: int = 4) -> None:
    """Migrates as several starts at the same moment would."""
    ready = Barrier(processes)

    def start(_: int) -> None:
        ready.wait(60)
        migrate(url)

    with ThreadPoolExecutor(processes) as threads:
        list(threads.map(start, range(processes)))


def revision(url: str) -> object:
    engine = engines.open_engine(url, pooled=False)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    engine.dispose()
    return found


def test_of_several_that_start_at_once_one_makes_the_store(tmp_path: Path) -> None:
    """Four replicas on a new file: all start."""
    for number in range(3):
        at_once(f"sqlite:///{tmp_path / str(number)}.db")
        assert revision(f"sqlite:///{tmp_path / str(number)}.db") == [HEAD]


def test_of_several_that_start_at_once_one_migrates(store_url: str) -> None:
    """A new release on an old store, by several replicas: all start, and what was kept is there."""
    database = Database(store_url)
    kept = keep(database, 1)
    to(store_url, "0006")
    at_once(store_url)
    assert revision(store_url) == [HEAD]
    assert AssessmentStore(database).get(kept.id) == kept
    assert AuditStore(database).verify().faults == ()
    database.close()


@pytest.mark.parametrize("found", ["nothing", "an empty log", "0006"])
def test_a_start_waits_for_another_that_makes_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    """On a busy machine that takes longer than a call waits for a lock."""
    monkeypatch.setattr(engines, "BUSY_MS", 10)
    path = tmp_path / "a.db"
    if found == "an empty log":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    elif found == "0006":
        to(f"sqlite:///{path}", found)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    done = Timer(0.2, lambda: other.execute("ROLLBACK"))
    done.start()
    migrate(f"sqlite:///{path}")
    done.join()
    other.close()
    assert revision(f"sqlite:///{path}") == [HEAD]


def test_a_migration_that_is_cut_short_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    """All steps or none: the next start can do them."""
    path = tmp_path / "a.db"
    url = f"sqlite:///{path}"
    to(url, "0003")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE wordings (n)")  # the second table that 0005 makes: it fails in the middle
        before = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    with pytest.raises(StoreError, match="table wordings already exists"):
        migrate(url)
    assert revision(url) == ["0003"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall() == before
        connection.execute("DROP TABLE wordings")
    migrate(url)
    assert revision(url) == [HEAD]


def test_the_store_of_a_newer_release_is_left_alone(store_url: str) -> None:
    """Going back to an older release gets a sentence that says what to do."""
    engine = engines.open_engine(store_url, pooled=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StoreError, match="written by a newer release"):
        migrate(store_url)
    assert revision(store_url) == ["9999"]
