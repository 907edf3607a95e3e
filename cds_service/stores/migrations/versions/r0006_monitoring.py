"""What monitoring counts by and leaves behind: units and times of answers, the latest counts, models that fell back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns and creates the tables."""
    op.add_column("assessments", sa.Column("unit", sa.String(100)))
    op.add_column("assessments", sa.Column("elapsed_ms", sa.Integer()))
    op.create_table(
        "monitored",
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "fallen_back",
        sa.Column("model", sa.String(100), primary_key=True),
        sa.Column("version", sa.String(100), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_by", sa.Text()),
    )


def downgrade() -> None:
    """Drops them."""
    op.drop_table("fallen_back")
    op.drop_table("monitored")
    op.drop_column("assessments", "elapsed_ms")
    op.drop_column("assessments", "unit")
