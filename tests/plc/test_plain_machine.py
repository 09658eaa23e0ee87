"""A machine of plain coils and words: written once, and judged by its evidence tags only."""

from __future__ import annotations

import asyncio
import random
import tomllib
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from packline.core.clock import ManualClock
from packline.core.effects import APPLY, EJECT, Effect, EffectState, Ticket
from packline.core.faults import Fault
from packline.core.files import parse
from plc.brains import brain_for
from plc.links import Area, LinkSilent
from plc.machine_file import MachineFile, shipped_machine
from plc.memory_link import MemoryLink, MemoryMachine, MemoryTables
from plc.plain_machine import PlainMachine
from tests.waiting import let_run

T = TypeVar("T")
STAMP, LANE, DONE, FAILED = (Area.COIL, 0), (Area.HOLDING, 10), (Area.DISCRETE, 0), (Area.DISCRETE, 1)
COUNT, STARTS, MODEL = (Area.INPUT, 0), (Area.INPUT, 1), (Area.INPUT, 2)
FILE = """
[machine]
model = "press"
title = "Label press"
source = "a test"
protocol = "modbus"
address_base = 0
[handshake]
kind = "none"
[tags]
stamp  = { address = 0, area = "coil", type = "bool", access = "rw", safe = false }
lane   = { address = 10, area = "holding", type = "u16", access = "rw", range = [0, 3] }
done   = { address = 0, area = "discrete", type = "bool" }
failed = { address = 1, area = "discrete", type = "bool" }
count  = { address = 0, area = "input", type = "u16" }
starts = { address = 1, area = "input", type = "u16" }
model_no = { address = 2, area = "input", type = "u16", poll = "once" }
[expect]
model = { tag = "model_no", equals = 7 }
[capability]
boot = "starts"
carton_present = "done"
[jobs.apply]
write = [{ tag = "stamp", value = true }]
done = { tag = "count", rises = 1 }
failed = { tag = "failed", equals = true }
reset = [{ tag = "stamp", value = false }]
timeout_s = 5
[jobs.eject]
write = [{ tag = "lane", from = "lane" }]
done = { tag = "done", equals = true }
reset = [{ tag = "lane", value = 0 }]
timeout_s = 5
params.lane = { min = 1, max = 3 }
"""


@dataclass(slots=True, kw_only=True)
class Press(MemoryTables):
    """A press that stamps 0.3 s after its coil rises, and shows a level for a lane until that is taken back."""

    clock: ManualClock
    stamps: int = 0
    fails: bool = False
    is_dead: bool = False
    loses_answers: bool = False
    _at: float = float("inf")

    def write(self, area: Area, start: int, words: Any) -> None:
        rose = (area, start) == STAMP and words[0] and not self.words.get(STAMP)
        MemoryTables.write(self, area, start, words)
        if rose and self.loses_answers:
            self._at = self.clock.monotonic() + 0.3
            raise LinkSilent("no answer")
        if rose:
            self._at = self.clock.monotonic() + 0.3
        if (area, start) == LANE:
            self.words[DONE] = int(words[0] != 0)

    def read(self, area: Area, start: int, count: int) -> list[int]:
        if self.clock.monotonic() >= self._at and not self.is_dead:
            self._at = float("inf")
            self.stamps += not self.fails
            if self.fails:
                self.words[FAILED] = 1
            else:
                self.words[COUNT] = (self.words.get(COUNT, 0) + 1) % 0x10000
        return MemoryTables.read(self, area, start, count)


@dataclass
class Stand:
    """The press, its link, and as many controllers as a test starts after each other."""

    clock: ManualClock = field(default_factory=ManualClock)
    file: MachineFile = field(default_factory=lambda: parse(tomllib.loads(FILE), MachineFile, "press"))

    def __post_init__(self) -> None:
        self.press = Press(clock=self.clock, words={MODEL: 7, STARTS: 1, COUNT: 0xFFFF})
        self.start()

    def start(self) -> None:
        # the brain is not used: only the link's faults and its tables are
        other = MemoryMachine(brain=brain_for(shipped_machine("applicator"), random.Random(1)), clock=self.clock)
        self.link = MemoryLink(machine=other, clock=self.clock, tables=self.press)
        self.machine = PlainMachine(
            name="press-1", file=self.file, link=self.link, clock=self.clock, rng=random.Random(2)
        )
        self.task = asyncio.ensure_future(self.machine.run())

    async def crash(self) -> None:
        self.link.faults.is_cut = True  # kill -9 says nothing to the machine
        self.task.cancel()
        await asyncio.wait({self.task})

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        for _ in range(6000):
            if task.done():
                return task.result()
            await let_run(15)
            self.clock.advance(0.01)
        raise AssertionError("never ended")

    async def rest(self, seconds: float) -> None:
        await self.do(self.clock.sleep(seconds))

    async def ticket(self, effect: Effect, job: int = 5) -> Ticket:
        await self.do(self.machine.make_ready())
        return await self.do(self.machine.device().prepare(effect, job))


