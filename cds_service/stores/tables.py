"""The tables as SQLAlchemy knows them: for migrations, PostgreSQL's types, and what reads and deletes by conditions.

The paths that serve do without this module (see `statements.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()


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


def _owner() -> list[sa.Column[Any]]:
    return [
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("service_id", sa.String(100), nullable=False),
        sa.Column("patient_id", sa.String(255), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
    ]


ASSESSMENTS = sa.Table(
    "assessments",
    METADATA,
    sa.Column("id", sa.Uuid(), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("service_id", sa.String(100), nullable=False),
    sa.Column("hook", sa.String(100), nullable=False),
    sa.Column("hook_instance", sa.Uuid(), nullable=False),
    sa.Column("patient_id", sa.String(255), nullable=False),
    sa.Column("client", sa.String(500)),
    sa.Column("inputs", Json(), nullable=False),
    sa.Column("results", Json(), nullable=False),
    sa.Column("cards", Json(), nullable=False),
    sa.Column("response", sa.LargeBinary(), nullable=False),
    sa.Column("versions", Json(), nullable=False),
    sa.Column("tenant", sa.String(500)),
    sa.Column("unit", sa.String(100)),
    sa.Column("elapsed_ms", sa.Integer()),
    sa.Index("assessments_patient", "patient_id", "at"),
    sa.Index("assessments_at", "at"),
)
REQUESTS = sa.Table(
    "requests",
    METADATA,
    sa.Column("assessment_id", sa.Uuid(), primary_key=True),
    sa.Column("body", sa.LargeBinary(), nullable=False),
)
CARDS = sa.Table(
    "cards",
    METADATA,
    sa.Column("uuid", sa.Uuid(), primary_key=True),
    sa.Column("assessment_id", sa.Uuid(), nullable=False),
    sa.Column("patient_id", sa.String(255), nullable=False),
    sa.Column("scope", sa.String(32), nullable=False),
    sa.Column("service_id", sa.String(100), nullable=False),
    sa.Column("findings", sa.Text(), nullable=False),
    sa.Column("suggestions", sa.Text(), nullable=False),
    sa.Index("cards_assessment", "assessment_id"),
)
FEEDBACK = sa.Table(
    "feedback",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("card", sa.Uuid(), nullable=False),
    sa.Column("assessment_id", sa.Uuid(), nullable=False),
    sa.Column("patient_id", sa.String(255), nullable=False),
    sa.Column("scope", sa.String(32), nullable=False),
    sa.Column("service_id", sa.String(100), nullable=False),
    sa.Column("outcome", sa.String(10), nullable=False),
    sa.Column("at", Moment(), nullable=False),
    sa.Column("outcome_at", Moment(), nullable=False),
    sa.Column("received", Moment(), nullable=False),
    sa.Column("accepted", sa.Text(), nullable=False),
    sa.Column("findings", sa.Text(), nullable=False),
    sa.Column("proposals", sa.Text(), nullable=False),
    sa.Column("reason_system", sa.Text()),
    sa.Column("reason_code", sa.Text()),
    sa.Column("reason_display", sa.Text()),
    sa.Column("comment", sa.Text()),
    sa.Index("feedback_patient", "patient_id", "scope", "at"),
    sa.Index("feedback_assessment", "assessment_id"),
)
SHOWN = sa.Table(
    "shown_findings",
    METADATA,
    sa.Column("patient_id", sa.String(255), primary_key=True),
    sa.Column("scope", sa.String(32), primary_key=True),
    sa.Column("finding", sa.String(255), primary_key=True),
    sa.Column("service_id", sa.String(100), nullable=False),
    sa.Column("at", Moment(), nullable=False),
    sa.Column("severity", sa.Integer(), nullable=False),
    sa.Index("shown_findings_at", "at"),
)
TOKEN_USES = sa.Table(
    "token_uses",
    METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("expires", sa.BigInteger(), nullable=False),
    sa.Index("token_uses_expires", "expires"),
)
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", Moment(), nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("subject", sa.Uuid()),
    sa.Column("digest", sa.LargeBinary(), nullable=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sa.Column("salt", sa.LargeBinary()),
    sa.Column("content", sa.LargeBinary()),
    sa.Index("audit_subject", "subject"),
)
AUDIT_HEAD = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger(), nullable=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
)
FALLEN_BACK = sa.Table(
    "fallen_back",
    METADATA,
    sa.Column("model", sa.String(100), primary_key=True),
    sa.Column("version", sa.String(100), primary_key=True),
    sa.Column("at", Moment(), primary_key=True),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("lifted_at", Moment()),
    sa.Column("lifted_by", sa.Text()),
)
MONITORED = sa.Table(
    "monitored",
    METADATA,
    sa.Column("at", Moment(), primary_key=True),
    sa.Column("body", sa.LargeBinary(), nullable=False),
)
SESSIONS = sa.Table(
    "app_sessions",
    METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("expires", Moment(), nullable=False),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Index("app_sessions_expires", "expires"),
)
WORDED = sa.Table(
    "worded",
    METADATA,
    *_owner(),
    sa.Column("reason", sa.String(100), nullable=False),
    sa.Column("lines", sa.LargeBinary(), nullable=False),
    sa.Index("worded_patient", "patient_id", "scope"),
    sa.Index("worded_assessment", "assessment_id"),
    sa.Index("worded_at", "at"),
)
WORDINGS = sa.Table(
    "wordings",
    METADATA,
    *_owner(),
    sa.Column("tries", sa.Integer(), nullable=False),
    sa.Column("taken_until", Moment()),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Index("wordings_patient", "patient_id", "scope"),
    sa.Index("wordings_assessment", "assessment_id"),
    sa.Index("wordings_at", "at"),
)
