"""Runs the migrations that ship with the package. `python -m packline.store.migrate` writes down what they make of an empty SQLite."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from packline.core.faults import Fault
from packline.store.newest import HEAD_SQL, script

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, found: str) -> None:
    """Upgrade from migration `found` to the newest; raises Fault 5002 when the code does not know `found`."""
    settings = config()
    known = [script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()]
    if found and found not in known:
        raise Fault(
            5002,
            where="database",
            seen=f"schema {found}",
            expected=f"schema {known[0]} or older",
            remedy="This database was written by a newer Packline: install that one, or restore an older backup.",
        )
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def config() -> Config:
    """Give Alembic's settings; there is no alembic.ini to lose."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def head_sql() -> str:
    """Give the statements that make, in an empty SQLite database, what all migrations together make of it."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection, "")
        made = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).scalars()
        ours = [sql.strip() for sql in made if "sqlite_sequence" not in sql]
    engine.dispose()
    return script(ours)


if __name__ == "__main__":
    HEAD_SQL.write_text(head_sql(), "utf-8")
