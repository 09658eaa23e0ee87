"""What people ask for: carried out once, by those who may, while it is fresh; everything else is refused with a reason."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from controller.hands import Hands, RequestStore
from controller.requests import RequestDesk
from packline.core.faults import Fault
from packline.orders.model import ParcelState, Purchase
from packline.orders.ports import ExceptionRow
from packline.store.requests import Request, Requests
from stations.post import Post
from stations.screen import SEEN
from tests.stations.line import Life, Rig
from tests.stations.test_induct import CUP, ONE, boxed, shown
from tests.waiting import serving, until

KEYS = itertools.count()


class Elsewhere:
    """What lies outside these tests: the quarantine and the inbox."""

    def __init__(self) -> None:
        self.decided: list[tuple[str, str]] = []
        self.replayed: list[int] = []
        self.dismissed: list[tuple[int, str, str]] = []
        self.error: Exception | None = None

    async def decide(self, row: ExceptionRow, *, action: str, actor: str, note: str = "") -> None:
        if self.error is not None:
            raise self.error
        self.decided.append((row.subject, action))

    async def replay(self, inbox_id: int) -> None:
        self.replayed.append(inbox_id)

    async def dismiss(self, inbox_id: int, *, actor: str, note: str = "") -> None:
        self.dismissed.append((inbox_id, actor, note))


class Locked:
    """Requests in books that are locked in the moment of the first two answers."""

    def __init__(self, requests: Requests) -> None:
        self._requests, self._fails = requests, 2

    async def pending(self) -> list[Request]:
        return await self._requests.pending()

    async def finish(self, id: int, result: Mapping[str, Any], *, state: str = "done") -> None:  # noqa: A002 - as the store's
        self._fails -= 1
        if self._fails >= 0:
            raise Fault(5002, where="database", seen="locked")
        await self._requests.finish(id, result, state=state)


class Office:
    """A request desk over the rig's stations."""

    def __init__(self, life: Life, requests: RequestStore | None = None) -> None:
        async def ready() -> None:
            """Nothing to reconcile."""

        self.life = life
        self.elsewhere, self.outbound = Elsewhere(), Elsewhere()
        works = (life.label, life.table, life.bench, life.gate)
        self.posts = {work.name: Post(work, life.kit, ready=ready) for work in works}
        self.desk = RequestDesk(
            Hands(
                kit=life.kit,
                posts=self.posts,
                resolver=life.resolver,
                requests=requests or life.store.requests,
                alarms=life.store.desk,
                quarantine=self.elsewhere,
                pushes=self.outbound,
                replay=self.elsewhere.replay,
                marks=life.store.meta,
                clock=life.floor.clock,
            )
        )

    async def ask(
        self, action: str, args: Mapping[str, Any], *, role: str = "supervisor", key: str = "", actor: str = "lin"
    ) -> Request:
        """Put a request and have what waits carried out; gives the row then."""
        key = key or f"key-{next(KEYS)}"
        row = await self.life.store.requests.put(key=key, action=action, args=args, actor=actor, role=role)
        for waiting in await self.life.store.requests.pending():
            await self.desk._one(waiting)
        found = await self.life.store.requests.get(row.id)
        assert found is not None
        return found

    async def refused(self, action: str, args: Mapping[str, Any], **who: Any) -> int:
        """Ask for something that is refused; gives the fault code."""
        row = await self.ask(action, args, **who)
        assert row.state == "refused", row
        return int(row.result["code"])


@pytest.fixture
def office(life: Life) -> Office:
    return Office(life)


@pytest.mark.parametrize("role", ["", "viewer", "buyer", "nobody"])
@pytest.mark.parametrize(
    "action", ["scan", "button", "exception", "alarm_ack", "alarms_ack", "parcel", "station", "replay", "dismiss"]
)
async def test_who_is_no_operator_may_not_move_anything(office: Office, role: str, action: str) -> None:
    args = {"station": "label-1", "text": "x", "button": "DONE", "id": 1, "lpn": ONE, "action": "hold", "inbox_id": 1}
    assert await office.refused(action, args, role=role) == 4301


async def test_a_replay_needs_a_supervisor(office: Office) -> None:
    assert await office.refused("replay", {"inbox_id": 3}, role="operator") == 4301
    assert (await office.ask("replay", {"inbox_id": 3})).state == "done"
    assert office.elsewhere.replayed == [3]


