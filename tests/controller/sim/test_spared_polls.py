"""Polls that cannot see a change are spared in virtual time; what the controller does is the same as with all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from controller.commands.sim.shift import Played, Shift, play
from controller.site_file import load_site
from plc.polling import Moments
from simulation.machines.machine import Machine as Plc
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


def test_no_poll_is_spared_where_faults_strike_that_are_no_doing_of_the_plant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = [0]
    scans_of(reads, monkeypatch)
    fault = PlannedFault(at_s=4.0, device="arm-1", fault="unplugged", for_s=1.0)
    every = play(shift(tmp_path, faults=(fault,), elide=False))
    reads.append(0)
    assert told(play(shift(tmp_path, faults=(fault,)))) == told(every)
    assert reads[0] == reads[1]


@pytest.mark.parametrize("period_s", [0.02, 0.05, 1.0])
@pytest.mark.parametrize("now", [0.0, 0.0499999, 12.3, 86_400.0, 1.7e9])
def test_a_machine_has_one_moment_in_each_period(now: float, period_s: float) -> None:
    moments = Moments("arm-1")
    last, after = moments.last(now, period_s), moments.after(now, period_s)
    assert last <= now < after
    assert after - last == pytest.approx(period_s, abs=1e-6)
    assert moments.last(after, period_s) == after
    assert Moments("gate-1").after(now, period_s) != after
