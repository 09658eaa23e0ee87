"""A plant served by `packline sim serve` in a process of its own, as a foreign client meets it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


class Plant:
    """The running process: what its first line said, and what it says to what is typed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.ready: Mapping[str, Any] = json.loads(self._line())
        self.addresses = {machine["name"]: machine["address"] for machine in self.ready["machines"]}

    def _line(self) -> str:
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said, f"the plant ended: {self.process.stderr.read() if self.process.stderr else ''}"
        return said

    def stop(self) -> Mapping[str, Any]:
        """Tell it to stop as a service manager does; gives its last line."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=30)
        return dict(json.loads(said.splitlines()[-1]))


def environment() -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**mine, "PYTHONPATH": str(ROOT)}


@contextmanager
def served(*words: str) -> Iterator[Plant]:
    """Serve a plant on free ports while the caller works."""
    command = [sys.executable, "-m", "controller", "sim", "serve", *words, "--free", "--json"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        text=True,
    ) as process:
        try:
            yield Plant(process)
        finally:
            process.terminate()