async def test_a_message_is_dismissed_by_a_supervisor_with_a_note(office: Office) -> None:
    args = {"inbox_id": 3, "note": "sent twice"}
    assert await office.refused("dismiss", args, role="operator") == 4301
    assert (await office.ask("dismiss", args)).state == "done"
    assert office.elsewhere.dismissed == [(3, "lin", "sent twice")]


async def test_a_decision_about_unreadable_messages_goes_to_the_quarantine(office: Office) -> None:
    row = await question(office, 4001, "unreadable:feed:marketplace", "marketplace", ["dismiss"])
    assert (await office.ask("exception", {"id": row, "action": "dismiss"})).state == "done"
    assert office.elsewhere.decided == [("unreadable:feed:marketplace", "dismiss")]


async def test_a_replay_answers_the_row_that_asks_about_the_message(office: Office) -> None:
    await question(office, 4005, "inbox:3", "marketplace", ["retry", "dismiss"])
    await question(office, 4005, "inbox:33", "marketplace", ["retry", "dismiss"])
    await office.ask("replay", {"inbox_id": 3})
    assert office.elsewhere.decided == [("inbox:3", "retry")] and office.elsewhere.replayed == []


@pytest.mark.parametrize(
    "action, args, code",
    [
        ("fly", {}, 4301),
        ("scan", {}, 4001),
        ("scan", {"station": "nowhere", "text": "x"}, 4301),
        ("station", {"station": "label-1", "action": "explode"}, 4301),
        ("parcel", {"lpn": "PL0000000994", "action": "hold"}, 4106),
        ("parcel", {"lpn": "PL0000000994"}, 4001),
        ("alarm_ack", {"id": "seven"}, 4001),
        ("alarms_ack", {"ids": [1, "seven"]}, 4001),
        ("answer", {"lpn": ONE, "answer": "maybe"}, 4106),
        ("turn", {"unit": "nonsense", "step_deg": 5}, 4301),
        ("exception", {"id": "nope", "action": "done"}, 4301),
    ],
    ids=str,
)
async def test_nonsense_is_refused_with_a_code(office: Office, action: str, args: dict, code: int) -> None:
    assert await office.refused(action, args) == code


async def test_a_request_that_is_too_old_is_dropped_and_nothing_moves(office: Office) -> None:
    requests, clock = office.life.store.requests, office.life.floor.clock
    row = await requests.put(
        key="late", action="station", args={"station": "label-1", "action": "hold"}, actor="lin", role="operator"
    )
    clock.advance(6)
    assert await requests.pending() == []
    found = await requests.get(row.id)
    assert found is not None and found.state == "expired" and found.result["code"] == 5102
    assert office.posts["label-1"].screen.hold_by == ""


async def test_the_same_key_again_gives_the_first_answer_and_does_nothing_twice(office: Office) -> None:
    one = await office.ask("station", {"station": "label-1", "action": "hold"}, key="k")
    await office.posts["label-1"].release("mei")
    two = await office.ask("station", {"station": "label-1", "action": "hold"}, key="k")
    assert (two.id, two.state) == (one.id, "done") and office.posts["label-1"].screen.hold_by == ""


async def test_scans_and_buttons_reach_the_station_with_their_person(office: Office) -> None:
    await office.life.order(1, {"CUP": 1})
    await office.ask("scan", {"station": "induct-1", "text": CUP}, actor="mei", role="operator")
    await office.ask("button", {"station": "induct-1", "button": "NOTDONE"}, actor="mei", role="operator")
    post = office.posts["induct-1"]
    scans = [post._scans.get_nowait() for _ in range(2)]
    assert [(s.text, s.actor, s.device) for s in scans] == [
        (CUP, "mei", "dashboard"),
        ("DO:NOTDONE", "mei", "dashboard"),
    ]


async def test_stations_are_held_and_released(office: Office) -> None:
    await office.ask("station", {"station": "label-1", "action": "hold"}, actor="mei")
    assert office.posts["label-1"].screen.hold_by == "mei"
    office.life.floor.clock.advance(SEEN.total_seconds())
    await office.ask("station", {"station": "label-1", "action": "release"})
    assert office.posts["label-1"].screen.hold_by == "" and office.life.floor.machines["arm"].released == 1


