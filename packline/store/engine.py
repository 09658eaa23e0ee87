"""Opens the database: the right SQLite library, the right journal, full synchronisation."""

from __future__ import annotations

import importlib
import sqlite3
import threading
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeGuard

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from packline.core.faults import Fault
from packline.store import postgres
from packline.store.address import address_of, is_in_memory
from packline.store.hand import OTHER, SQLITE_FILE, SQLITE_MEMORY, Manners

BUSY_TIMEOUT_MS = 5000
CACHED_STATEMENTS = 512
CACHE_KIB = 16 * 1024
"""Pages that one connection to a file keeps; a plant has about ten of them."""
WAL_LIMIT_BYTES = 64 * 1024 * 1024
JOURNAL_SWITCH_TRIES = 50
JOURNAL_SWITCH_PAUSE_S = 0.1

# https://www.sqlite.org/wal.html#walresetbug: 3.7.0 to 3.51.2, mended in 3.51.3 and in the branches 3.44 and 3.50.
_WAL_FAULT_FROM, _WAL_FAULT_UNTIL = (3, 7, 0), (3, 51, 3)
_MENDED_BRANCHES = {(3, 44): 6, (3, 50): 7}

# SQLite result codes that say something of the database and nothing of the statement: busy, locked, no memory, read
# only, interrupted, I/O, corrupt, full, cannot open, protocol, not a database.
_TROUBLE = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26})
_BUSY, _FULL, _BARRED = (5, 6), 13, (8, 14)

_INSTALL = "Install it: `pip install packline[postgres]` (see docs/how-to/postgresql.md)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Two doors to one database: `write` begins IMMEDIATE, `read` cannot write."""

    write: Engine
    read: Engine
    manners: Manners = OTHER

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.read.dispose()
        self.write.dispose()


def sqlite_library() -> ModuleType:
    """Give the newest SQLite at hand: the pysqlite3 wheel where there is one, else Python's own."""
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return sqlite3


def has_wal_fault(version: tuple[int, int, int]) -> bool:
    """Tell whether SQLite `version` may lose commits in WAL mode when two processes write."""
    if not _WAL_FAULT_FROM <= version < _WAL_FAULT_UNTIL:
        return False
    mended_from = _MENDED_BRANCHES.get(version[:2])
    return mended_from is None or version[2] < mended_from


def journal_mode(library: ModuleType) -> str:
    """Give the journal to use with a SQLite library: "wal", or "delete" where WAL has the reset fault."""
    return "delete" if has_wal_fault(_version(library)) else "wal"


def sqlite_report() -> dict[str, Any]:
    """Say which SQLite is used and how, for `packline doctor`."""
    library = sqlite_library()
    affected = has_wal_fault(_version(library))
    return {
        "library": library.__name__,
        "version": library.sqlite_version,
        "wal_reset_fault": affected,
        "journal_mode": journal_mode(library),
        "synchronous": "full",
        "advice": "Install the pysqlite3 wheel for a faster journal." if affected else "",
    }


def open_engines(
    url: str, library: ModuleType | None = None, *, survives_power: bool = True, owner: str = ""
) -> Engines:
    """Open both doors; a SQLite in memory has one door; raises Fault 5002 when the database cannot be used.

    `library` is the SQLite to use; without it the newest at hand. Without `survives_power` a commit does not wait for the
    disk: it outlives the process, and not the computer's power. On a server, an `owner` is the only one while it writes.
    """
    library = library or sqlite_library()
    address = address_of(url)
    if address.get_backend_name() == postgres.NAME:
        return _server_engines(address, survives_power=survives_power, owner=owner)
    sync = "FULL" if survives_power else "OFF"
    write = _sqlite_engine(url, library, "BEGIN IMMEDIATE", sync=sync)
    if is_in_memory(url):
        return Engines(write=write, read=write, manners=SQLITE_MEMORY)
    _settle_journal(write, url, library)
    read = _sqlite_engine(url, library, "BEGIN", sync=sync, query_only=True)
    return Engines(write=write, read=read, manners=SQLITE_FILE)


