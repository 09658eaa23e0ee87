"""A machine in the same process: the in-memory back end of BlockLink, with the faults that links really have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from packline.core.clock import Clock
from plc.handshake import frames
from plc.handshake.device_rules import Action, MachineBrain, StartMotion, StopMotion
from plc.handshake.frames import Result, Words
from plc.links import LinkDown, LinkRefused, LinkSilent

Motion = Callable[[StartMotion], tuple[Result, Words]]


def _succeeds(_: StartMotion) -> tuple[Result, Words]:
    return Result.OK, ()


@dataclass(slots=True, kw_only=True)
class MemoryMachine:
    """A brain with the simplest mechanics: each motion takes `motion_s` and ends as `motion` says.

    It scans whenever a link touches it. `executed` is the physical truth: every motion that was begun.
    """

    brain: MachineBrain
    clock: Clock
    motion_s: float = 0.2
    motion: Motion = _succeeds
    is_powered: bool = True
    executed: list[StartMotion] = field(default_factory=list)
    _running: StartMotion | None = None
    _ends_at: float = 0.0

    def boot(self, *, memory_kept: bool = True) -> None:
        """Switch on, or cut the power and switch on again."""
        self._running, self.is_powered = None, True
        self.brain.boot(self.clock.monotonic(), memory_kept=memory_kept)

    def scan(self) -> None:
        """Run one scan and the mechanics up to now."""
        now = self.clock.monotonic()
        if self._running and now >= self._ends_at:
            result, data = self.motion(self._running)
            self._running = None
            self.brain.finish(result, data)
        for action in self.brain.scan(now):
            self._act(action, now)

    def _act(self, action: Action, now: float) -> None:
        if isinstance(action, StopMotion):
            self._running = None
            self.brain.finish(Result.ABORTED)
            return
        self.executed.append(action)
        self._running, self._ends_at = action, now + self.motion_s


@dataclass(slots=True, kw_only=True)
class LinkFaults:
    """What goes wrong on a memory link; set and reset by tests."""

    is_cut: bool = False
    is_silent: bool = False
    is_refusing: bool = False
    is_frozen: bool = False
    garbles: int = 0
    lost_requests: int = 0
    lost_answers: int = 0


@dataclass(slots=True, kw_only=True)
class MemoryLink:
    """BlockLink on a MemoryMachine; a request takes no time, a silent machine takes `request_s`."""

    machine: MemoryMachine
    clock: Clock
    faults: LinkFaults = field(default_factory=LinkFaults)
    request_s: float = 0.5
    written: list[tuple[str, Words]] = field(default_factory=list)
    _is_open: bool = False
    _last: Words = ()

    async def connect(self) -> None:
        """Connect; raises LinkDown while cut or unpowered."""
        self._is_open = False
        if self.faults.is_cut or not self.machine.is_powered:
            raise LinkDown("connection refused")
        self._is_open = True

    async def read(self, block: str) -> tuple[int, ...]:
        """Read STATUS as the machine has it now."""
        await self._reach()
        if not self.faults.is_frozen or not self._last:
            self.machine.scan()
            self._last = self.machine.brain.status_words()
        if self.faults.garbles:
            self.faults.garbles -= 1
            return (*self._last[:5], self._last[5] ^ 0x0100, *self._last[6:])
        return self._last

    async def write(self, block: str, words: Sequence[int]) -> None:
        """Write a block; a lost answer raises LinkSilent although the machine got it."""
        await self._reach()
        if block == frames.CMD and self.faults.lost_requests:
            self.faults.lost_requests -= 1
            await self._be_silent()
        self.written.append((block, tuple(words)))
        self.machine.brain.write(block, words)
        self.machine.scan()
        if block == frames.CMD and self.faults.lost_answers:
            self.faults.lost_answers -= 1
            await self._be_silent()

    async def close(self) -> None:
        """Close."""
        self._is_open = False

    async def _reach(self) -> None:
        if not self._is_open or self.faults.is_cut or not self.machine.is_powered:
            self._is_open = False
            raise LinkDown("connection lost")
        if self.faults.is_silent:
            await self._be_silent()
        if self.faults.is_refusing:
            raise LinkRefused("exception 2")

    async def _be_silent(self) -> None:
        await self.clock.sleep(self.request_s)
        raise LinkSilent("no answer")
