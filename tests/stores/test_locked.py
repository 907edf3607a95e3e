"""A database that another process keeps locked costs the records of the calls, not their time."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from kept import NOW

from cds_service.errors import StoreError
from cds_service.protocol.feedback import Item
from cds_service.stores.audit import AuditStore, Entry, note
from cds_service.stores.database import Database
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.sqlite_file import BUSY_MS

ENTRY = Entry("sign-off", NOW, None, {})


def test_while_writes_fail_the_next_ones_hardly_wait(database: Database) -> None:
    """Calls are computed one after another: each would wait behind the waiting of those before it."""
    other = Database(database.url)
    database.keeps = False  # the first of them has waited its time
    with other.engine.connect() as holding:
        if holding.dialect.name == "sqlite":
            holding.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            holding.exec_driver_sql("UPDATE audit_head SET last = last")
        started = time.monotonic()
        for _ in range(3):
            with pytest.raises(StoreError, match="another process keeps it busy"):
                note(database, ENTRY)
        assert time.monotonic() - started < 3 * BUSY_MS / 1000  # 0.3 s, and more on a busy machine
        holding.rollback()
    note(database, ENTRY)
    assert database.keeps
    assert AuditStore(database).verify().entries == 1
    if database.url.startswith("sqlite"):
        with database.reading("looking") as connection:
            assert connection.execute("PRAGMA busy_timeout").fetchone() == (2500,)  # type: ignore[call-overload]
    other.close()


def test_a_transaction_that_changes_nothing_says_nothing_of_the_disk(database: Database) -> None:
    """Feedback to a card that was not kept, while the disk is full: the readiness check goes on saying so."""
    database.keeps = False
    item = Item(UUID(int=1), "accepted", NOW)
    assert FeedbackStore(database).keep("prognosis", "", [item], NOW).new == 0
    assert not database.keeps
    note(database, ENTRY)
    assert database.keeps
