"""A folder for books that are thrown away: in memory, where the system has such a folder, since nobody waits for their disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, which others cannot read
ENOUGH_BYTES = 512 << 20
WITHIN: ContextVar[Path | None] = ContextVar("within", default=None)
"""In a process that plays for another, the other's folder: there nothing is left of what was killed."""


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Give a folder that is gone afterwards; syncing its files costs a campaign of short shifts half its time on a disk."""
    with tempfile.TemporaryDirectory(prefix=f"packline-{name}-", dir=_within()) as folder:
        yield Path(folder)


def _within() -> Path | None:
    return WITHIN.get() or (IN_MEMORY if _has_room() else None)


def _has_room() -> bool:
    """Tell whether the folder is there, is ours to write in, and is no small one, as containers have."""
    return os.access(IN_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(IN_MEMORY).free >= ENOUGH_BYTES
