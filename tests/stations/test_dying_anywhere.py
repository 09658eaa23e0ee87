"""The controller dies at every single point of a parcel's way, is started again, and goes on: nothing happens twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from packline.core.effects import EffectState
from packline.orders.model import OrderState, ParcelState
from stations.kit import Trouble
from tests.stations.fakes import Carton, Killed
from tests.stations.line import Database, Life, Rig

MOST_STEPS = 30
Goal = Callable[[Rig], bool]


async def label_until_gone(rig: Rig, life: Life) -> None:
    """Step the label station until its carton has left."""
    for _ in range(MOST_STEPS):
        if rig.floor.hall.stop is None:
            return
        try:
            await life.label.step()
        except Trouble as found:
            if found.fault.code != 2003:  # "not executed": the next step does it again
                raise
    raise AssertionError(f"stuck at {life.label.screen.next}")


async def pack_until_sealed(rig: Rig, life: Life) -> None:
    """Step the packing station until the carton is sealed, then let the belt take it and the camera see it."""
    for _ in range(MOST_STEPS):
        box = rig.floor.hall.infeed
        if box is not None and box.sealed and (await life.parcel(box.lpn)).state is not ParcelState.COLLECTED:
            return
        try:
            await life.pack.step()
        except Trouble as found:
            if found.fault.code != 2003:
                raise
    raise AssertionError(f"stuck at {life.pack.screen.next}")


async def gate_until_booked(rig: Rig, life: Life) -> None:
    """Step the gate until it stands idle with nothing before it."""
    for _ in range(MOST_STEPS):
        idle = life.gate.screen.next.key == "place_parcel" and life.gate.screen.state == "idle"
        if rig.floor.hall.at_gate is None and idle:
            return
        try:
            await life.gate.step()
        except Trouble as found:
            if found.fault.code != 2003:
                raise
    raise AssertionError(f"stuck at {life.gate.screen.next}")


Work = Callable[[Rig, Life], Awaitable[None]]
Begin = Callable[[Rig, Life], Awaitable[str]]


async def a_packed_carton(rig: Rig, life: Life) -> str:
    lpn = await life.carton()
    rig.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    return lpn


async def a_collected_carton(rig: Rig, life: Life) -> str:
    lpn = await life.carton(state="collected", place="to:pack-1")
    rig.floor.hall.infeed = Carton(lpn=lpn)
    return lpn


async def an_approved_parcel(rig: Rig, life: Life) -> str:
    box = await life.approved()
    rig.floor.hall.at_gate = box
    return box.lpn


async def killed_at(rig: Rig, begin: Begin, work: Work, kill_at: int | None) -> tuple[str, Life, bool]:
    """Begin, die at one point, live again until the work is done; tells whether there was such a point."""
    first = rig.live()
    lpn = await begin(rig, first)
    first.close()
    points = rig.floor.points
    points.passed.clear()
    points.kill_at = kill_at
    life = rig.live(counted=True)
    died = False
    try:
        await work(rig, life)
    except Killed:
        died = True
        rig.die(life)
        points.kill_at = None
        life = rig.live()
        await work(rig, life)
    return lpn, life, died


WAYS = {
    "label": (a_packed_carton, label_until_gone),
    "pack": (a_collected_carton, pack_until_sealed),
    "gate": (an_approved_parcel, gate_until_booked),
}


async def count_points(rig: Rig, way: str) -> list[str]:
    """Give the names of all points of a way."""
    await killed_at(rig, *WAYS[way], None)
    return list(rig.floor.points.passed)


def distinct(names: list[str]) -> list[int]:
    """Give one point of each pair of books and hall: between two commits and acts, all deaths are the same."""
    chosen, seen, state = [], set(), (0, 0)
    for number, name in enumerate(names, 1):
        state = (state[0] + (name == "after commit"), state[1] + name.startswith("done "))
        if state not in seen:
            seen.add(state)
            chosen.append(number)
    return chosen


async def every_death(database: Database, way: str) -> AsyncIterator[tuple[str, Rig, Life, str]]:
    """Die at every point of a way in turn; gives the point, the rig, the last life and the plate."""
    counted = Rig(database)
    names = await count_points(counted, way)
    counted.close()
    for number in distinct(names):
        rig = Rig(database)
        lpn, life, died = await killed_at(rig, *WAYS[way], number)
        assert died, names[number - 1]
        yield f"{number} {names[number - 1]}", rig, life, lpn
        rig.close()


async def test_label_is_never_printed_or_applied_twice_after_a_crash_at_any_point(database: Database) -> None:
    deaths = 0
    async for point, rig, life, lpn in every_death(database, "label"):
        deaths += 1
        hall = rig.floor.hall
        parcel = await life.parcel(lpn)
        assert parcel.state is ParcelState.VERIFIED, point
        assert len(hall.printed) == 1 and len(hall.stuck) == 1, (point, hall.printed, hall.stuck)
        assert not hall.wrong_labels() and not hall.doubles(), point
        assert [box.lpn for box in hall.lanes[2]] == [lpn], point
        assert await life.kit.books.open_exceptions() == [], point
        assert parcel.place == "to:lane-hold" or parcel.place == "label-1", point
        open_kinds = {row.effect.kind.name for row in await life.kit.ledger.open_effects()}
        assert open_kinds <= {"eject"}, point
    assert deaths > 20


async def test_carton_is_sealed_once_after_a_crash_at_any_point(database: Database) -> None:
    async for point, rig, life, lpn in every_death(database, "pack"):
        assert rig.floor.hall.seals == {lpn: 1}, point
        assert (await life.parcel(lpn)).state is ParcelState.PACKED, point


async def test_gate_ships_exactly_once_after_a_crash_at_any_point(database: Database) -> None:
    async for point, rig, life, lpn in every_death(database, "gate"):
        parcel = await life.parcel(lpn)
        assert parcel.state is ParcelState.SHIPPED and parcel.place == "gone", point
        assert [box.lpn for box in rig.floor.hall.gone] == [lpn], point
        assert rig.floor.gate.done.count(("release", lpn)) == 1, point
        assert (await life.the_order(parcel.order_id)).state is OrderState.SHIPPED, point


@pytest.mark.parametrize("how", ["mute", "deaf"])
async def test_an_apply_in_doubt_after_a_crash_is_settled_by_the_camera_only(database: Database, how: str) -> None:
    """The arm lost its memory of the job and the controller died, at every point after the print."""
    rig = Rig(database)
    names = await count_points(rig, "label")
    rig.close()
    first, last = names.index("done print"), names.index("done apply") + 2
    before_verdict = [n for n in distinct(names) if first < n <= last]
    for number in before_verdict:
        rig = Rig(database)
        rig.floor.arm.misbehave["apply"] = how
        doubt = None
        try:
            lpn, life, _ = await killed_at(rig, *WAYS["label"], number)
        except Trouble as found:
            doubt = found.fault.code
        if doubt is not None:
            assert how == "deaf" and doubt in (2005, 2104) and rig.floor.hall.stuck == [], names[number - 1]
        else:
            assert how == "mute" or rig.floor.hall.stuck, names[number - 1]
            assert (await life.parcel(lpn)).state is ParcelState.VERIFIED
            assert await life.effect_of_apply(lpn) is EffectState.CONFIRMED
        assert len(rig.floor.hall.stuck) <= 1 and len(rig.floor.hall.printed) == 1
        rig.close()
