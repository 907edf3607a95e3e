"""A new SQLite store in one step: the tables that the migrations would make one after another.

Loading the migrations' tool takes longer than everything else that a first start does with its store. The statements
are in `migrations/newest.sql`, written by `python -m cds_service.stores.new_database` from a store that was migrated;
a test compares the two.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

NEWEST = Path(__file__).parent / "migrations" / "newest.sql"


def create(connection: sqlite3.Connection) -> bool:
    """Makes the tables, all or none; False if the database is not an empty one. Raises sqlite3.Error.

    Of two processes that start at once, the second waits for the first.
    """
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1").fetchone():
            return False
        for statement in _statements():
            connection.execute(statement)
    return True


def _statements() -> Iterator[str]:
    """Those of `newest.sql` between the beginning and the end of its transaction."""
    statement = ""
    for line in NEWEST.read_text("utf-8").splitlines(keepends=True)[1:-1]:
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def dump(path: Path) -> str:
    """The statements that make a database's tables and first rows anew."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def main() -> None:
    """Writes `newest.sql` from the migrations."""
    from cds_service.stores.engines import open_engine, upgrade

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        engine = open_engine(f"sqlite:///{path}", pooled=False)
        upgrade(engine)
        engine.dispose()
        NEWEST.write_text(dump(path), "utf-8")


if __name__ == "__main__":
    main()
