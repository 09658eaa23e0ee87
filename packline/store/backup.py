"""A consistent copy of the books while they are written, and the way back."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from packline.core.faults import Fault
from packline.store.engine import BUSY_TIMEOUT_MS, database_fault, sqlite_library

_SIDE_FILES = ("-wal", "-shm", "-journal")


def copy_online(database: Path, to: Path) -> None:
    """Copy a SQLite `database` that may be in use to `to`, whole or not at all; raises Fault 5002."""
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    library = sqlite_library()
    try:
        with closing(_connect(database)) as source, closing(library.connect(part)) as target:
            source.backup(target)
        _check(part)
        _flush(part)
        part.replace(to)
        _flush(to.parent)
    except (library.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise database_fault(error, f"backup {to}") from error


def restore(backup: Path, database: Path, *, mark: str = "") -> None:
    """Put `backup` in the place of `database`, which nobody may have open; raises Fault 5002 for a damaged backup.

    `mark` is kept as "yes" in the table `meta`: whoever opens these books next learns that they are older than the world.
    """
    part = database.with_name(f"{database.name}.part")
    try:
        shutil.copyfile(backup, part)
        _check(part)
        if mark:
            _put_mark(part, mark)
        _flush(part)
        # A journal of the old file beside the new one would be played into it.
        for end in _SIDE_FILES:
            database.with_name(database.name + end).unlink(missing_ok=True)
        part.replace(database)
        _flush(database.parent)
    except (sqlite_library().Error, OSError) as error:
        raise database_fault(error, f"restore {backup}") from error


def _connect(path: Path) -> Any:
    return sqlite_library().connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_MS / 1000)


def _check(path: Path) -> None:
    with closing(_connect(path)) as connection:
        # The copy says "WAL" in its head; back to one plain file, so that it can be carried away.
        connection.execute("PRAGMA journal_mode = DELETE")
        answer = connection.execute("PRAGMA quick_check").fetchone()[0]
    if answer != "ok":
        raise Fault(5002, where=str(path), seen=str(answer), expected="an undamaged database")


def _put_mark(path: Path, mark: str) -> None:
    with closing(_connect(path)) as connection:
        row = (mark, json.dumps("yes"))
        connection.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", row
        )
        connection.commit()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
