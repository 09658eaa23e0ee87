"""Holds a station while one of its machines is away, also in the middle of a step that waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from packline.core.clock import Clock
from packline.core.faults import Fault
from stations.bells import Bells
from stations.kit import link_fault
from stations.ports import Machinery
from stations.screen import Instruction, Screen, say

LOOK_S = 0.25
BELL_AFTER_S = 2.0
"""A link that comes back at once (a start, a short cut) holds the station but rings no bell."""
SURE_AFTER_S = 5.0
"""A cause that keeps changing (silent, refused, garbage) is rung as it is after this long."""
LINK = "link"


class Away:
    """Watches the links of one station's machines. A step may wait many seconds for a lost answer; people see it at once."""

    def __init__(self, machines: Sequence[Machinery], screen: Screen, bells: Bells, clock: Clock) -> None:
        self._machines = machines
        self._screen = screen
        self._bells = bells
        self._clock = clock
        self._since: float | None = None
        self._cause = (0, 0.0)
        self._is_ringing = False
        self._before: tuple[str, Instruction, Fault | None] | None = None
        self._shown: Instruction | None = None

    @property
    def is_away(self) -> bool:
        """Tell whether a machine was away at the last look."""
        return self._since is not None

    async def run(self) -> None:
        """Look for ever; what cannot be written down now is tried again."""
        while self._machines:
            await self._clock.sleep(LOOK_S)
            try:
                await self.look()
            except Fault:
                continue

    async def look(self) -> None:
        """Show and ring what is away now, or take it back."""
        fault = next((f for m in self._machines if (f := link_fault(m.view(), m.name))), None)
        if fault is None and self._since is not None and self._is_not_ours():
            return  # there again, but not yet claimed: still the same trouble
        if fault is None:
            self._since, self._cause, self._is_ringing = None, (0, 0.0), False
            self._show_as_before()
            await self._bells.hush(LINK)
            return
        self._show(fault)
        if self._must_ring(fault) and not self._is_ringing:
            await self._bells.ring(fault, LINK)
            self._is_ringing = True  # one trouble, one alarm, even if its cause looks different later

    def _must_ring(self, fault: Fault) -> bool:
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        if self._cause[0] != fault.code:
            self._cause = (fault.code, now)
        return now - self._cause[1] >= BELL_AFTER_S or now - self._since >= SURE_AFTER_S

    def _is_not_ours(self) -> bool:
        """Tell whether a machine is about to be claimed; one that somebody else owns has a fault of its own."""
        views = [machine.view() for machine in self._machines]
        return any(not view.owned and not view.faults for view in views)

    def _show(self, fault: Fault) -> None:
        screen = self._screen
        is_ours = self._shown is not None and screen.next is self._shown
        is_said = screen.state == "offline" and (not is_ours or screen.fault is None or screen.fault.code == fault.code)
        if screen.hold_by or is_said:
            return
        if not is_ours:
            self._before = (screen.state, screen.next, screen.fault)
        self._shown = say("fault", code=fault.code)
        screen.state, screen.next, screen.fault = "offline", self._shown, fault

    def _show_as_before(self) -> None:
        """Give the screen back, unless the step has said something of its own since."""
        shown, self._shown = self._shown, None
        if self._before is not None and shown is not None and self._screen.next is shown:
            self._screen.state, self._screen.next, self._screen.fault = self._before
        self._before = None