def database_fault(error: Exception, where: str = "database", remedy: str = "") -> Fault:
    """Give Fault 5002 for an error of the database; without a `remedy` of its own, the server's or the table's."""
    seen = " ".join(str(getattr(error, "orig", error)).split())
    if not remedy and _is_of_server(error):
        remedy = postgres.remedy_of(error)
    return Fault(5002, where=where, seen=seen, expected="a usable database", remedy=remedy)


def is_trouble(error: Exception) -> bool:
    """Tell whether the database is at fault (full, locked, broken, away) and not the statement or its values."""
    code = _code(error)
    return code in _TROUBLE or _is_of_server(error) and postgres.is_trouble(error)


def is_lost(error: DBAPIError) -> bool:
    """Tell whether the connection is gone: what was begun on it was taken back, or was committed just before."""
    return error.connection_invalidated


def is_full(error: Exception) -> bool:
    """Tell whether there was no room for a change; a smaller one may still fit."""
    return _code(error) == _FULL or postgres.state_of(error) == postgres.FULL


def is_barred(error: Exception) -> bool:
    """Tell whether the file cannot be opened, or not be written."""
    return _code(error) in _BARRED


def _is_of_server(error: Exception) -> TypeGuard[DBAPIError]:
    return isinstance(error, DBAPIError) and hasattr(error.orig, "sqlstate")


def _server_engines(address: URL, *, survives_power: bool, owner: str) -> Engines:
    try:
        write = postgres.open_write(address, survives_power=survives_power, owner=owner)
        return Engines(write=write, read=postgres.open_read(address), manners=postgres.MANNERS)
    except ImportError as error:
        raise Fault(
            5002, where=address.render_as_string(), seen="no driver", expected="psycopg", remedy=_INSTALL
        ) from error


def _code(error: Exception) -> int | None:
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _version(library: ModuleType) -> tuple[int, int, int]:
    major, minor, patch = library.sqlite_version_info
    return major, minor, patch


def _sqlite_engine(url: str, library: ModuleType, begin: str, *, sync: str, query_only: bool = False) -> Engine:
    memory: dict[str, Any] = {"poolclass": StaticPool} if is_in_memory(url) else {}
    # isolation_level None: Python's driver begins nothing by itself, our own BEGIN decides when the lock is taken.
    arguments = {"isolation_level": None, "check_same_thread": False, "cached_statements": CACHED_STATEMENTS}
    engine = create_engine(url, module=library, connect_args=arguments, **memory)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in _pragmas(sync, query_only):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        # Whoever holds the connection by hand may have begun already.
        if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]  # it is open here
            connection.exec_driver_sql(begin)

    return engine


def _pragmas(sync: str, query_only: bool) -> tuple[str, ...]:
    return (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        f"synchronous = {sync}",
        "foreign_keys = ON",
        f"journal_size_limit = {WAL_LIMIT_BYTES}",
        f"query_only = {int(query_only)}",
        # Negative: KiB. What a shift writes goes to the ends of tables and indexes, which fit many times over.
        f"cache_size = -{CACHE_KIB}",
        "temp_store = MEMORY",
    )


def _settle_journal(engine: Engine, url: str, library: ModuleType) -> None:
    """Switch the journal once; another process that opens the same file may be about to do the same."""
    where = str(make_url(url).database)
    for attempt in range(JOURNAL_SWITCH_TRIES):
        try:
            return _switch_journal(engine, journal_mode(library))
        except (DBAPIError, library.Error) as error:
            if _code(error) not in _BUSY or attempt == JOURNAL_SWITCH_TRIES - 1:
                raise database_fault(error, where) from error
        threading.Event().wait(JOURNAL_SWITCH_PAUSE_S)
    return None


def _switch_journal(engine: Engine, mode: str) -> None:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != mode:
            cursor.execute(f"PRAGMA journal_mode = {mode}")
        cursor.close()
    finally:
        connection.close()
