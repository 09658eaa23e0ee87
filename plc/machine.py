"""One machine, alive: connects, fences, polls, beats, reads its tags, and shows what it sees. One task owns the link."""

from __future__ import annotations

import random
from collections.abc import Callable

from packline.core.backoff import Backoff
from packline.core.clock import Clock
from packline.core.effects import Epochs
from packline.core.faults import Fault
from plc.board import Board, nobody
from plc.handshake import frames
from plc.handshake.controller_rules import ControllerBrain, Phase
from plc.handshake.frames import Status, StatusRefused
from plc.handshake.verdicts import next_epoch
from plc.job_device import JobDevice
from plc.keeping import keep
from plc.leaving import heed_cancellation
from plc.links import BlockLink, LinkTrouble, Value
from plc.machine_file import MachineFile
from plc.machine_view import MachineView, Quality, Said, Sayings
from plc.packml import Cmd
from plc.polling import Moments, NewsLink
from plc.state_lead import StateLead, demand_owned
from plc.tag_side import TagSide
from plc.tags.values import worst
from plc.waker import Waker

LOOK_S = 1.0


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
        on_change: Callable[[MachineView], None] = nobody,
    ) -> None:
        self.name, self.file = name, file
        self.brain = ControllerBrain(owner_id=owner_id)
        self._link, self._epochs, self._clock = link, epochs, clock
        self._ticking = ticking
        self._backoff = Backoff(rng=rng)
        self._fresh_at = clock.monotonic()
        self._taken_after = float("-inf")
        self._cause = 1001
        self._trouble: int | None = None
        self._books_older: bool | None = None
        self._refusal: Fault | None = None
        self._pictured: tuple[float, Status | None, int, tuple[object, ...], MachineView] | None = None
        self._said = Sayings(file)
        self._moments = Moments(name)
        self._news = link if isinstance(link, NewsLink) else None
        self._is_poked = False
        self._waker = Waker(clock)
        self._tags = TagSide(name=name, file=file, link=link, clock=clock)
        self._board = Board(name, clock, on_change)
        self._device = JobDevice(self)
        self._states = StateLead(self)

    # -- what stations use ---------------------------------------------------------------------------------------------

    def view(self) -> MachineView:
        """Give the picture of now."""
        # many ask within one moment: whoever waits for this machine, and every station that was woken
        brain, now, tags = self.brain, self._clock.monotonic(), self._tags.moment
        pictured = self._pictured
        if pictured is not None and pictured[0] == now and pictured[1] is brain.status and pictured[2] == tags:
            if pictured[3] == (key := self._key()):
                return pictured[4]
        else:
            key = self._key()
        view = self._picture(now)
        self._pictured = now, brain.status, tags, key, view
        return view

    def _key(self) -> tuple[object, ...]:
        """Give what decides a picture beside the time, the status and the tags."""
        return self._fresh_at, self._trouble, self._cause, self._refusal, self._books_older, self.brain.phase

    def _picture(self, now: float) -> MachineView:
        age_s = now - self._fresh_at
        status = self.brain.status
        if status is None:
            return MachineView(name=self.name, age_s=age_s, faults=self._faults(None), refusal=self._refusal)
        of_tags = self._tags.quality()
        said = self._said.of(status)
        return MachineView(
            name=self.name,
            quality=worst((self._quality(age_s), of_tags)),
            age_s=age_s,
            boot=status.boot,
            state=said.state,
            mode=status.mode,
            busy=status.busy,
            job=status.job,
            inputs=said.inputs(self._tags.inputs()),
            faults=self._faults(said, of_tags),
            own_faults=said.own_faults,
            owned=self.brain.is_owner,
            books_older=bool(self._books_older),
            silence_only=bool(status.fault & frames.FAULT_SILENCE),
            power_up_only=bool(status.fault & frames.FAULT_POWER_UP),
            tags=self._tags.values(),
            tags_version=self._tags.version,
            refusal=self._refusal,
        )

    def device(self) -> JobDevice:
        """Give the machine's side of the effects ledger."""
        return self._device

    async def wait(self, predicate: Callable[[MachineView], bool], timeout_s: float) -> MachineView:
        """Wait until the view satisfies `predicate`; raises TimeoutError."""
        return await self._board.view_when(predicate, self.view, timeout_s)

    async def look(self) -> MachineView:
        """Give a picture taken after this call, parts that are tags too; the present one when none comes within 1 s."""
        asked_at = self._clock.monotonic()
        if self.file.parts:
            self._tags.want(self.file.parts.values())
        self.poke()
        await self.until(lambda: min(self._taken_after, self._tags.parts_at()) >= asked_at, LOOK_S)
        return self.view()

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking at every status; False when the time is out."""
        return await self._board.until(predicate, timeout_s)

    async def write(self, tag: str, value: Value, *, lease_s: float | None = None) -> None:
        """Write one tag; one with a safe value is held for `lease_s` and must be written again before that to be held on.

        Raises Fault while the machine does not obey this controller and for a value that the tag cannot take, LinkTrouble when
        the machine's answer does not come: then it may have been written or not.
        """
        demand_owned(self)
        await self._tags.write(tag, value, lease_s, self.poke)

    async def command(self, command: Cmd) -> MachineView:
        """Give a PackML command and wait until the machine has seen it; a wrong state changes nothing there.

        Raises Fault when the machine does not obey this controller or does not answer within 3 s.
        """
        return await self._states.command(command)

    async def make_ready(self) -> None:
        """Lead the machine to Execute, after reconciliation or on a person's release.

        Unless a person released it, only a power-up or a hold caused by our own silence is led on from (rule 8); raises Fault
        2001 for any other stop, 2007 for an open safety circuit, 2002 for a fault of the machine's own, and link faults.
        """
        await self._states.make_ready()

    async def release(self) -> None:
        """Note that a person answers for going on: claim the machine again, and let the next `make_ready` end any stop.

        Said while the safety circuit is open it is no release, and one said before is none any more: nobody starts by closing it.
        """
        self._states.release()

    def poke(self) -> None:
        """Let the link's task write what is due now."""
        self._is_poked = True
        self._waker.wake()

    # -- the one task --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the machine for ever; leaving closes the link, and the machine's watchdog does the rest."""
        await keep(self._link, serve=self._serve, lose=self._lose, pause=self._pause, leave=self._leave)

    def _lose(self, trouble: LinkTrouble | Fault) -> None:
        self._cause = trouble.code
        if isinstance(trouble, LinkTrouble):
            self._refusal = trouble if isinstance(trouble, Fault) else self._refusal
        else:  # refused, or the books cannot be written, or no epoch is left
            self._trouble = self._trouble or trouble.code
            self._refusal = trouble if trouble.code == 1010 else None
        self._tags.lose()

    async def _leave(self) -> None:
        if self.brain.is_owner:
            await self._tags.leave()

    async def _serve(self) -> None:
        await self._tags.admit()
        self._refusal = None
        answer_s: float | None = None
        while True:
            heed_cancellation()
            await (self._look() if answer_s is None else self._leave_out(answer_s))
            if self.brain.phase is Phase.UNFENCED and self.brain.status:
                await self._fence(self.brain.status)
            self._publish()
            # what was written is looked after at once: a claim must be seen won before another controller's next one
            answer_s = None if await self._write_due() else await self._rest()

    async def _rest(self) -> float | None:
        """Until the next look, read the tags that are due, one request at least, and write what comes up.

        Gives how long that look's answer would take if it would show nothing new, None if it is to be made.
        """
        began, period_s = self._clock.monotonic(), self._poll_s()
        ends_at = self._moments.after(began, period_s)
        answer_s = None
        if self._tags.due_at() <= began:
            await self._tags.step()
            await self._clock.sleep(0)  # others get their turn, even where every read is late and the link never waits
            if await self._write_due():
                return None
        else:
            ends_at, answer_s = self._quiet_until(ends_at, period_s)
        while (now := self._clock.monotonic()) < ends_at:
            if self._tags.due_at() <= now:
                await self._tags.step()
            elif not await self._waker.nap(min(ends_at, self._tags.due_at()) - now):
                continue
            elif answer_s is not None:
                ends_at = self._moments.after(self._clock.monotonic(), period_s)
                await self._until_answered(began, period_s, answer_s)
                is_poked, self._is_poked = self._is_poked, False
                if not is_poked:
                    continue
            if await self._write_due():
                return None
        if answer_s is None or self._news is None:
            return None
        self._note_left_out(began, period_s, answer_s)
        return self._news.listen(self._hear)

    def _quiet_until(self, ends_at: float, period_s: float) -> tuple[float, float | None]:
        """Give the moment of the next look, and how long an answer takes if looks before it were left out (else None).

        Where the link tells of news, there is one only to write after it what falls due, and in time for the picture to be good.
        Not while an answer is awaited: that ends without a look, and with it this period.
        """
        if self._news is None or not self.brain.is_owner or self.brain.is_acting:
            return ends_at, None
        answer_s = self._news.listen(self._hear)
        if answer_s is None:
            return ends_at, None
        self._is_poked = False
        writes_at = min(self.brain.beat_due_at, self._tags.write_due_at()) - answer_s
        due_at = min(writes_at, self._tags.due_at(), self._fresh_at + self._stale_s() / 2)
        return max(ends_at, self._moments.last(due_at, period_s)), answer_s

    async def _until_answered(self, began: float, period_s: float, answer_s: float) -> None:
        """Wait for the answer of a look that was left out, if it would be under way now: nothing is written before it."""
        left_out = self._moments.last(self._clock.monotonic(), period_s)
        if left_out > began and (left_s := left_out + answer_s - self._clock.monotonic()) > 0:
            await self._clock.sleep(left_s)
        self._note_left_out(began, period_s, answer_s)

    def _note_left_out(self, began: float, period_s: float, answer_s: float) -> None:
        """Be as after the last look that was left out since `began` and would be answered: it would have shown nothing new."""
        left_out = self._moments.last(self._clock.monotonic() - answer_s, period_s)
        if left_out > began:
            self._taken_after, self._fresh_at = left_out, left_out + answer_s

    async def _leave_out(self, answer_s: float) -> None:
        """Be as after a look of this very moment, which would show nothing new, when its answer would be there."""
        asked_at = self._clock.monotonic()
        await self._clock.sleep(answer_s)
        self._taken_after, self._fresh_at = asked_at, self._clock.monotonic()

    def _hear(self) -> None:
        """There is something new to read: look at the next moment."""
        self._waker.wake()

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
        self.brain.observe(status)
        await self._tags.see_boot(status.boot)
        if last is None or (last.count, last.boot) != (status.count, status.boot):
            # a machine that has not scanned since shows what was, however often it is read: a stopped PLC still answers
            self._taken_after = asked_at
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
        wrote = self.brain.is_owner and await self._tags.write_due(is_ticking=self._ticking())
        return wrote or any(block != frames.HB for block, _ in blocks)

    async def _pause(self) -> None:
        """Wait before connecting again, in steps, so that the view turns stale in time."""
        ends_at = self._clock.monotonic() + self._backoff.next_s()
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
        self._states.note(view)
        self._board.show(view)

    def _quality(self, age_s: float) -> Quality:
        if age_s <= self._stale_s():
            return Quality.GOOD
        return Quality.BAD if self._cause == 1003 else Quality.STALE

    def _faults(self, said: Said | None, of_tags: Quality = Quality.GOOD) -> tuple[int, ...]:
        codes = [self._trouble] if self._trouble else []
        if self.brain.phase is Phase.OUSTED:
            codes.append(1101)
        if not self._trouble and of_tags is not Quality.GOOD:
            codes.append(1009)
        return (*codes, *(said.faults if said else ()))

    def _stale_s(self) -> float:
        return self.file.machine.stale_after_ms / 1000

    def _poll_s(self) -> float:
        head = self.file.machine
        return (head.fast_poll_ms if self._is_fast() else head.poll_ms) / 1000

    def _is_fast(self) -> bool:
        return self.brain.is_acting or (self.brain.status is not None and self.brain.status.busy)
