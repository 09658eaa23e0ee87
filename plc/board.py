"""Shows a machine's picture to whoever waits for it, and logs its faults when they come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from packline.core.clock import Clock
from packline.core.faults import FAULTS
from plc.machine_view import MachineView

log = logging.getLogger(__name__)


def nobody(_: MachineView) -> None:
    """Take a view and tell no one: for a machine whose views nobody listens to."""


class Board:
    """Keeps what was shown last; `on_change` gets each view that differs from it, age apart."""

    def __init__(self, name: str, clock: Clock, on_change: Callable[[MachineView], None]) -> None:
        self._name, self._clock, self._on_change = name, clock, on_change
        self._shown: MachineView | None = None
        self._moved = asyncio.Event()

    def show(self, view: MachineView) -> None:
        """Show a view and let everybody look who waits."""
        timeless = replace(view, age_s=0.0)
        if timeless != self._shown:
            self._log_faults(view)
            self._shown = timeless
            self._on_change(view)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking whenever something was shown; False when the time is out."""
        if predicate():
            return True
        try:
            await self._clock.within(timeout_s, self._watch(predicate))
        except TimeoutError:
            return predicate()
        return True

    async def view_when(
        self, predicate: Callable[[MachineView], bool], view: Callable[[], MachineView], timeout_s: float
    ) -> MachineView:
        """Wait until `view` satisfies `predicate` and give it; raises TimeoutError."""
        if not await self.until(lambda: predicate(view()), timeout_s):
            raise TimeoutError(f"{self._name}: not seen within {timeout_s:g} s")
        return view()

    async def _watch(self, predicate: Callable[[], bool]) -> None:
        while not predicate():
            await self._moved.wait()

    def _log_faults(self, view: MachineView) -> None:
        before = self._shown.faults if self._shown else ()
        for code in view.faults:
            if code not in before:
                known = view.refusal if view.refusal and view.refusal.code == code else f"{code} {FAULTS[code].name}"
                log.warning("%s: %s", self._name, known)
        for code in before:
            if code not in view.faults:
                log.warning("%s: recovered from %s %s", self._name, code, FAULTS[code].name)