async def test_a_release_is_refused_while_the_safety_circuit_is_open(office: Office) -> None:
    arm, release = office.life.floor.machines["arm"], {"station": "label-1", "action": "release"}
    await office.ask("station", {"station": "label-1", "action": "hold"}, actor="mei")
    office.life.floor.clock.advance(SEEN.total_seconds())
    arm.now.faults = (2007,)
    row = await office.ask("station", release)
    assert (row.state, row.result["code"], row.result["where"]) == ("refused", 2007, arm.name)
    assert "reset the safety circuit" in row.result["remedy"]
    assert office.posts["label-1"].screen.hold_by == "mei" and arm.released == 0
    arm.now.faults = ()
    assert (await office.ask("station", release)).state == "done" and arm.released == 1


async def test_a_colleagues_hold_is_not_ended_by_a_release_that_was_meant_for_the_one_before(office: Office) -> None:
    post, clock = office.posts["label-1"], office.life.floor.clock
    release = {"station": "label-1", "action": "release"}
    await office.ask("station", {"station": "label-1", "action": "hold"}, actor="mei")
    assert await office.refused("station", release, actor="lin") == 4301
    assert post.screen.hold_by == "mei"
    assert (await office.ask("station", release, actor="mei")).state == "done"  # who changed the mind knows of it
    await office.ask("station", {"station": "label-1", "action": "hold"}, actor="mei")
    clock.advance(SEEN.total_seconds())
    assert (await office.ask("station", release, actor="lin")).state == "done"


async def test_two_who_let_a_held_parcel_go_at_once_do_not_approve_it_in_the_buyers_place(office: Office) -> None:
    lpn = await verified(office)
    await office.ask("parcel", {"lpn": lpn, "action": "hold"})
    release = {"lpn": lpn, "action": "release"}
    assert (await office.ask("parcel", release, actor="lin")).state == "done"
    assert await office.refused("parcel", release, actor="mei") == 4301
    found = await office.life.parcel(lpn)
    assert found.state is ParcelState.VERIFIED and not found.held
    office.life.floor.clock.advance(SEEN.total_seconds())
    assert (await office.ask("parcel", release, actor="mei")).state == "done"
    assert (await office.life.parcel(lpn)).state is ParcelState.APPROVED


async def test_a_release_that_was_carried_out_when_the_controller_died_is_not_carried_out_again(office: Office) -> None:
    """Between the deed and its answer lies a commit; the next run finds the request unanswered, and still fresh."""
    lpn, requests = await verified(office), office.life.store.requests
    await office.ask("parcel", {"lpn": lpn, "action": "hold"})
    args = {"lpn": lpn, "action": "release"}
    row = await requests.put(key="released", action="parcel", args=args, actor="lin", role="supervisor")
    await office.desk._tried(row)
    again = Office(office.life)
    for waiting in await requests.pending():
        await again.desk._one(waiting)
    answer, found = await requests.get(row.id), await office.life.parcel(lpn)
    assert found.state is ParcelState.VERIFIED and not found.held
    assert answer is not None and (answer.state, answer.result["code"]) == ("refused", 4301)


async def test_what_was_carried_out_while_its_answer_could_not_be_written_is_not_carried_out_again(life: Life) -> None:
    office = Office(life, Locked(life.store.requests))
    lpn, requests = await verified(office), office.life.store.requests
    await office.life.record("ParcelHeld", lpn)
    args = {"lpn": lpn, "action": "release"}
    row = await requests.put(key="released", action="parcel", args=args, actor="lin", role="supervisor")
    async with serving(office.desk.run()):
        await until(lambda: _is_answered(office, row.id), turns=4000)
    answer = await requests.get(row.id)
    assert answer is not None and answer.state == "done"
    assert (await office.life.parcel(lpn)).state is ParcelState.VERIFIED


async def _is_answered(office: Office, request: int) -> bool:
    row = await office.life.store.requests.get(request)
    return row is not None and row.state != "new"


async def test_a_word_whose_answer_could_not_be_written_reaches_the_station_once(life: Life) -> None:
    office = Office(life, Locked(life.store.requests))
    requests, post = office.life.store.requests, office.posts["induct-1"]
    args = {"station": "induct-1", "button": "SHORT"}
    row = await requests.put(key="short", action="button", args=args, actor="lin", role="operator")
    async with serving(office.desk.run()):
        await until(lambda: _is_answered(office, row.id), turns=4000)
    assert [post._scans.get_nowait().text for _ in range(post._scans.qsize())] == ["DO:SHORT"]


