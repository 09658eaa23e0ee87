"""A verb imports no large library that it can do without: each start of the command pays for it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"asyncua", "pymodbus", "flask", "gunicorn", "cv2", "biip", "cryptography", "sqlalchemy"}
"""Libraries that take 30 to 600 ms to import."""
NEEDED = {
    "controller.commands.check": set(),
    "controller.commands.machine": set(),
    "controller.commands.sim.running": {"cv2", "sqlalchemy"},
}


def test_verbs_import_no_large_library_that_they_can_do_without() -> None:
    said = "".join(
        f"import {verb}; print(*sorted({HEAVY - needed!r} & sys.modules.keys()), sep=',')\n"
        for verb, needed in NEEDED.items()
    )
    done = subprocess.run([sys.executable, "-c", f"import sys\n{said}"], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == [*("" for _ in NEEDED), ""]
