"""After a stop or a restored backup: first look and ask, then act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from controller.recovery import FIRST_LOOK_S, HOSTS, JUMPS, RESTORED, Recovery
from packline.core.effects import APPLY, EJECT, PRINT, TURN, Device, Effect, EffectState, OpenEffect
from packline.core.faults import Fault
from tests.stations.fakes import Killed
from tests.stations.line import Life, Rig
from tests.waiting import let_run, until


class Around:
    """What a recovery is told of the outside."""

    def __init__(self) -> None:
        self.older = False
        self.job = 0
        self.seen = True
        self.hosts = [True]
        self.asked = 0
        self.voided: list[str] = []
        self.restored = "no"
        self.asides = 0

    async def void_label(self, row: OpenEffect) -> None:
        self.voided.append(row.effect.subject)

    async def set_aside(self) -> None:
        assert self.asked == 0, "the hosts were asked first"
        self.asides += 1

    async def reconcile(self) -> bool:
        self.asked += 1
        return self.hosts.pop(0) if len(self.hosts) > 1 else self.hosts[0]


def recovery(life: Life, around: Around, unclean: bool = False) -> Recovery:
    """Make the recovery of a run."""
    return Recovery(
        ledger=life.kit.ledger,
        desk=life.kit.books,
        serials=life.store.meta,
        unclean=unclean,
        books_older=lambda: around.older,
        set_aside=around.set_aside,
        restored=around.restored,
        reconcile_hosts=around.reconcile,
        clock=life.floor.clock,
        void_label=around.void_label,
        newest_job=lambda: around.job,
        all_seen=lambda: around.seen,
    )


def arm(life: Life) -> Mapping[str, Device]:
    """Give the devices of the label station by kind of effect."""
    floor = life.floor
    return {"apply": floor.arm, "eject": floor.arm, "discard": floor.arm, "print": floor.printer}


async def test_nothing_is_found_after_a_clean_stop(life: Life) -> None:
    found = recovery(life, Around())
    await found.ready("label-1", {})
    assert found.findings.as_dict() is None and await life.kit.books.open_exceptions() == []


async def test_open_effects_are_asked_after_before_the_station_acts(rig: Rig) -> None:
    life = rig.live()
    lpn = await life.carton()
    rig.floor.points.passed.clear()
    rig.floor.points.kill_at = None
    rig.floor.hall.stop = None
    effect = Effect(kind=EJECT, subject=lpn, generation=1, station="label-1", parameters={"lane": 2})
    box = await life.label_all(lpn)
    rig.floor.hall.stop = box
    rig.floor.points.passed.clear()
    rig.floor.points.kill_at = 3  # prepare, send, done: the answer is lost with the process
    with pytest.raises(Killed):
        await life.kit.ledger.perform(
            Effect(kind=EJECT, subject=lpn, generation=7, station="label-1", parameters={"lane": 3}), rig.floor.arm
        )
    rig.floor.points.kill_at = None
    again = rig.live()
    found = recovery(again, Around(), unclean=True)
    await found.ready("label-1", arm(again))
    (told,) = (found.findings.as_dict() or {})["effects"]
    assert (told["was"], told["is"], told["witness"]) == ("intended", "confirmed", "machine memory")
    assert rig.floor.arm.done.count(("eject", lpn)) == 2 and effect.subject == lpn


async def test_recovery_never_sends_anything_again(rig: Rig) -> None:
    """A turn in doubt after two stops: asked after, not repeated, and no reason to keep the station from starting."""
    life = rig.live()
    rig.floor.table.misbehave["turn"] = "deaf"
    turn = Effect(kind=TURN, subject="u.1.1", generation=1, station="induct-1", parameters={"angle_deg": 90})
    assert (await life.kit.ledger.perform(turn, rig.floor.table)).state is EffectState.UNKNOWN
    again = rig.live()
    rig.floor.table.not_ready = Fault(2001, where="turntable-1", seen="Held")
    found = recovery(again, Around(), unclean=True)
    await found.ready("induct-1", {"turn": rig.floor.table})
    assert rig.floor.hall.turns == []


async def test_a_station_waits_for_a_machine_that_is_off_while_one_of_its_jobs_is_open(rig: Rig) -> None:
    life = rig.live()
    lpn = await life.carton()
    rig.floor.arm.misbehave["apply"] = "gone"
    apply = Effect(kind=APPLY, subject=lpn, generation=1, station="label-1")
    await life.kit.ledger.perform(apply, rig.floor.arm)
    found = recovery(rig.live(), Around(), unclean=True)
    for _ in range(3):
        with pytest.raises(Fault) as fault:
            await found.ready("label-1", arm(life))
        assert fault.value.code == 1001
    (told,) = (found.findings.as_dict() or {})["effects"]  # one line, however often it was asked after
    assert (told["subject"], told["is"]) == (lpn, "unknown")
    await found.ready("pack-1", {})  # another station is free to act


async def test_a_persons_open_job_keeps_no_station_waiting(rig: Rig) -> None:
    life = rig.live()
    lpn = await life.carton()
    rig.floor.arm.misbehave["apply"] = "mute"
    await life.kit.ledger.perform(Effect(kind=APPLY, subject=lpn, generation=1, station="bench-1"), rig.floor.arm)
    await recovery(rig.live(), Around()).ready("bench-1", {})


@pytest.mark.parametrize("sign", ["epoch", "job"])
async def test_serials_jump_before_any_station_acts_when_the_books_are_older(life: Life, sign: str) -> None:
    around = Around()
    before = {name: await life.kit.books.serial(name) for name in ("sscc", "print", "job")}
    around.older, around.job = sign == "epoch", before["job"] + 40 if sign == "job" else 0
    found = recovery(life, around)
    await asyncio.gather(*(found.ready(name, {}) for name in ("label-1", "bench-1", "pack-1")))
    after = {name: await life.kit.books.serial(name) for name in ("sscc", "print", "job")}
    assert all(after[name] == before[name] + JUMPS[name] + 1 for name in before)
    assert around.asked == 1
    assert [row.code for row in await life.kit.books.open_exceptions()] == [3009]
    told = found.findings.as_dict()
    assert told is not None and told["books_older"] and told["notes"] == ["serials_jumped"]


async def test_a_backup_that_was_put_back_is_re_based_even_if_no_machine_knows_better(life: Life) -> None:
    """A line of people only, or machines that are off: nothing but the mark of the restore tells that numbers are used."""
    around = Around()
    around.restored, around.seen = "yes", False
    before = await life.kit.books.serial("sscc")
    found = recovery(life, around)
    assert not found.may_release
    await found.ready("bench-1", {})
    assert await life.kit.books.serial("sscc") == before + JUMPS["sscc"] + 1
    assert (around.asides, around.asked, found.may_release) == (1, 1, True)
    assert await life.store.meta.get(RESTORED) == "no"


async def test_a_re_base_that_was_broken_off_is_begun_again_at_the_next_start(life: Life) -> None:
    class KilledMeanwhile(Around):
        async def set_aside(self) -> None:
            raise Killed

    around = KilledMeanwhile()
    around.older = True
    with pytest.raises(Killed):
        await recovery(life, around).ready("label-1", {})
    assert await life.store.meta.get(RESTORED) == "yes"


async def test_no_order_goes_to_the_floor_before_every_host_said_what_it_has_of_it(life: Life) -> None:
    around = Around()
    around.restored, around.hosts = "yes", [False, True]
    found = recovery(life, around)
    background = asyncio.ensure_future(found.run())
    await found.ready("label-1", {})
    assert not found.may_release
    await until(lambda: found.may_release, turns=2000)
    background.cancel()


async def test_no_order_goes_to_the_floor_while_the_hosts_of_books_that_the_machines_call_old_are_asked(
    life: Life,
) -> None:
    """Without the mark of a restore: only the machines' epochs or jobs tell."""

    class Slow(Around):
        def __init__(self) -> None:
            super().__init__()
            self.older, self.answers = True, asyncio.Event()

        async def reconcile(self) -> bool:
            await self.answers.wait()
            return True

    around = Slow()
    found = recovery(life, around)
    may = [found.may_release]
    ready = asyncio.ensure_future(found.ready("label-1", {}))
    await until(lambda: around.asides == 1, turns=2000)
    may.append(found.may_release)
    around.answers.set()
    await ready
    assert [*may, found.may_release] == [True, False, True]


