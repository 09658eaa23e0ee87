"""Shows a machine's picture to whoever waits for it, and logs its faults when they come and go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter

from packline.core.clock import Clock
from packline.core.faults import FAULTS
from plc.machine_view import MachineView

log = logging.getLogger(__name__)


_TIMELESS = attrgetter(*(part.name for part in fields(MachineView) if part.compare and part.name != "age_s"))


def nobody(_: MachineView) -> None:
    """Take a view and tell no one: for a machine whose views nobody listens to."""


class Board:
    """Keeps what was shown last; `on_change` gets each view that differs from it, age apart."""

    def __init__(self, name: str, clock: Clock, on_change: Callable[[MachineView], None]) -> None:
        self._name, self._clock, self._on_change = name, clock, on_change
        self._shown: MachineView | None = None
        self._timeless: object = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def show(self, view: MachineView) -> None:
        """Show a view and look for everybody who waits."""
        timeless = _TIMELESS(view)
        if timeless != self._timeless:
            self._log_faults(view)
            self._shown, self._timeless = view, timeless
            self._on_change(view)
        for predicate, seen in self._waiting:
            _look(predicate, seen)

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking whenever something was shown; False when the time is out."""
        if predicate():
            return True
        # looked at where it is shown: most of what is shown is nothing new to whoever waits, who would wake for each
        waiting = predicate, asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await self._clock.within(timeout_s, waiting[1])
        except TimeoutError:
            return predicate()
        finally:
            self._waiting.remove(waiting)
        return True

    async def view_when(
        self, predicate: Callable[[MachineView], bool], view: Callable[[], MachineView], timeout_s: float
    ) -> MachineView:
        """Wait until `view` satisfies `predicate` and give it; raises TimeoutError."""
        if not await self.until(lambda: predicate(view()), timeout_s):
            raise TimeoutError(f"{self._name}: not seen within {timeout_s:g} s")
        return view()

    def _log_faults(self, view: MachineView) -> None:
        before = self._shown.faults if self._shown else ()
        for code in view.faults:
            if code not in before:
                known = view.refusal if view.refusal and view.refusal.code == code else f"{code} {FAULTS[code].name}"
                log.warning("%s: %s", self._name, known)
        for code in before:
            if code not in view.faults:
                log.warning("%s: recovered from %s %s", self._name, code, FAULTS[code].name)


def _look(predicate: Callable[[], bool], seen: asyncio.Future[None]) -> None:
    if seen.done():
        return
    try:
        if predicate():
            seen.set_result(None)
    except Exception as error:  # noqa: BLE001 - it is the one who waits that asked this; the machine's task goes on
        seen.set_exception(error)
