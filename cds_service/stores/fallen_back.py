"""Models that fell back to silence because monitoring found them outside their range; and the latest counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores import audit
from cds_service.stores.assessments import METADATA
from cds_service.stores.columns import Moment
from cds_service.stores.database import Database

FALLEN_BACK = sa.Table(
    "fallen_back",
    METADATA,
    sa.Column("model", sa.String(100), primary_key=True),
    sa.Column("version", sa.String(100), primary_key=True),
    sa.Column("at", Moment(), primary_key=True),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("lifted_at", Moment()),
    sa.Column("lifted_by", sa.Text()),
)
MONITORED = sa.Table(
    "monitored",
    METADATA,
    sa.Column("at", Moment(), primary_key=True),
    sa.Column("body", sa.LargeBinary(), nullable=False),
)
_IN_FORCE = sa.select(FALLEN_BACK).where(FALLEN_BACK.c.lifted_at.is_(None))


@dataclass(frozen=True, slots=True)
class FallenBack:
    """One version of a model that is silent, or was. reason: a sentence. lifted_by: who let it speak again, or None."""

    model: str
    version: str
    at: datetime
    reason: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None


class FallBackStore:
    """Models that fell back, each with its entries in the audit record; and the counts of the latest run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_force(self) -> tuple[FallenBack, ...]:
        """Those that are silent now. Raises StoreError."""
        return tuple(FallenBack(**row) for row in self._rows(_IN_FORCE.order_by(FALLEN_BACK.c.model)))

    def every(self) -> tuple[FallenBack, ...]:
        """All that ever fell back, the oldest first. Raises StoreError."""
        return tuple(FallenBack(**row) for row in self._rows(sa.select(FALLEN_BACK).order_by(FALLEN_BACK.c.at)))

    def silence(self, fallen: FallenBack) -> bool:
        """Silences a version of a model, with an audit entry; False if it is silent already. Raises StoreError."""
        same = (FALLEN_BACK.c.model == fallen.model, FALLEN_BACK.c.version == fallen.version)
        content = {"model": fallen.model, "version": fallen.version, "reason": fallen.reason}
        try:
            with self._database.writing() as connection:
                if connection.execute(_IN_FORCE.where(*same)).first() is not None:
                    return False
                connection.execute(FALLEN_BACK.insert(), asdict(fallen))
                audit.append(connection, [audit.Entry("fall-back", fallen.at, None, content)])
        except SQLAlchemyError as error:
            raise StoreError(f"the fall-back could not be stored ({type(error).__name__})") from error
        return True

    def lift(self, model: str, by: str, at: datetime) -> tuple[FallenBack, ...]:
        """Lets a model speak again, with an audit entry; what was lifted, empty if it was not silent.

        by: who answers for it. Raises StoreError.
        """
        mine = (FALLEN_BACK.c.model == model, FALLEN_BACK.c.lifted_at.is_(None))
        try:
            with self._database.writing() as connection:
                found = [FallenBack(**row) for row in connection.execute(_IN_FORCE.where(mine[0])).mappings()]
                if found:
                    connection.execute(FALLEN_BACK.update().where(*mine).values(lifted_at=at, lifted_by=by))
                    content = {"model": model, "versions": [one.version for one in found], "by": by}
                    audit.append(connection, [audit.Entry("fall-back-lifted", at, None, content)])
        except SQLAlchemyError as error:
            raise StoreError(f"the fall-back could not be lifted ({type(error).__name__})") from error
        return tuple(found)

    def keep_counts(self, at: datetime, body: bytes) -> None:
        """Keeps the counts of a run in place of those of the run before. Raises StoreError."""
        try:
            with self._database.writing() as connection:
                connection.execute(MONITORED.delete())
                connection.execute(MONITORED.insert(), {"at": at, "body": body})
        except SQLAlchemyError as error:
            raise StoreError(f"the counts could not be stored ({type(error).__name__})") from error

    def counts(self) -> tuple[datetime, bytes] | None:
        """When counts were kept last, and the counts; None if they never were. Raises StoreError."""
        rows = self._rows(sa.select(MONITORED).order_by(MONITORED.c.at.desc()).limit(1))
        return (rows[0]["at"], rows[0]["body"]) if rows else None

    def _rows(self, chosen: sa.Select[Any]) -> list[dict[str, Any]]:
        try:
            with self._database.engine.connect() as connection:
                return [dict(row) for row in connection.execute(chosen).mappings()]
        except SQLAlchemyError as error:
            raise StoreError(f"what monitoring left could not be read ({type(error).__name__})") from error
