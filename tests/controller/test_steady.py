"""A station that is held by a fault is shown as held until it really works again."""

from __future__ import annotations

from typing import Any

import pytest

from controller.steady import STEADY_S, Steady


def station(state: str, *, fault: int = 0, hold_by: str = "", name: str = "label-1") -> dict[str, Any]:
    following: dict[str, Any] = {"key": "fault" if fault else "wait_carton", "params": {}}
    return {
        "name": name,
        "state": state,
        "next": following,
        "fault": {"code": fault} if fault else None,
        "hold_by": hold_by,
    }


def test_a_held_printer_station_does_not_flicker_between_its_looks() -> None:
    steady, held = Steady(), station("held", fault=2101)
    shown = [
        steady.seen(held if n % 2 == 0 else station("working"), n * 0.25)  # each look at the printer begins as work
        for n in range(40)
    ]
    assert all(seen == held for seen in shown)


def test_a_station_that_works_again_is_shown_so_after_a_moment() -> None:
    steady = Steady()
    steady.seen(station("held", fault=2101), 0.0)
    assert steady.seen(station("working"), STEADY_S - 0.1)["fault"] == {"code": 2101}
    assert steady.seen(station("working"), STEADY_S) == station("working")
    assert steady.seen(station("working"), STEADY_S + 0.1) == station("working")


@pytest.mark.parametrize("state", ["asking", "held", "offline"])
def test_whatever_needs_a_person_is_shown_at_once(state: str) -> None:
    steady = Steady()
    steady.seen(station("held", fault=2101), 0.0)
    assert steady.seen(station(state, fault=2104), 0.1) == station(state, fault=2104)


def test_a_person_who_releases_a_station_sees_it_work_at_once_and_no_other_station_is_touched() -> None:
    steady = Steady()
    steady.seen(station("held", hold_by="lin"), 0.0)
    assert steady.seen(station("working"), 0.1) == station("working")
    steady.seen(station("held", fault=2101), 0.2)
    assert steady.seen(station("working", name="pack-1"), 0.3) == station("working", name="pack-1")
