"""Deleting what is old and all that is about a patient: gone from the file, told in the audit record."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from kept import NOW, SCOPE, SERVICE, card_of, keep

from cds_service.errors import InputError, StoreError
from cds_service.protocol.feedback import Item
from cds_service.stores import audit, feedback
from cds_service.stores.app_sessions import AppSessionStore
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore, Entry, note
from cds_service.stores.database import Database, migrate
from cds_service.stores.feedback import FeedbackStore, Kept
from cds_service.stores.retention import Holder, RetentionStore
from cds_service.stores.standing import back_up
from cds_service.stores.tables import METADATA
from cds_service.web.app.session import BESIDE

ABOUT_PATIENTS = ("assessments", "requests", "cards", "feedback", "shown_findings")
HERE = Holder(None, None)


def counts(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            name: connection.execute(sa.select(sa.func.count()).select_from(METADATA.tables[name])).scalar_one()
            for name in ABOUT_PATIENTS
        }


def answer(database: Database, number: int) -> Kept:
    comment = Item(card_of(number), "overridden", NOW, (), None, "Said-by-Jane-Doe")
    return FeedbackStore(database).keep(SERVICE, SCOPE, [comment], NOW)


def test_forgetting_leaves_nothing_of_the_patient(database: Database) -> None:
    """No row, and no content in the audit record; the chain holds and says that something was deleted."""
    keep(database, 1, patient="Jane-Doe-17")
    answer(database, 1)
    keep(database, 2, patient="another", findings=[("other", 0, None)])
    assert RetentionStore(database).forget("Jane-Doe-17", HERE, NOW) == 1
    assert counts(database) == {"assessments": 1, "requests": 1, "cards": 1, "feedback": 0, "shown_findings": 1}
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.emptied, verdict.faults) == (4, 2, ())
    assert "Jane" not in str(list(AuditStore(database).entries()))
    assert RetentionStore(database).forget("Jane-Doe-17", HERE, NOW) == 0


def test_feedback_that_comes_while_a_patient_is_forgotten_is_not_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card has been found: either it is kept before, and found, or the card is gone, and it is not kept."""
    keep(database, 1, patient="Jane-Doe-17")
    other, made = Database(database.url), feedback._row

    def forget() -> None:
        with suppress(StoreError):  # it waited in vain, on a machine that stood still
            RetentionStore(other).forget("Jane-Doe-17", HERE, NOW)

    forgetting = Thread(target=forget)

    def meanwhile(*found: Any) -> Any:
        forgetting.start()
        forgetting.join(0.3)  # or it waits for us
        return made(*found)

    monkeypatch.setattr(feedback, "_row", meanwhile)
    answered = answer(database, 1)
    assert answered.new + len(answered.faults) == 1
    forgetting.join()
    RetentionStore(database).forget("Jane-Doe-17", HERE, NOW)
    assert counts(database) == dict.fromkeys(ABOUT_PATIENTS, 0)
    assert "Jane" not in str(list(AuditStore(database).entries()))
    assert AuditStore(database).verify().faults == ()
    other.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_what_is_entered_while_a_patient_is_forgotten_is_deleted_and_told(database: Database) -> None:
    """PostgreSQL, whose statements each see what others have committed by then: the chain holds."""
    assessment = keep(database, 1, patient="Jane-Doe-17")
    other = Database(database.url)
    late = [Entry("dialogue", NOW, assessment.id, {"user": "Jane"})]

    def meanwhile(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM audit_head" in statement and late:
            note(other, late.pop())

    sa.event.listen(database.engine, "before_cursor_execute", meanwhile)
    RetentionStore(database).forget("Jane-Doe-17", HERE, NOW)
    assert not late
    verdict = AuditStore(database).verify()
    assert (verdict.emptied, verdict.faults) == (2, ())
    assert "Jane" not in str(list(AuditStore(database).entries()))
    other.close()


def test_forgetting_ends_open_reviews_with_what_is_kept_beside_them(database: Database) -> None:
    """Chart, documents and answers are encrypted and name nobody, so all go; a launch that is under way goes on."""
    keep(database, 1, patient="Jane-Doe-17")
    sessions = AppSessionStore(database)
    for kind in ("flow", "review", *BESIDE):
        sessions.put(kind, {"kept": "Jane"}, NOW + timedelta(hours=1), kind)
    RetentionStore(database).forget("Jane-Doe-17", HERE, NOW)
    assert [kind for kind in ("flow", "review", *BESIDE) if sessions.get(kind, kind, NOW)] == ["flow"]


def test_nothing_is_noted_about_an_assessment_that_was_forgotten(database: Database) -> None:
    """An answer that was on its way meanwhile leaves no entry that no deletion would find."""
    assessment = keep(database, 1, patient="Jane-Doe-17")
    RetentionStore(database).forget("Jane-Doe-17", HERE, NOW)
    with pytest.raises(StoreError, match="deleted meanwhile"):
        note(database, Entry("dialogue", NOW, assessment.id, {"question": "Jane"}))
    assert "Jane" not in str(list(AuditStore(database).entries()))
    assert AuditStore(database).verify().faults == ()
    assert database.keeps


def test_pruning_deletes_reviews_that_have_ended(database: Database) -> None:
    """Though nobody opens another one; those that are open stay."""
    sessions = AppSessionStore(database)
    for kind, ends in (("chart", NOW), ("review", NOW + timedelta(hours=1))):
        sessions.put(kind, {}, ends, kind)
    RetentionStore(database).prune(NOW - timedelta(days=400), NOW)
    before = NOW - timedelta(hours=1)
    assert [kind for kind in ("chart", "review") if sessions.get(kind, kind, before)] == ["review"]


def test_the_chain_can_be_verified_while_a_patient_is_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there when its entry was read, and is deleted before it is looked for, is no fault."""
    keep(database, 1, patient="Jane-Doe-17")
    looked_for = audit.responses_of

    def after(asked: Database, ids: Sequence[UUID]) -> dict[UUID, str]:
        RetentionStore(database).forget("Jane-Doe-17", HERE, NOW)
        return looked_for(asked, ids)

    monkeypatch.setattr(audit, "responses_of", after)
    assert AuditStore(database).verify().faults == ()


def test_forgetting_overwrites_the_file(tmp_path: Path) -> None:
    """SQLite: not in free pages, not in the write-ahead log."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(database.url)
    for number in range(30):
        keep(database, number, patient="Jane-Doe-17")
        answer(database, number)
    database.close()
    assert b"Jane-Doe" in (tmp_path / "a.db").read_bytes()
    RetentionStore(database).forget("Jane-Doe-17", HERE, NOW)
    files = list(tmp_path.iterdir())
    assert files
    assert not any(b"Jane-Doe" in path.read_bytes() for path in files)
    database.close()


def test_the_same_id_of_another_client_is_another_patient(database: Database) -> None:
    """Forgetting one holder's patient leaves the other's."""
    keep(database, 1, patient="7", client="https://a", tenant="x")
    keep(database, 2, patient="7", client="https://a", tenant="y")
    keep(database, 3, patient="7")
    retention = RetentionStore(database)
    assert set(retention.holders("7")) == {Holder("https://a", "x"), Holder("https://a", "y"), HERE}
    assert retention.forget("7", Holder("https://a", "x"), NOW) == 1
    assert set(retention.holders("7")) == {Holder("https://a", "y"), HERE}
    assert counts(database)["shown_findings"] == 2


def test_pruning_deletes_what_is_older(database: Database) -> None:
    """In batches; what is younger stays, and so does the chain."""
    old = NOW - timedelta(days=400)
    for number in range(250):
        keep(database, number, patient=f"p-{number}", at=old)
    young = keep(database, 300, at=NOW)
    assert RetentionStore(database).prune(NOW - timedelta(days=399), NOW) == 250
    assert counts(database) == {"assessments": 1, "requests": 1, "cards": 1, "feedback": 0, "shown_findings": 1}
    assert AssessmentStore(database).get(young.id) is not None
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.emptied, verdict.faults) == (253, 250, ())
    assert RetentionStore(database).prune(NOW - timedelta(days=399), NOW) == 0


