"""Whether a SQLite store can be read whole: each page of it, and whether its indexes agree with its tables."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from cds_service.errors import StoreError
from cds_service.stores.database import reason

MOST = 20
_STEPS = 1_000_000  # of SQLite's machine between two calls of `now_and_then`: some tenth of a second


def damage(file: Path, now_and_then: Callable[[], None] = lambda: None) -> tuple[str, ...]:
    """What is wrong with a SQLite file, as SQLite says it, at most `MOST`; empty if it is whole. Reads all of it.

    What is said names tables, indexes and pages, and no content. now_and_then: called while it reads, which may take
    minutes. Raises StoreError where the file cannot be opened.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.set_progress_handler(now_and_then, _STEPS)
            found = connection.execute(f"PRAGMA integrity_check({MOST})").fetchall()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname == "SQLITE_INTERRUPT":  # Ctrl-C while SQLite was at work
            raise KeyboardInterrupt from None
        if error.sqlite_errorname in ("SQLITE_CANTOPEN", "SQLITE_NOTADB"):
            raise StoreError(f"{file} could not be read ({reason(error)})") from error
        corrupt = error.sqlite_errorname.startswith("SQLITE_CORRUPT")
        return ("its pages do not fit together" if corrupt else reason(error) or type(error).__name__,)
    lines = [line.removeprefix("*** in database main ***").strip() for (text,) in found for line in text.splitlines()]
    return tuple(line for line in lines if line and line != "ok")


def to_the_disk(file: Path) -> None:
    """Has the system write a new file, and its name, to the disk. Raises OSError."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