async def test_a_request_that_runs_into_an_error_of_the_program_is_refused_and_does_not_end_the_line(
    office: Office,
) -> None:
    office.elsewhere.error = RuntimeError("what?")
    row = await question(office, 4005, "inbox:7", "marketplace", ["retry"])
    assert await office.refused("exception", {"id": row, "action": "retry"}) == 5001


# -- buyers ------------------------------------------------------------------------------------------------------------


async def verified(office: Office) -> str:
    """Make a parcel whose buyer is asked."""
    lpn = await office.life.carton()
    await office.life.label_all(lpn)
    return lpn


@pytest.mark.parametrize(
    "answer, state", [("approve", ParcelState.APPROVED), ("reject", ParcelState.RETURNING)], ids=str
)
async def test_a_buyers_answer_is_taken_once(office: Office, answer: str, state: ParcelState) -> None:
    lpn = await verified(office)
    proof = await office.life.kit.books.proof(lpn)
    args = {"lpn": lpn, "answer": answer, "picture": proof, "by": "buyer b", "order_id": "market-HM-1"}
    assert (await office.ask("answer", args, role="buyer")).state == "done"
    assert (await office.life.parcel(lpn)).state is state
    assert await office.refused("answer", args, role="buyer") == 4301


async def test_an_answer_about_the_picture_of_a_label_that_was_reprinted_is_refused(office: Office) -> None:
    lpn, books = await verified(office), office.life.kit.books
    seen = await books.proof(lpn)
    await office.life.resolver.parcel(lpn, "reprint", actor="lin", role="supervisor", note="")
    await office.life.label_all(lpn)
    newest = await books.proof(lpn)
    assert (await office.life.parcel(lpn)).state is ParcelState.VERIFIED and newest != seen
    args = {"lpn": lpn, "answer": "approve", "by": "buyer b"}

    assert await office.refused("answer", {**args, "picture": seen}, role="buyer") == 4303
    assert await office.refused("answer", args, role="buyer") == 4001
    assert (await office.life.parcel(lpn)).state is ParcelState.VERIFIED

    assert (await office.ask("answer", {**args, "picture": newest}, role="buyer")).state == "done"
    assert (await office.life.parcel(lpn)).state is ParcelState.APPROVED


