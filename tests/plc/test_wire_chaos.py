"""The handshake over real pymodbus and asyncua through the chaos proxy: bad networks, killed controllers, two of them."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections import Counter
from collections.abc import AsyncIterator, Set
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from packline.core.effects import EffectState
from packline.core.faults import Fault
from plc.drivers.opening import quiet_libraries
from plc.handshake.controller_rules import Phase
from plc.handshake.frames import Result
from simulation.chaos import Chaos, Framing, Kind, Rule, Way
from tests.plc.lonely import WORK, Journal, act, live
from tests.plc.plants import (
    BOUND_S,
    Epochs,
    ModbusPlant,
    UaPlant,
    described,
    hurried,
    running,
    wish,
    writes_a_job,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.wire, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
quiet_libraries()

PROTOCOLS = ("applicator", "applicator over lean", "packer")  # over Modbus by both clients, over OPC UA
LIVES_MOST = 12
Plant = ModbusPlant | UaPlant


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def served() -> AsyncIterator[dict[str, Plant]]:
    """Serve the machines once: an OPC UA server takes seconds to build."""
    plants: dict[str, Plant] = {
        name: (UaPlant if name == "packer" else ModbusPlant)(hurried(described(name))) for name in PROTOCOLS
    }
    for plant in plants.values():
        await plant.start()
    yield plants
    for plant in plants.values():
        await plant.stop()


@pytest_asyncio.fixture(loop_scope="module", params=PROTOCOLS)
async def plant(request: pytest.FixtureRequest, served: dict[str, Plant]) -> AsyncIterator[Plant]:
    """Give a new machine behind a quiet network; a test that wants a bad one adds its rules."""
    chosen = served[request.param]
    await behind(chosen)
    chosen.renew()
    await chosen.reboot()
    yield chosen


async def behind(plant: Plant, *rules: str, seed: int = 0, **more: Any) -> Chaos:
    framing = Framing.MODBUS if isinstance(plant, ModbusPlant) else Framing.OPCUA
    chaos = Chaos(plant.inner, framing=framing, rules=[Rule.parse(rule) for rule in rules], seed=seed, **more)
    await plant.through(chaos)
    return chaos


def known(plant: Plant) -> str:
    """Give the name by which another process knows the machine."""
    return next(name for name in PROTOCOLS if hurried(described(name)) == plant.file)


def work(plant: Plant) -> Any:
    kind, parameters = WORK[plant.file.machine.model]
    return wish(kind, **parameters)


def executed(plant: Plant) -> Counter[int]:
    """Give how often each job was begun: the physical truth."""
    return Counter(motion.job for motion in plant.plant.executed)


def check(plant: Plant, verdicts: dict[int, EffectState], interrupted: Set[int] = frozenset()) -> None:
    """Hold every verdict against what the machine did."""
    done = executed(plant)
    assert all(times == 1 for times in done.values()), f"executed more than once: {done}"
    for job, state in verdicts.items():
        if state is EffectState.CONFIRMED:
            assert done[job] == 1 and job not in interrupted, f"job {job} is believed done"
        if state is EffectState.NOT_EXECUTED:
            assert done[job] == 0, f"job {job} is believed not executed"


# -- bad networks ------------------------------------------------------------------------------------------------------

WEATHER = {
    "applicator": (
        "drop p=0.02", "delay p=0.05 s=0.03", "split p=0.05 s=0.005", "corrupt p=0.03", "duplicate request p=0.04 late=3",
        "duplicate answer p=0.02 late=1", "reset p=0.01",
    ),
    "packer": (
        "drop p=0.005", "delay p=0.05 s=0.03", "split p=0.05 s=0.005", "corrupt p=0.005 spare=8", "duplicate request p=0.005 late=2",
        "reset p=0.005",
    ),
}  # fmt: skip
JOBS = 12


async def test_jobs_in_bad_weather_are_executed_once_and_told_as_they_were(plant: Plant, tmp_path: Path):
    chaos = await behind(plant, *WEATHER[plant.file.machine.model], seed=5)
    journal = Journal(tmp_path / "books")
    await act(known(plant), plant.address, journal, JOBS, owner_id=9)
    check(plant, journal.verdicts())
    assert len(journal.verdicts()) == JOBS
    assert sum(chaos.struck.values()) > 10, f"too little went wrong to show anything: {chaos.struck}"
    assert EffectState.CONFIRMED in journal.verdicts().values()


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.RESET, Kind.CORRUPT, Kind.SPLIT, Kind.DUPLICATE, Kind.DELAY])
@pytest.mark.parametrize("way", [Way.REQUEST, Way.ANSWER])
async def test_one_thing_that_befalls_the_job_itself_changes_nothing(plant: Plant, kind: Kind, way: Way):
    rule = Rule(kind=kind, way=way, count=1, seconds=0.05, late=1, spare=8)
    async with running(plant.file, plant.address) as machine:
        await machine.make_ready()
        device, effect = machine.device(), work(plant)
        ticket = await device.prepare(effect, 5)
        struck_by = NextAfterJob(rule, way)
        plant.chaos.rules += struck_by.rules
        await device.send(effect, ticket)
        evidence = await device.inquire(effect, ticket)
        assert rule.struck == 1
        assert evidence.state is EffectState.CONFIRMED
        assert executed(plant) == {5: 1}


class NextAfterJob:
    """Lets `rule` strike the write of a job, or what comes back next after it."""

    def __init__(self, rule: Rule, way: Way) -> None:
        self._seen = False
        rule.only = writes_a_job if way is Way.REQUEST else self._is_after
        watcher = Rule(kind=Kind.DELAY, way=Way.REQUEST, seconds=0.0, only=self._watches)
        self.rules = [watcher, rule]

    def _watches(self, frame: bytes) -> bool:
        self._seen |= writes_a_job(frame)
        return False

    def _is_after(self, _: bytes) -> bool:
        return self._seen


async def test_job_that_arrives_after_it_was_given_up_is_not_executed(plant: Plant):
    async with running(plant.file, plant.address) as machine:
        await machine.make_ready()
        device, effect = machine.device(), work(plant)
        ticket = await device.prepare(effect, 5)
        lost = Rule(kind=Kind.DROP, way=Way.REQUEST, only=writes_a_job)
        copy = Rule(kind=Kind.DUPLICATE, way=Way.REQUEST, count=1, late=10**6, only=writes_a_job)
        plant.chaos.rules += [copy, lost]
        await device.send(effect, ticket)
        evidence = await device.inquire(effect, ticket)
        assert evidence.state is EffectState.NOT_EXECUTED
        plant.chaos.rules.clear()
        assert plant.chaos.waiting() == 1
        plant.chaos.hasten()  # now it comes after all
        await eventually(lambda: not plant.chaos.waiting())
        await machine.make_ready()
        later = await device.prepare(effect, 6)
        await device.send(effect, later)
        assert (await device.inquire(effect, later)).state is EffectState.CONFIRMED
        assert executed(plant) == {6: 1}


# -- reboots and interrupted work --------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory_kept", [True, False])
async def test_work_cut_off_by_a_reboot_is_unknown_for_ever_and_never_sent_again(plant: Plant, memory_kept: bool):
    plant.plant.motion_s = 600.0
    epochs = Epochs()
    async with running(plant.file, plant.address, epochs=epochs) as machine:
        await machine.make_ready()
        device, effect = machine.device(), work(plant)
        ticket = await device.prepare(effect, 5)
        assert (await device.send(effect, ticket)).state is EffectState.SENT
        await plant.reboot(memory_kept=memory_kept)
        evidence = await device.inquire(effect, ticket)
        assert evidence.state is EffectState.UNKNOWN
        assert evidence.fault == (2004 if memory_kept else 2005)
    requests: list[bytes] = []
    await behind(plant, on_frame=lambda way, frame: requests.append(frame))
    async with running(plant.file, plant.address, epochs=epochs, owner_id=10) as machine:
        await machine.make_ready()
        assert (await machine.device().inquire(effect, ticket)).state is EffectState.UNKNOWN
    assert not any(writes_a_job(frame) for frame in requests)
    assert executed(plant) == {5: 1}


async def test_watcher_of_jobs_knows_one_when_it_sees_it(plant: Plant):
    """Without this the tests above that look for a repeated job would see none, ever."""
    requests: list[bytes] = []
    await behind(plant, on_frame=lambda way, frame: requests.append(frame))
    async with running(plant.file, plant.address) as machine:
        await machine.make_ready()
        assert not any(writes_a_job(frame) for frame in requests)
        device, effect = machine.device(), work(plant)
        ticket = await device.prepare(effect, 5)
        await device.send(effect, ticket)
    assert any(writes_a_job(frame) for frame in requests)


# -- books -------------------------------------------------------------------------------------------------------------


async def test_two_controllers_with_equal_books_end_with_one_owner_and_no_ping_pong(plant: Plant):
    one, two = Epochs(), Epochs()
    async with (
        running(plant.file, plant.address, epochs=one, owner_id=5) as first,
        running(plant.file, plant.address, epochs=two, owner_id=6) as second,
    ):
        both = (first, second)
        await eventually(lambda: {m.brain.phase for m in both} == {Phase.OWNER, Phase.OUSTED})
        owner, ousted = both if first.brain.is_owner else (second, first)
        await owner.make_ready()
        raised = one.raised + two.raised
        device, effect = owner.device(), work(plant)
        for job in range(5):
            await owner.wait(lambda view: view.is_ready, BOUND_S)
            ticket = await device.prepare(effect, 100 + job)
            await device.send(effect, ticket)
            assert (await device.inquire(effect, ticket)).state is EffectState.CONFIRMED
            with pytest.raises(Fault) as refused:
                await ousted.device().prepare(effect, 200 + job)
            assert refused.value.code == 1101
            await ousted.look()
        assert (owner.brain.phase, ousted.brain.phase) == (Phase.OWNER, Phase.OUSTED)
        assert 1101 in ousted.view().faults and 1101 not in owner.view().faults
        assert one.raised + two.raised == raised
        assert executed(plant) == {100 + job: 1 for job in range(5)}


async def test_controller_restored_from_an_older_backup_neither_repeats_nor_believes_another_job(plant: Plant):
    epochs = Epochs()
    effect = work(plant)
    async with running(plant.file, plant.address, epochs=epochs) as machine:
        await machine.make_ready()
        device = machine.device()
        backup = Epochs(**epochs.epochs)
        meant = await device.prepare(effect, 5)  # the backup holds this job as meant, and no more
        await device.send(effect, meant)
        assert (await device.inquire(effect, meant)).state is EffectState.CONFIRMED
    # two lives of other books meanwhile: the machine's memory is of a later epoch, another job carries its number
    async with running(plant.file, plant.address, epochs=epochs, owner_id=10) as machine:
        await machine.make_ready()
        later = await machine.device().prepare(effect, 6)
        await machine.device().send(effect, later)
        assert (await machine.device().inquire(effect, later)).state is EffectState.CONFIRMED
    async with running(plant.file, plant.address, epochs=backup, owner_id=11) as machine:
        await eventually(lambda: machine.view().owned)
        assert machine.view().books_older
        assert machine.brain.epoch > epochs.epochs["m1"]
        stolen = type(meant)(
            machine=meant.machine,
            epoch=later.epoch,
            sequence=later.sequence,
            boot=meant.boot,
            job=77,
            extra=meant.extra,
        )
        assert (await machine.device().inquire(effect, meant)).state is EffectState.UNKNOWN
        assert (await machine.device().inquire(effect, stolen)).state is EffectState.UNKNOWN
    assert executed(plant) == {5: 1, 6: 1}


async def test_fresh_database_owns_the_machine_after_one_claim_and_takes_no_old_result_for_its_own(plant: Plant):
    effect = work(plant)
    async with running(plant.file, plant.address, epochs=Epochs(m1=70_000)) as machine:
        await machine.make_ready()
        ticket = await machine.device().prepare(effect, 5)
        await machine.device().send(effect, ticket)
        assert (await machine.device().inquire(effect, ticket)).state is EffectState.CONFIRMED
    fresh = Epochs()
    async with running(plant.file, plant.address, epochs=fresh, owner_id=10) as machine:
        await machine.make_ready()
        assert fresh.raised == 1
        assert machine.brain.epoch == 70_002
        plant.plant.motion = lambda _: (Result.FAILED, ())
        ticket = await machine.device().prepare(effect, 5)  # the same business id, begun anew
        await machine.device().send(effect, ticket)
        assert (await machine.device().inquire(effect, ticket)).state is EffectState.FAILED


# -- kill -9 -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def births() -> Any:
    """Give a context whose children are forked from a process that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.plc.lonely", "plc.drivers.modbus", "plc.drivers.opcua"])
    return context


