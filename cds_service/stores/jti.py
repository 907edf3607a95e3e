"""Tokens that were used, kept until they expire, so that all workers refuse a second use.

What is kept is a digest of issuer and `jti`, never the token or a claim.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError, Unauthorized
from cds_service.stores.assessments import METADATA
from cds_service.stores.database import Database
from cds_service.stores.prepared import Prepared, insert_into

TOKEN_USES = sa.Table(
    "token_uses",
    METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("expires", sa.BigInteger(), nullable=False),
    sa.Index("token_uses_expires", "expires"),
)
_PURGE_EVERY = 1000
_INSERT = Prepared(lambda dialect: insert_into(TOKEN_USES, dialect).on_conflict_do_nothing())
_PURGE = TOKEN_USES.delete().where(TOKEN_USES.c.expires < sa.bindparam("now"))
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

    def write(self, connection: sa.Connection) -> None:
        """Writes the use in a transaction that the caller commits. Raises Unauthorized if the token was used before."""
        if next(_spendings) % _PURGE_EVERY == 0:
            connection.execute(_PURGE, {"now": self.now})
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
        try:
            with self._database.writing() as connection:
                use.write(connection)
        except SQLAlchemyError as error:
            raise StoreError(f"the use of a token could not be stored ({type(error).__name__})") from error
        use.spent = True

    def purge(self, now: int) -> int:
        """Deletes what has expired, and returns how many uses that were. Raises StoreError."""
        try:
            with self._database.writing() as connection:
                return connection.execute(_PURGE, {"now": now}).rowcount
        except SQLAlchemyError as error:
            raise StoreError(f"expired tokens could not be deleted ({type(error).__name__})") from error
