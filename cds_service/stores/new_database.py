"""A new SQLite store in one step: the tables that the migrations would make one after another.

Loading the migrations' tool takes longer than everything else that a first start does with its store. The statements
are in `migrations/newest.sql`, written by `python -m cds_service.stores.new_database` from a store that was migrated;
a test compares the two.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect

NEWEST = Path(__file__).parent / "migrations" / "newest.sql"


def create(engine: Engine) -> bool:
    """Makes the tables, all or none; False if this is no SQLite database, or not an empty one."""
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as connection:
        if inspect(connection).get_table_names():
            return False
        driver: Any = connection.connection.driver_connection
        driver.executescript(NEWEST.read_text("utf-8"))
    return True


def dump(path: Path) -> str:
    """The statements that make a database's tables and first rows anew."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def main() -> None:
    """Writes `newest.sql` from the migrations."""
    from cds_service.stores.database import open_engine, upgrade

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        engine = open_engine(f"sqlite:///{path}", pooled=False)
        upgrade(engine)
        engine.dispose()
        NEWEST.write_text(dump(path), "utf-8")


if __name__ == "__main__":
    main()
