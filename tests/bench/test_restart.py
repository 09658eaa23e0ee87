"""How long the line is blind after its controller was killed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.sites import free_offset, moved
from packline.core.local import ask
from tests.bench.children import ROOT, environment
from tests.bench.gauge import Figure, blocking, figure, in_turns
from tests.waiting import eventually

pytestmark = pytest.mark.bench

Tell = Callable[[Figure], None]
RESTARTS = 3
START_S = 120.0
"""How long a start may take at the most: far more than it does, and than the figure would forgive."""
MARK = "import time:"
IMPORT = """
import importlib, os, sys
for name in sys.stdin.read().split():
    try:
        importlib.import_module(name)
    except ImportError:  # one that is only looked for, sitecustomize
        pass
os._exit(0)  # ours is killed: its end does not count either
"""


class Controller:
    """The demo's controller with books of its own, on ports where nobody listens; killed as soon as it shows the line."""

    def __init__(self, folder: Path) -> None:
        self._data, self._site, self._log = folder / "data", folder / "bench.toml", folder / "controller.log"
        text = (ROOT / "sites" / "demo.toml").read_text("utf-8")
        self._site.write_text(moved(text, free_offset(text, first=400 + os.getpid() % 89 * 7)), "utf-8")
        shutil.copy(ROOT / "sites" / "demo-items.csv", folder)

    async def until_first_snapshot(self, *options: str) -> None:
        """Start it and wait for its first snapshot."""
        command = [sys.executable, *options, "-m", "controller", "process", "controller", str(self._site)]
        env = environment(PACKLINE_DATA=str(self._data))
        with self._log.open("wb") as log, subprocess.Popen(command, stderr=log, env=env) as process:

            def shown() -> bool:
                assert process.poll() is None, self._log.read_text("utf-8")
                return self._shows_the_line()

            await eventually(shown, START_S)
            process.kill()

    async def modules(self) -> list[str]:
        """Give the names of all modules that a start imports, in their order."""
        await self.until_first_snapshot("-X", "importtime")
        lines = self._log.read_text("utf-8").splitlines()
        names = [line.rpartition("|")[2].strip() for line in lines if line.startswith(MARK)]
        return names[1:]  # after the heading

    def _shows_the_line(self) -> bool:
        try:
            return "run" in ask(self._data, {"do": "snapshot"}, timeout_s=5.0)
        except (OSError, ValueError):
            return False


async def test_a_killed_controller_shows_the_line_again(tmp_path: Path, tell: Tell):
    controller = Controller(tmp_path)
    names = "\n".join(await controller.modules())
    env = environment()

    def only_imports() -> None:
        subprocess.run([sys.executable, "-c", IMPORT], input=names, env=env, cwd=ROOT, text=True, check=True)

    taken = await in_turns(controller.until_first_snapshot, blocking(only_imports), things=1, rounds=RESTARTS)
    tell(
        figure(
            "a killed controller starts again, to its first snapshot",
            ours=taken[0],
            peer=taken[1],
            peer_name="python: the same modules imported, nothing else",
            unit="s",
        )
    )
