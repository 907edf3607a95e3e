"""A store's file that a disk has damaged: who notices, and what is never taken for a copy of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import check
from cds_service.cli.records import records
from cds_service.errors import StoreError
from cds_service.settings import Settings
from cds_service.stores import audit, standing
from cds_service.stores.damage import damage
from cds_service.stores.database import Database, migrate
from cds_service.stores.standing import back_up

PAGE = 4096


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with some pages, closed."""
    path = tmp_path / "a b.db"
    database = Database(f"sqlite:///{path}")
    migrate(database.url)
    entry = audit.Entry("feedback", datetime(2026, 11, 1, tzinfo=UTC), None, {"x": "y" * 900})
    with database.writing("filling") as connection:
        audit.append(connection, [entry] * 60)
    database.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def scribble(file: Path, page: int) -> None:
    """Overwrites the head of a page."""
    content = bytearray(file.read_bytes())
    content[page * PAGE : page * PAGE + 200] = b"\xa5" * 200
    file.write_bytes(content)


def roots(file: Path) -> int:
    """The number of the page at which the audit record begins, from 0."""
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'audit'").fetchone()[0]) - 1


def verified(file: Path) -> tuple[int, str]:
    """Exit code and output of `curbside records verify`."""
    result = CliRunner().invoke(records, ["verify", str(file)], standalone_mode=False)
    return result.return_value, result.output


def test_a_page_that_a_disk_has_overwritten_is_found(file: Path) -> None:
    """By the deep check and in a copy, with exit code 1 and what to do; a start reads only what it needs."""
    settings = Settings().with_("store", url=f"sqlite:///{file}")
    assert (damage(file), verified(file)[0]) == ((), 0)
    assert check._tried("store, whole", lambda: check._whole(settings)).mend is None
    scribble(file, roots(file))
    assert standing.schema(settings.store.url) is not None
    assert damage(file)
    found = check._tried("store, whole", lambda: check._whole(settings))
    assert "damaged" in found.state
    assert "curbside records verify" in (found.mend or "")
    code, output = verified(file)
    assert (code, "do not go back to this copy" in output) == (1, True)


def test_an_index_that_lacks_a_row_is_found(file: Path) -> None:
    """Each page is well-formed, and a search would miss what is there."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE other (a TEXT)")
        connection.execute("CREATE INDEX other_a ON other (a)")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX other_a ON other (a) WHERE 0' WHERE name = 'other_a'"
        )
        connection.commit()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO other VALUES ('b')")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX other_a ON other (a)' WHERE name = 'other_a'")
        connection.commit()
    assert any("missing from index other_a" in fault for fault in damage(file))


def test_to_verify_a_copy_changes_no_byte_of_it(file: Path) -> None:
    """Its digest may be noted, and it may lie where nothing can be written."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # as a copy has it
    before = file.read_bytes()
    code, output = verified(file)
    assert (code, output.splitlines()[0].endswith("60 entries in the audit record")) == (0, True)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_an_answer_that_was_changed_in_a_copy_is_told(file: Path) -> None:
    """What fits together for SQLite need not fit the audit chain."""
    content = file.read_bytes()
    file.write_bytes(content.replace(b"y" * 900, b"z" * 900, 1))
    assert damage(file) == ()
    assert verified(file)[0] == 1


def test_a_copy_that_cannot_be_read_again_does_not_stay(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk that it was written to may be the one at fault."""
    monkeypatch.setattr(standing, "damage", lambda copy: ("wrong # of entries",))
    database = Database(f"sqlite:///{file}")
    with pytest.raises(StoreError, match="another disk"):
        back_up(database, file.with_name("copy.db"))
    database.close()
    assert not file.with_name("copy.db").exists()
