"""Models that fell back to silence because monitoring found them outside their range; and the latest counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from cds_service.language import Message
from cds_service.stores import audit
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into, moment, select

_COLUMNS = "model, version, at, reason, lifted_at, lifted_by"
_IN_FORCE = select("fallen_back", _COLUMNS, "WHERE lifted_at IS NULL ORDER BY model")
_EVERY = select("fallen_back", _COLUMNS, "ORDER BY at")
_OF_MODEL = select("fallen_back", _COLUMNS, "WHERE model = :model AND lifted_at IS NULL")
_INSERT = insert_into("fallen_back", _COLUMNS)
_LIFT = Statement("UPDATE fallen_back SET lifted_at = :at, lifted_by = :by WHERE model = :model AND lifted_at IS NULL")
_CLEAR = Statement("DELETE FROM monitored")
_KEEP = insert_into("monitored", "at, body")
_COUNTS = Statement("SELECT at, body FROM monitored ORDER BY at DESC LIMIT 1")


_UNREAD = "what monitoring left could not be read"


@dataclass(frozen=True, slots=True)
class FallenBack:
    """One version of a model that is silent, or was. lifted_by: who let it speak again, or None.

    reason: a sentence, kept with its places, so that a page can tell it in the reader's language.
    """

    model: str
    version: str
    at: datetime
    reason: Message
    lifted_at: datetime | None = None
    lifted_by: str | None = None


class FallBackStore:
    """Models that fell back, each with its entries in the audit record; and the counts of the latest run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_force(self) -> tuple[FallenBack, ...]:
        """Those that are silent now. Raises StoreError."""
        return self._rows(_IN_FORCE)

    def every(self) -> tuple[FallenBack, ...]:
        """All that ever fell back, the oldest first. Raises StoreError."""
        return self._rows(_EVERY)

    def silence(self, fallen: FallenBack) -> bool:
        """Silences a version of a model, with an audit entry; False if it is silent already. Raises StoreError."""
        content = {"model": fallen.model, "version": fallen.version, "reason": str(fallen.reason)}
        with self._database.writing("the fall-back could not be stored") as connection:
            silent = _OF_MODEL.run(connection, {"model": fallen.model}).fetchall()
            if any(_fallen(row).version == fallen.version for row in silent):
                return False
            _INSERT.run(connection, _row(fallen))
            audit.append(connection, [audit.Entry("fall-back", fallen.at, None, content)])
        return True

    def lift(self, model: str, by: str, at: datetime) -> tuple[FallenBack, ...]:
        """Lets a model speak again, with an audit entry; what was lifted, empty if it was not silent.

        by: who answers for it. Raises StoreError.
        """
        with self._database.writing("the fall-back could not be lifted") as connection:
            found = tuple(map(_fallen, _OF_MODEL.run(connection, {"model": model}).fetchall()))
            if found:
                _LIFT.run(connection, {"model": model, "at": at, "by": by})
                content = {"model": model, "versions": [one.version for one in found], "by": by}
                audit.append(connection, [audit.Entry("fall-back-lifted", at, None, content)])
        return found

    def keep_counts(self, at: datetime, body: bytes) -> None:
        """Keeps the counts of a run in place of those of the run before. Raises StoreError."""
        with self._database.writing("the counts could not be stored") as connection:
            _CLEAR.run(connection, {})
            _KEEP.run(connection, {"at": at, "body": body})

    def counts(self) -> tuple[datetime, bytes] | None:
        """When counts were kept last, and the counts; None if they never were. Raises StoreError."""
        with self._database.reading(_UNREAD) as connection:
            row = _COUNTS.run(connection, {}).fetchone()
        return None if row is None else (moment(row[0]), bytes(row[1]))

    def _rows(self, chosen: Statement) -> tuple[FallenBack, ...]:
        with self._database.reading(_UNREAD) as connection:
            return tuple(map(_fallen, chosen.run(connection, {}).fetchall()))


def _row(fallen: FallenBack) -> dict[str, Any]:
    row = {name: getattr(fallen, name) for name in FallenBack.__slots__}
    return row | {"reason": msgspec.json.encode(fallen.reason).decode()}


def _fallen(row: Sequence[Any]) -> FallenBack:
    model, version, at, reason, lifted_at, lifted_by = row
    lifted = None if lifted_at is None else moment(lifted_at)
    return FallenBack(model, version, moment(at), _said(reason), lifted, lifted_by)


def _said(kept: str) -> Message:
    """The sentence; one that an earlier release kept has its English words alone."""
    try:
        return msgspec.json.decode(kept, type=Message)
    except msgspec.MsgspecError:
        return Message(kept)
