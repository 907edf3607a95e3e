"""Cards that were shown, so that feedback finds them; and the feedback, durable before it is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import orjson

from cds_service.errors import StoreError
from cds_service.protocol.feedback import Fault, Item
from cds_service.stores import audit
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into, select, uuid

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection, Unit

_OF_CARD = "assessment_id, patient_id, scope, service_id, findings, suggestions"
_INSERT_CARD = insert_into("cards", f"uuid, {_OF_CARD}")
_ROW = (
    "id, card, assessment_id, patient_id, scope, service_id, outcome, at, outcome_at, received, accepted, findings, "
    "proposals, reason_system, reason_code, reason_display, comment"
)
# Who forgets the patient meanwhile waits until the feedback is kept, and finds it (PostgreSQL), or has taken the card
# away (SQLite, whose transaction begins with what it writes first).
_OWN = "WHERE uuid = :uuid AND scope = :scope AND service_id = :service"
_CARD = select("cards", _OF_CARD, _OWN, "FOR KEY SHARE")
_INSERT = Statement(
    f"INSERT INTO feedback ({_ROW}) SELECT :{_ROW.replace(', ', ', :')} FROM cards WHERE uuid = :card "  # noqa: S608
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card that was sent, and what an answer to it means.

    findings: those that opened it, as key, severity and magnitude. suggestions: uuid -> key of the proposal.
    """

    uuid: UUID
    findings: Sequence[tuple[str, int, float | None]]
    suggestions: Mapping[UUID, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class ShownCards:
    """The cards of one answer; written in the transaction of its assessment."""

    assessment_id: UUID
    patient_id: str
    scope: str
    service_id: str
    cards: Sequence[ShownCard]

    def write(self, connection: Connection) -> None:
        """Writes the cards in a transaction that the caller commits."""
        for card in self.cards:
            row = {
                "uuid": card.uuid,
                "assessment_id": self.assessment_id,
                "patient_id": self.patient_id,
                "scope": self.scope,
                "service_id": self.service_id,
                "findings": orjson.dumps(card.findings).decode(),
                "suggestions": orjson.dumps({str(k): v for k, v in card.suggestions.items()}).decode(),
            }
            _INSERT_CARD.run(connection, row)


class Kept(NamedTuple):
    """What came of the items of one call. new: how many were not known yet. faults: those that are not kept."""

    new: int
    faults: tuple[Fault, ...] = ()


class FeedbackStore:
    """Keeps feedback: each item once however often it is sent, and none is lost for another that is at fault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self,
        service_id: str,
        scope: str,
        items: Sequence[Item],
        received: datetime,
        also: Sequence[Unit] = (),
        *,
        client: str | None = None,
    ) -> Kept:
        """Commits the items of one call that can be kept, in one transaction; durable on disk when it returns.

        Not kept are items about a card that is not the service's or the caller's, or a suggestion that is not the
        card's. scope: whose cards the caller may answer. also: what else is written in the same transaction. client:
        the caller's name in the settings, for the audit record.
        Raises StoreError if nothing could be stored.
        """
        try:
            with self._database.writing("the feedback could not be stored") as connection:
                for unit in also:
                    unit(connection)
                return self._write(connection, service_id, scope, items, received, client)
        except StoreError as error:
            raise StoreError(f"{error}; send it again") from error

    def _write(
        self,
        connection: Connection,
        service_id: str,
        scope: str,
        items: Sequence[Item],
        received: datetime,
        client: str | None,
    ) -> Kept:
        owned = {"scope": scope, "service": service_id}
        wanted = dict.fromkeys(item.card for item in items)
        cards = {card: _CARD.run(connection, {"uuid": card, **owned}).fetchone() for card in wanted}
        entries: list[audit.Entry] = []
        faults: list[Fault] = []
        for item in items:
            found = cards[item.card]
            row = _unknown(item) if found is None else _row(item, _Card(uuid(found[0]), *found[1:]), received)
            if isinstance(row, Fault):
                faults.append(row)
            elif _INSERT.run(connection, row).rowcount == 1:
                entries.append(_entry(item, row, received, client))
            elif _CARD.run(connection, {"uuid": item.card, **owned}).fetchone() is None:  # forgotten meanwhile
                faults.append(_unknown(item))
        if entries:
            audit.append(connection, entries)
        return Kept(len(entries), tuple(faults))


@dataclass(frozen=True, slots=True)
class _Card:
    """A card as it is kept."""

    assessment_id: UUID
    patient_id: str
    scope: str
    service_id: str
    findings: str
    suggestions: str


def _unknown(item: Item) -> Fault:
    why = f"feedback[{item.number}].card is not a card that this service gave to this CDS Client."
    return Fault(item.number, why, unknown=True)


def _row(item: Item, card: _Card, received: datetime) -> dict[str, object] | Fault:
    """The row of one item, or the suggestion that is not the card's."""
    known: dict[str, str] = orjson.loads(card.suggestions)
    for place, suggestion in enumerate(item.accepted):
        if str(suggestion) not in known:
            where = f"feedback[{item.number}].acceptedSuggestions[{place}].id"
            return Fault(item.number, f"{where} is not a suggestion of that card.")
    accepted = sorted(str(suggestion) for suggestion in item.accepted)
    same = [str(item.card), item.outcome, item.form or item.at, accepted, item.reason, item.comment]
    system, code, display = item.reason or (None, None, None)
    return {
        "id": hashlib.sha256(orjson.dumps(same)).hexdigest(),
        "card": item.card,
        "assessment_id": card.assessment_id,
        "patient_id": card.patient_id,
        "scope": card.scope,
        "service_id": card.service_id,
        "outcome": item.outcome,
        "at": min(item.at, received),  # a client's clock that runs ahead lengthens no rest
        "outcome_at": item.at,
        "received": received,
        "accepted": orjson.dumps(accepted).decode(),
        "findings": card.findings,
        "proposals": orjson.dumps(sorted({known[uuid] for uuid in accepted})).decode(),
        "reason_system": system,
        "reason_code": code,
        "reason_display": display,
        "comment": item.comment,
    }


def _entry(item: Item, row: Mapping[str, object], received: datetime, client: str | None) -> audit.Entry:
    """The audit entry of one item; a clinician's comment stays in the feedback alone."""
    subject = row["assessment_id"]
    content = {
        "card": item.card,
        "service": row["service_id"],
        "patient": row["patient_id"],
        "outcome": item.outcome,
        "outcome_at": item.at,
        "accepted": row["accepted"],
        "reason": row["reason_code"],
        "client": client,
    } | ({"user": item.user} if item.user else {})
    return audit.Entry("feedback", received, subject if isinstance(subject, UUID) else None, content)
