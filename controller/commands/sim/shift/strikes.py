"""What goes wrong in a shift: each planned fault happens when it is due, and is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from controller.commands.sim.shift.reaper import Reaper
from packline.core.clock import LoopClock
from simulation.faults.catalogue import DATABASE, Ends, ends_of
from simulation.virtual.faults import PlannedFault
from simulation.virtual.moments import Moments
from simulation.virtual.plant import VirtualPlant
from simulation.virtual.watch import Watch


class Strikes:
    """The faults of a shift but for those that the reaper has by the number of a commit.

    `planned` are those whose moment has not come, `kinds` counts those that have struck, `ends_s` is the clock's second at
    which the last of them is over. `tell` hears of what no switch of the plant makes. One that lies in wait has struck when it
    found something to strike: a campaign that counts what waited in vain proves less than it says.
    """

    def __init__(
        self,
        faults: Sequence[PlannedFault],
        plant: VirtualPlant,
        *,
        clock: LoopClock,
        moments: Moments,
        reaper: Reaper,
        watch: Watch,
        tell: Callable[[str, str], None],
    ) -> None:
        self.planned = [fault for fault in faults if not (fault.is_kill and fault.when and fault.when.commit)]
        self.kinds: Counter[str] = Counter()
        self.ends_s = 0.0
        self._in_wait: list[PlannedFault] = []
        self._plant, self._clock, self._moments = plant, clock, moments
        self._reaper, self._watch, self._tell = reaper, watch, tell

    def in_vain(self) -> list[PlannedFault]:
        """Give those that were switched on and have found nothing to strike."""
        return list(self._in_wait)

    def hit(self, device: str, fault: str) -> None:
        """Take note that one that lay in wait has struck; the one that was switched on last is the one that is on."""
        for planned in reversed(self._in_wait):
            if (planned.device, planned.fault) == (device, fault):
                self._in_wait.remove(planned)
                self._count(planned)
                return

    def works(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Give the work of each fault: to wait for its moment, and to strike."""
        return map(self._strike, tuple(self.planned))

    async def _strike(self, planned: PlannedFault) -> None:
        """Let one fault happen when it is due."""
        if planned.device == DATABASE and planned.when is not None and planned.when.commit:
            self._at_commit(planned, planned.when.commit)
            return
        await self._moments.of(planned)
        self._note(planned)
        board = self._plant.misbehaviour
        lies_in_wait = ends_of(planned.device, planned.fault) is Ends.STRIKES
        if lies_in_wait and board.counts_strikes(planned.device, planned.fault):
            self._in_wait.append(planned)
        else:
            self._count(planned)
        await board.fault(planned.device, planned.fault, for_s=planned.for_s, times=planned.times)

    def _at_commit(self, planned: PlannedFault, number: int) -> None:
        """Let the very commit of that number fail: nothing can be switched on in time from outside."""

        def strike() -> None:
            self._note(planned)
            self._count(planned)
            self._tell(planned.device, planned.fault)
            self._reaper.disk.on(planned.fault, planned.times)
            if planned.for_s is not None:
                asyncio.get_running_loop().call_later(planned.for_s, self._reaper.disk.off, planned.fault)

        self._moments.at_commit(number, strike)

    def _count(self, planned: PlannedFault) -> None:
        self.kinds[f"{planned.device} {planned.fault}"] += 1

    def _note(self, planned: PlannedFault) -> None:
        self.planned.remove(planned)
        if planned.fault == "claimed":
            self._watch.claimed(planned.device, self._plant.motion.now())
        if planned.times is None:  # what waits for something to strike is not waited for
            self.ends_s = max(self.ends_s, self._clock.monotonic() + (planned.for_s or 0.0))
