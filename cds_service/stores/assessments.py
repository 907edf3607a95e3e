"""Assessments: what was seen, computed and shown at one hook, kept so that any card can be explained later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.columns import Json
from cds_service.stores.database import Database
from cds_service.stores.prepared import Prepared

METADATA = sa.MetaData()
ASSESSMENTS = sa.Table(
    "assessments",
    METADATA,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("service_id", sa.String(100), nullable=False),
    sa.Column("hook", sa.String(100), nullable=False),
    sa.Column("hook_instance", sa.Uuid(), nullable=False),
    sa.Column("patient_id", sa.String(255), nullable=False),
    sa.Column("client", sa.String(500)),
    sa.Column("inputs", Json(), nullable=False),
    sa.Column("results", Json(), nullable=False),
    sa.Column("cards", Json(), nullable=False),
    sa.Column("response", sa.LargeBinary(), nullable=False),
    sa.Column("versions", Json(), nullable=False),
    sa.Column("tenant", sa.String(500)),
    sa.Column("unit", sa.String(100)),
    sa.Column("elapsed_ms", sa.Integer()),
    sa.Index("assessments_patient", "patient_id", "at"),
    sa.Index("assessments_at", "at"),
    sa.Index("assessments_hook_instance", "hook_instance"),
)
Object = Mapping[str, Any]
Unit = Callable[[sa.Connection], None]  # writes something in a transaction that others share


@dataclass(frozen=True, slots=True)
class Assessment:
    """One answer to one hook.

    at: the moment the answer was made for, with a time zone. client: the issuer of the CDS Client's token, or
    None. inputs: one object a feature (id, value, unit, effective, sources). results: one object an estimate or
    refusal. cards: every card that was composed, shown or silent, in wire form. response: the body sent, byte for
    byte. versions: model id -> version, and the versions of Curbside and of what else shaped the answer. tenant: of the
    CDS Client's token, or None. unit: where in the hospital, as the encounter names it, or None. elapsed_ms: from the
    head of the call until it was about to be stored.
    """

    id: UUID
    at: datetime
    service_id: str
    hook: str
    hook_instance: UUID
    patient_id: str
    client: str | None
    inputs: Sequence[Object]
    results: Sequence[Object]
    cards: Sequence[Object]
    response: bytes
    versions: Object
    tenant: str | None = None
    unit: str | None = None
    elapsed_ms: int | None = None


class AssessmentStore:
    """Keeps assessments; one transaction each."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def save(self, assessment: Assessment, also: Sequence[Unit] = (), parts: Sequence[Unit] = ()) -> None:
        """Keeps one assessment; durable on disk when it returns.

        also: what else is written in the same transaction; what it raises undoes all of it. parts: what belongs to
        the assessment and is written after it, in the same transaction.
        Saving the same assessment again (a call repeated at the same instant) changes nothing. Raises StoreError.
        """
        row = {column.name: getattr(assessment, column.name) for column in ASSESSMENTS.columns}
        row["at"] = assessment.at.astimezone(UTC)
        try:
            with self.database.writing() as connection:
                _write(connection, also)
                _INSERT.run(connection, row)
                _write(connection, parts)
        except IntegrityError as error:
            kept = self.get(assessment.id)
            if kept is None or kept.response != assessment.response:
                raise StoreError("another assessment is stored under the same id") from error
            self._repeat(also)
        except SQLAlchemyError as error:
            raise StoreError(f"the assessment could not be stored ({type(error).__name__})") from error

    def _repeat(self, also: Sequence[Unit]) -> None:
        """Writes what accompanied an assessment that is kept already."""
        try:
            with self.database.writing() as connection:
                _write(connection, also)
        except SQLAlchemyError as error:
            raise StoreError(f"the call could not be stored ({type(error).__name__})") from error

    def get(self, id_: UUID) -> Assessment | None:
        """The assessment of this id, or None. Raises StoreError."""
        try:
            with self.database.engine.connect() as connection:
                row = connection.execute(sa.select(ASSESSMENTS).where(ASSESSMENTS.c.id == id_)).mappings().first()
        except SQLAlchemyError as error:
            raise StoreError(f"the assessment could not be read ({type(error).__name__})") from error
        if row is None:
            return None
        values = dict(row)
        at = values["at"]
        values["at"] = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)  # SQLite keeps no zone
        return Assessment(**values)

    def ids(self, since: datetime | None = None) -> list[tuple[UUID, str]]:
        """Id and service of every assessment from a moment on, the oldest first. Raises StoreError."""
        chosen = sa.select(ASSESSMENTS.c.id, ASSESSMENTS.c.service_id).order_by(ASSESSMENTS.c.at, ASSESSMENTS.c.id)
        if since is not None:
            chosen = chosen.where(ASSESSMENTS.c.at >= since.astimezone(UTC))
        try:
            with self.database.engine.connect() as connection:
                return [(row.id, row.service_id) for row in connection.execute(chosen)]
        except SQLAlchemyError as error:
            raise StoreError(f"the assessments could not be read ({type(error).__name__})") from error

    def reachable(self) -> bool:
        """True if the database answers: for the readiness check."""
        try:
            with self.database.engine.connect() as connection:
                connection.execute(_PING)
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Closes this process's connections."""
        self.database.close()


def _write(connection: sa.Connection, units: Sequence[Unit]) -> None:
    for unit in units:
        unit(connection)


_INSERT = Prepared(ASSESSMENTS.insert())
_PING = sa.select(sa.literal(1))