def test_a_failing_deletion_is_a_store_error(database: Database) -> None:
    """What could not be deleted is there as a whole."""
    keep(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO away")
    with pytest.raises(StoreError, match="deleting failed"):
        RetentionStore(database).forget("p-1", HERE, NOW)
    assert counts(database)["assessments"] == 1


def test_a_copy_made_while_the_service_writes_is_a_whole_store(tmp_path: Path) -> None:
    """Back up, lose the store, restore: everything until the copy is there, and the chain goes on."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(database.url)
    first = keep(database, 1)
    with database.engine.connect() as reader:
        reader.execute(sa.select(1))
        back_up(database, tmp_path / "copy.db")
    keep(database, 2)
    database.close()
    for name in ("a.db", "a.db-wal", "a.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "copy.db").rename(tmp_path / "a.db")
    migrate(database.url)
    assert AssessmentStore(database).get(first.id) == first
    keep(database, 3)
    verdict = AuditStore(database).verify()
    assert (verdict.entries, verdict.faults) == (2, ())
    database.close()


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    """A slip of the pen must not cost the store."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate(database.url)
    with pytest.raises(InputError, match="is there already"):
        back_up(database, tmp_path / "a.db")
    database.close()


def test_stores_and_copies_are_readable_for_their_owner_alone(tmp_path: Path) -> None:
    """From their first byte on, in a folder that all may read; and half a copy does not stay."""
    before = os.umask(0)
    try:
        database = Database(f"sqlite:///{tmp_path / 'a.db'}")
        migrate(database.url)
        keep(database)
        back_up(database, tmp_path / "copy.db")
        names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert names == dict.fromkeys(("a.db", "a.db-wal", "a.db-shm", "copy.db"), 0o600)
        with pytest.raises(StoreError, match="could not be copied"):
            back_up(Database(f"sqlite:///{tmp_path}"), tmp_path / "half.db")
        assert not (tmp_path / "half.db").exists()
    finally:
        os.umask(before)
        database.close()


def test_another_database_is_backed_up_with_its_own_tools(postgresql: str) -> None:
    """The sentence names them."""
    database = Database(postgresql.format(name="postgres"))
    with pytest.raises(InputError, match="pg_dump"):
        back_up(database, Path("copy.db"))
    database.close()
