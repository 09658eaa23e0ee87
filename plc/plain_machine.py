"""One machine without the handshake, alive: connects, reads its tags, writes under leases, and shows what it sees."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from types import MappingProxyType

from packline.core.backoff import Backoff
from packline.core.clock import Clock
from packline.core.effects import Epochs
from packline.core.faults import Fault
from plc.board import Board, nobody
from plc.keeping import keep
from plc.leaving import heed_cancellation
from plc.links import LinkTrouble, TagLink, Value
from plc.machine_file import MachineFile
from plc.machine_view import MachineView
from plc.packml import Cmd, State, name_of
from plc.plain_device import PlainDevice
from plc.tag_side import TagSide
from plc.tags.values import Quality, TagValue
from plc.waker import Waker

LOOK_S = 1.0
READY_S = 15.0
IDLE_S = 0.25
"""The longest nap between two looks at what is due, so that leases end and pictures turn stale in time."""


class PlainMachine:
    """The same outside as `plc.machine.Machine` for plain coils and words; made of the same parts.

    Such a machine knows no owner: a second controller on it is not noticed. It has no states either, and shows Execute while it is
    connected and is what its file expects. `epochs` and `owner_id` are not needed.
    """

    def __init__(
        self,
        *,
        name: str,
        file: MachineFile,
        link: TagLink,
        epochs: Epochs | None = None,
        owner_id: int = 0,
        clock: Clock,
        rng: random.Random,
        ticking: Callable[[], bool] = lambda: True,
        on_change: Callable[[MachineView], None] = nobody,
    ) -> None:
        self.name, self.file = name, file
        self._link, self._clock, self._ticking = link, clock, ticking
        self._backoff = Backoff(rng=rng)
        self._tags = TagSide(name=name, file=file, link=link, clock=clock)
        self._board = Board(name, clock, on_change)
        self._waker = Waker(clock)
        self._is_admitted = False
        self._was_seen = False
        self._trouble: int | None = None
        self._refusal: Fault | None = None
        self._heard_at = clock.monotonic()
        self._device = PlainDevice(self, clock)

    # -- what stations use ---------------------------------------------------------------------------------------------

    def view(self) -> MachineView:
        """Give the picture of now."""
        quality = self._quality()
        return MachineView(
            name=self.name,
            quality=quality,
            age_s=self._clock.monotonic() - self._heard_at,
            boot=self._tags.boot(),
            state=name_of(State.EXECUTE) if self._is_admitted else "Unknown",
            inputs=MappingProxyType(self._tags.inputs()),
            faults=self._faults(),
            owned=self._is_admitted,
            tags=self._tags.values(),
            tags_version=self._tags.version,
            refusal=self._refusal,
        )

    def value(self, tag: str) -> TagValue:
        """Give one tag as it may be believed now."""
        return self._tags.value(tag)

    def device(self) -> PlainDevice:
        """Give the machine's side of the effects ledger."""
        return self._device

    async def wait(self, predicate: Callable[[MachineView], bool], timeout_s: float) -> MachineView:
        """Wait until the view satisfies `predicate`; raises TimeoutError."""
        return await self._board.view_when(predicate, self.view, timeout_s)

    async def look(self) -> MachineView:
        """Give a picture whose parts were read after this call; the present one when none comes within 1 s."""
        await self.fresh(set(self.file.parts.values()), LOOK_S)
        return self.view()

    async def fresh(self, tags: Iterable[str], timeout_s: float) -> bool:
        """Wait for values that were taken after this call; False if one did not come."""
        wanted, asked_at = list(tags), self._clock.monotonic()
        self._tags.want(wanted)
        self.poke()
        return await self.until(lambda: all(self._tags.taken_at(tag) >= asked_at for tag in wanted), timeout_s)

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking after every read; False when the time is out."""
        return await self._board.until(predicate, timeout_s)

    async def write(self, tag: str, value: Value, *, lease_s: float | None = None) -> None:
        """Write one tag; one with a safe value is held for `lease_s` and must be written again before that to be held on.

        Raises Fault while the machine is not there and for a value that the tag cannot take, LinkTrouble when its answer does
        not come: then it may have been written or not.
        """
        await self._tags.write(tag, value, lease_s, self.poke)

    async def command(self, command: Cmd) -> MachineView:
        """Refuse: a plain machine has no PackML states."""
        raise Fault(4201, where=self.name, seen=f"command {command.name}", expected="a machine with the handshake")

    async def make_ready(self) -> None:
        """Wait until the machine is there; raises Fault if it does not come."""
        await self.until(lambda: self.view().is_ready, READY_S)
        if fault := self.view().reason():
            raise fault

    async def release(self) -> None:
        """Note that a person answers for going on: connect again at once if need be."""
        self.poke()

    def poke(self) -> None:
        """Let the link's task do what is due now."""
        self._waker.wake()

    # -- the one task --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the machine for ever; leaving writes the safe values and closes the link."""
        await keep(self._link, serve=self._serve, lose=self._lose, pause=self._pause, leave=self._tags.leave)

    async def _serve(self) -> None:
        await self._tags.admit()
        await self._tags.see_boot(self._tags.boot())
        self._is_admitted = self._was_seen = True
        self._trouble = self._refusal = None
        self._backoff.reset()
        while True:
            heed_cancellation()
            await self._tags.write_due(is_ticking=self._ticking())
            if self._tags.due_at() <= self._clock.monotonic():
                await self._tags.step()
                self._heard_at = self._clock.monotonic()
                # others get their turn, even where every read is late and the link never waits
                await self._clock.sleep(0)
                await self._note_boot()
            self._board.show(self.view())
            await self._waker.nap(min(self._tags.due_at() - self._clock.monotonic(), IDLE_S))

    async def _note_boot(self) -> None:
        """A number of starts that is not good now is no new one."""
        if boot := self._tags.boot():
            await self._tags.see_boot(boot)

    def _lose(self, trouble: LinkTrouble | Fault) -> None:
        self._is_admitted = False
        # the newest cause tells best, but a machine that is not there is also silent now and then
        is_known = self._trouble == 1001 and trouble.code == 1002
        self._trouble = self._trouble if is_known else trouble.code
        self._refusal = trouble if isinstance(trouble, Fault) else None
        self._tags.lose()
        self._board.show(self.view())

    async def _pause(self) -> None:
        """Wait before connecting again, in steps, so that whoever waits sees time pass."""
        ends_at = self._clock.monotonic() + self._backoff.next_s()
        while (left := ends_at - self._clock.monotonic()) > 0:
            self._board.show(self.view())
            await self._clock.sleep(min(left, IDLE_S))

    def _quality(self) -> Quality:
        if not self._is_admitted:
            return Quality.STALE if self._was_seen else Quality.ABSENT
        return self._tags.quality()

    def _faults(self) -> tuple[int, ...]:
        if self._trouble:
            return (self._trouble,)
        return (1009,) if self._is_admitted and self._tags.quality() is not Quality.GOOD else ()