async def test_a_buyer_answers_only_for_the_own_order(office: Office) -> None:
    lpn = await verified(office)
    args = {"lpn": lpn, "answer": "approve", "order_id": "market-HM-2"}
    assert await office.refused("answer", args, role="buyer") == 4301
    assert (await office.life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_a_buyer_turns_the_item_while_it_is_on_stage(rig: Rig) -> None:
    office = Office(rig.live(inspect_live_s=50))
    await office.life.order(1, {"CUP": 1}, purchase=Purchase.RESERVED)
    args = {"order_id": "market-HM-1", "unit": "market-HM-1.1.1", "step_deg": 999}
    assert await office.refused("turn", args, role="buyer") == 4301
    await shown(office.life, CUP, "CUP")
    assert await office.refused("turn", {**args, "order_id": "market-HM-9"}, role="buyer") == 4301
    assert (await office.ask("turn", args, role="buyer")).state == "done"
    assert office.life.table._stage.next_turn() == 180.0
    assert await office.refused("turn", {**args, "step_deg": "fast"}, role="buyer") == 4001


# -- decisions ---------------------------------------------------------------------------------------------------------


async def question(office: Office, code: int, subject: str, station: str, actions: list[str]) -> str:
    """Open an exception; gives its id."""
    return await office.life.kit.books.open_exception(
        Fault(code, where="test"), station=station, subject=subject, actions=actions
    )


async def test_a_short_that_was_asked_about_is_shipped_without_the_piece(office: Office) -> None:
    life = office.life
    order_id = await life.order(1, {"CUP": 1, "POT": 1}, short_allowed=False)
    await boxed(life, CUP, "CUP", ONE)
    row = await question(office, 3013, f"{order_id}.2.1", "induct-1", ["ship_short", "retry", "void"])
    assert (await office.ask("exception", {"id": row, "action": "ship_short"})).state == "done"
    assert (await life.parcel(ONE)).state is ParcelState.COLLECTED
    assert await life.kit.books.open_exceptions() == []


async def test_a_piece_that_was_found_meanwhile_and_lies_on_the_table_is_not_left_out(office: Office) -> None:
    life = office.life
    order_id = await life.order(1, {"CUP": 1, "POT": 1}, short_allowed=False)
    await life.table.step()
    await life.scan(life.table, CUP)
    row = await question(office, 3013, f"{order_id}.1.1", "induct-1", ["ship_short", "retry", "void"])
    told = await office.ask("exception", {"id": row, "action": "ship_short"})
    assert told.state == "refused" and "DO:NOTDONE" in str(told.result)
    assert [unit.state.value for unit in await life.kit.books.units(order_id=order_id)] == ["inducted", "wanted"]


async def test_a_silent_buyer_may_be_given_more_time(office: Office) -> None:
    lpn = await verified(office)
    before = (await office.life.parcel(lpn)).approve_until
    office.life.floor.clock.advance(100)
    row = await question(office, 3011, lpn, "desk", ["release", "void", "wait"])
    assert (await office.ask("exception", {"id": row, "action": "wait"})).state == "done"
    after = (await office.life.parcel(lpn)).approve_until
    assert before and after and (after - before).total_seconds() == pytest.approx(100, abs=1)


async def test_a_decision_about_a_message_goes_to_the_quarantine(office: Office) -> None:
    row = await question(office, 4005, "inbox:7", "marketplace", ["retry", "dismiss"])
    await office.ask("exception", {"id": row, "action": "retry"})
    assert office.elsewhere.decided == [("inbox:7", "retry")]


async def test_a_decision_about_parked_events_goes_to_whoever_pushes_them(office: Office) -> None:
    row = await question(office, 1008, "outbox:shop", "shop", ["retry", "dismiss"])
    assert await office.refused("exception", {"id": row, "action": "dismiss"}, role="operator") == 4301
    await office.ask("exception", {"id": row, "action": "retry"}, role="operator")
    assert office.outbound.decided == [("outbox:shop", "retry")] and office.elsewhere.decided == []


async def test_only_offered_actions_are_taken(office: Office) -> None:
    lpn = await verified(office)
    row = await question(office, 3011, lpn, "desk", ["release"])
    for action in ("wait", "ship_short", "void", "retry"):
        assert await office.refused("exception", {"id": row, "action": action}) == 4301
    assert (await office.life.parcel(lpn)).state is ParcelState.VERIFIED


async def test_what_a_parcels_page_offers_needs_the_role_for_it(office: Office) -> None:
    lpn = await verified(office)
    assert await office.refused("parcel", {"lpn": lpn, "action": "void"}, role="operator") == 4301
    assert (await office.ask("parcel", {"lpn": lpn, "action": "hold"}, role="operator")).state == "done"
    assert (await office.life.parcel(lpn)).held


async def test_an_alarm_is_acknowledged(office: Office) -> None:
    life = office.life
    await life.kit.books.raise_alarm(Fault(2007, where="arm-1"), source="label-1")
    (alarm,) = await life.store.desk.standing_alarms()
    assert (await office.ask("alarm_ack", {"id": alarm["id"]})).state == "done"
    assert (await life.store.desk.counts())[0] == 0


async def test_all_alarms_of_a_page_are_acknowledged_by_who_pressed_and_those_that_came_later_are_not(
    office: Office,
) -> None:
    life, desk = office.life, office.life.store.desk
    for code in (1006, 2101):
        await life.kit.books.raise_alarm(Fault(code, where="label-1"), source="label-1")
    shown = [row["id"] for row in await desk.standing_alarms()]
    await life.kit.books.raise_alarm(Fault(2007, where="arm-1"), source="label-1")

    assert (await office.ask("alarms_ack", {"ids": shown})).state == "done"
    acked = {row["code"]: row["acked_by"] for row in await desk.standing_alarms()}
    assert acked == {1006: "lin", 2101: "lin", 2007: ""}


async def test_the_desk_answers_for_ever_and_survives_books_that_are_away(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = office.life.store.requests
    plain, fails = requests.pending, [1, 1]

    async def pending(limit: int = 100) -> list[Request]:
        if fails:
            fails.pop()
            raise Fault(5002, where="database")
        return await plain(limit)

    monkeypatch.setattr(requests, "pending", pending)
    await requests.put(
        key="x", action="station", args={"station": "label-1", "action": "hold"}, actor="lin", role="operator"
    )
    running = asyncio.ensure_future(office.desk.run())
    office.desk.wake()
    await until(lambda: office.posts["label-1"].screen.hold_by == "lin", turns=4000)
    running.cancel()
