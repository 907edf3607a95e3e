"""Reading what is kept: assessments of a patient, of a card, the latest of a client, and what became of their cards."""

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
from cds_service.stores.assessments import Assessment
from cds_service.stores.database import Database
from cds_service.stores.scopes import scope_of
from cds_service.stores.tables import ASSESSMENTS, CARDS, FEEDBACK
from cds_service.suppression import SNOOZED


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a card: `accepted`, `overridden` or `snoozed`, when, and why, as far as that was told.

    reason: the display of a reason. accepted: uuids of the suggestions. comment: the clinician's own words.
    """

    outcome: str
    at: datetime
    reason: str | None
    accepted: tuple[str, ...] = ()
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One assessment in a list. cards: how many were shown."""

    id: UUID
    at: datetime
    service_id: str
    patient_id: str
    cards: int
    answers: tuple[Answered, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """One service's counts in a time. reasons: display of an override reason -> how often."""

    service_id: str
    calls: int
    cards: int
    accepted: int
    overridden: int
    reasons: tuple[tuple[str, int], ...]


class Reader:
    """Reads for one CDS Client and tenant; nothing of others is found."""

    def __init__(self, database: Database, issuer: str | None, tenant: str | None) -> None:
        """issuer: of the client's tokens; None for callers on this machine."""
        self._database = database
        self._own = (ASSESSMENTS.c.client == issuer, ASSESSMENTS.c.tenant == tenant)
        self._scope = scope_of(issuer, tenant)

    def of_card(self, card: UUID) -> Assessment | None:
        """The assessment that a card belongs to, or None. Raises StoreError."""
        owner = sa.select(CARDS.c.assessment_id).where(CARDS.c.uuid == card, CARDS.c.scope == self._scope)
        return self._first(ASSESSMENTS.c.id.in_(owner))

    def latest(self, patient_id: str) -> Assessment | None:
        """The latest assessment of a patient that showed a card, else the latest one. Raises StoreError."""
        shown = sa.select(CARDS.c.assessment_id).where(CARDS.c.patient_id == patient_id, CARDS.c.scope == self._scope)
        of_patient = ASSESSMENTS.c.patient_id == patient_id
        return self._first(of_patient, ASSESSMENTS.c.id.in_(shown)) or self._first(of_patient)

    def history(
        self, patient_id: str, service_id: str, until: datetime, limit: int = 50
    ) -> list[tuple[datetime, Sequence[Any]]]:
        """Time and results of a patient's assessments by one service until a moment, which is included, the latest
        first. Raises StoreError.
        """
        chosen = (
            sa.select(ASSESSMENTS.c.at, ASSESSMENTS.c.results)
            .where(*self._own, ASSESSMENTS.c.patient_id == patient_id, ASSESSMENTS.c.service_id == service_id)
            .where(ASSESSMENTS.c.at <= until.astimezone(UTC))
            .order_by(ASSESSMENTS.c.at.desc())
            .limit(limit)
        )
        return [(_utc(row.at), row.results) for row in self._rows(chosen)]

    def answers(self, card: UUID) -> tuple[Answered, ...]:
        """What became of a card, the latest first. Raises StoreError."""
        chosen = sa.select(FEEDBACK).where(FEEDBACK.c.card == card, FEEDBACK.c.scope == self._scope)
        return tuple(
            _answered(row) for row in self._rows(chosen.order_by(FEEDBACK.c.at.desc(), FEEDBACK.c.received.desc()))
        )

    def recent(self, limit: int = 50) -> list[Listed]:
        """The latest assessments that showed cards, with what became of these. Raises StoreError."""
        counts = (
            sa.select(CARDS.c.assessment_id, sa.func.count().label("cards"))
            .where(CARDS.c.scope == self._scope)
            .group_by(CARDS.c.assessment_id)
            .subquery()
        )
        chosen = (
            sa.select(
                ASSESSMENTS.c.id, ASSESSMENTS.c.at, ASSESSMENTS.c.service_id, ASSESSMENTS.c.patient_id, counts.c.cards
            )
            .join(counts, counts.c.assessment_id == ASSESSMENTS.c.id)
            .where(*self._own)
            .order_by(ASSESSMENTS.c.at.desc())
            .limit(limit)
        )
        rows = self._rows(chosen)
        told = sa.select(FEEDBACK).where(
            FEEDBACK.c.assessment_id.in_([row.id for row in rows]), FEEDBACK.c.scope == self._scope
        )
        by_assessment: dict[UUID, list[Answered]] = {}
        for row in self._rows(told.order_by(FEEDBACK.c.at)):
            by_assessment.setdefault(row.assessment_id, []).append(_answered(row))
        return [
            Listed(r.id, _utc(r.at), r.service_id, r.patient_id, r.cards, tuple(by_assessment.get(r.id, ())))
            for r in rows
        ]

    def tallies(self, since: datetime) -> list[Tally]:
        """Calls, cards and answers of each service since a moment. Raises StoreError."""
        since = since.astimezone(UTC)
        calls = self._rows(
            sa.select(ASSESSMENTS.c.service_id, sa.func.count().label("n"))
            .where(*self._own, ASSESSMENTS.c.at >= since)
            .group_by(ASSESSMENTS.c.service_id)
        )
        cards = self._rows(
            sa.select(CARDS.c.service_id, sa.func.count().label("n"))
            .join(ASSESSMENTS, ASSESSMENTS.c.id == CARDS.c.assessment_id)
            .where(CARDS.c.scope == self._scope, ASSESSMENTS.c.at >= since)
            .group_by(CARDS.c.service_id)
        )
        answered = self._rows(
            sa.select(FEEDBACK.c.service_id, FEEDBACK.c.outcome, FEEDBACK.c.reason_display, sa.func.count().label("n"))
            .where(FEEDBACK.c.scope == self._scope, FEEDBACK.c.received >= since)
            .group_by(FEEDBACK.c.service_id, FEEDBACK.c.outcome, FEEDBACK.c.reason_display)
        )
        shown = {row.service_id: row.n for row in cards}
        return [_tally(row.service_id, row.n, shown, answered) for row in sorted(calls, key=lambda r: r.service_id)]

    def _first(self, *conditions: Any) -> Assessment | None:
        chosen = sa.select(ASSESSMENTS).where(*self._own, *conditions).order_by(ASSESSMENTS.c.at.desc()).limit(1)
        rows = self._rows(chosen)
        if not rows:
            return None
        values = dict(rows[0]._mapping)
        return Assessment(**(values | {"at": _utc(values["at"])}))

    def _rows(self, chosen: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        try:
            with self._database.engine.connect() as connection:
                return connection.execute(chosen).all()
        except SQLAlchemyError as error:
            raise StoreError(f"what is kept could not be read ({type(error).__name__})") from error


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)  # SQLite keeps no zone


def _answered(row: sa.Row[Any]) -> Answered:
    snoozed = (row.reason_system, row.reason_code) == SNOOZED
    return Answered(
        "snoozed" if snoozed else row.outcome,
        _utc(row.at),
        None if snoozed else row.reason_display or row.reason_code,
        tuple(orjson.loads(row.accepted)),
        row.comment,
    )


def _tally(service_id: str, calls: int, shown: dict[str, int], answered: Sequence[sa.Row[Any]]) -> Tally:
    own = [row for row in answered if row.service_id == service_id]
    reasons = [(row.reason_display, row.n) for row in own if row.outcome == "overridden" and row.reason_display]
    return Tally(
        service_id,
        calls,
        shown.get(service_id, 0),
        sum(row.n for row in own if row.outcome == "accepted"),
        sum(row.n for row in own if row.outcome == "overridden"),
        tuple(sorted(reasons, key=lambda pair: (-pair[1], pair[0]))),
    )
