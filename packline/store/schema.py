"""The tables. A column that is a field of a model has its name; times are UTC, JSON and times are text."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from packline.core.effects import EffectState
from packline.orders.model import OrderState, ParcelState, UnitState
from packline.store.codec import time_text
from packline.store.columns import Big, Content, Json, Utc, Word

NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for a date that nobody named, which sorts behind all others; engines do not agree where a null sorts."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _words(name: str, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _count(name: str, default: int = 0) -> Column[int]:
    return Column(name, Big, nullable=False, server_default=str(default))


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Json, nullable=False),
)

serial = Table(
    "serial",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last", Big, nullable=False),
)

machine_epoch = Table(
    "machine_epoch",
    metadata,
    Column("machine", Text, primary_key=True),
    Column("epoch", Big, nullable=False),
)

# --- what the host systems say ---------------------------------------------------------------------------------------

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),  # feed | courier
    Column("delivery_id", Text, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    _words("state", "pending"),  # pending | done | ignored | quarantined | dismissed
    _words("reason"),
    Column("fault", Json, nullable=False, server_default="{}"),  # why it waits or waited in quarantine
    Column("settled_at", Utc),
    UniqueConstraint("kind", "channel", "delivery_id"),
    Index("ix_inbox_state", "state", "id"),
    sqlite_autoincrement=True,
)

item = Table(
    "item",
    metadata,
    Column("sku", Text, primary_key=True),
    _words("merchant"),
    _words("name"),
    _count("weight_g"),
    _count("length_mm"),
    _count("width_mm"),
    _count("height_mm"),
    _words("picture"),
    _words("location"),
)

item_alias = Table(
    "item_alias",
    metadata,
    Column("barcode", Text, primary_key=True),
    Column("sku", Text, ForeignKey(item.c.sku, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    Index("ix_item_alias_sku", "sku"),
)

# --- what is fulfilled -----------------------------------------------------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("merchant", Text, nullable=False),
    Column("version", Big, nullable=False),
    Column("content", Content, nullable=False),
    Column("state", Word(OrderState), nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("reserve_until", Utc),
    Column("pay_until", Utc),
    _words("reason"),
    Column("priority", Integer, nullable=False, server_default="5"),
    Column("ship_by", Utc, nullable=False, server_default=time_text(NEVER)),
    Column("changed_at", Utc, nullable=False),
    Index("ix_orders_state", "state", "priority", "ship_by", "received_at", "order_id"),
    Index("ix_orders_external_id", "external_id"),
)

unit = Table(
    "unit",
    metadata,
    Column("unit_id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey(orders.c.order_id), nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("sku", Text, nullable=False),
    Column("state", Word(UnitState), nullable=False),
    _words("station"),
    _words("lpn"),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("order_id", "line_no", "n"),
    Index("ix_unit_lpn", "lpn"),
    Index("ix_unit_state", "state", "station"),
)

parcel = Table(
    "parcel",
    metadata,
    Column("lpn", Text, primary_key=True),
    Column("order_id", Text, ForeignKey(orders.c.order_id), nullable=False),
    Column("state", Word(ParcelState), nullable=False),
    _words("place"),
    _words("sscc"),
    _count("print_number"),
    _count("generation"),
    _count("visits"),
    _words("approval"),
    Column("approve_until", Utc),
    _flag("held"),
    _flag("bench"),
    _words("reason"),
    _words("resume"),
    Column("opened_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    Index("ix_parcel_order_id", "order_id"),
    Index("ix_parcel_state", "state"),
    Index("ix_parcel_place", "place"),
)

label = Table(
    "label",
    metadata,
    Column("sscc", Text, primary_key=True),
    Column("lpn", Text, ForeignKey(parcel.c.lpn), nullable=False),
    Column("print_number", Big, nullable=False),
    Column("generation", Big, nullable=False),
    Column("state", Text, nullable=False),  # assigned | printed | applied | verified | voided
    Column("assigned_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("print_number"),
    UniqueConstraint("lpn", "generation"),
)

# --- what was meant and what is proved -------------------------------------------------------------------------------

effect = Table(
    "effect",
    metadata,
    Column("effect_id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("generation", Big, nullable=False),
    Column("station", Text, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("state", Word(EffectState), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("machine", Text, nullable=False),
    Column("epoch", Big, nullable=False),
    Column("sequence", Big, nullable=False),
    Column("boot", Big, nullable=False),
    Column("job", Big, nullable=False),
    Column("extra", Json, nullable=False),
    Column("evidence", Json, nullable=False),  # {state, source, data, fault}: the latest
    Column("created_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("subject", "kind", "generation"),
    Index("ix_effect_state", "state", "created_at"),
    Index("ix_effect_job", "job"),
)

effect_history = Table(
    "effect_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("effect_id", Text, ForeignKey(effect.c.effect_id), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Utc, nullable=False),
    Column("state", Word(EffectState), nullable=False),  # of the row after this line
    Column("ticket", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Index("ix_effect_history_effect_id", "effect_id", "id"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("data", Json, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_journal_subject", "subject", "seq"),
    Index("ix_journal_order_id", "order_id", "seq"),
    Index("ix_journal_kind", "kind", "at"),
)
"""Append-only by trigger (see the first migration); `hash` chains each row to the one before."""

# --- what the outside world hears ------------------------------------------------------------------------------------

subscriber = Table(
    "subscriber",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("seq", Big, ForeignKey(journal.c.seq), nullable=False),
    Column("at", Utc, nullable=False),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("body", Json, nullable=False),
    Index("ix_outbox_seq", "seq"),
    Index("ix_outbox_at", "at"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", Text, ForeignKey(outbox.c.event_id), nullable=False),
    Column("subscriber", Text, nullable=False),
    Column("seq", Big, nullable=False),
    Column("stream", Text, nullable=False),  # events of one stream reach a subscriber in order: the order id
    _words("state", "pending"),  # pending | sent | parked
    _count("attempts"),
    Column("next_at", Utc, nullable=False),  # due; while claimed: when the claim lapses
    _flag("claimed"),
    _words("answer"),
    Column("changed_at", Utc, nullable=False),
    UniqueConstraint("event_id", "subscriber"),
    Index(
        "ix_delivery_pending",
        "subscriber",
        "stream",
        "seq",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_delivery_next",
        "subscriber",
        "next_at",
        "seq",
        "id",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_delivery_parked",
        "subscriber",
        sqlite_where=text("state = 'parked'"),
        postgresql_where=text("state = 'parked'"),
    ),
    sqlite_autoincrement=True,
)

# --- people ----------------------------------------------------------------------------------------------------------

request = Table(
    "request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("action", Text, nullable=False),
    Column("args", Json, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    _words("state", "new"),  # new | done | refused | expired
    Column("result", Json, nullable=False),
    Column("finished_at", Utc),
    Index("ix_request_state", "state", "id"),
    sqlite_autoincrement=True,
)

exception = Table(
    "exception",
    metadata,
    Column("exception_id", Text, primary_key=True),
    Column("code", Integer, nullable=False),
    Column("station", Text, nullable=False),
    Column("subject", Text, nullable=False),
    _words("effect_id"),
    Column("opened_at", Utc, nullable=False),
    Column("fault", Json, nullable=False),
    Column("actions", Json, nullable=False),
    _words("state", "open"),  # open | closed
    Column("resolution", Json, nullable=False),  # {action, actor, note} once closed
    Column("closed_at", Utc),
    Index(
        "uq_exception_open",
        "code",
        "station",
        "subject",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index("ix_exception_state", "state", "opened_at"),
    Index("ix_exception_subject", "subject"),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("fault", Json, nullable=False),
    Column("raised_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    _count("count", 1),
    Column("cleared_at", Utc),
    Column("acked_at", Utc),
    _words("acked_by"),
    Index(
        "uq_alarm_standing",
        "code",
        "source",
        unique=True,
        sqlite_where=text("cleared_at IS NULL"),
        postgresql_where=text("cleared_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)
"""A row stands while `cleared_at` is null; it leaves the screen when it is cleared and acknowledged."""

picture = Table(
    "picture",
    metadata,
    Column("picture_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # inspection | before | label | gate
    Column("subject", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    _words("note"),
    Column("camera", Text, nullable=False),
    Column("frame", Big, nullable=False),
    Column("captured_at", Utc, nullable=False),
    Column("kept_at", Utc, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Index("ix_picture_subject", "subject", "kept_at"),
    Index("ix_picture_order_id", "order_id", "kept_at"),
)

picture_blob = Table(
    "picture_blob",
    metadata,
    Column("picture_id", Text, ForeignKey(picture.c.picture_id), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
)

app_user = Table(
    "app_user",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    _flag("disabled"),
    Column("created_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    Column("user", Text, ForeignKey(app_user.c.name, ondelete="CASCADE"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("seen_at", Utc, nullable=False),
    Column("idle_until", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    Index("ix_session_user", "user"),
)

login_attempt = Table(
    "login_attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at", Utc, nullable=False),
    Column("ok", Boolean, nullable=False),
    Index("ix_login_attempt_user", "user", "at"),
    Index("ix_login_attempt_address", "address", "at"),
)
