"""Launches under way and open reviews: what they hold is encrypted with a key that only the browser's cookie has.

So a copy of the database opens nothing: neither tokens nor patients. A row is found by a digest of the cookie's value.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.database import Database
from cds_service.stores.tables import SESSIONS

_MOST_FLOWS = 10_000  # launches that were begun and not finished; the oldest go first


@dataclass(frozen=True, slots=True)
class Opened:
    """What a cookie opens."""

    content: Mapping[str, Any]
    expires: datetime


class AppSessionStore:
    """Keeps launches (`flow`) and reviews (`review`) for all workers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, kind: str, content: Mapping[str, Any], expires: datetime, value: str | None = None) -> str:
        """Keeps content until it expires; the value that opens it, for the cookie. value: to replace what it opens.

        Raises StoreError.
        """
        value = value or secrets.token_urlsafe(32)
        row = {
            "digest": _digest(value),
            "kind": kind,
            "expires": expires,
            "body": Fernet(_key(value)).encrypt(orjson.dumps(content)),
        }
        try:
            with self._database.transaction() as connection:
                connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == row["digest"]))
                connection.execute(sa.insert(SESSIONS), row)
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be stored ({type(error).__name__})") from error
        return value

    def get(self, kind: str, value: str, now: datetime) -> Opened | None:
        """What a cookie's value opens; None if it opens nothing, or nothing any more. Raises StoreError."""
        chosen = sa.select(SESSIONS).where(SESSIONS.c.digest == _digest(value), SESSIONS.c.kind == kind)
        try:
            with self._database.engine.connect() as connection:
                row = connection.execute(chosen).first()
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be read ({type(error).__name__})") from error
        if row is None or row.expires <= now:
            return None
        try:
            return Opened(orjson.loads(Fernet(_key(value)).decrypt(row.body)), row.expires)
        except (InvalidToken, orjson.JSONDecodeError):
            return None

    def take(self, kind: str, value: str, now: datetime) -> Mapping[str, Any] | None:
        """As `get`, and it opens nothing afterwards: of two callers, one gets it. Raises StoreError."""
        found = self.get(kind, value, now)
        return found.content if self.drop(value) and found is not None else None

    def drop(self, value: str) -> bool:
        """Forgets what a value opens; True if it was there. Raises StoreError."""
        try:
            with self._database.transaction() as connection:
                done = connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == _digest(value)))
                return done.rowcount == 1
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be ended ({type(error).__name__})") from error

    def prune(self, now: datetime) -> None:
        """Forgets what has expired, and the oldest launches beyond a bound. Raises StoreError."""
        try:
            with self._database.transaction() as connection:
                connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires <= now))
                flows = sa.select(SESSIONS.c.digest).where(SESSIONS.c.kind == "flow")
                late = flows.order_by(SESSIONS.c.expires.desc()).offset(_MOST_FLOWS).limit(_MOST_FLOWS)
                old = [row.digest for row in connection.execute(late)]
                if old:
                    connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest.in_(old)))
        except SQLAlchemyError as error:
            raise StoreError(f"sessions could not be pruned ({type(error).__name__})") from error


def _digest(value: str) -> str:
    return hashlib.sha256(b"find:" + value.encode()).hexdigest()


def _key(value: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"open:" + value.encode()).digest())
