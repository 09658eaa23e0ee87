"""Carries out what people asked for on the dashboard: durable rows, each answered once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from controller.clicks import LOOK, Clicks
from controller.hands import Hands, Row, Worker
from packline.core.faults import Fault
from packline.core.scans import Scan
from packline.feeds.intake import FOREIGN
from packline.feeds.push import PARKED
from packline.orders.model import Event, ParcelState, Unit
from packline.orders.policy import ROLES, Action, may
from packline.orders.ports import ABOUT_ALL, ABOUT_ONE, ExceptionRow
from stations.cartoning import STILL_TO_BOX
from stations.post import Post
from stations.turntable import Turntable

POLL_S = 0.25
MOST_NOTE_CHARACTERS = 500

BEGUN = "request begun"
"""The mark with the id of the last request that must not be carried out twice: an answer may be lost, a deed is none the less done."""
_ONCE = frozenset({"parcel"})
"""Requests that would do something else the second time: what was held is let go, and then it is approved."""
Then = Callable[[], None]

_TOLD = frozenset({"scan", "button", "answer", "turn", "parcel", "station"})
"""Requests that wake whom they concern themselves, or record an event, which does."""

log = logging.getLogger("packline.requests")


class RequestDesk:
    """Polls the request table; the local socket only makes it quicker."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._clicks = Clicks()
        self._unsaid: dict[int, tuple[Mapping[str, Any], str, Then | None]] = {}
        """What was carried out here and could not be answered yet: the books were away in between."""
        self._bell = asyncio.Event()
        self._actions: Mapping[str, tuple[str, Callable[[Row], Awaitable[Then | None]]]] = {
            "scan": ("operator", self._scan),
            "button": ("operator", self._button),
            "exception": ("operator", self._exception),
            "alarm_ack": ("operator", self._alarm_ack),
            "alarms_ack": ("operator", self._alarms_ack),
            "answer": ("buyer", self._answer),
            "turn": ("buyer", self._turn),
            "parcel": ("operator", self._parcel),
            "station": ("operator", self._station),
            "replay": ("supervisor", self._replay),
            "dismiss": ("supervisor", self._dismiss),
        }

    def wake(self) -> None:
        """A request was written: look now."""
        self._bell.set()

    async def run(self) -> None:
        """Answer requests for ever."""
        while True:
            self._bell.clear()
            try:
                await self._all(await self._hands.requests.pending())
            except Fault as fault:
                log.warning("requests wait: %s", fault)
            with contextlib.suppress(TimeoutError):
                await self._hands.clock.within(POLL_S, self._bell.wait())

    async def _all(self, rows: Sequence[Row]) -> None:
        waiting = {row.id for row in rows}
        self._unsaid = {id_: said for id_, said in self._unsaid.items() if id_ in waiting}
        for row in rows:
            await self._one(row)

    async def _one(self, row: Row) -> None:
        if row.id not in self._unsaid:
            self._unsaid[row.id] = await self._tried(row)
        result, state, then = self._unsaid[row.id]
        await self._hands.requests.finish(row.id, result, state=state)
        del self._unsaid[row.id]
        if then is not None:
            then()
        if row.action not in _TOLD:
            self._hands.kit.changed()

    async def _tried(self, row: Row) -> tuple[Mapping[str, Any], str, Then | None]:
        """Carry a request out; gives its answer, and what is done when the answer is in the books."""
        try:
            return {}, "done", await self._do(row)
        except Fault as fault:
            return fault.as_dict(), "refused", None
        except (KeyError, TypeError, ValueError) as error:
            log.warning("request %s of %s cannot be read: %r", row.id, row.actor, error)
            wrong = Fault(4001, where=f"request {row.action}", seen="arguments that do not belong to it")
        except Exception as error:  # it may wait for a day: unanswered, it would end every run that comes across it
            log.exception("request %s of %s", row.id, row.actor)
            wrong = Fault(5001, where=f"request {row.action}", seen=f"an error of the program, {type(error).__name__}")
        return wrong.as_dict(), "refused", None

    async def _do(self, row: Row) -> Then | None:
        least, action = self._actions.get(row.action, ("", None))
        if action is None:
            raise Fault(4301, where="request", seen=row.action, expected=" | ".join(self._actions))
        if least != "buyer" and (row.role not in ROLES or ROLES.index(row.role) < ROLES.index(least)):
            raise Fault(4301, where=row.action, seen=f"role {row.role}", expected=f"{least} or above")
        if row.action in _ONCE:
            await self._begin(row)
        return await action(row)

    async def _begin(self, row: Row) -> None:
        """Note durably that it is begun; raises Fault 4301 when a run before this one began it and did not come to an answer."""
        if await self._hands.marks.get(BEGUN) == row.id:
            seen, expected = "begun, and the controller started anew meanwhile", "a click on what the screen shows now"
            raise Fault(4301, where=f"request {row.action}", seen=seen, expected=expected, remedy=LOOK)
        await self._hands.marks.put(BEGUN, row.id)

    def _post(self, row: Row) -> Post:
        name = str(row.args["station"])
        if name not in self._hands.posts:
            raise Fault(4301, where="request", seen=name, expected=" | ".join(self._hands.posts))
        return self._hands.posts[name]

    async def _scan(self, row: Row) -> Then:
        # answered before it is handed on: a scan that got lost is made again, one that came twice books two pieces
        return partial(self._post(row).scan, self._as_scan(row, str(row.args["text"])))

    async def _button(self, row: Row) -> Then:
        return partial(self._post(row).scan, self._as_scan(row, f"DO:{row.args['button']}"))

    def _as_scan(self, row: Row, text: str) -> Scan:
        return Scan(text=text, device="dashboard", at=self._hands.clock.now(), actor=row.actor)

    async def _exception(self, row: Row) -> None:
        exception_id, action = str(row.args["id"]), str(row.args["action"])
        note = str(row.args.get("note", ""))[:MOST_NOTE_CHARACTERS]
        open_rows = await self._hands.kit.books.open_exceptions()
        found = next((r for r in open_rows if r.exception_id == exception_id), None)
        worker = self._worker_of(found) if found is not None and action in found.actions else None
        if found is not None and worker is not None:
            _demand_right(row, action)
            await worker.decide(found, action=action, actor=row.actor, note=note)
        elif found is not None and action == "ship_short" and action in found.actions:
            await self._ship_short(found.station, found.subject, row.actor)
            await self._hands.kit.books.close_exception(exception_id, action=action, actor=row.actor, note=note)
        elif found is not None and action == "wait" and action in found.actions:
            await self._wait_longer(found.subject, row.actor)
            await self._hands.kit.books.close_exception(exception_id, action=action, actor=row.actor, note=note)
        else:
            await self._hands.resolver.resolve(exception_id, action, actor=row.actor, role=row.role, note=note)
        if found is not None and action == "release" and found.station in self._hands.posts:
            await self._hands.posts[found.station].release(row.actor)

    def _worker_of(self, row: ExceptionRow) -> Worker | None:
        if row.subject.startswith(PARKED):
            return self._hands.pushes
        return self._hands.quarantine if _is_of_a_feed(row) else None

    async def _ship_short(self, station: str, unit_id: str, actor: str) -> None:
        work = self._hands.posts[station].work if station in self._hands.posts else None
        unit = await self._unit(unit_id)
        order = await self._hands.kit.books.order(unit.order_id)
        if not isinstance(work, Turntable) or order is None:
            raise Fault(4301, where=station, seen="ship_short", expected="an induct station")
        if unit.state in STILL_TO_BOX:
            remedy = f"It was found: box it, or put it back at {unit.station} with DO:NOTDONE."
            raise Fault(
                4301, where=unit_id, seen="it lies on the table", expected="a piece that is not there", remedy=remedy
            )
        await work.short(unit, order, actor)

    async def _unit(self, unit_id: str) -> Unit:
        order_id = unit_id.rsplit(".", 2)[0]
        units = await self._hands.kit.books.units(order_id=order_id)
        found = next((u for u in units if u.unit_id == unit_id), None)
        if found is None:
            raise Fault(4301, where="request", seen=unit_id, expected="a unit of the books")
        return found

    async def _wait_longer(self, lpn: str, actor: str) -> None:
        kit = self._hands.kit
        parcel, _ = await kit.known(lpn, "desk")
        data = {"until": kit.deadline(kit.rules.approve_s)}
        await kit.record(Event(kind="ApprovalAsked", subject=lpn, order_id=parcel.order_id, actor=actor, data=data))

    async def _alarm_ack(self, row: Row) -> None:
        await self._hands.alarms.acknowledge_alarms((int(row.args["id"]),), actor=row.actor)

    async def _alarms_ack(self, row: Row) -> None:
        await self._hands.alarms.acknowledge_alarms([int(one) for one in row.args["ids"]], actor=row.actor)

    async def _answer(self, row: Row) -> None:
        parcel, _ = await self._hands.kit.known(str(row.args["lpn"]), "buyer")
        self._demand_own(row, parcel.order_id)
        kind = {"approve": "ParcelApproved", "reject": "ParcelRejected"}[str(row.args["answer"])]
        if parcel.state is not ParcelState.VERIFIED:
            raise Fault(
                4301, where=parcel.lpn, seen=f"answered when {parcel.state}", expected="a parcel that waits for it"
            )
        seen, newest = str(row.args["picture"]), await self._hands.kit.books.proof(parcel.lpn)
        if seen != newest:
            # The page may be hours old: what was approved there is a label that a reprint has voided since.
            raise Fault(
                4303, where=parcel.lpn, seen=f"an answer about picture {seen}", expected=f"about picture {newest}"
            )
        actor = str(row.args.get("by") or row.actor)
        data = {"picture": seen, **({"reason": "buyer_rejected"} if kind == "ParcelRejected" else {})}
        await self._hands.kit.record(
            Event(kind=kind, subject=parcel.lpn, order_id=parcel.order_id, actor=actor, data=data)
        )

    async def _turn(self, row: Row) -> None:
        unit_id = str(row.args["unit"])
        self._demand_own(row, (await self._unit(unit_id)).order_id)
        step = max(-180.0, min(180.0, float(row.args["step_deg"])))
        for post in self._hands.posts.values():
            if isinstance(post.work, Turntable) and post.work.is_on_stage(unit_id):
                await post.work.turn(unit_id, step)
                post.wake()
                return
        raise Fault(4301, where=unit_id, seen="not on stage", expected="the item on the table")

    def _demand_own(self, row: Row, order_id: str) -> None:
        if row.role == "buyer" and row.args.get("order_id") not in (None, order_id):
            raise Fault(4301, where="buyer", seen=str(row.args.get("order_id")), expected="the buyer's own order")

    async def _parcel(self, row: Row) -> None:
        note = str(row.args.get("note", ""))[:MOST_NOTE_CHARACTERS]
        lpn, action = str(row.args["lpn"]), str(row.args["action"])
        self._clicks.demand_seen(f"{action} of {lpn}", row.created_at)
        await self._hands.resolver.parcel(lpn, action, actor=row.actor, role=row.role, note=note)
        self._clicks.did(f"{action} of {lpn}", self._hands.clock.now(), row.actor)

    async def _station(self, row: Row) -> None:
        post = self._post(row)
        match row.args["action"]:
            case "hold":
                self._clicks.did(f"hold of {post.name}", self._hands.clock.now(), row.actor)
                await post.hold(row.actor)
            case "release":
                # who let go what stood before did not mean the colleague who is reaching in by now
                self._clicks.demand_seen(f"hold of {post.name}", row.created_at, but_by=row.actor)
                post.demand_closed()
                await post.release(row.actor)
            case other:
                raise Fault(4301, where=post.name, seen=str(other), expected="hold | release")

    async def _replay(self, row: Row) -> None:
        inbox_id = int(row.args["inbox_id"])
        asked = [r for r in await self._hands.kit.books.open_exceptions() if r.subject == f"{ABOUT_ONE}{inbox_id}"]
        for waiting in asked:  # the row that asks about the message is answered by this, too
            await self._hands.quarantine.decide(waiting, action=Action.RETRY.value, actor=row.actor)
        if not asked:
            await self._hands.replay(inbox_id)

    async def _dismiss(self, row: Row) -> None:
        note = str(row.args.get("note", ""))[:MOST_NOTE_CHARACTERS]
        await self._hands.quarantine.dismiss(int(row.args["inbox_id"]), actor=row.actor, note=note)


def _demand_right(row: Row, action: str) -> None:
    if not may(row.role, Action(action)):
        raise Fault(4301, where="exception", seen=f"{action} as {row.role}", expected="a higher role")


def _is_of_a_feed(row: ExceptionRow) -> bool:
    """Tell whether an exception is about messages, or about an order that its host saw go further than our books."""
    return row.subject.startswith((ABOUT_ONE, ABOUT_ALL)) or (row.code == FOREIGN and Action.RELEASE in row.actions)
