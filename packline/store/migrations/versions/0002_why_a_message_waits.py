"""The fault of a message in quarantine, in its parts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("fault", sa.Text(), server_default="{}", nullable=False))
