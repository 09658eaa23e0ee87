"""Reads where the books are: a SQLite file, or a database of a PostgreSQL server."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from packline.core.faults import Fault

_SUPPORTED = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_EXPECTED = "sqlite:////absolute/path.db, or postgresql://user:password@host/database"
_REMEDY = "Mend PACKLINE_DATABASE (see docs/how-to/postgresql.md), or leave it out: the books are then a file in the data folder."


def address_of(url: str) -> URL:
    """Read a database address; raises Fault 5002 for what is none, or for an engine that is not supported."""
    try:
        address = make_url(url)
    except ArgumentError as error:
        # the text itself is not told: it may hold a password
        raise _refused("no address") from error
    if address.drivername not in _SUPPORTED:
        raise _refused(f"one that begins with {address.drivername}")
    return address


def is_in_memory(url: str) -> bool:
    """Tell whether `url` names a SQLite that lives in one connection."""
    address = address_of(url)
    return address.drivername.startswith("sqlite") and address.database in (None, "", ":memory:")


def _refused(seen: str) -> Fault:
    return Fault(5002, where="address of the books", seen=seen, expected=_EXPECTED, remedy=_REMEDY)
