"""One machine, alive: connects, fences, polls, beats, and shows what it sees. One task owns the link."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import replace

from packline.core.backoff import Backoff
from packline.core.clock import Clock
from packline.core.effects import Epochs
from packline.core.faults import FAULTS, Fault
from plc.handshake import frames
from plc.handshake.controller_rules import ControllerBrain, Phase
from plc.handshake.frames import Status, StatusRefused
from plc.handshake.verdicts import next_epoch
from plc.job_device import JobDevice
from plc.links import BlockLink, LinkTrouble
from plc.machine_file import MachineFile
from plc.machine_view import MachineView, Quality, condition, machine_faults, own_faults, read_inputs
from plc.packml import TOWARDS_EXECUTE, Cmd, State, name_of

COMMAND_S = 3.0
LOOK_S = 1.0
STATE_S = 15.0
READY_STEPS = 12

log = logging.getLogger(__name__)


def _ignore(_: MachineView) -> None:
    return


class Machine:
    """A machine under the handshake. `ticking` tells whether the line's logic is alive: without it no heartbeat is written.

    `on_change` gets each new view (age apart). All times are of `clock`, which must follow wall time.
    """

    def __init__(
        self,
        *,
        name: str,
        file: MachineFile,
        link: BlockLink,
        epochs: Epochs,
        owner_id: int,
        clock: Clock,
        rng: random.Random,
        ticking: Callable[[], bool] = lambda: True,
        on_change: Callable[[MachineView], None] = _ignore,
    ) -> None:
        self.name, self.file = name, file
        self.brain = ControllerBrain(owner_id=owner_id)
        self._link, self._epochs, self._clock = link, epochs, clock
        self._ticking, self._on_change = ticking, on_change
        self._backoff = Backoff(rng=rng)
        self._fresh_at = clock.monotonic()
        self._taken_after = float("-inf")
        self._cause = 1001
        self._trouble: int | None = None
        self._books_older: bool | None = None
        self._is_released = False
        self._shown: MachineView | None = None
        self._kick, self._moved = asyncio.Event(), asyncio.Event()
        self._ordering = asyncio.Lock()
        self._device = JobDevice(self)

    # -- what stations use ---------------------------------------------------------------------------------------------

    def view(self) -> MachineView:
        """Give the picture of now."""
        age_s = self._clock.monotonic() - self._fresh_at
        status = self.brain.status
        if status is None:
            return MachineView(name=self.name, age_s=age_s, faults=self._faults(None))
        return MachineView(
            name=self.name,
            quality=self._quality(age_s),
            age_s=age_s,
            boot=status.boot,
            state=name_of(status.state),
            mode=status.mode,
            busy=status.busy,
            job=status.job,
            inputs=read_inputs(self.file, status),
            faults=self._faults(status),
            own_faults=own_faults(status),
            owned=self.brain.is_owner,
            books_older=bool(self._books_older),
            silence_only=bool(status.fault & frames.FAULT_SILENCE),
            power_up_only=bool(status.fault & frames.FAULT_POWER_UP),
        )

    def device(self) -> JobDevice:
        """Give the machine's side of the effects ledger."""
        return self._device

    async def wait(self, predicate: Callable[[MachineView], bool], timeout_s: float) -> MachineView:
        """Wait until the view satisfies `predicate`; raises TimeoutError."""
        if not await self.until(lambda: predicate(self.view()), timeout_s):
            raise TimeoutError(f"{self.name}: not seen within {timeout_s:g} s")
        return self.view()

    async def look(self) -> MachineView:
        """Give a picture taken after this call; the present one when none comes within 1 s, its quality tells."""
        asked_at = self._clock.monotonic()
        await self.until(lambda: self._taken_after >= asked_at, LOOK_S)
        return self.view()

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking at every status; False when the time is out."""
        if predicate():
            return True
        try:
            await self._clock.within(timeout_s, self._watch(predicate))
        except TimeoutError:
            return predicate()
        return True

    async def command(self, command: Cmd) -> MachineView:
        """Give a PackML command and wait until the machine has seen it; a wrong state changes nothing there.

        Raises Fault when the machine does not obey this controller or does not answer within 3 s.
        """
        async with self._ordering:
            self._demand_owned()
            epoch, seq = self.brain.epoch, self.brain.order_state(command)
            self.poke()
            await self.until(lambda: self._is_ordered(epoch, seq), COMMAND_S)
            if self.brain.epoch != epoch or not self._is_ordered(epoch, seq):
                raise Fault(1002, where=self.name, seen=f"{command.name} not acknowledged", expected="an acknowledge")
        return self.view()

    async def make_ready(self) -> None:
        """Lead the machine to Execute, after reconciliation or on a person's release.

        Unless a person released it, only a power-up or a hold caused by our own silence is led on from (rule 8); raises Fault
        2001 for any other stop, 2007 for an open safety circuit, 2002 for a fault of the machine's own, and link faults.
        """
        view = await self._owned_view()
        self._demand_startable(view)
        for _ in range(READY_STEPS):
            if view.state == name_of(State.EXECUTE):
                self._is_released = False
                return
            view = await self._step_on(view)
        raise Fault(2001, where=self.name, seen=view.state, expected=name_of(State.EXECUTE))

    async def release(self) -> None:
        """Note that a person answers for going on: claim the machine again, and let the next `make_ready` end any stop."""
        self._is_released = True
        self.brain.release()
        self.poke()

    def poke(self) -> None:
        """Let the link's task write what is due now."""
        self._kick.set()

    # -- the one task --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the machine for ever; leaving closes the link, and the machine's watchdog does the rest."""
        try:
            while True:
                try:
                    await self._link.connect()
                    await self._serve()
                except LinkTrouble as trouble:
                    self._cause = trouble.code
                except Fault as fault:  # the books cannot be written, or no epoch is left
                    self._cause = fault.code
                    self._trouble = self._trouble or fault.code
                await self._link.close()
                await self._pause(self._backoff.next_s())
        finally:
            await self._link.close()

    async def _serve(self) -> None:
        while True:
            await self._look()
            if self.brain.phase is Phase.UNFENCED and self.brain.status:
                await self._fence(self.brain.status)
            self._publish()
            if await self._write_due():
                continue  # look at once: a claim must be seen won before another controller's next one
            while await self._nap(self._poll_s()):
                if await self._write_due():
                    break

    async def _look(self) -> None:
        asked_at = self._clock.monotonic()
        words = await self._link.read(frames.STATUS)
        try:
            status = frames.decode_status(words)
        except StatusRefused:
            self._cause = 1003
            return
        self._cause = 1002
        last = self.brain.status
        self._taken_after = asked_at
        self.brain.observe(status)
        if last is None or (last.count, last.boot) != (status.count, status.boot):
            self._fresh_at, self._trouble = self._clock.monotonic(), None
            self._backoff.reset()

    async def _fence(self, status: Status) -> None:
        own = max(await self._epochs.epoch(self.name), self.brain.epoch)
        if self._books_older is None:
            self._books_older = status.owner_epoch > own
        epoch = next_epoch(own, status.owner_epoch)
        await self._epochs.raise_epoch(self.name, epoch)
        self.brain.claim(epoch)

    async def _write_due(self) -> bool:
        """Write what is due; True if an answer to it is worth a look at once."""
        blocks = self.brain.due(self._clock.monotonic(), is_ticking=self._ticking())
        for block, words in blocks:
            await self._link.write(block, words)
        return any(block != frames.HB for block, _ in blocks)

    async def _nap(self, seconds: float) -> bool:
        """Sleep; True if something wants to be written before that."""
        try:
            await self._clock.within(seconds, self._kick.wait())
        except TimeoutError:
            return False
        self._kick.clear()
        return True

    async def _pause(self, seconds: float) -> None:
        """Wait before connecting again, in steps, so that the view turns stale in time."""
        ends_at = self._clock.monotonic() + seconds
        while (left := ends_at - self._clock.monotonic()) > 0:
            self._publish()
            await self._clock.sleep(min(left, self._stale_s() / 2))
        self._publish()

    # -- the picture ---------------------------------------------------------------------------------------------------

    def _publish(self) -> None:
        if self._clock.monotonic() - self._fresh_at > self._stale_s():
            # the newest cause tells best, but a machine that is not there is also silent now and then
            is_known = self._trouble == 1001 and self._cause == 1002
            self._trouble = self._trouble if is_known else self._cause
        view = self.view()
        timeless = replace(view, age_s=0.0)
        if timeless != self._shown:
            self._log_faults(view)
            self._shown = timeless
            self._on_change(view)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _log_faults(self, view: MachineView) -> None:
        before = self._shown.faults if self._shown else ()
        for code in view.faults:
            if code not in before:
                log.warning("%s: %s %s", self.name, code, FAULTS[code].name)
        for code in before:
            if code not in view.faults:
                log.warning("%s: recovered from %s %s", self.name, code, FAULTS[code].name)

    def _quality(self, age_s: float) -> Quality:
        if age_s <= self._stale_s():
            return Quality.GOOD
        return Quality.BAD if self._cause == 1003 else Quality.STALE

    def _faults(self, status: Status | None) -> tuple[int, ...]:
        codes = [self._trouble] if self._trouble else []
        if self.brain.phase is Phase.OUSTED:
            codes.append(1101)
        return (*codes, *(machine_faults(self.file, status) if status else ()))

    def _stale_s(self) -> float:
        return self.file.machine.stale_after_ms / 1000

    def _poll_s(self) -> float:
        head = self.file.machine
        is_fast = self.brain.is_acting or (self.brain.status is not None and self.brain.status.busy)
        return (head.fast_poll_ms if is_fast else head.poll_ms) / 1000

    async def _watch(self, predicate: Callable[[], bool]) -> None:
        while not predicate():
            await self._moved.wait()

    # -- states --------------------------------------------------------------------------------------------------------

    def _is_ordered(self, epoch: int, seq: int) -> bool:
        status = self.brain.status
        return self.brain.epoch != epoch or (status is not None and status.state_ack >= seq)

    def _demand_owned(self) -> None:
        view = self.view()
        if not (view.is_good and view.owned):
            raise view.reason() or Fault(1002, where=self.name)
        if self.brain.must_fence_for_seq:
            self.brain.want_fence()
            raise Fault(1002, where=self.name, seen="epoch used up", expected="the next one in a moment")

    async def _owned_view(self) -> MachineView:
        await self.until(lambda: self.view().is_good and self.brain.is_owner, STATE_S)
        self._demand_owned()
        return self.view()

    def _demand_startable(self, view: MachineView) -> None:
        if 2007 in view.faults:
            self._is_released = False  # a release said too early is no release: nobody starts by closing the circuit
            raise Fault(2007, where=self.name)
        if self._is_released or view.state == name_of(State.EXECUTE):
            return
        if view.faults:
            raise Fault(view.faults[0], where=self.name, seen=condition(view.state, view.own_faults))
        if not (view.silence_only or view.power_up_only):
            raise Fault(2001, where=self.name, seen=view.state, expected="a person's release")

    async def _step_on(self, view: MachineView) -> MachineView:
        """Give the one command that leads on, or wait for an acting state to end."""
        status = self.brain.status
        lead = TOWARDS_EXECUTE.get(status.state) if status else None
        if lead:
            await self.command(lead)
        if not await self.until(lambda: self.view().state != view.state, STATE_S):
            raise Fault(2001, where=self.name, seen=f"stays in {view.state}", expected=name_of(State.EXECUTE))
        return self.view()