async def test_killed_controllers_never_repeat_a_job_and_never_believe_one_that_was_not_done(
    plant: Plant, births: Any, tmp_path: Path
):
    path, rng, jobs = tmp_path / "books", random.Random(8), 12
    fatal, kills = 0, 0
    life: Any = None
    interrupted: set[int] = set()

    def strike(way: Way, frame: bytes) -> None:
        """Kill the controller at its frame; what it had sent until then still arrives."""
        nonlocal fatal
        fatal -= 1
        if fatal == 0 and life is not None:
            life.kill()

    rules = WEATHER[plant.file.machine.model]
    for number in range(1, LIVES_MOST + 1):
        await behind(plant, *rules, seed=number, on_frame=strike)
        fatal = rng.randrange(8, 50) if number <= LIVES_MOST // 2 else 0
        life = births.Process(target=live, args=(known(plant), plant.address, path, jobs, number))
        life.start()
        try:
            await asyncio.to_thread(life.join)
        finally:
            life.kill()
        if life.exitcode == 0:
            break
        kills += 1
        if rng.random() < 0.4:
            interrupted |= await plant.reboot()
    journal = Journal(path)
    assert life is not None and life.exitcode == 0
    assert kills >= 3, "too few were killed to show anything"
    assert len(journal.tickets()) == jobs and not journal.undecided()
    check(plant, journal.verdicts(), interrupted)
