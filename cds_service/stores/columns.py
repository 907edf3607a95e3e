"""Column types and small statements that the tables of `stores/` share."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class Moment(sa.TypeDecorator[datetime]):
    """A moment with its zone: kept in UTC, and given back in UTC where the database keeps no zone (SQLite)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """In UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """With its zone."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Json(sa.TypeDecorator[Any]):
    """Plain JSON values; `jsonb` on PostgreSQL, whose dialect is imported only there."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """The dialect's own type."""
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB

            return dialect.type_descriptor(JSONB())
        return dialect.type_descriptor(sa.JSON())


def scope_of(client: str | None, tenant: str | None) -> str:
    """Whose patients: one text for a CDS Client and its tenant, so that equal patient ids of two stay apart.

    client: the issuer of its tokens; None for callers on this machine.
    """
    parts = "\x1f".join("-" if part is None else f"+{part}" for part in (client, tenant))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
