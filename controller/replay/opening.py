"""Finds the books of a run, wherever the caller points: a data folder, a database file, an export, and the note beside them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from controller.starting import DATABASE
from packline.core.clock import WallClock
from packline.core.faults import Fault
from packline.core.ids import SystemIds
from packline.orders.model import Event
from packline.store.recorded import Recorded, open_recorded
from packline.store.world import event_of

NOTE = "run.json"
"""What `packline sim run --data FOLDER` writes beside the books: all that is needed to run it again."""


@contextmanager
def recording(path: Path) -> Iterator[Recorded]:
    """Give what was recorded at `path`; raises Fault 5002."""
    file = path / DATABASE if path.is_dir() else path
    with (
        tempfile.TemporaryDirectory(prefix="packline-replay-") as folder,
        open_recorded(file, Path(folder), clock=WallClock(), ids=SystemIds()) as recorded,
    ):
        yield recorded


def events(recorded: Recorded) -> Iterator[tuple[datetime, Event]]:
    """Give everything that happened, in order, with its time: for whoever wants to watch a run again.

    Raises Fault 5002 at a row that cannot be read, KeyError, TypeError or ValueError at one whose event cannot.
    """
    for row in recorded.journal():
        yield row["at"], event_of(row)


def note_of(path: Path) -> dict[str, Any] | None:
    """Give the note beside the books, None where there is none; raises Fault 5002 for one that cannot be read."""
    file = (path if path.is_dir() else path.parent) / NOTE
    if not file.is_file() or path.suffix == ".jsonl":
        return None
    try:
        note = json.loads(file.read_text("utf-8"))
        if note["format"] != 1:
            raise ValueError(f"format {note['format']}")
    except (ValueError, KeyError, TypeError) as error:
        remedy = "Remove it to compare row by row without running the whole again."
        raise Fault(
            5002, where=str(file), seen=str(error)[:120], expected="a note of `sim run`", remedy=remedy
        ) from error
    return dict(note)
