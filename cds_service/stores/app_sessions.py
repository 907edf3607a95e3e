"""Launches under way and open reviews: what they hold is encrypted with a key that only the browser's cookie has.

So a copy of the database opens nothing: neither tokens nor patients. A row is found by a digest of the cookie's value.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.database import Database
from cds_service.stores.tables import SESSIONS

_TRIES = 20  # to change what others change at the same moment
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
            try:
                self._replace(row)
            except IntegrityError:  # another request has put it there meanwhile
                self._replace(row)
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be stored ({type(error).__name__})") from error
        return value

    def _replace(self, row: Mapping[str, Any]) -> None:
        with self._database.transaction() as connection:
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == row["digest"]))
            connection.execute(sa.insert(SESSIONS), row)

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

    def stretch(self, value: str, expires: datetime) -> None:
        """Lets a value open what it opens for longer; one that opens nothing any more stays so. Raises StoreError."""
        try:
            with self._database.transaction() as connection:
                chosen = SESSIONS.c.digest == _digest(value)
                connection.execute(sa.update(SESSIONS).where(chosen).values(expires=expires))
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be stored ({type(error).__name__})") from error

    def change(
        self, kind: str, value: str, how: Callable[[Mapping[str, Any]], Mapping[str, Any]], now: datetime
    ) -> Mapping[str, Any] | None:
        """What a value opens once `how` has changed it; None if it opens nothing any more. Raises StoreError.

        Of several who change it at once none undoes what another did: `how` is given what the one before left.
        """
        chosen = (SESSIONS.c.digest == _digest(value), SESSIONS.c.kind == kind, SESSIONS.c.expires > now)
        try:
            for _ in range(_TRIES):
                with self._database.engine.connect() as connection:
                    row = connection.execute(sa.select(SESSIONS.c.body).where(*chosen)).first()
                if row is None:
                    return None
                content = how(orjson.loads(Fernet(_key(value)).decrypt(row.body)))
                body = Fernet(_key(value)).encrypt(orjson.dumps(content))
                with self._database.transaction() as connection:
                    unchanged = sa.update(SESSIONS).where(*chosen, SESSIONS.c.body == row.body)
                    if connection.execute(unchanged.values(body=body)).rowcount == 1:
                        return content
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be stored ({type(error).__name__})") from error
        raise StoreError("the session could not be stored: too many change it at once")

    def claim(self, kind: str, value: str, now: datetime, until: datetime) -> bool:
        """True for one of those who ask, until it is dropped or its time is up. Raises StoreError."""
        digest = _digest(value)
        row = {"digest": digest, "kind": kind, "expires": until, "body": b""}
        try:
            with self._database.transaction() as connection:
                connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.digest == digest, SESSIONS.c.expires <= now))
                connection.execute(sa.insert(SESSIONS), row)
        except IntegrityError:
            return False
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be stored ({type(error).__name__})") from error
        return True

    def claimed(self, value: str, now: datetime) -> bool:
        """True while somebody has a claim. Raises StoreError."""
        chosen = sa.select(SESSIONS.c.digest).where(SESSIONS.c.digest == _digest(value), SESSIONS.c.expires > now)
        try:
            with self._database.engine.connect() as connection:
                return connection.execute(chosen).first() is not None
        except SQLAlchemyError as error:
            raise StoreError(f"the session could not be read ({type(error).__name__})") from error

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
