"""The audit record: append-only, whole or told where not, with content that can be deleted."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import NOW, keep
from thorough import examples

from cds_service.stores.audit import GENESIS, AuditStore, Entry, append
from cds_service.stores.database import Database, migrate
from cds_service.stores.retention import empty
from cds_service.stores.tables import AUDIT, AUDIT_HEAD

FIELDS = ("at", "kind", "subject", "digest", "hash", "salt", "content")


def fill(database: Database, count: int) -> None:
    with database.engine.begin() as connection:
        append(connection, [Entry("feedback", NOW, UUID(int=n), {"number": n}) for n in range(count)])


def without_triggers(database: Database) -> None:
    """As somebody who may change the schema would go about it."""
    with database.engine.begin() as connection:
        if database.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER audit_keeps_rows")
            connection.exec_driver_sql("DROP TRIGGER audit_keeps_entries")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_keeps_entries ON audit")


def faults(database: Database) -> tuple[str, ...]:
    return AuditStore(database).verify().faults


def test_entries_come_back_in_order_and_the_chain_holds(database: Database) -> None:
    """Several at once and one by one, across the pages in which they are read."""
    fill(database, 1100)
    fill(database, 1)
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.emptied, verdict.faults) == (1101, 0, ())
    entries = list(AuditStore(database).entries())
    assert [e.seq for e in entries] == list(range(1, 1102))
    assert [e.seq for e in AuditStore(database).entries(after=1099)] == [1100, 1101]
    assert entries[5].content == {"number": 5}
    assert entries[-1].hash.hex() == verdict.head


def test_an_empty_record_is_whole(database: Database) -> None:
    """A new installation."""
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.faults) == (0, ())


@pytest.mark.parametrize(
    "statement",
    [
        AUDIT.delete().where(AUDIT.c.seq == 2),
        AUDIT.update().where(AUDIT.c.seq == 2).values(kind="other"),
        AUDIT.update().where(AUDIT.c.seq == 2).values(content=b"{}"),
        AUDIT.update().where(AUDIT.c.seq == 2).values(content=None),
        AUDIT.update().where(AUDIT.c.seq == 2).values(content=None, salt=None, hash=b"0"),
    ],
    ids=["delete", "kind", "content", "content without salt", "hash"],
)
def test_the_database_itself_refuses_changes(database: Database, statement: sa.Executable) -> None:
    """Nobody changes an entry by mistake, ours included."""
    fill(database, 3)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(statement)
    assert faults(database) == ()


def test_a_removed_entry_shows(database: Database) -> None:
    """From the middle, and from the end."""
    fill(database, 5)
    without_triggers(database)
    with database.engine.begin() as connection:
        connection.execute(AUDIT.delete().where(AUDIT.c.seq == 5))
    assert faults(database) == ("the last entry should be 5, and is 4: entries were cut off",)
    with database.engine.begin() as connection:
        connection.execute(AUDIT.delete().where(AUDIT.c.seq == 2))
    assert "entry 2 is missing: entry 3 follows entry 1" in faults(database)


def test_a_record_made_anew_shows_against_a_noted_entry(database: Database) -> None:
    """Who can write everything can make a whole chain, but not the one that somebody noted."""
    fill(database, 3)
    noted = AuditStore(database).verify()
    assert AuditStore(database).verify((3, noted.head)).faults == ()
    without_triggers(database)
    with database.engine.begin() as connection:
        connection.execute(AUDIT.delete())
        connection.execute(AUDIT_HEAD.update().values(last=0, hash=GENESIS))
    fill(database, 3)
    assert faults(database) == ()
    assert AuditStore(database).verify((3, noted.head)).faults == ("entry 3 does not have the hash that was noted",)
    (missing,) = AuditStore(database).verify((3000, noted.head)).faults
    assert missing.startswith("entry 3000 was noted and is missing: the record ends with ")


def test_deleted_content_is_told_and_the_chain_holds(database: Database) -> None:
    """Content and salt go, number and hash stay; an entry says which and why."""
    fill(database, 6)
    with database.engine.begin() as connection:
        empty(connection, [UUID(int=1), UUID(int=2), UUID(int=4)], "forgotten", NOW + timedelta(days=1))
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.emptied, verdict.faults) == (7, 3, ())
    (entry,) = AuditStore(database).about(UUID(int=2))
    assert entry.content is None
    deletion = AuditStore(database).deletion_of(entry.seq)
    assert deletion is not None
    assert (deletion.kind, deletion.content) == ("forgotten", {"emptied": [[2, 3], [5, 5]], "assessments": 3})
    assert AuditStore(database).deletion_of(1) is None


def test_content_that_went_without_a_word_shows(database: Database) -> None:
    """The database lets content go, but not silently."""
    fill(database, 3)
    with database.engine.begin() as connection:
        connection.execute(AUDIT.update().where(AUDIT.c.seq == 2).values(content=None, salt=None))
    assert faults(database) == ("the content of entry 2 is gone, and no entry says that it was deleted",)


def test_an_answer_that_was_changed_or_removed_shows(database: Database) -> None:
    """The chain covers what was sent: the stored response must be that one."""
    first, second = keep(database, 1), keep(database, 2)
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE assessments SET response = :r WHERE id = :i"), _bound(database, first.id))
    assert faults(database) == (f"the response of assessment {first.id} is not the one that was given",)
    with database.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM assessments WHERE id = :i"), {"i": _id(database, second.id)})
    assert f"assessment {second.id} is gone, and no entry says that it was deleted" in faults(database)


def _id(database: Database, id_: UUID) -> object:
    return id_.hex if database.engine.dialect.name == "sqlite" else id_


def _bound(database: Database, id_: UUID) -> dict[str, object]:
    return {"r": b"another", "i": _id(database, id_)}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks
def test_two_processes_write_one_chain(database: Database) -> None:
    """No number twice, none left out, each linked to the one before."""
    database.engine.dispose()
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            try:
                for number in range(25):
                    fill(database, 1 + number % 2)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.faults) == (2 * (13 + 2 * 12), ())


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The rows of a chain of eight, for those who change them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('chain') / 'a.db'}"
    migrate(url)
    database = Database(url)
    fill(database, 8)
    with database.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(AUDIT).order_by(AUDIT.c.seq)).mappings()]
    database.close()
    return rows


@given(seq=st.integers(0, 7), name=st.sampled_from(FIELDS), data=st.data())
@settings(max_examples=examples(30))
def test_any_change_of_any_entry_shows(
    chain: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory, seq: int, name: str, data: st.DataObject
) -> None:
    """Whatever is put in place of a field, the chain does not hold."""
    other = {
        "at": st.just(NOW + timedelta(microseconds=1)),
        "kind": st.sampled_from(["assessment", "pruned"]),
        "subject": st.one_of(st.none(), st.uuids()),
    }.get(name, st.one_of(st.binary(max_size=40), st.none() if name in ("salt", "content") else st.nothing()))
    value = data.draw(other.filter(lambda v: v != chain[seq][name]))
    database = Database(f"sqlite:///{_copy(tmp_path_factory, chain, seq, name, value)}")
    try:
        assert faults(database) != ()
    finally:
        database.close()


def _copy(factory: pytest.TempPathFactory, chain: list[dict[str, object]], seq: int, name: str, value: object) -> Path:
    """A database with the chain, one field of which was changed."""
    path = factory.mktemp("changed") / "a.db"
    database = Database(f"sqlite:///{path}")
    migrate(database.url)
    with database.engine.begin() as connection:
        connection.execute(AUDIT.insert(), [{**r, name: value} if n == seq else r for n, r in enumerate(chain)])
        connection.execute(AUDIT_HEAD.update().values(last=len(chain)))
    database.close()
    return path
