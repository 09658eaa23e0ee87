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
_ELSEWHERE = "Name a file that is not the books."
_BY_HAND = "Name a copy that `packline backup` made: it is one file, and whole."


_READ = "Check the path, and that you may read it."
_BROKEN = "The books themselves are damaged: name another copy; a line goes on from its last backup."
_OTHER = "Name the file packline.db of a line or a run, or the folder that it lies in."
_EXPORT = "Name the books that it was made of: an export can be replayed (`packline sim replay`), not watched."


def copy_online(database: Path, to: Path) -> None:
    """Copy a SQLite `database` that may be in use to `to`, whole or not at all; raises Fault 5002, for what is no books as well."""
    if not to.parent.is_dir() or to.is_dir():
        seen = "a folder" if to.is_dir() else f"no folder {to.parent.resolve()}"
        remedy = "Name a file in a folder that is there."
        raise Fault(5002, where=f"backup {to}", seen=seen, expected="a place for the copy", remedy=remedy)
    _demand_books(database)
    _demand_other(to, database, f"backup {to}")
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
        if _is_damage(error):
            seen = str(error)
            raise Fault(
                5002, where=str(database), seen=seen, expected="books that are whole", remedy=_BROKEN
            ) from error
        raise database_fault(error, f"backup {to}", _remedy(error)) from error


def restore(backup: Path, database: Path, *, mark: str = "") -> None:
    """Put `backup` in the place of `database`, which nobody may have open; raises Fault 5002 for a damaged backup.

    `mark` is kept as "yes" in the table `meta`: whoever opens these books next learns that they are older than the world.
    """
    if not backup.is_file():
        seen = "a folder" if backup.is_dir() else "no such file"
        raise Fault(5002, where=f"restore {backup}", seen=seen, expected="a copy of the books", remedy=_NAME)
    _demand_other(backup, database, f"restore {backup}")
    _demand_alone(backup)
    part = database.with_name(f"{database.name}.part")
    try:
        shutil.copyfile(backup, part)
        _check(part)
        if mark:
            _put_mark(part, mark)
        _flush(part)
        _take_in_journal(database)
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


def _demand_other(copy: Path, database: Path, where: str) -> None:
    """Raise Fault 5002 where the copy and the books are one: a running line would go on in a file that nobody finds any more."""
    taken = (database.resolve(), *(database.resolve().with_name(database.name + end) for end in _SIDE_FILES))
    if copy.resolve() in taken or copy.exists() and database.exists() and copy.samefile(database):
        raise Fault(5002, where=where, seen="the books themselves", expected="another file", remedy=_ELSEWHERE)


def _demand_alone(backup: Path) -> None:
    """Raise Fault 5002 for a file that was copied by hand while a line wrote: what was written last stands in its journal."""
    for end in _SIDE_FILES:
        journal = backup.with_name(backup.name + end)
        if journal.exists() and journal.stat().st_size:
            seen = f"a journal of its own beside it, {journal.name}"
            raise Fault(5002, where=f"restore {backup}", seen=seen, expected="a copy that is whole", remedy=_BY_HAND)


def _take_in_journal(database: Path) -> None:
    """Put what stands in the journal of the old books into their file: a stop before the copy takes its place then loses nothing."""
    if database.exists():
        with contextlib.suppress(sqlite_library().Error), closing(_connect(database)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")


def _remedy(error: Exception, damaged: str = "") -> str:
    """Tell apart what a person can do; "" is the table's own: make room, or restore."""
    if isinstance(error, PermissionError) or is_barred(error):
        return _ALLOW
    return "" if isinstance(error, OSError) or is_full(error) else damaged


def _demand_books(path: Path) -> None:
    """Raise Fault 5002, with the path that was typed, for what is no database, or not one of ours."""
    try:
        with path.open("rb") as file:
            is_text = file.read(1) == b"{"
        with closing(_connect(path)) as connection:
            is_ours = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'journal'").fetchone()[0]
    except OSError as error:
        seen = (error.strerror or type(error).__name__).lower()
        raise Fault(5002, where=str(path), seen=seen, expected="the books of a run", remedy=_READ) from error
    except sqlite_library().Error as error:
        if not _is_damage(error):
            raise database_fault(error, str(path), _remedy(error)) from error
        seen = "lines of JSON, as of an export" if is_text else str(error)
        remedy = _EXPORT if is_text else _OTHER if "not a database" in seen else _BROKEN
        raise Fault(5002, where=str(path), seen=seen, expected="the books of a run", remedy=remedy) from error
    if not is_ours:
        seen = "a database without a journal"
        raise Fault(5002, where=str(path), seen=seen, expected="the books of a run", remedy=_OTHER)


def _is_damage(error: Exception) -> bool:
    """Tell whether a file is no database or a damaged one: only these come as a DatabaseError and nothing narrower."""
    return type(error) is sqlite_library().DatabaseError


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
