"""Starts a process that one figure needs, waits for its first line, and ends it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Give a child's environment: byte code is kept, as it is in a running plant."""
    mine = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**mine, "PYTHONPATH": str(ROOT), "PACKLINE_LOG": "ERROR", **more}


@contextmanager
def child(module: str, *words: str) -> Iterator[Mapping[str, Any]]:
    """Run `python -m module words` and give what its first line says, JSON; it ends when its standard input does."""
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), cwd=ROOT, text=True
    )
    assert process.stdin and process.stdout
    with process:
        try:
            said = process.stdout.readline()
            assert said, f"{module} ended before it was ready"
            yield json.loads(said)
        finally:
            process.stdin.close()
            process.terminate()