async def test_a_host_that_was_not_asked_yet_is_waited_for_after_a_restart_too(life: Life) -> None:
    around = Around()
    around.restored, around.hosts = "yes", [False]
    await recovery(life, around).ready("label-1", {})
    around.restored = await life.store.meta.get(RESTORED)  # here the controller dies, and another starts
    assert around.restored == HOSTS
    again, jumped = recovery(life, around), await life.kit.books.serial("sscc")
    background = asyncio.ensure_future(again.run())
    await again.ready("label-1", {})
    await let_run(50)
    assert not again.may_release and around.asides == 1 and await life.kit.books.serial("sscc") == jumped + 1
    around.hosts = [True]
    await until(lambda: again.may_release, turns=2000)
    assert await life.store.meta.get(RESTORED) == "no"
    background.cancel()


async def test_hosts_are_asked_again_when_the_books_were_away_meanwhile(life: Life) -> None:
    class Refused(Around):
        async def reconcile(self) -> bool:
            if await super().reconcile():
                return True
            if self.asked == 2:
                raise Fault(5002, where="database", seen="locked")
            return False

    around = Refused()
    around.older, around.hosts = True, [False, False, True]
    found = recovery(life, around)
    background = asyncio.ensure_future(found.run())
    await found.ready("label-1", {})
    await until(lambda: found.may_release or background.done(), turns=2000)
    assert found.may_release and not background.done()
    background.cancel()


