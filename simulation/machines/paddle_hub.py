"""The hub of bidding paddles: counts presses, and keeps force, length and end of each paddle's last one."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import simpy

from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Doing, Mechanics

PADDLES = 8
ROLL_OVER_MS = 2**32
MOST_PRESSES = 2**16


class PaddleHub(Mechanics):
    """Its clock counts milliseconds since it was switched on, and rolls over. It presses itself every `press_every_s`, 0 for never."""

    def __init__(self, env: simpy.Environment, file: MachineFile, *, seed: str) -> None:
        self._env = env
        self._every_s = float(file.simulation.get("press_every_s", 0.0))
        self._rng = random.Random(seed)
        self._shown: dict[str, Value] = {}
        self._on_at = env.now

    def tags(self) -> Mapping[str, Value]:
        return {**self._shown, "clock_ms": self._clock_ms()}

    def press(self, paddle: int, force_n: float = 4.0, duration_ms: int = 120) -> None:
        """Let go of a paddle (1 to 8) that was pressed."""
        if not 1 <= paddle <= PADDLES:
            raise ValueError(f"there is no paddle {paddle}")
        count = int(self._shown.get(f"presses_{paddle}", 0))
        last = {"force": round(force_n, 1), "duration": duration_ms, "time": self._clock_ms()}
        self._shown |= {f"{name}_{paddle}": value for name, value in last.items()}
        self._shown[f"presses_{paddle}"] = (count + 1) % MOST_PRESSES

    def by_itself(self, runs: Callable[[], bool]) -> Doing:
        while self._every_s:
            yield self._env.timeout(self._every_s)
            if runs():
                self.press(self._rng.randint(1, PADDLES), self._rng.uniform(1, 10), self._rng.randint(60, 900))

    def forget(self) -> None:
        self._shown, self._on_at = {}, self._env.now

    def _clock_ms(self) -> int:
        return int((self._env.now - self._on_at) * 1000) % ROLL_OVER_MS
