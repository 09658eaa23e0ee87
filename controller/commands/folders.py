"""Makes the folders that a command writes into."""

from __future__ import annotations

import tempfile
from pathlib import Path

from packline.core.faults import Fault

REMEDY = "Name a folder of your own, or one in which you may write."


def make_folder(path: Path) -> None:
    """Make a folder and those above it if they are not there, and see that it takes a file; raises Fault 4201 else."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return
    except OSError as error:
        seen = "a file of that name" if path.is_file() else (error.strerror or type(error).__name__).lower()
        expected = "a folder that can be written"
        raise Fault(4201, where=str(path), seen=seen, expected=expected, remedy=REMEDY) from error
