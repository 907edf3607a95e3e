"""Deleting: what is older than a site keeps, and all that is about one patient. The audit chain stays and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.stores import audit
from cds_service.stores.database import Database, failed
from cds_service.stores.scopes import scope_of
from cds_service.stores.tables import (
    ASSESSMENTS,
    AUDIT,
    AUDIT_HEAD,
    CARDS,
    FEEDBACK,
    REQUESTS,
    SESSIONS,
    SHOWN,
    WORDED,
    WORDINGS,
)

_BATCH = 200  # assessments in one transaction: other writers wait for it
_FEW = 4  # charts


@dataclass(frozen=True, slots=True)
class Holder:
    """A CDS Client and tenant under which a patient id is known. client: the issuer of its tokens, or None."""

    client: str | None
    tenant: str | None


class RetentionStore:
    """Deletes assessments with all that belongs to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holders(self, patient_id: str) -> tuple[Holder, ...]:
        """Under whom assessments of a patient id are kept. Raises StoreError."""
        chosen = (
            sa.select(ASSESSMENTS.c.client, ASSESSMENTS.c.tenant).where(ASSESSMENTS.c.patient_id == patient_id)
        ).distinct()
        try:
            with self._database.engine.connect() as connection:
                return tuple(Holder(row.client, row.tenant) for row in connection.execute(chosen))
        except SQLAlchemyError as error:
            raise failed("the assessments could not be read", error) from error

    def forget(self, patient_id: str, holder: Holder, at: datetime) -> int:
        """Deletes all that is kept about a patient, and returns how many assessments that were. Raises StoreError.

        Open reviews end, whoever's they are: what is kept beside them is encrypted, and does not say about whom it is.
        """
        self._sessions(SESSIONS.c.kind != "flow")
        chosen = sa.and_(
            ASSESSMENTS.c.patient_id == patient_id,
            ASSESSMENTS.c.client.is_not_distinct_from(holder.client),
            ASSESSMENTS.c.tenant.is_not_distinct_from(holder.tenant),
        )
        deleted = self._delete(chosen, "forgotten", at)
        scope = scope_of(holder.client, holder.tenant)
        self._worded(sa.and_(WORDED.c.patient_id == patient_id, WORDED.c.scope == scope), "forgotten", at)
        self._also(WORDINGS.delete().where(WORDINGS.c.patient_id == patient_id, WORDINGS.c.scope == scope))
        self._also(SHOWN.delete().where(SHOWN.c.patient_id == patient_id, SHOWN.c.scope == scope))
        self._overwrite()
        return deleted

    def prune(self, before: datetime, at: datetime) -> int:
        """Deletes what is older than a moment, and returns how many assessments that were. Raises StoreError.

        at: now; reviews that have ended by then go as well.
        """
        self._sessions(SESSIONS.c.expires <= at)
        deleted = self._delete(ASSESSMENTS.c.at < before, "pruned", at)
        self._worded(WORDED.c.at < before, "pruned", at)
        self._also(WORDINGS.delete().where(WORDINGS.c.at < before))
        self._also(SHOWN.delete().where(SHOWN.c.at < before))
        self._overwrite()
        return deleted

    def _delete(self, chosen: sa.ColumnElement[bool], why: str, at: datetime) -> int:
        """A batch a transaction, so that hook calls go on meanwhile."""
        deleted = 0
        some = sa.select(ASSESSMENTS.c.id).where(chosen).order_by(ASSESSMENTS.c.at).limit(_BATCH)
        while True:
            try:
                with self._database.transaction() as connection:
                    _overwriting(connection)
                    ids = connection.execute(some).scalars().all()
                    if not ids:
                        return deleted
                    _batch(connection, ids, why, at)
            except SQLAlchemyError as error:
                raise failed(f"deleting failed after {deleted} assessments", error) from error
            deleted += len(ids)

    def _worded(self, chosen: sa.ColumnElement[bool], why: str, at: datetime) -> None:
        """Texts of which no assessment was kept, with what the audit record holds of them."""
        some = sa.select(WORDED.c.assessment_id).where(chosen).limit(_BATCH)
        while True:
            try:
                with self._database.transaction() as connection:
                    _overwriting(connection)
                    ids = connection.execute(some).scalars().all()
                    if not ids:
                        return
                    _batch(connection, ids, why, at)
            except SQLAlchemyError as error:
                raise failed("deleting failed", error) from error

    def _sessions(self, chosen: sa.ColumnElement[bool]) -> None:
        """Reviews and what lies beside them, a few a transaction: a chart has megabytes, each of which is zeroed."""
        some = sa.select(SESSIONS.c.digest).where(chosen).limit(_FEW)
        while self._also(SESSIONS.delete().where(SESSIONS.c.digest.in_(some))):
            pass

    def _also(self, statement: sa.Delete) -> int:
        try:
            with self._database.transaction() as connection:
                _overwriting(connection)
                return connection.execute(statement).rowcount
        except SQLAlchemyError as error:
            raise failed("deleting failed", error) from error

    def _overwrite(self) -> None:
        """SQLite: empties the write-ahead log, which still holds what was deleted, as far as no reader needs it."""
        if self._database.engine.dialect.name == "sqlite":
            with self._database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _batch(connection: sa.Connection, ids: Sequence[UUID], why: str, at: datetime) -> None:
    for table in (REQUESTS, CARDS, FEEDBACK, WORDED, WORDINGS):
        connection.execute(table.delete().where(table.c.assessment_id.in_(ids)))
    connection.execute(ASSESSMENTS.delete().where(ASSESSMENTS.c.id.in_(ids)))
    empty(connection, ids, why, at)


def empty(connection: sa.Connection, subjects: Sequence[UUID], why: str, at: datetime) -> None:
    """Deletes the content of all entries about some assessments, and appends an entry that says which and why.

    The head is taken first: who notes something meanwhile has done so, and is found, or finds no assessment any more.
    """
    connection.execute(sa.select(AUDIT_HEAD.c.last).with_for_update())
    chosen = sa.and_(AUDIT.c.subject.in_(subjects), AUDIT.c.salt.is_not(None))
    emptied = AUDIT.update().where(chosen).values(salt=None, content=None).returning(AUDIT.c.seq)
    numbers = sorted(connection.execute(emptied).scalars())  # not asked for before: others append meanwhile
    audit.append(connection, [audit.Entry(why, at, None, {"emptied": _ranges(numbers), "assessments": len(subjects)})])


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Sorted numbers as `[first, last]` pairs."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _overwriting(connection: sa.Connection) -> None:
    """SQLite: zeroes what is deleted, instead of leaving it in free pages."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
