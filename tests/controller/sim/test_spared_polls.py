"""Polls that cannot see a change are spared in virtual time; what the controller does is the same as with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import simpy

from controller.commands.sim.shift.parts import Played, Shift
from controller.commands.sim.shift.playing import play
from controller.site_file import load_site
from packline.core.clock import ManualClock
from plc.handshake import frames
from plc.machine_file import shipped_machine
from plc.polling import Moments
from simulation.hall import Hall
from simulation.machines.machine import Machine as Plc
from simulation.mounts.memory import MemoryMount
from simulation.pacer import Pacer
from simulation.spec import MachineSpec, PlantSpec
from simulation.virtual.faults import PlannedFault

SITE = Path(__file__).parents[3] / "sites" / "demo.toml"


def shift(folder: Path, **changes: object) -> Shift:
    return replace(Shift(site=load_site(SITE), path=SITE, folder=folder, orders=3), **changes)  # type: ignore[arg-type]


def scans_of(played: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Count what machines are asked for."""
    read = Plc.read

    def counted(self: Plc, block: str) -> tuple[int, ...]:
        played[-1] += 1
        return read(self, block)

    monkeypatch.setattr(Plc, "read", counted)


def told(played: Played) -> tuple[object, ...]:
    return played.journal, played.truth, played.virtual_s, played.commits, played.broken


def test_spared_polls_leave_the_journal_as_it_is_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = [0]
    scans_of(reads, monkeypatch)
    every = play(shift(tmp_path, seed=3, elide=False))
    reads.append(0)
    spared = play(shift(tmp_path, seed=3))
    assert told(spared) == told(every)
    assert reads[1] < reads[0] / 3


STRIKES = (
    PlannedFault(at_s=0.5, device="turntable-1", fault="frozen", for_s=1.0),
    PlannedFault(at_s=0.6, device="packer-1", fault="unplugged", for_s=0.3),
    PlannedFault(at_s=2.0, device="turntable-1", fault="garbage", for_s=0.2),
    PlannedFault(at_s=2.4, device="arm-1", fault="late_answers", for_s=1.0),
    PlannedFault(at_s=3.0, device="gate-1", fault="torn", times=1),
    PlannedFault(at_s=4.0, device="arm-1", fault="unplugged", for_s=1.0),
    PlannedFault(at_s=5.3, device="packer-1", fault="lost_answer", times=1),
    PlannedFault(at_s=6.1, device="arm-1", fault="reboot"),
    PlannedFault(at_s=7.2, device="gate-1", fault="stale_heartbeat", for_s=2.6),
)
"""What goes wrong at machines and on their links, when they move and when they rest."""


def test_faults_of_machines_and_links_strike_as_they_do_when_every_poll_is_made(tmp_path: Path) -> None:
    assert told(play(shift(tmp_path, orders=2, one_in=0, faults=STRIKES))) == told(
        play(shift(tmp_path, orders=2, one_in=0, faults=STRIKES, elide=False))
    )


class Showing:
    """A device whose STATUS says one thing."""

    def __init__(self) -> None:
        self.is_sound = True

    def read(self, _block: str) -> tuple[int, ...]:
        return (1, 2, 3, 4)

    def write(self, block: str, words: Sequence[int], offset: int = 0) -> None:
        raise AssertionError(f"{words} for {block}")


async def test_nothing_is_spared_after_a_read_that_was_spoilt_and_while_something_is_wrong() -> None:
    device = Showing()
    mount = MemoryMount(device)
    mount.tell_news(lambda: ("one thing",), lambda: device.is_sound)
    await mount.open()
    link = mount.link()
    await link.connect()
    assert link.listen(unheard) is None  # nothing was read yet
    await link.read(frames.STATUS)
    assert link.listen(unheard) == 0.0
    mount.wire.quirks.on("word_order", 1)
    assert link.listen(unheard) is None
    await link.read(frames.STATUS)
    assert mount.wire.is_good
    assert link.listen(unheard) is None
    await link.read(frames.STATUS)
    assert link.listen(unheard) == 0.0
    device.is_sound = False
    assert link.listen(unheard) is None


async def test_who_listens_is_told_once_when_there_is_something_new_and_when_something_goes_wrong() -> None:
    shown, told = ["one thing"], list[str]()
    mount = MemoryMount(Showing())
    mount.tell_news(lambda: tuple(shown), lambda: True)
    await mount.open()
    link = mount.link()
    await link.connect()
    await link.read(frames.STATUS)
    link.listen(lambda: told.append("new"))
    mount.look()
    assert told == []
    shown[0] = "another"
    mount.look()
    mount.look()
    assert told == ["new"]
    assert link.listen(unheard) is None  # it was not read yet
    await link.read(frames.STATUS)
    link.listen(lambda: told.append("wrong"))
    await mount.close()
    assert told == ["new", "wrong"]
    assert link.listen(unheard) is None  # nobody answers


def unheard() -> None:
    raise AssertionError("there are no news")


def test_machine_that_changes_in_a_scan_has_news() -> None:
    clock, file = ManualClock(), shipped_machine("turntable")
    spec = PlantSpec(machines=(MachineSpec(name="m1", file=file, address="127.0.0.1:0", at=""),), first_plate=1)
    machine = Hall(spec, Pacer(simpy.Environment(), 1.0, clock), clock).machines["m1"]
    assert isinstance(machine, Plc)
    machine.power_on()
    machine.brain.write(frames.CMD, frames.encode_command(frames.claim(1, machine.brain.memory.boot, 7)))
    before, touches = machine.shown(), machine.touches
    machine.scan()
    assert machine.shown() != before
    assert machine.touches != touches


@pytest.mark.parametrize("period_s", [0.02, 0.05, 1.0])
@pytest.mark.parametrize("now", [0.0, 0.0499999, 12.3, 86_400.0, 1.7e9])
def test_a_machine_has_one_moment_in_each_period(now: float, period_s: float) -> None:
    moments = Moments("arm-1")
    last, after = moments.last(now, period_s), moments.after(now, period_s)
    assert last <= now < after
    assert after - last == pytest.approx(period_s, abs=1e-6)
    assert moments.last(after, period_s) == after
    assert Moments("gate-1").after(now, period_s) != after