@pytest.fixture
async def stand():
    made = Stand()
    yield made
    made.task.cancel()
    await asyncio.wait({made.task})


STAMPING = Effect(kind=APPLY, subject="PL1", generation=1, station="s")
EJECTING = Effect(kind=EJECT, subject="PL1", generation=1, station="s", parameters={"lane": 2})


async def test_job_is_confirmed_by_its_counter_also_over_a_roll_over_and_then_reset(stand):
    ticket = await stand.ticket(STAMPING)
    device = stand.machine.device()
    assert (await stand.do(device.send(STAMPING, ticket))).state is EffectState.SENT
    evidence = await stand.do(device.inquire(STAMPING, ticket))
    assert (evidence.state, evidence.data["count"]) == (EffectState.CONFIRMED, 0)
    assert (stand.press.stamps, stand.press.words[STAMP]) == (1, 0)


async def test_next_job_is_not_proved_by_the_end_of_the_one_before(stand):
    device = stand.machine.device()
    for job in (5, 6, 7):
        ticket = await stand.ticket(EJECTING, job)
        await stand.do(device.send(EJECTING, ticket))
        assert (await stand.do(device.inquire(EJECTING, ticket))).state is EffectState.CONFIRMED
    lanes = [words for area, start, words in stand.press.writes if (area, start) == LANE]
    assert lanes == [(2,), (0,)] * 3


async def test_what_a_counter_showed_before_is_read_afresh_and_not_remembered():
    raw = tomllib.loads(FILE)
    raw["tags"]["count"]["poll"] = "slow"
    stand = Stand(file=parse(raw, MachineFile, "press"))
    await stand.do(stand.machine.make_ready())
    await stand.rest(0.5)
    stand.press.words[COUNT] = 3  # somebody stamped by hand, and no poll has seen it yet
    ticket = await stand.ticket(STAMPING)
    assert ticket.extra["before"]["count"] == 3
    await stand.crash()


async def test_failure_is_told_by_its_own_tag(stand):
    stand.press.fails = True
    ticket = await stand.ticket(STAMPING)
    await stand.do(stand.machine.device().send(STAMPING, ticket))
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.FAILED, 2006)


async def test_machine_that_shows_no_end_in_time_leaves_a_doubt(stand):
    stand.press.is_dead = True
    ticket = await stand.ticket(STAMPING)
    await stand.do(stand.machine.device().send(STAMPING, ticket))
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2005)


async def test_lost_answer_is_a_doubt_that_only_evidence_resolves_and_nothing_is_written_again(stand):
    ticket = await stand.ticket(STAMPING)
    stand.press.loses_answers = True
    evidence = await stand.do(stand.machine.device().send(STAMPING, ticket))
    assert evidence.state is EffectState.UNKNOWN
    stand.press.loses_answers = False
    await stand.do(stand.machine.make_ready())
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert evidence.state is EffectState.CONFIRMED
    assert stand.press.stamps == 1


async def test_after_a_crash_the_evidence_confirms_and_inquiring_writes_nothing(stand):
    ticket = await stand.ticket(STAMPING)
    await stand.do(stand.machine.device().send(STAMPING, ticket))
    await stand.rest(0.02)
    await stand.crash()
    await stand.rest(1.0)
    stand.start()
    await stand.do(stand.machine.make_ready())
    await stand.rest(0.2)
    stand.press.writes.clear()
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert evidence.state is EffectState.CONFIRMED
    assert stand.press.writes == []
    assert stand.press.stamps == 1


async def test_after_a_crash_without_evidence_it_stays_unknown(stand):
    ticket = await stand.ticket(STAMPING)
    await stand.crash()
    stand.start()
    await stand.do(stand.machine.make_ready())
    stand.press.writes.clear()
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert (evidence.state, stand.press.writes) == (EffectState.UNKNOWN, [])


