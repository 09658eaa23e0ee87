"""When an order must leave, as a column: a queue of any length goes to the floor by its dates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEVER = "9999-12-31T23:59:59.999999+00:00"
_ORDERS = sa.table("orders", sa.column("content"), sa.column("ship_by"))
_SAID = {
    "sqlite": sa.func.json_extract(_ORDERS.c.content, "$.ship_by"),
    "postgresql": sa.cast(_ORDERS.c.content, JSON)["ship_by"].astext,
}


def upgrade() -> None:
    op.add_column("orders", sa.Column("ship_by", sa.Text(), server_default=NEVER, nullable=False))
    said = _SAID[op.get_bind().dialect.name]
    op.execute(sa.update(_ORDERS).values(ship_by=said).where(said.is_not(None)))
    op.drop_index("ix_orders_state", "orders")
    op.create_index("ix_orders_state", "orders", ["state", "priority", "ship_by", "received_at", "order_id"])
