"""Starts the processes of halls by one zygote for each process of the tests, and knows how each of them ended."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import controller

ROOT = Path(controller.__file__).parents[1]
"""The tree under test: a mutant's copy runs its own code."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
"""A zygote must not have threads before it forks; a hall has processes enough."""
ENDS_S = 30.0
"""A process that was killed is gone at once; one that is not stands in the kernel, and a test should say so."""


class Child:
    """A process of a hall. `code` is None until it is known how it ended; -9 is a kill."""

    def __init__(self, pid: int, hear_of: Callable[[Child], None]) -> None:
        """`hear_of` is called for one that is gone, and waits for its `code`."""
        self.pid = pid
        self.code: int | None = None
        self._hear_of = hear_of

    def is_over(self, within_s: float = 0.0) -> bool:
        """Wait at most `within_s` for its end; tell whether it came."""
        if self.code is None and self._runs_on(within_s):
            return False
        self._hear_of(self)
        return True

    def kill(self) -> None:
        """Kill it, as kill -9 does."""
        self.signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it is gone."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def worked_s(self) -> float:
        """Give how long it has had a processor; 0 for one that is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        except FileNotFoundError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _runs_on(self, within_s: float) -> bool:
        try:
            end = os.pidfd_open(self.pid)
        except ProcessLookupError:  # its zygote has waited for it already
            return False
        try:
            return not select.select([end], [], [], within_s)[0]
        finally:
            os.close(end)


class Nursery:
    """A zygote, and what it started."""

    def __init__(self) -> None:
        self._living: dict[int, Child] = {}
        self._lock = threading.Lock()
        env = {**os.environ, "PYTHONPATH": str(ROOT), **ONE_THREAD}
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            cwd=ROOT,
            text=True,
        )
        atexit.register(self.close)
        self._answer("ready")

    def start(self, log: Path, env: Mapping[str, str], **order: Any) -> Child:
        """Start a process: `words` of a `packline` command, or the `run` of a controller that may die at its point."""
        told = json.dumps(
            {"log": str(log), "env": {**os.environ, "PYTHONPATH": str(ROOT), **env, **ONE_THREAD}, **order}
        )
        with self._lock:
            assert self._zygote.stdin is not None
            self._zygote.stdin.write(told + "\n")
            self._zygote.stdin.flush()
            child = Child(self._answer("pid"), self._hear_of)
            self._living[child.pid] = child
            return child

    def close(self) -> None:
        """End the zygote, and with it all that it started."""
        self._zygote.kill()
        self._zygote.wait(ENDS_S)
        for pipe in (self._zygote.stdin, self._zygote.stdout):
            if pipe is not None:
                pipe.close()

    def _hear_of(self, child: Child) -> None:
        with self._lock:
            while child.code is None:
                self._hear()

    def _answer(self, name: str) -> Any:
        while name not in (said := self._hear()):
            pass
        return said[name]

    def _hear(self) -> dict[str, Any]:
        assert self._zygote.stdout is not None
        text = self._zygote.stdout.readline()
        assert text, "the zygote ended"
        said: dict[str, Any] = json.loads(text)
        if "ended" in said:
            self._living.pop(said["ended"]).code = said["code"]
        return said


@cache
def nursery() -> Nursery:
    """Give the one of this process, made by the first who asks."""
    return Nursery()