async def test_ticket_of_an_earlier_run_is_never_sent(stand):
    ticket = await stand.ticket(STAMPING)
    await stand.crash()
    stand.start()
    await stand.do(stand.machine.make_ready())
    stand.press.writes.clear()
    assert (await stand.do(stand.machine.device().send(STAMPING, ticket))).state is EffectState.UNKNOWN
    assert stand.press.writes == []


async def test_two_more_counts_than_were_ordered_leave_a_doubt(stand):
    ticket = await stand.ticket(STAMPING)
    await stand.crash()
    stand.press.words[COUNT] = 2  # it was 0xFFFF: three stamps, one of them ours or none
    stand.start()
    await stand.do(stand.machine.make_ready())
    assert (await stand.do(stand.machine.device().inquire(STAMPING, ticket))).state is EffectState.UNKNOWN


async def test_machine_that_started_again_proves_nothing_by_its_counter(stand):
    ticket = await stand.ticket(STAMPING)
    await stand.crash()
    stand.press.words |= {COUNT: 0, STARTS: 2}  # looks like one more
    stand.start()
    await stand.do(stand.machine.make_ready())
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2004)


async def test_start_that_is_polled_seldom_is_asked_for_before_a_level_is_believed():
    raw = tomllib.loads(FILE)
    raw["tags"]["starts"]["poll"] = "slow"
    raw["machine"]["slow_poll_ms"] = 60_000
    stand = Stand(file=parse(raw, MachineFile, "press"))
    stand.press.is_dead = True
    ticket = await stand.ticket(STAMPING)
    assert (await stand.do(stand.machine.device().send(STAMPING, ticket))).state is EffectState.SENT
    stand.press.words |= {STARTS: 2, COUNT: 0}  # it rose by one, and nobody stamped
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert (evidence.state, evidence.fault) == (EffectState.UNKNOWN, 2004)
    await stand.crash()


async def test_job_prepared_and_never_sent_is_known_not_to_be_done(stand):
    ticket = await stand.ticket(STAMPING)
    evidence = await stand.do(stand.machine.device().inquire(STAMPING, ticket))
    assert evidence.state is EffectState.NOT_EXECUTED


async def test_end_of_an_earlier_job_is_taken_back_before_the_next_or_refuses_it(stand):
    stand.press.words |= {DONE: 1, LANE: 2}
    await stand.ticket(EJECTING)
    assert stand.press.words[DONE] == 0
    stand.press.words[DONE] = 1
    stand.press.holes.add(LANE)
    with pytest.raises(Fault) as fault:
        await stand.ticket(EJECTING, 6)
    assert fault.value.code == 2003


@pytest.mark.parametrize("parameters", [{}, {"lane": 4}, {"lane": "2"}, {"lane": True}, {"lane": 1, "other": 1}])
async def test_wrong_parameters_are_refused(stand, parameters):
    with pytest.raises(Fault) as fault:
        await stand.ticket(Effect(kind=EJECT, subject="PL1", generation=1, station="s", parameters=parameters))
    assert fault.value.code == 4201


async def test_machine_that_is_not_the_one_of_the_file_gets_nothing(stand):
    stand.press.words[MODEL] = 8
    await stand.crash()
    stand.press.writes.clear()
    stand.start()
    with pytest.raises(Fault) as fault:
        await stand.ticket(STAMPING)
    assert (fault.value.code, fault.value.seen) == (1010, "model_no = 8")
    assert stand.press.writes == []


async def test_view_is_that_of_any_machine(stand):
    await stand.do(stand.machine.make_ready())
    view = stand.machine.view()
    assert (view.is_ready, view.boot, view.inputs["carton_present"]) == (True, 1, 0)
    stand.link.faults.is_cut = True
    await stand.rest(0.3)
    assert not stand.machine.value("count").is_good
    await stand.rest(0.7)
    view = stand.machine.view()
    assert (view.is_good, view.owned, view.faults) == (False, False, (1001,))
    stand.link.faults.is_cut = False
    await stand.do(stand.machine.make_ready())


async def test_trigger_is_let_go_when_its_lease_ends(stand):
    stand.press.is_dead = True
    ticket = await stand.ticket(STAMPING)
    await stand.do(stand.machine.device().send(STAMPING, ticket))
    assert stand.press.words[STAMP] == 1
    await stand.rest(5.5)
    assert stand.press.words[STAMP] == 0
