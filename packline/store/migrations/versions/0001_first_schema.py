"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("count", _BIG, server_default="1", nullable=False),
        sa.Column("cleared_at", sa.Text(), nullable=True),
        sa.Column("acked_at", sa.Text(), nullable=True),
        sa.Column("acked_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_alarm_standing",
        "alarm",
        ["code", "source"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "app_user",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_app_user")),
    )
    op.create_table(
        "effect",
        sa.Column("effect_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("generation", _BIG, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("epoch", _BIG, nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("boot", _BIG, nullable=False),
        sa.Column("job", _BIG, nullable=False),
        sa.Column("extra", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("effect_id", name=op.f("pk_effect")),
        sa.UniqueConstraint("subject", "kind", "generation", name=op.f("uq_effect_subject_kind_generation")),
    )
    op.create_index("ix_effect_job", "effect", ["job"], unique=False)
    op.create_index("ix_effect_state", "effect", ["state", "created_at"], unique=False)
    op.create_table(
        "exception",
        sa.Column("exception_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("effect_id", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_exception")),
    )
    op.create_index("ix_exception_state", "exception", ["state", "opened_at"], unique=False)
    op.create_index("ix_exception_subject", "exception", ["subject"], unique=False)
    op.create_index(
        "uq_exception_open",
        "exception",
        ["code", "station", "subject"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("settled_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("kind", "channel", "delivery_id", name=op.f("uq_inbox_kind_channel_delivery_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_state", "inbox", ["state", "id"], unique=False)
    op.create_table(
        "item",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("merchant", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("weight_g", _BIG, server_default="0", nullable=False),
        sa.Column("length_mm", _BIG, server_default="0", nullable=False),
        sa.Column("width_mm", _BIG, server_default="0", nullable=False),
        sa.Column("height_mm", _BIG, server_default="0", nullable=False),
        sa.Column("picture", sa.Text(), server_default="", nullable=False),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_item")),
    )
    op.create_table(
        "journal",
        sa.Column("seq", _BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_kind", "journal", ["kind", "at"], unique=False)
    op.create_index("ix_journal_order_id", "journal", ["order_id", "seq"], unique=False)
    op.create_index("ix_journal_subject", "journal", ["subject", "seq"], unique=False)
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt_address", "login_attempt", ["address", "at"], unique=False)
    op.create_index("ix_login_attempt_user", "login_attempt", ["user", "at"], unique=False)
    op.create_table(
        "machine_epoch",
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("epoch", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("machine", name=op.f("pk_machine_epoch")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("version", _BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        sa.Column("reserve_until", sa.Text(), nullable=True),
        sa.Column("pay_until", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="5", nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_state", "orders", ["state", "priority", "received_at"], unique=False)
    op.create_table(
        "picture",
        sa.Column("picture_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("frame", _BIG, nullable=False),
        sa.Column("captured_at", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_picture")),
    )
    op.create_index("ix_picture_order_id", "picture", ["order_id", "kept_at"], unique=False)
    op.create_index("ix_picture_subject", "picture", ["subject", "kept_at"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("key", name=op.f("uq_request_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_request_state", "request", ["state", "id"], unique=False)
    op.create_table(
        "serial",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_serial")),
    )
    op.create_table(
        "subscriber",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_subscriber")),
    )
    op.create_table(
        "effect_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("effect_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["effect_id"], ["effect.effect_id"], name=op.f("fk_effect_history_effect_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effect_history")),
    )
    op.create_index("ix_effect_history_effect_id", "effect_history", ["effect_id", "id"], unique=False)
    op.create_table(
        "item_alias",
        sa.Column("barcode", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"], name=op.f("fk_item_alias_sku"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("barcode", "sku", name=op.f("pk_item_alias")),
    )
    op.create_index("ix_item_alias_sku", "item_alias", ["sku"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["journal.seq"], name=op.f("fk_outbox_seq")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_at", "outbox", ["at"], unique=False)
    op.create_index("ix_outbox_seq", "outbox", ["seq"], unique=False)
    op.create_table(
        "parcel",
        sa.Column("lpn", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("sscc", sa.Text(), server_default="", nullable=False),
        sa.Column("print_number", _BIG, server_default="0", nullable=False),
        sa.Column("generation", _BIG, server_default="0", nullable=False),
        sa.Column("visits", _BIG, server_default="0", nullable=False),
        sa.Column("approval", sa.Text(), server_default="", nullable=False),
        sa.Column("approve_until", sa.Text(), nullable=True),
        sa.Column("held", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("bench", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("resume", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_parcel_order_id")),
        sa.PrimaryKeyConstraint("lpn", name=op.f("pk_parcel")),
    )
    op.create_index("ix_parcel_order_id", "parcel", ["order_id"], unique=False)
    op.create_index("ix_parcel_place", "parcel", ["place"], unique=False)
    op.create_index("ix_parcel_state", "parcel", ["state"], unique=False)
    op.create_table(
        "picture_blob",
        sa.Column("picture_id", sa.Text(), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["picture_id"], ["picture.picture_id"], name=op.f("fk_picture_blob_picture_id")),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_picture_blob")),
    )
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.Column("idle_until", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["app_user.name"], name=op.f("fk_session_user"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_session")),
    )
    op.create_index("ix_session_user", "session", ["user"], unique=False)
    op.create_table(
        "unit",
        sa.Column("unit_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), server_default="", nullable=False),
        sa.Column("lpn", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_unit_order_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit")),
        sa.UniqueConstraint("order_id", "line_no", "n", name=op.f("uq_unit_order_id_line_no_n")),
    )
    op.create_index("ix_unit_lpn", "unit", ["lpn"], unique=False)
    op.create_index("ix_unit_state", "unit", ["state", "station"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", _BIG, server_default="0", nullable=False),
        sa.Column("next_at", sa.Text(), nullable=False),
        sa.Column("claimed", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["outbox.event_id"], name=op.f("fk_delivery_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("event_id", "subscriber", name=op.f("uq_delivery_event_id_subscriber")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_due", "delivery", ["state", "next_at"], unique=False)
    op.create_index(
        "ix_delivery_pending",
        "delivery",
        ["subscriber", "stream", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "label",
        sa.Column("sscc", sa.Text(), nullable=False),
        sa.Column("lpn", sa.Text(), nullable=False),
        sa.Column("print_number", _BIG, nullable=False),
        sa.Column("generation", _BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assigned_at", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lpn"], ["parcel.lpn"], name=op.f("fk_label_lpn")),
        sa.PrimaryKeyConstraint("sscc", name=op.f("pk_label")),
        sa.UniqueConstraint("lpn", "generation", name=op.f("uq_label_lpn_generation")),
        sa.UniqueConstraint("print_number", name=op.f("uq_label_print_number")),
    )
    _append_only()


def downgrade() -> None:
    op.drop_table("label")
    op.drop_index(
        "ix_delivery_pending",
        table_name="delivery",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index("ix_delivery_due", table_name="delivery")
    op.drop_table("delivery")
    op.drop_index("ix_unit_state", table_name="unit")
    op.drop_index("ix_unit_lpn", table_name="unit")
    op.drop_table("unit")
    op.drop_index("ix_session_user", table_name="session")
    op.drop_table("session")
    op.drop_table("picture_blob")
    op.drop_index("ix_parcel_state", table_name="parcel")
    op.drop_index("ix_parcel_place", table_name="parcel")
    op.drop_index("ix_parcel_order_id", table_name="parcel")
    op.drop_table("parcel")
    op.drop_index("ix_outbox_seq", table_name="outbox")
    op.drop_index("ix_outbox_at", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("ix_item_alias_sku", table_name="item_alias")
    op.drop_table("item_alias")
    op.drop_index("ix_effect_history_effect_id", table_name="effect_history")
    op.drop_table("effect_history")
    op.drop_table("subscriber")
    op.drop_table("serial")
    op.drop_index("ix_request_state", table_name="request")
    op.drop_table("request")
    op.drop_index("ix_picture_subject", table_name="picture")
    op.drop_index("ix_picture_order_id", table_name="picture")
    op.drop_table("picture")
    op.drop_index("ix_orders_state", table_name="orders")
    op.drop_table("orders")
    op.drop_table("meta")
    op.drop_table("machine_epoch")
    op.drop_index("ix_login_attempt_user", table_name="login_attempt")
    op.drop_index("ix_login_attempt_address", table_name="login_attempt")
    op.drop_table("login_attempt")
    op.drop_index("ix_journal_subject", table_name="journal")
    op.drop_index("ix_journal_order_id", table_name="journal")
    op.drop_index("ix_journal_kind", table_name="journal")
    op.drop_table("journal")
    op.drop_table("item")
    op.drop_index("ix_inbox_state", table_name="inbox")
    op.drop_table("inbox")
    op.drop_index(
        "uq_exception_open",
        table_name="exception",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_exception_subject", table_name="exception")
    op.drop_index("ix_exception_state", table_name="exception")
    op.drop_table("exception")
    op.drop_index("ix_effect_state", table_name="effect")
    op.drop_index("ix_effect_job", table_name="effect")
    op.drop_table("effect")
    op.drop_table("app_user")
    op.drop_index(
        "uq_alarm_standing",
        table_name="alarm",
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.drop_table("alarm")


def _append_only() -> None:
    """The journal takes new rows and nothing else."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION journal_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_append_only()"
    )
