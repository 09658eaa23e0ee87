"""A consistent copy of the books while they are written, and the way back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from packline.core.faults import Fault
from packline.store.engine import BUSY_TIMEOUT_MS, database_fault, is_barred, is_full, sqlite_library

_SIDE_FILES = ("-wal", "-shm", "-journal")
_ALLOW = "See that this user may read and write there."
_NAME = "Name a copy that `packline backup` made; the books are as they were."
_DAMAGED = "This is no whole copy of the books: name another; the books are as they were."


def copy_online(database: Path, to: Path) -> None:
    """Copy a SQLite `database` that may be in use to `to`, whole or not at all; raises Fault 5002."""
    if not to.parent.is_dir() or to.is_dir():
        seen = "a folder" if to.is_dir() else f"no folder {to.parent.resolve()}"
        remedy = "Name a file in a folder that is there."
        raise Fault(5002, where=f"backup {to}", seen=seen, expected="a place for the copy", remedy=remedy)
    part = to.with_name(f"{to.name}.part")
    library = sqlite_library()
    try:
        part.unlink(missing_ok=True)
        with closing(_connect(database)) as source, closing(library.connect(part)) as target:
            source.backup(target)
        _check(part)
        _flush(part)
        part.replace(to)
        _flush(to.parent)
    except (library.Error, OSError) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise database_fault(error, f"backup {to}", _remedy(error)) from error


def restore(backup: Path, database: Path, *, mark: str = "") -> None:
    """Put `backup` in the place of `database`, which nobody may have open; raises Fault 5002 for a damaged backup.

    `mark` is kept as "yes" in the table `meta`: whoever opens these books next learns that they are older than the world.
    """
    if not backup.is_file():
        seen = "a folder" if backup.is_dir() else "no such file"
        raise Fault(5002, where=f"restore {backup}", seen=seen, expected="a copy of the books", remedy=_NAME)
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
        raise database_fault(error, f"restore {backup}", _remedy(error, _DAMAGED)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _remedy(error: Exception, damaged: str = "") -> str:
    """Tell apart what a person can do; "" is the table's own: make room, or restore."""
    if isinstance(error, PermissionError) or is_barred(error):
        return _ALLOW
    return "" if isinstance(error, OSError) or is_full(error) else damaged


def _connect(path: Path) -> Any:
    return sqlite_library().connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_MS / 1000)


def _check(path: Path) -> None:
    with closing(_connect(path)) as connection:
        # The copy says "WAL" in its head; back to one plain file, so that it can be carried away.
        connection.execute("PRAGMA journal_mode = DELETE")
        answer = connection.execute("PRAGMA quick_check").fetchone()[0]
    if answer != "ok":
        raise Fault(5002, where=str(path), seen=str(answer), expected="an undamaged database", remedy=_DAMAGED)


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
