"""No index by hookInstance: nothing looks an assessment up by it, and each answer had to write it."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drops the index."""
    op.drop_index("assessments_hook_instance", "assessments")


def downgrade() -> None:
    """Makes it again."""
    op.create_index("assessments_hook_instance", "assessments", ["hook_instance"])
