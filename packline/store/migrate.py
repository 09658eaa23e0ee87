"""Runs the migrations that ship with the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from packline.core.faults import Fault

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
