"""Summaries in a language model's words, and those that wait for their turn."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _owner() -> list[sa.Column[object]]:
    return [
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("service_id", sa.String(100), nullable=False),
        sa.Column("patient_id", sa.String(255), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    """Creates the tables."""
    op.create_table(
        "worded",
        *_owner(),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "wordings",
        *_owner(),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("taken_until", sa.DateTime(timezone=True)),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    for table in ("worded", "wordings"):
        op.create_index(f"{table}_patient", table, ["patient_id", "scope"])
        op.create_index(f"{table}_assessment", table, ["assessment_id"])
        op.create_index(f"{table}_at", table, ["at"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("wordings")
    op.drop_table("worded")
