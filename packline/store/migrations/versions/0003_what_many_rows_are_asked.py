"""Indexes for what is asked of books with millions of rows: each subscriber's next events, what is parked, a host's order number."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PENDING, _PARKED = sa.text("state = 'pending'"), sa.text("state = 'parked'")


def upgrade() -> None:
    op.create_index(
        "ix_delivery_next",
        "delivery",
        ["subscriber", "next_at", "seq", "id"],
        if_not_exists=True,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index(
        "ix_delivery_parked",
        "delivery",
        ["subscriber"],
        if_not_exists=True,
        sqlite_where=_PARKED,
        postgresql_where=_PARKED,
    )
    op.drop_index("ix_delivery_due", "delivery", if_exists=True)
    op.create_index("ix_orders_external_id", "orders", ["external_id"], if_not_exists=True)
