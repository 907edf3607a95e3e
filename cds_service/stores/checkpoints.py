"""SQLite's write-ahead log is moved into the database beside the calls, not by whichever of them happens to fill it.

That call would wait for two more flushes to disk and some megabytes of writing: one in fifty, which is what the slowest
calls are made of. Readers and writers go on meanwhile (a passive checkpoint).
"""

from __future__ import annotations

import sqlite3
import threading

import structlog

from cds_service.stores.sqlite_file import SqliteFile

_PATIENCE_S = 5.0
EVERY = 50  # commits of one process: some thousand pages
_log = structlog.get_logger(__name__)


class Checkpoints:
    """Counts the commits of a process, and moves the log now and then, in a thread that ends when it is done."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._commits = 0
        self._running = threading.Lock()

    def committed(self) -> None:
        """Counts one commit; the callers take turns."""
        self._commits += 1
        if self._commits % EVERY == 0 and self._running.acquire(blocking=False):
            threading.Thread(target=self._run, name="checkpoint", daemon=True).start()

    def wait(self) -> None:
        """Waits for the one that runs, whose connection would outlive the closing of the others."""
        if self._running.acquire(timeout=_PATIENCE_S):
            self._running.release()

    def _run(self) -> None:
        try:
            with self._file.connection() as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:  # nothing is lost: the log grows until the next time
            _log.warning("log not moved", reason=type(error).__name__)
        finally:
            self._running.release()
