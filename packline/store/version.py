"""Which schema this code speaks, and whether the database speaks it."""

from __future__ import annotations

import importlib

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.sql import column, table

from packline.core.faults import Fault
from packline.store import postgres
from packline.store.newest import statements

HEAD = "0004"
"""The newest migration in `migrations/versions`."""

_VERSION = table("alembic_version", column("version_num"))


def bring_up(connection: Connection) -> None:
    """Bring the schema to HEAD in the caller's transaction; raises Fault 5002 for a schema newer than the code."""
    if connection.dialect.name == postgres.NAME:
        postgres.demand_order(connection)
    found = schema_version(connection)
    if found == HEAD:
        return
    if not found and connection.dialect.name == "sqlite":
        for statement in statements():
            connection.exec_driver_sql(statement)
        connection.execute(insert(_VERSION).values(version_num=HEAD))
        return
    # Alembic takes a quarter of a second to load and to run; new books in SQLite, and those whose schema is in place, do without.
    importlib.import_module("packline.store.migrate").upgrade(connection, found)


def schema_version(connection: Connection) -> str:
    """Give the migration that the database is at; "" for an empty one. Raises Fault 5002 for a foreign database."""
    tables = set(inspect(connection).get_table_names())
    if _VERSION.name in tables:
        return str(connection.execute(select(_VERSION.c.version_num)).scalar() or "")
    if tables:
        seen = f"tables {', '.join(sorted(tables)[:5])} and no version"
        raise Fault(5002, where="database", seen=seen, expected="an empty database or one of Packline's")
    return ""
