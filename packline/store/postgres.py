"""Books on a PostgreSQL server: how they are opened, what is demanded of the server, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from packline.core.faults import Fault
from packline.store.hand import Manners

NAME = "postgresql"
_DRIVER = "postgresql+psycopg"

CONNECT_PATIENCE_S = 5
LOCK_PATIENCE_MS = 5000
STATEMENT_PATIENCE_MS = 30_000
SILENCE_MS = 30_000
"""A transaction whose program says nothing for so long is ended by the server: a program that hangs does not keep the books."""
_KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
_USER_TIMEOUT = {"tcp_user_timeout": 10_000}
"""Either side gives up the other, whose computer is gone, after about ten seconds (seconds; the last one in ms). The server must, too: it
keeps the locks of a controller until then, also from that controller itself when it comes back by another connection."""

WRITER_LOCK, OWNER_LOCK = 0x5061636B, 0x5061636C
_BYTE_ORDER = ("C", "POSIX", "C.UTF-8", "C.utf8", "C.UTF8")

MANNERS = Manners(
    begin_reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    begin_writing="BEGIN",
    mark=f"SELECT pg_advisory_xact_lock({WRITER_LOCK}), pg_current_xact_id()::text",
    cannot_write_reading=True,
)
"""One writer at a time, as SQLite's BEGIN IMMEDIATE has it: who waits sees, after the lock, all that the one before
committed. So numbers of the journal become visible in their order, without gaps, and nothing is claimed twice."""
_OWNER = """
    SELECT coalesce(max(application_name), 'another controller') FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND objid::bigint = %s
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_FATE = text("SELECT pg_xact_status(CAST(CAST(:mark AS text) AS xid8))")

# SQLSTATEs (PostgreSQL documentation, appendix A) that say something of the database and nothing of the statement, but
# are no OperationalError of the driver: read only, killed while idle, not allowed, damaged.
_TROUBLE = frozenset({"25006", "25P03", "42501", "XX000", "XX001", "XX002"})
FULL = "53100"

_START = "See that the database server runs and that PACKLINE_DATABASE names it, its user and the password; the line goes on by itself."
_REMEDIES: Mapping[str, str] = {
    FULL: "Free disk space on the database server; the line goes on by itself.",
    "53300": "Raise max_connections of the database server, or end programs that use it.",
    "55P03": "Another program keeps the books to itself: find it in pg_stat_activity of the server, and end it.",
    "57014": "The server took too long, or somebody stopped the statement: see what else it has to do.",
    "25006": "This server takes no changes: name the one that does, not a copy of it.",
    "42501": "Let the user of PACKLINE_DATABASE own the database.",
}
_DAMAGED = "The server finds its own files damaged: go back to a backup of it."


def open_write(address: URL, *, survives_power: bool, owner: str) -> Engine:
    """Give the door for changes. Each of its connections of an `owner` holds the books for this process alone."""
    sync = "on" if survives_power else "off"
    return _engine(address, "BEGIN", MANNERS.mark, sync=sync, owner=owner)


def open_read(address: URL) -> Engine:
    """Give the door for questions."""
    return _engine(address, MANNERS.begin_reading)


def demand_order(connection: Connection) -> None:
    """Raise Fault 5002 for a database whose texts are not UTF-8 or not sorted by their bytes.

    Times and identifiers are compared as text; a sorting by a country's customs changes with the operating system's releases.
    Also lifts the limits of time of this transaction, which may have a schema to change.
    """
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    query = text(
        "SELECT pg_encoding_to_char(encoding), datcollate, datname FROM pg_database WHERE datname = current_database()"
    )
    encoding, collation, name = connection.execute(query).one()
    if encoding != "UTF8" or collation not in _BYTE_ORDER:
        remedy = "Make the database by `createdb --template=template0 --encoding=UTF8 --locale=C NAME`."
        seen = f"encoding {encoding}, locale {collation}"
        raise Fault(5002, where=f"database {name}", seen=seen, expected="encoding UTF8, locale C", remedy=remedy)


def fate(connection: Connection, mark: str) -> bool | None:
    """Tell whether the transaction named `mark` was committed; None while the server does not know yet."""
    said = connection.execute(_FATE, {"mark": mark}).scalar()
    return None if said in (None, "in progress") else said == "committed"


def is_trouble(error: DBAPIError) -> bool:
    """Tell whether the server is at fault (away, full, locked, damaged) and not the statement or its values."""
    return isinstance(error, (OperationalError, InterfaceError)) or state_of(error) in _TROUBLE


def remedy_of(error: DBAPIError) -> str:
    """Give what a person can do."""
    state = state_of(error)
    if state.startswith("XX"):
        return _DAMAGED
    return _REMEDIES.get(state, _START if is_trouble(error) else "")


def state_of(error: Exception) -> str:
    """Give the SQLSTATE of an error; "" without one (a connection that broke has none)."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def _engine(address: URL, begin: str, mark: str = "", *, sync: str = "on", owner: str = "") -> Engine:
    # autocommit: the driver begins nothing by itself, our own BEGIN decides. No pool: whoever asks keeps the connection.
    arguments: dict[str, Any] = {
        "autocommit": True,
        "client_encoding": "utf8",
        "connect_timeout": CONNECT_PATIENCE_S,
        "application_name": f"packline {owner}".strip(),
        **_KEEPALIVE,
        **_USER_TIMEOUT,
    }
    chosen = {name: value for name, value in arguments.items() if name not in address.query}
    engine = create_engine(
        address.set(drivername=_DRIVER), connect_args=chosen, poolclass=NullPool, use_native_hstore=False
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.execute("; ".join(_settings(sync)))
        if owner:
            _own(connection)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        # Whoever holds the connection by hand may have begun already.
        driver: Any = connection.connection.dbapi_connection
        if not driver.info.transaction_status:
            connection.exec_driver_sql(begin)
            if mark:
                connection.exec_driver_sql(mark)

    return engine


def _own(connection: Any) -> None:
    """Take the books for this connection until it ends; raises Fault 5002 where another process has them and keeps them."""
    try:
        connection.execute(f"SELECT pg_advisory_lock({OWNER_LOCK})")
    except (
        Exception
    ) as error:  # the driver's own, which is imported only where it is used; what is not told is raised again
        found = connection.execute(_OWNER, [OWNER_LOCK]).fetchone() if state_of(error) == "55P03" else None
        connection.close()
        if found is None:
            raise
        remedy = "Stop that one, or give each line a database of its own."
        raise Fault(
            5002, where="database", seen=f"{found[0]} at work", expected="no other controller", remedy=remedy
        ) from error


def _settings(sync: str) -> tuple[str, ...]:
    return (
        f"SET lock_timeout = {LOCK_PATIENCE_MS}",
        f"SET statement_timeout = {STATEMENT_PATIENCE_MS}",
        f"SET idle_in_transaction_session_timeout = {SILENCE_MS}",
        f"SET synchronous_commit = {sync}",
        *(f"SET tcp_{name} = {value}" for name, value in _KEEPALIVE.items()),
        *(f"SET {name} = {value}" for name, value in _USER_TIMEOUT.items()),
        "SET client_min_messages = error",
    )
