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


def test_a_look_may_take_long_while_the_cover_stands_open() -> None:
    steady, held = Steady(), station("held", fault=2102)
    for at_s in range(0, 60, 6):
        assert steady.seen(held, at_s, {2102}) == held
        assert steady.seen(station("working"), at_s + 3.0, {2102}) == held, "the cover is still open"
    assert steady.seen(station("working"), 60.0, ()) == station("working"), "it was closed"


def test_another_parcel_or_another_trouble_of_a_device_is_no_reason_to_show_an_old_hold() -> None:
    steady = Steady()
    steady.seen(station("held", fault=2102), 0.0, {2102})
    assert steady.seen(station("working"), STEADY_S, {1006}) == station("working")
    steady.seen(station("held", fault=2102), 2.0, {2102})
    next_one = {**station("working"), "parcel": "PL0000010015"}
    assert steady.seen(next_one, 2.0 + STEADY_S, {2102}) == next_one


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
