"""Tokens that were used, kept until they expire, so that all workers refuse a second use.

What is kept is a digest of issuer and `jti`, never the token or a claim.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from cds_service.errors import Unauthorized
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection

_PURGE_EVERY = 1000
_KEPT_ON_S = 3600  # after they expired: a clock that ran ahead may be set back, and they be good again
_INSERT = insert_into("token_uses", "digest, expires", "ON CONFLICT DO NOTHING")
_PURGE = Statement("DELETE FROM token_uses WHERE expires < :before")
_log = structlog.get_logger(__name__)
_spendings = itertools.count(1)


@dataclass(slots=True)
class TokenUse:
    """One use of one token.

    digest: of issuer and jti. expires, now: seconds since 1970, the first with the clocks' leeway. enforce: whether
    a second use is refused, or only logged. spent: True once the use is committed, with an assessment or alone.
    """

    digest: str
    expires: int
    now: int
    enforce: bool
    spent: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, issuer: str, jti: str, *, expires: int, now: int, enforce: bool) -> TokenUse:
        """The use of an issuer's token."""
        text = f"{len(issuer)}:{issuer}{jti}".encode("utf-8", "surrogatepass")
        return cls(hashlib.sha256(text).hexdigest(), expires, now, enforce)

    def write(self, connection: Connection) -> None:
        """Writes the use in a transaction that the caller commits. Raises Unauthorized if the token was used before."""
        if next(_spendings) % _PURGE_EVERY == 0:
            _PURGE.run(connection, {"before": self.now - _KEPT_ON_S})
        row = {"digest": self.digest, "expires": self.expires}
        if _INSERT.run(connection, row).rowcount == 1:
            return
        if self.enforce:
            raise Unauthorized("the token was used before (jti)")
        _log.warning("token used again", reason="the client's jti is set to log")


class TokenStore:
    """Spends tokens in transactions of their own, for calls that store nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spend(self, use: TokenUse) -> None:
        """Commits one use. Raises Unauthorized if the token was used before, StoreError if that cannot be known."""
        with self._database.writing("the use of a token could not be stored") as connection:
            use.write(connection)
        use.spent = True

    def purge(self, now: int) -> int:
        """Deletes what expired an hour ago, and returns how many uses that were. Raises StoreError."""
        with self._database.writing("expired tokens could not be deleted") as connection:
            return _PURGE.run(connection, {"before": now - _KEPT_ON_S}).rowcount
