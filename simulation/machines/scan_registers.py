"""A scanner's Modbus side: shows one read at a time and keeps it until its number is written back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from plc.links import Value
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Mechanics

MOST_KEPT = 8
LAST_NUMBER = 0xFFFF


class ScanRegisters(Mechanics):
    """The read that is shown and those that wait for it to be taken; numbers run from 1 to 65535 and begin again at 1."""

    def __init__(self, file: MachineFile, trigger: Callable[[], None]) -> None:
        self._parts = {tag: part for part, tag in file.parts.items()}
        self._trigger = trigger
        self._number, self._text, self._lost, self._triggers = 0, "", 0, 0
        self._taken = True
        self._waiting: deque[str] = deque()

    def tags(self) -> Mapping[str, Value]:
        return {"scan_number": self._number, "scan_text": self._text, "scan_check": self._number, "lost": self._lost}

    def send(self, text: str) -> None:
        """Keep a read; one more than fits is lost and counted."""
        if len(self._waiting) >= MOST_KEPT:
            self._lost += 1
        else:
            self._waiting.append(text)
        self._show_next()

    def written(self, name: str, value: Value) -> None:
        part = self._parts.get(name)
        if part == "scan_taken" and value == self._number:
            self._taken = True
            self._show_next()
        elif part == "scan_trigger" and value != self._triggers:
            self._triggers = int(value)
            self._trigger()

    def forget(self) -> None:
        self._number, self._text, self._triggers = 0, "", 0
        self._taken = True
        self._waiting.clear()

    def _show_next(self) -> None:
        if self._taken and self._waiting:
            self._number = self._number % LAST_NUMBER + 1
            self._text, self._taken = self._waiting.popleft(), False
