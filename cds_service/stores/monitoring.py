"""What monitoring reads: every stored assessment, one after another, and what became of the cards, by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.assessments import ASSESSMENTS
from cds_service.stores.database import Database
from cds_service.stores.feedback import CARDS, FEEDBACK

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """One assessment, as far as it is counted. cards: how many were shown."""

    at: datetime
    service: str
    patient: str
    inputs: Sequence[Any]
    results: Sequence[Any]
    cards: int


class MonitoringStore:
    """Reads for monitoring."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assessments(self, since: datetime | None = None) -> Iterator[Seen]:
        """All from a moment on, the oldest first, a page at a time. Raises StoreError."""
        shown = sa.select(sa.func.count()).where(CARDS.c.assessment_id == ASSESSMENTS.c.id).scalar_subquery()
        table = ASSESSMENTS.c
        chosen = sa.select(table.id, table.at, table.service_id, table.patient_id, table.inputs, table.results,
                           shown.label("cards")).order_by(table.at, table.id)  # fmt: skip
        if since is not None:
            chosen = chosen.where(table.at >= since.astimezone(UTC))
        last: tuple[Any, Any] | None = None
        while True:
            page = chosen.limit(_PAGE)
            if last is not None:
                page = page.where(sa.or_(table.at > last[0], sa.and_(table.at == last[0], table.id > last[1])))
            rows = self._rows(page)
            for row in rows:
                yield Seen(_utc(row.at), row.service_id, row.patient_id, row.inputs, row.results, row.cards)
            if len(rows) < _PAGE:
                return
            last = (rows[-1].at, rows[-1].id)

    def answers(self, since: datetime | None = None) -> Iterator[tuple[str, str, str, str]]:
        """Month, service, outcome and reason (or an empty text) of each answer to a card. Raises StoreError."""
        chosen = sa.select(FEEDBACK.c.received, FEEDBACK.c.service_id, FEEDBACK.c.outcome, FEEDBACK.c.reason_display,
                           FEEDBACK.c.reason_code)  # fmt: skip
        if since is not None:
            chosen = chosen.where(FEEDBACK.c.received >= since.astimezone(UTC))
        for row in self._rows(chosen):
            reason = row.reason_display or row.reason_code or ""
            yield _utc(row.received).strftime("%Y-%m"), row.service_id, row.outcome, reason

    def _rows(self, chosen: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        try:
            with self._database.engine.connect() as connection:
                return connection.execute(chosen).all()
        except SQLAlchemyError as error:
            raise StoreError(f"what is kept could not be read ({type(error).__name__})") from error


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
