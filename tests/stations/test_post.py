"""The post: holds on faults, asks people once, comes back by itself, and never ends the line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from packline.core.effects import RELEASE, EffectState
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.orders.model import ParcelState
from stations.kit import Trouble
from stations.post import MOST_WAITING_SCANS, Post
from stations.screen import Instruction, Screen, say
from tests.stations.line import Life, Rig
from tests.waiting import let_run, until


class Scripted:
    """A station's work that does what the script says; an exception in it is raised, None is a quiet step."""

    name = "label-1"
    kind = "print_apply"

    def __init__(self, *script: BaseException | None) -> None:
        self.screen = Screen()
        self.machines: Sequence[Any] = ()
        self.script = list(script)
        self.steps = 0

    async def step(self) -> None:
        self.steps += 1
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if said is not None:
            raise said

    async def scanned(self, scan: Scan) -> Instruction:
        if scan.text == "boom":
            raise RuntimeError("boom")
        if scan.text == "no":
            raise Fault(4101, where="here", seen=scan.text)
        return say("carton_ok", lpn=scan.text)


def post_of(life: Life, work: Any) -> Post:
    """Put a post over a work."""

    async def ready() -> None:
        """Nothing to reconcile."""

    return Post(work, life.kit, ready=ready)


async def alarms(life: Life) -> list[int]:
    """Give the codes of standing alarms."""
    return [int(row["code"]) for row in await life.store.desk.standing_alarms()]


async def questions(life: Life) -> list[int]:
    """Give the codes of open exceptions."""
    return [row.code for row in await life.kit.books.open_exceptions()]


async def test_a_machine_fault_holds_with_one_alarm_and_recovers_by_itself(life: Life) -> None:
    work = Scripted(*[Fault(2007, where="arm-1")] * 3, None)
    post = post_of(life, work)
    for _ in range(3):
        await post._one_step()
    assert await alarms(life) == [2007]
    assert (post.snapshot()["state"], post.snapshot()["fault"]["code"]) == ("held", 2007)
    await post._one_step()
    assert await alarms(life) == [] and post.snapshot()["fault"] is None
    assert await questions(life) == []


async def test_an_alarm_ends_with_its_cause_also_where_another_cause_holds_the_station_now(life: Life) -> None:
    post = post_of(life, Scripted(Fault(2102, where="printer-1"), Fault(2007, where="arm-1")))
    await post._one_step()
    await post._one_step()
    assert await alarms(life) == [2007]


async def test_an_alarm_ends_when_the_station_asks_a_person_about_something_else(life: Life) -> None:
    asks = Trouble(Fault(2107, where="label-1"), subject="label-1")
    post = post_of(life, Scripted(Fault(2007, where="arm-1"), asks))
    await post._one_step()
    asking = asyncio.ensure_future(post._one_step())
    await until(lambda: questions(life))
    await let_run(5)
    assert await alarms(life) == []
    asking.cancel()


async def test_a_release_ends_the_alarms_of_the_hold_and_what_is_still_wrong_rings_again(life: Life) -> None:
    work = Scripted(Fault(2007, where="arm-1"))
    post = post_of(life, work)
    await post._one_step()
    await post.hold("lin")
    await post.release("lin")  # its next step may wait for hands as long as it likes
    assert await alarms(life) == []
    await post._one_step()
    assert await alarms(life) == [2007]


async def test_a_link_that_comes_back_at_once_rings_no_bell(life: Life) -> None:
    work = Scripted(Fault(1001, where="arm-1"), Fault(1001, where="arm-1"), None)
    post = post_of(life, work)
    await post._one_step()
    await post._one_step()
    assert await alarms(life) == [] and post.screen.state == "offline"
    await post._one_step()
    work.script = [Fault(1001, where="arm-1")]
    await post._one_step()
    life.floor.clock.advance(3)
    await post._one_step()
    assert await alarms(life) == [1001]


async def test_an_alarm_of_an_earlier_run_is_cleared_when_its_cause_is_gone(rig: Rig) -> None:
    life = rig.live()
    await post_of(life, Scripted(Fault(2007, where="arm-1")))._one_step()
    again = rig.live()
    await post_of(again, Scripted(None))._one_step()
    assert await alarms(again) == []


async def test_what_may_pass_is_tried_again_a_bounded_number_of_times_before_a_person_is_asked(life: Life) -> None:
    no_read = Trouble(Fault(3001, where="label-1"), subject="label-1")
    work = Scripted(no_read)
    post = post_of(life, work)
    await post._one_step()
    await post._one_step()
    assert await questions(life) == []
    asking = asyncio.ensure_future(post._one_step())
    await until(lambda: questions(life))
    assert post.screen.state == "asking" and work.steps == 3
    (row,) = await life.kit.books.open_exceptions()
    assert post.screen.next.params["exception"] == row.exception_id
    await life.resolver.resolve(row.exception_id, "retry", actor="lin", role="operator")
    post.wake()
    await asking
    assert work.steps == 3


