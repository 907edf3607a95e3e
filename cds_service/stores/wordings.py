"""Summaries in a language model's words, and the queue of those that are to be worded; shared by all processes.

A queued entry holds what its answer rested on, as replays do, and no token. One that a killed process had taken is
taken again when its time is over. Nothing is queued beyond a bound: the deterministic summary is there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores import audit
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into
from cds_service.stores.tables import WORDED, WORDINGS
from cds_service.summary.told import Told

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection, Unit


MOST_TRIES = 2
ABANDONED = "abandoned after its process ended twice"
_LINES = msgspec.json.Decoder(tuple[Told, ...])
_OWNER = ("key", "service_id", "patient_id", "scope", "assessment_id")
_WAITING = Statement("SELECT count(*) FROM wordings")
_QUEUE = insert_into(
    "wordings",
    "key, service_id, patient_id, scope, assessment_id, at, tries, taken_until, body",
    "ON CONFLICT DO NOTHING",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A summary that is to be worded. key: what makes its text the same text. at: the moment of its assessment.

    body: the frozen basis of the assessment.
    """

    key: str
    service_id: str
    patient_id: str
    scope: str
    assessment_id: UUID
    at: datetime
    body: bytes

    def unit(self, most: int) -> Unit:
        """What queues it, as a part of another transaction."""
        return lambda connection: self.write(connection, most)

    def write(self, connection: Connection, most: int) -> None:
        """Queues it in a transaction that the caller commits, unless it waits already or too many do."""
        if _WAITING.run(connection, {}).fetchone()[0] < most:
            row = {name: getattr(self, name) for name in (*_OWNER, "at", "body")}
            _QUEUE.run(connection, {**row, "tries": 0, "taken_until": None})


@dataclass(frozen=True, slots=True)
class Worded:
    """A text, or the reason why there is none."""

    at: datetime
    lines: tuple[Told, ...]
    reason: str


class WordingStore:
    """The texts and the queue."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def get(self, key: str) -> Worded | None:
        """The text of a key, or None if nobody has asked yet. Raises StoreError."""
        chosen = sa.select(WORDED.c.at, WORDED.c.lines, WORDED.c.reason).where(WORDED.c.key == key)
        try:
            with self.database.engine.connect() as connection:
                row = connection.execute(chosen).first()
        except SQLAlchemyError as error:
            raise StoreError(f"the worded summary could not be read ({type(error).__name__})") from error
        return None if row is None else Worded(row.at, _LINES.decode(row.lines), row.reason)

    def of_assessment(self, assessment_id: UUID) -> Worded | None:
        """The text that was asked for at one assessment, or None. Raises StoreError."""
        chosen = sa.select(WORDED.c.key).where(WORDED.c.assessment_id == assessment_id)
        try:
            with self.database.engine.connect() as connection:
                key = connection.execute(chosen).scalar()
        except SQLAlchemyError as error:
            raise StoreError(f"the worded summary could not be read ({type(error).__name__})") from error
        return None if key is None else self.get(key)

    def queue(self, wanted: Wanted, most: int) -> None:
        """Queues one at once, in its own transaction. Raises StoreError."""
        with self.database.writing("the summary could not be queued") as connection:
            wanted.write(connection, most)

    def take(self, now: datetime, seconds: float) -> Wanted | None:
        """The one that has waited longest, taken for some seconds; None if none waits. Raises StoreError.

        One that was taken too often is given up with a reason.
        """
        ahead = now + 2 * timedelta(seconds=seconds)  # only a clock that ran ahead took it for so long
        free = sa.or_(WORDINGS.c.taken_until.is_(None), WORDINGS.c.taken_until < now, WORDINGS.c.taken_until > ahead)
        oldest = sa.select(WORDINGS.c.key).where(free).order_by(WORDINGS.c.at, WORDINGS.c.key).limit(1)
        until = now + timedelta(seconds=seconds)
        try:
            with self.database.transaction() as connection:
                while True:
                    key = connection.execute(oldest.with_for_update(skip_locked=True)).scalar()
                    if key is None:
                        return None
                    change = WORDINGS.update().where(WORDINGS.c.key == key, free)
                    row = connection.execute(
                        change.values(tries=WORDINGS.c.tries + 1, taken_until=until).returning(*WORDINGS.c)
                    ).first()
                    if row is None:
                        continue  # another process was quicker
                    if row.tries <= MOST_TRIES:
                        fields = (*_OWNER, "at", "body")
                        return Wanted(**{name: getattr(row, name) for name in fields})
                    _finish(connection, row, now, (), ABANDONED)
        except SQLAlchemyError as error:
            raise StoreError(f"the queue could not be read ({type(error).__name__})") from error

    def finish(
        self, wanted: Wanted, now: datetime, lines: Sequence[Told], reason: str, entry: audit.Entry | None
    ) -> None:
        """Keeps what came of one, with its entry in the audit record, and takes it out of the queue.

        One that is not in the queue any more was forgotten meanwhile, or finished by another: nothing is kept.
        Raises StoreError.
        """
        try:
            with self.database.transaction() as connection:
                if _finish(connection, wanted, now, lines, reason) and entry is not None:
                    audit.append(connection, [entry])
        except SQLAlchemyError as error:
            raise StoreError(f"the worded summary could not be stored ({type(error).__name__})") from error

    def release(self, wanted: Wanted) -> None:
        """Gives one back to the queue, as if it had not been taken. Raises StoreError."""
        change = WORDINGS.update().where(WORDINGS.c.key == wanted.key)
        try:
            with self.database.transaction() as connection:
                connection.execute(change.values(tries=WORDINGS.c.tries - 1, taken_until=None))
        except SQLAlchemyError as error:
            raise StoreError(f"the queue could not be written ({type(error).__name__})") from error

    def waiting(self) -> int:
        """How many are in the queue. Raises StoreError."""
        try:
            with self.database.engine.connect() as connection:
                return connection.execute(sa.select(sa.func.count()).select_from(WORDINGS)).scalar_one()
        except SQLAlchemyError as error:
            raise StoreError(f"the queue could not be read ({type(error).__name__})") from error


def _finish(connection: sa.Connection, owner: Any, now: datetime, lines: Sequence[Told], reason: str) -> bool:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # what was queued is about a patient
    if not connection.execute(WORDINGS.delete().where(WORDINGS.c.key == owner.key)).rowcount:
        return False
    connection.execute(WORDED.delete().where(WORDED.c.key == owner.key))
    row = {name: getattr(owner, name) for name in _OWNER}
    connection.execute(
        WORDED.insert(), {**row, "at": now, "reason": reason, "lines": msgspec.json.encode(tuple(lines))}
    )
    return True
