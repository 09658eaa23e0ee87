"""Makes the folders that a command writes into."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packline.core.faults import Fault

REMEDY = "Name a folder of your own, or one in which you may write."


OWN = 0o077
"""What a file or a folder with people's addresses does not allow to anybody but its owner, as a umask."""


@contextmanager
def owners_alone() -> Iterator[None]:
    """Make files that nobody but their owner reads."""
    before = os.umask(OWN)
    try:
        yield
    finally:
        os.umask(before)


def make_folder(path: Path, *, is_private: bool = False) -> None:
    """Make a folder and those above it if they are not there, and see that it takes a file; raises Fault 4201 else.

    A private one that is made here is its owner's alone; one that is there stays as its owner wants it.
    """
    try:
        path.mkdir(0o700 if is_private else 0o777, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return
    except OSError as error:
        seen = "a file of that name" if path.is_file() else (error.strerror or type(error).__name__).lower()
        expected = "a folder that can be written"
        raise Fault(4201, where=str(path), seen=seen, expected=expected, remedy=REMEDY) from error
