"""What monitoring reads: every stored assessment, one after another, and what became of the cards, by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.database import Database
from cds_service.stores.tables import ASSESSMENTS, AUDIT, CARDS, FEEDBACK

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
    unit: str | None = None
    elapsed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one card. month: such as `2026-11`. reason: empty where none was given."""

    month: str
    service: str
    unit: str | None
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Worded:
    """What became of a language model's sentences for one summary."""

    month: str
    kept: int
    dropped: int
    put_back: int


class MonitoringStore:
    """Reads for monitoring."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assessments(self, since: datetime | None = None) -> Iterator[Seen]:
        """All from a moment on, the oldest first, a page at a time. Raises StoreError."""
        shown = sa.select(sa.func.count()).where(CARDS.c.assessment_id == ASSESSMENTS.c.id).scalar_subquery()
        table = ASSESSMENTS.c
        chosen = sa.select(table.id, table.at, table.service_id, table.patient_id, table.inputs, table.results,
                           table.unit, table.elapsed_ms, shown.label("cards")).order_by(table.at, table.id)  # fmt: skip
        if since is not None:
            chosen = chosen.where(table.at >= since.astimezone(UTC))
        last: tuple[Any, Any] | None = None
        while True:
            page = chosen.limit(_PAGE)
            if last is not None:
                page = page.where(sa.or_(table.at > last[0], sa.and_(table.at == last[0], table.id > last[1])))
            rows = self._rows(page)
            for row in rows:
                yield Seen(
                    _utc(row.at), row.service_id, row.patient_id, row.inputs, row.results, row.cards, row.unit,
                    row.elapsed_ms,
                )  # fmt: skip
            if len(rows) < _PAGE:
                return
            last = (rows[-1].at, rows[-1].id)

    def answers(self, since: datetime | None = None) -> Iterator[Answered]:
        """Each answer to a card, with the unit in which it was shown. Raises StoreError."""
        chosen = sa.select(FEEDBACK.c.received, FEEDBACK.c.service_id, FEEDBACK.c.outcome, FEEDBACK.c.reason_display,
                           FEEDBACK.c.reason_code, ASSESSMENTS.c.unit)  # fmt: skip
        chosen = chosen.join_from(FEEDBACK, ASSESSMENTS, ASSESSMENTS.c.id == FEEDBACK.c.assessment_id, isouter=True)
        if since is not None:
            chosen = chosen.where(FEEDBACK.c.received >= since.astimezone(UTC))
        for row in self._rows(chosen):
            reason = row.reason_display or row.reason_code or ""
            yield Answered(_month(row.received), row.service_id, row.unit, row.outcome, reason)

    def worded(self, since: datetime | None = None) -> Iterator[Worded]:
        """What became of a language model's sentences, from the audit record. Raises StoreError."""
        chosen = sa.select(AUDIT.c.at, AUDIT.c.content).where(AUDIT.c.kind == "wording", AUDIT.c.content.is_not(None))
        if since is not None:
            chosen = chosen.where(AUDIT.c.at >= since)
        for row in self._rows(chosen):
            told = orjson.loads(row.content)
            yield Worded(_month(row.at), told["kept"], len(told["dropped"]), told["put_back"])

    def _rows(self, chosen: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        try:
            with self._database.engine.connect() as connection:
                return connection.execute(chosen).all()
        except SQLAlchemyError as error:
            raise StoreError(f"what is kept could not be read ({type(error).__name__})") from error


def _month(at: datetime) -> str:
    return _utc(at).strftime("%Y-%m")


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