async def test_a_question_offers_what_its_effect_allows_besides(life: Life) -> None:
    found = Trouble(Fault(2006, where="label-1"), subject="PL0000000994", kind="apply")
    asking = asyncio.ensure_future(post_of(life, Scripted(found))._one_step())
    await until(lambda: questions(life))
    (row,) = await life.kit.books.open_exceptions()
    assert row.actions == ("retry", "clarify", "reprint")
    asking.cancel()


async def test_a_good_step_makes_the_tries_count_from_the_start(life: Life) -> None:
    no_read = Trouble(Fault(3001, where="label-1"), subject="label-1")
    post = post_of(life, Scripted(no_read, no_read, None, no_read, no_read, None))
    for _ in range(6):
        await post._one_step()
    assert await questions(life) == []


async def test_a_note_does_not_stop_the_station_and_is_written_once(life: Life) -> None:
    post = post_of(life, Scripted(Trouble(Fault(4106, where="label-1"), subject="PL0000000994")))
    for _ in range(3):
        await post._one_step()
    assert await questions(life) == [4106]


async def test_something_unforeseen_holds_the_station_until_a_person_releases_it(life: Life) -> None:
    work = Scripted(RuntimeError("what?"), None)
    work.machines = (life.floor.machines["arm"],)
    post = post_of(life, work)
    await post._one_step()
    assert post.screen.hold_by == "software" and await alarms(life) == [5001]
    await post._one_step()
    assert work.steps == 1 and post.screen.fault is not None
    assert post.screen.fault.seen == "an error of the program, RuntimeError"
    await post.release("lin")
    await post._one_step()
    assert work.steps == 2 and await alarms(life) == [] and life.floor.machines["arm"].released == 1


async def test_a_held_station_does_not_step(life: Life) -> None:
    work = Scripted(None)
    post = post_of(life, work)
    await post.hold("lin")
    await post._one_step()
    assert work.steps == 0 and post.screen.next.params == {"by": "lin"}


async def test_a_station_that_asks_can_be_held(life: Life) -> None:
    post = post_of(life, Scripted(Trouble(Fault(2107, where="label-1"), subject="label-1")))
    asking = asyncio.ensure_future(post._one_step())
    await until(lambda: questions(life))
    await post.hold("lin")
    await asking
    assert await questions(life) == [2107]


@pytest.mark.parametrize("when", ["while it waits", "before it asks"])
async def test_a_station_that_waits_for_a_person_can_be_held_and_asks_again_afterwards(life: Life, when: str) -> None:
    box = await life.approved()
    is_early = when == "before it asks"

    async def ready() -> None:
        if is_early and await life.effect(RELEASE, box.lpn, 1) is None:
            await post.hold("lin")

    post = Post(life.door, life.kit, ready=ready)
    await life.scan(life.door, f"00{box.labels[0].sscc}")
    step = asyncio.ensure_future(post._one_step())
    if not is_early:
        await until(lambda: life.door._hands.job is not None)
        await post.hold("lin")
    await until(step.done)
    assert life.door._hands.job is None
    assert await life.effect(RELEASE, box.lpn, 1) is EffectState.SENT
    await post._one_step()
    assert post.screen.next.key == "held" and post.screen.fault is None
    await post.release("lin")
    step = asyncio.ensure_future(post._one_step())
    await until(lambda: life.door._hands.job is not None)
    await life.scan(life.door, "DO:DONE")
    await step
    assert (await life.parcel(box.lpn)).state is ParcelState.SHIPPED and await questions(life) == []


async def test_books_that_cannot_be_written_hold_the_station_and_do_not_end_the_line(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> str:
        raise Fault(5002, where="database", seen="disk full")

    monkeypatch.setattr(life.kit.books, "open_exception", full)
    post = post_of(life, Scripted(Trouble(Fault(2107, where="label-1"), subject="label-1"), None))
    await post._one_step()
    assert post.screen.state == "held" and post.screen.fault is not None and post.screen.fault.code == 5002
    await post._one_step()
    assert post.screen.fault is None


async def test_scans_are_answered_in_order_and_a_bad_one_never_stops_the_station(life: Life) -> None:
    post = post_of(life, Scripted(None))
    running = asyncio.ensure_future(post.run())
    for text in ("one", "no", "boom", "two"):
        post.scan(Scan(text=text, device="hand", at=life.floor.clock.now()))
    await until(lambda: post.screen.scan_count >= 4)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    seen = [(scan["text"], scan["result"]["key"], scan["result"]["params"].get("code")) for scan in post.screen.scans]
    assert seen == [
        ("two", "carton_ok", None),
        ("boom", "refused", 5001),
        ("no", "refused", 4101),
        ("one", "carton_ok", None),
    ]


def test_waiting_scans_are_bounded(life: Life) -> None:
    post = post_of(life, Scripted(None))
    for n in range(MOST_WAITING_SCANS + 10):
        post.scan(Scan(text=str(n), device="hand", at=life.floor.clock.now()))
    assert post._scans.qsize() == MOST_WAITING_SCANS


def test_the_snapshot_has_what_the_contract_names(life: Life) -> None:
    post = post_of(life, life.label)
    assert set(post.snapshot()) == {
        *("name", "kind", "state", "parcel", "order", "unit", "next", "tasks", "scans", "pictures", "fault", "hold_by")
    }
