"""A store as an operator finds it: whether there is one, of which release, who can read it; and a copy of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cds_service.errors import InputError, StoreError
from cds_service.stores.damage import damage, to_the_disk
from cds_service.stores.database import HEAD, Database, failed, unusable
from cds_service.stores.sqlite_file import SqliteFile, private


def schema(url: str) -> str | None:
    """Of the store that is kept at a URL, such as `0007`; None where there is none. No table is made or changed.

    Raises StoreError where it cannot be reached, or where a newer release wrote it.
    """
    file = SqliteFile.of(url)
    if file is None:
        from cds_service.stores import engines

        return engines.schema(url, HEAD)
    if not Path(file.path).exists():
        return None
    try:
        found = file.revision()
    except sqlite3.Error as error:
        raise unusable(url, error) from error
    finally:
        file.close()
    if found is not None and found > HEAD:
        from cds_service.stores import engines

        raise engines.newer(found, HEAD)
    return found


def read_only(file: Path) -> str:
    """The URL of a SQLite store that nothing is written to. Raises InputError where there is no such file."""
    if not file.is_file():
        raise InputError(f"there is no file {file}.")
    return f"sqlite:///{file.absolute().as_uri()}?mode=ro&uri=true"


def open_to_all(url: str) -> list[str]:
    """The files of a SQLite store that every user of the machine can read, as older releases made them."""
    file = SqliteFile.of(url)
    paths = [Path(file.path + end) for end in ("", "-wal", "-shm")] if file is not None else []
    return [str(path) for path in paths if path.exists() and path.stat().st_mode & 0o004]


def require(url: str, *, newest: bool = True) -> None:
    """Raises InputError where no store is kept at a URL, and StoreError where it cannot be used as it is.

    newest: whether one that this release has yet to migrate will not do: an older one may be at work on it.
    """
    found = schema(url)
    if found is None:
        where = url.removeprefix("sqlite:///") if SqliteFile.of(url) is not None else "the database of store.url"
        raise InputError(f"no store is kept at {where}. Check store.url, or name the service's settings with --config.")
    if newest and found != HEAD:
        raise StoreError(
            f"the store was written by an older release (its schema is {found}, this one needs {HEAD}). "
            "Copy it with curbside records backup, then start the service: that brings it up to date."
        )


def back_up(database: Database, file: Path) -> None:
    """Copies a SQLite database into a new file, as it is at one moment, while others write; and reads the copy whole.

    Raises InputError for another database or a file that is there already, StoreError where copying fails.
    """
    from sqlalchemy.exc import SQLAlchemyError

    if database.engine.dialect.name != "sqlite":
        raise InputError("the store is not SQLite: back it up with its own tools, such as pg_dump.")
    if file.exists():
        raise InputError(f"{file} is there already: name a new file.")
    if not file.parent.is_dir():
        raise InputError(f"there is no folder {file.parent}: make it, or name a file elsewhere.")
    private(str(file))
    try:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(file),))
        to_the_disk(file)
        faults = damage(file)
    except (SQLAlchemyError, OSError) as error:
        file.unlink(missing_ok=True)  # a part of a store would pass for a copy of it
        raise failed(f"the store could not be copied to {file}", error) from error
    if faults:
        file.unlink(missing_ok=True)
        raise StoreError(f"the copy at {file} could not be read again ({faults[0]}): copy it to another disk.")
