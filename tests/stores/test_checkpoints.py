"""The write-ahead log of SQLite is moved beside the calls."""

import threading
from pathlib import Path

from cds_service.stores.checkpoints import EVERY
from cds_service.stores.database import Database


def test_the_log_is_moved_after_some_commits_and_not_within_one(tmp_path: Path) -> None:
    """A commit never waits for the log to be moved, and the log does not grow for ever."""
    file = tmp_path / "store.db"
    database = Database(f"sqlite:///{file}")
    with database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (text TEXT)")
    before = file.stat().st_size
    for _ in range(EVERY - 2):
        with database.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO kept VALUES (?)", ("x" * 20_000,))
    assert file.stat().st_size == before
    with database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO kept VALUES ('the one that makes it due')")
    for thread in threading.enumerate():
        if thread.name == "checkpoint":
            thread.join()
    assert file.stat().st_size > before + EVERY * 15_000
    database.close()


def test_closing_waits_for_the_log_that_is_being_moved(tmp_path: Path) -> None:
    """Its connection would stay open: the log would stay, and what was deleted in it."""
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    assert database._checkpoints is not None
    moving = database._checkpoints._running
    moving.acquire()
    done = threading.Timer(0.1, moving.release)
    done.start()
    database.close()
    assert not moving.locked()
    done.join()
