"""A station that a person holds: it finishes the job that runs, begins no other, and stays held whatever ends the controller."""

from __future__ import annotations

import pytest

from packline.core.effects import Effect
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import ParcelState
from stations.post import Post
from stations.screen import Instruction
from tests.stations.fakes import Carton
from tests.stations.line import Life
from tests.stations.test_induct import CUP


def post_of(life: Life, work: object, kept: list[str] | None = None) -> Post:
    """Put a post over a work; `kept` hears who holds it."""

    async def ready() -> None:
        """Nothing to reconcile."""

    async def keep(actor: str) -> None:
        if kept is not None:
            kept.append(actor)

    return Post(work, life.kit, ready=ready, keep=keep)  # type: ignore[arg-type]  # one of the rig's works


@pytest.mark.parametrize("during, after", [("print", "apply"), ("apply", "eject")])
async def test_a_hold_between_two_jobs_of_a_step_lets_the_second_not_begin(life: Life, during: str, after: str) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = box = Carton(lpn=lpn, sealed=True)
    post, hands = post_of(life, life.label), life.floor.arm.done

    async def hold(effect: Effect) -> None:
        if effect.kind.name == during:
            await post.hold("lin")

    life.floor.printer.before_send = life.floor.arm.before_send = hold
    for _ in range(3):
        await post._one_step()
    assert (after, lpn) not in hands and life.floor.hall.stop is box
    assert post.screen.next.key == "held" and await life.kit.books.open_exceptions() == []
    await post.release("lin")
    while life.floor.hall.stop is box:
        await post._one_step()
    assert len(box.labels) == 1 and (await life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_a_hold_stops_the_table_before_its_next_turn(life: Life) -> None:
    await life.order(1, {"CUP": 1})
    await life.table.step()
    await life.scan(life.table, CUP)
    life.floor.hall.item_on_table = "CUP"
    post = post_of(life, life.table)

    async def hold(_: Effect) -> None:
        await post.hold("lin")

    life.floor.table.before_send = hold
    await post._one_step()
    assert life.floor.hall.turns == [0.0]


@pytest.mark.parametrize("where", ["pack", "gate"])
async def test_nothing_is_sealed_and_nothing_leaves_when_a_hold_comes_while_the_plate_is_read(
    life: Life, where: str
) -> None:
    if where == "pack":
        life.floor.hall.infeed = box = Carton(lpn=await life.carton(state="collected", place="to:pack-1"))
        post, reader = post_of(life, life.pack), life.floor.scan_pack
    else:
        life.floor.hall.at_gate = box = await life.approved()
        post, reader = post_of(life, life.gate), life.floor.scan_gate
    read = reader.listener
    assert read is not None

    async def hold_meanwhile(scan: Scan) -> Instruction:
        await post.hold("lin")
        return await read(scan)

    reader.listener = hold_meanwhile
    await post._one_step()
    assert life.floor.hall.seals[box.lpn] == 0 and life.floor.hall.gone == []


async def test_who_holds_a_station_is_kept_until_the_release(life: Life) -> None:
    kept: list[str] = []
    post = post_of(life, life.label, kept)
    await post.hold("lin")
    await post.release("mei")
    assert kept == ["lin", ""]
    await post.release("mei")  # nobody held it: there is nothing to be written
    assert kept == ["lin", ""]


async def test_a_station_begins_as_the_run_before_left_it(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    post = post_of(life, life.label)
    post.hold_as_before("lin")
    await post._one_step()
    assert post.screen.next.params == {"by": "lin"} and life.floor.arm.done == []


async def test_a_hold_that_cannot_be_written_down_holds_all_the_same_and_a_release_does_not(life: Life) -> None:
    async def away(_: str) -> None:
        raise Fault(5002, where="database", seen="disk full")

    async def ready() -> None:
        """Nothing to reconcile."""

    post = Post(life.label, life.kit, ready=ready, keep=away)
    for ask in (post.hold("lin"), post.release("lin")):
        with pytest.raises(Fault) as told:
            await ask
        assert told.value.code == 5002 and post.screen.hold_by == "lin"


async def test_everybody_who_holds_a_station_is_named(life: Life) -> None:
    kept: list[str] = []
    post = post_of(life, life.label, kept)
    for actor in ("lin", "mei", "lin"):
        await post.hold(actor)
    assert post.screen.hold_by == kept[-1] == "lin, mei"
    await post.release("mei")
    assert post.screen.hold_by == kept[-1] == ""


async def test_an_error_of_the_program_takes_no_persons_hold_away(life: Life) -> None:
    lpn = await life.carton()
    life.floor.hall.stop = Carton(lpn=lpn, sealed=True)
    post = post_of(life, life.label)

    async def hold(_: Effect) -> None:
        await post.hold("lin")
        raise RuntimeError("what?")

    life.floor.printer.before_send = hold
    await post._one_step()
    assert post.screen.hold_by == "lin"
    await post._one_step()
    assert post.screen.next.params == {"by": "lin"}
