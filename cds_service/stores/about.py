"""What is kept about one answer: whose card it was, what became of its cards, and its entries in the audit record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database
from cds_service.stores.tables import CARDS, FEEDBACK
from cds_service.suppression import SNOOZED


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody answered to a card: `accepted`, `overridden` or `snoozed`.

    accepted: the uuids of suggestions. reason, comment, user: empty where none.
    user: who answered in the review app; what the EHR sends names nobody.
    """

    card: UUID
    outcome: str
    at: datetime
    accepted: tuple[str, ...]
    reason: str
    comment: str
    user: str = ""


class AboutStore:
    """Reads for an account of one answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assessment_of(self, card: UUID) -> UUID | None:
        """The assessment that showed a card, or None. Raises StoreError."""
        rows = self._rows(sa.select(CARDS.c.assessment_id).where(CARDS.c.uuid == card))
        found: UUID | None = rows[0].assessment_id if rows else None
        return found

    def feedback(self, assessment: UUID) -> tuple[Told, ...]:
        """What became of its cards, in order of time. Raises StoreError."""
        table = FEEDBACK.c
        rows = self._rows(sa.select(FEEDBACK).where(table.assessment_id == assessment).order_by(table.outcome_at))
        users = self._users(assessment)
        return tuple(
            Told(
                row.card,
                "snoozed" if (row.reason_system, row.reason_code) == SNOOZED else row.outcome,
                at := row.outcome_at.replace(tzinfo=UTC) if row.outcome_at.tzinfo is None else row.outcome_at,
                tuple(orjson.loads(row.accepted)),
                row.reason_display or row.reason_code or "",
                row.comment or "",
                users.get((str(row.card), row.outcome, at), ""),
            )
            for row in rows
        )

    def _users(self, assessment: UUID) -> dict[tuple[str, str, datetime], str]:
        """Who answered, as the audit record tells it, by card, answer and time."""
        told = (e.content for e in AuditStore(self._database).about(assessment) if e.kind == "feedback")
        return {
            (str(one["card"]), str(one["outcome"]), datetime.fromisoformat(one["outcome_at"])): str(one["user"])
            for one in told
            if one is not None and "user" in one
        }

    def _rows(self, chosen: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        try:
            with self._database.engine.connect() as connection:
                return connection.execute(chosen).all()
        except SQLAlchemyError as error:
            raise StoreError(f"what is kept could not be read ({type(error).__name__})") from error