async def test_a_re_base_that_fails_again_and_again_uses_up_no_numbers(life: Life) -> None:
    class Refused(Around):
        async def set_aside(self) -> None:
            self.asides += 1
            if self.asides < 4:
                raise Fault(5002, where="database", seen="locked")

    around = Refused()
    around.older = True
    found, before = recovery(life, around), await life.kit.books.serial("sscc")
    for _ in range(3):
        with pytest.raises(Fault, match="5002"):
            await found.ready("label-1", {})
    await found.ready("label-1", {})
    assert await life.kit.books.serial("sscc") == before + JUMPS["sscc"] + 1


async def test_job_numbers_of_this_run_are_no_sign_of_older_books(life: Life) -> None:
    around = Around()
    found = recovery(life, around)
    for _ in range(5):
        around.job = await life.kit.books.serial("job")
        await found.ready("label-1", {})
    assert found.findings.as_dict() is None


async def test_other_stations_wait_until_the_hosts_were_asked(life: Life) -> None:
    gate = asyncio.Event()

    class Slow(Around):
        async def reconcile(self) -> bool:
            return await gate.wait()

    around = Slow()
    around.older = True
    found = recovery(life, around)
    waiting = [asyncio.ensure_future(found.ready(name, {})) for name in ("label-1", "induct-1")]
    await let_run(20)
    assert not any(task.done() for task in waiting)
    gate.set()
    await asyncio.gather(*waiting)


async def test_a_host_that_was_away_is_asked_until_it_answers_while_the_line_runs(life: Life) -> None:
    around = Around()
    around.older, around.hosts = True, [False, False, True, False]
    found = recovery(life, around)
    background = asyncio.ensure_future(found.run())
    await found.ready("label-1", {})
    await until(lambda: around.asked >= 3, turns=2000)
    await let_run(50)
    assert around.asked == 3
    background.cancel()


async def test_nobody_acts_before_every_machine_was_seen_but_not_for_ever(life: Life) -> None:
    around = Around()
    around.seen = False
    found = recovery(life, around)
    began = life.floor.clock.monotonic()
    await found.ready("bench-1", {})
    assert FIRST_LOOK_S <= life.floor.clock.monotonic() - began < FIRST_LOOK_S + 1
    assert PRINT.once
