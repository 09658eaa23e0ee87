"""Names every commit, send and receive of a controller run, counts them, and ends the process at a chosen one."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

_DIE_WITH_PARENT = 1
BEFORE, AFTER, HALF = "before", "after", "half of"


class Points:
    """What one controller run passes; written line by line, so that a kill loses none.

    `ends_at` maps a point to the occurrence (from 1) at which the process kills itself, really, by SIGKILL.
    """

    def __init__(self, log: Path, ends_at: Mapping[str, int]) -> None:
        self._file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._ends_at = dict(ends_at)
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.last_job: dict[str, str] = {}
        """Machine -> the kind of job last written to it; tells the stills of one camera apart."""

    def reach(self, phase: str, *names: str) -> None:
        """Note that the run is at `phase` of every one of `names` in this moment; does not return where it is to end."""
        points = [f"{phase} {name}" for name in names]
        with self._lock:
            for point in points:
                self._passed[point] += 1
                self._write(point)
            if fatal := self._fatal(points):
                self._write(f"KILLED {fatal}")
                os.kill(os.getpid(), signal.SIGKILL)

    def is_next(self, phase: str, name: str) -> bool:
        """Tell whether reaching this point once more would be the end."""
        point = f"{phase} {name}"
        return self._ends_at.get(point, 0) == self._passed[point] + 1

    def _fatal(self, points: Iterable[str]) -> str:
        return next((point for point in points if self._ends_at.get(point) == self._passed[point]), "")

    def _write(self, text: str) -> None:
        os.write(self._file, f"{datetime.now(UTC).isoformat()} {text}\n".encode())


def passed(log: Path) -> list[tuple[datetime, str]]:
    """Read back what a run passed, in order."""
    if not log.exists():
        return []
    lines = log.read_text("utf-8").splitlines()
    return [(datetime.fromisoformat(at), text) for at, _, text in (line.partition(" ") for line in lines)]


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it is gone, however it went."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
