"""Assessments: what was seen, computed and shown at one hook, kept so that any card can be explained later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cds_service.errors import StoreError
from cds_service.stores.database import Conflict, Database
from cds_service.stores.statements import Statement, decoded, insert_into, moment, select, uuid

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection, Unit

Object = Mapping[str, Any]
_COLUMNS = (
    "id, at, service_id, hook, hook_instance, patient_id, client, inputs, results, cards, response, versions, "
    "tenant, unit, elapsed_ms"
)
_INSERT = insert_into("assessments", _COLUMNS)
_GET = select("assessments", _COLUMNS, "WHERE id = :id")
_RESPONSE = Statement("SELECT response FROM assessments WHERE id = :id")
_IDS = Statement("SELECT id, service_id FROM assessments ORDER BY at, id")
_IDS_SINCE = Statement("SELECT id, service_id FROM assessments WHERE at >= :since ORDER BY at, id")
_PING = Statement("SELECT 1")
_NAMES = tuple(_COLUMNS.split(", "))
_READ = {"id": uuid, "at": moment, "hook_instance": uuid} | dict.fromkeys(
    ("inputs", "results", "cards", "versions"), decoded
)


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
        row = {name: getattr(assessment, name) for name in _NAMES}
        try:
            with self.database.writing("the assessment could not be stored") as connection:
                _write(connection, also)
                _INSERT.run(connection, row)
                _write(connection, parts)
        except Conflict as error:
            kept = self.get(assessment.id)
            if kept is None or kept.response != assessment.response:
                raise StoreError("another assessment is stored under the same id") from error
            self._repeat(also)

    def _repeat(self, also: Sequence[Unit]) -> None:
        """Writes what accompanied an assessment that is kept already."""
        with self.database.writing("the call could not be stored") as connection:
            _write(connection, also)

    def get(self, id_: UUID) -> Assessment | None:
        """The assessment of this id, or None. Raises StoreError."""
        with self.database.reading("the assessment could not be read") as connection:
            row = _GET.run(connection, {"id": id_}).fetchone()
        if row is None:
            return None
        found = zip(_NAMES, row, strict=True)
        return Assessment(**{name: _READ[name](value) if name in _READ else value for name, value in found})

    def ids(self, since: datetime | None = None) -> list[tuple[UUID, str]]:
        """Id and service of every assessment from a moment on, the oldest first. Raises StoreError."""
        with self.database.reading("the assessments could not be read") as connection:
            found = _IDS.run(connection, {}) if since is None else _IDS_SINCE.run(connection, {"since": since})
            return [(uuid(id_), service) for id_, service in found.fetchall()]

    def reachable(self) -> bool:
        """True if the database answers, and kept what this process wrote last: for the readiness check."""
        if not self.database.keeps:
            return False
        try:
            with self.database.reading("the store does not answer") as connection:
                _PING.run(connection, {})
        except StoreError:
            return False
        return True

    def close(self) -> None:
        """Closes this process's connections."""
        self.database.close()


def responses_of(database: Database, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The SHA-256, in hex, of the response of each of some assessments that is kept. Raises StoreError."""
    with database.reading("the assessments could not be read") as connection:
        rows = ((id_, _RESPONSE.run(connection, {"id": id_}).fetchone()) for id_ in ids)
        return {id_: hashlib.sha256(row[0]).hexdigest() for id_, row in rows if row is not None}


def _write(connection: Connection, units: Sequence[Unit]) -> None:
    for unit in units:
        unit(connection)
