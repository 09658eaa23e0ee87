"""The house without its dashboard: takes what people ask of it, as the dashboard does, and hands it to a line in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import pydantic

from controller.line import Line
from controller.site import Site
from packline.core import tokens
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.feeds.signing import verify
from packline.orders.model import ParcelState, UnitState
from packline.store import Store
from packline.store.view_rows import OrderDetail
from simulation.mounts.http import Handler, Request, Response
from simulation.people.desk import StationView, view_of
from simulation.people.web import MemoryWeb
from web.acting import KINDS, PATIENCE_S, STEP_S, has_role
from web.taken import KEPT_HEADERS, STATUS

ROLES = {"floor": "operator", "shift-lead": "supervisor"}
PROVED = frozenset({ParcelState.VERIFIED, ParcelState.APPROVED, ParcelState.SHIPPED, ParcelState.DELIVERED})
BETWEEN_TURNS_S = 0.5
Hears = Callable[[str, Mapping[str, Any]], None]
UNANSWERED: Mapping[str, Any] = {"state": "unanswered", "result": {}}


class House:
    """Implements the twin's House for its people. `move_in` says which line and books they meet; without a line nobody answers."""

    def __init__(self, site: Site, *, secret: bytes, clock: Clock, hears: Hears = lambda _action, _args: None) -> None:
        """`hears` is told what people ask for, and with which arguments."""
        self.site, self.clock, self._hears = site, clock, hears
        self.line: Line | None = None
        self.store: Store | None = None
        self.hosts: Handler | None = None
        self._secret = secret
        self._turned: dict[str, float] = {}

    def move_in(self, line: Line, store: Store) -> None:
        """Let people meet a line that begins to run."""
        self.line, self.store = line, store

    def move_out(self) -> None:
        """Let nobody answer."""
        self.line = None

    # -- what the twin's people want --------------------------------------------------------------------------------------

    def desk(self, user: str, poll_s: float) -> InsideDesk:
        return InsideDesk(self, user, poll_s)

    def client(self) -> Any:
        return MemoryWeb(self.answer)

    async def open(self, handler: Handler) -> None:
        self.hosts = handler

    async def close(self) -> None:
        self.hosts = None

    async def ask_hosts(self, request: Request) -> Response:
        """Hand on what the line asks of hosts and subscribers; raises ConnectionRefusedError while nobody is there."""
        if self.hosts is None:
            raise ConnectionRefusedError("connection refused")
        return await self.hosts(request)

    # -- intake and buyers' pages -------------------------------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """Answer what comes over HTTP: messages of hosts and couriers, and buyers' links."""
        if self.store is None:
            raise ConnectionRefusedError("connection refused")
        try:
            return await self._answer(request, self.store)
        except Fault as fault:  # the books cannot be written
            return Response.of_json({"error": fault.kind.name, "code": fault.code}, 503)

    async def _answer(self, request: Request, store: Store) -> Response:
        match [part for part in request.path.split("/") if part]:
            case ["intake", "couriers", name]:
                part = self.site.couriers.get(name)
                return self._take("courier", name, part.keys() if part else None, request, store)
            case ["intake", name]:
                part = self.site.feeds.get(name)
                return self._take("feed", name, part.keys() if part else None, request, store)
            case ["buyer", token, *rest]:
                return await self._buyer(unquote(token), rest[0] if rest else "", request, store)
        return Response.of_json({"error": 404}, 404)

    def _take(self, kind: str, channel: str, secrets: Sequence[str] | None, request: Request, store: Store) -> Response:
        if secrets is None:
            return Response.of_json({"error": "unknown feed"}, 404)
        try:
            message_id = verify(secrets, request.headers, request.body, self.clock.now())
            kept = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
            put = store.inbox.put_now(channel, message_id, kept, request.body, self.clock.now(), kind=kind)
        except Fault as fault:
            return Response.of_json({"error": fault.kind.name, "code": fault.code}, STATUS.get(fault.code, 503))
        if not put.same_body:
            return Response.of_json({"error": "another message has this id"}, 409)
        if put.is_new and self.line is not None:
            self.line.wake()
        return Response.of_json({"id": put.id}, 202 if put.is_new else 200)

    async def _buyer(self, token: str, what: str, request: Request, store: Store) -> Response:
        claims = tokens.verify(self._secret, token, self.clock.now()) or {}
        detail = store.views.order(claims["o"]) if isinstance(claims.get("o"), str) else None
        if detail is None:
            return Response.of_json({"error": 404}, 404)
        if request.method == "GET":
            return Response.of_json(self._page(detail, store))
        body = request.json()
        who = f"buyer {detail.order.content.buyer}"[:80]
        if what == "turn":
            return await self._turn(detail, body, who)
        lpn, said = str(body["lpn"]), str(body["answer"])
        key = f"answer:{lpn}:{body.get('picture', '')}:{body.get('until', '')}:{said}"[:100]
        args = {"lpn": lpn, "answer": said, "picture": str(body.get("picture", "")), "by": who}
        return Response.of_json(await self.act("answer", args, key, who, "buyer", trusted=True))

    async def _turn(self, detail: OrderDetail, body: Mapping[str, Any], who: str) -> Response:
        order, now = detail.order.order_id, self.clock.monotonic()
        if now - self._turned.get(order, float("-inf")) < BETWEEN_TURNS_S:
            return Response.of_json({"error": 429}, 429)
        self._turned[order] = now
        args = {"order_id": order, "unit": str(body["unit"]), "step_deg": body.get("step_deg")}
        return Response.of_json(await self.act("turn", args, f"turn:{order}:{now:.6f}", who, "buyer", trusted=True))

    def _page(self, detail: OrderDetail, store: Store) -> dict[str, Any]:
        staged = self._on_stage(detail)
        units = [
            {
                "unit": unit.unit_id,
                "pictures": [p.picture_id for p in detail.pictures if p.subject == unit.unit_id],
                "on_stage": unit.unit_id in staged,
            }
            for unit in detail.units
            if unit.state is not UnitState.SHORT
        ]
        parcels = [
            {
                "lpn": parcel.lpn,
                "picture": store.views.proof(parcel.lpn) if parcel.state in PROVED else "",
                "answer_until": parcel.approve_until.isoformat() if parcel.approve_until else None,
            }
            for parcel in detail.parcels
        ]
        return {"order": detail.order.content.external_id, "units": units, "parcels": parcels}

    def _on_stage(self, detail: OrderDetail) -> set[str]:
        posts = self.line.posts.values() if self.line is not None else ()
        shown = {post.screen.unit for post in posts if post.screen.order == detail.order.order_id}
        return {unit.unit_id for unit in detail.units} & shown

    # -- requests -----------------------------------------------------------------------------------------------------------

    async def act(
        self, action: str, args: Mapping[str, Any], key: str, actor: str, role: str, *, trusted: bool = False
    ) -> dict[str, Any]:
        """Write a request as the dashboard does, wake the line, wait a moment for its answer."""
        store, kind = self.store, KINDS[action]
        try:
            known = kind.args.model_validate(dict(args))
        except pydantic.ValidationError as error:
            return {"error": "unreadable", "what": str(error.errors()[0]["msg"])}
        if store is None or (kind.moves and self.line is None):
            return dict(UNANSWERED)
        if not trusted and not has_role(role, kind.role(known)):
            return {"error": "forbidden"}
        self._hears(action, args)
        row = await store.requests.put(
            key=key, action=action, args=known.model_dump(mode="json"), actor=actor, role=role, expires_s=kind.lives_s
        )
        if self.line is not None:
            self.line.wake()
        until = self.clock.monotonic() + PATIENCE_S
        while True:
            found = await store.requests.get(row.id)
            if found is None or found.state != "new" or self.clock.monotonic() >= until:
                said = found or row
                return {"id": said.id, "state": said.state, "result": dict(said.result)}
            await self.clock.sleep(STEP_S)


class InsideDesk:
    """Implements LiveDesk on a line in this process. Its picture turns when something on a screen has changed."""

    def __init__(self, house: House, user: str, poll_s: float) -> None:
        self._house, self._user, self._poll_s = house, user, poll_s
        self._run_id = ""
        self._is_fresh = False
        self._seen: dict[str, tuple[dict[str, Any], StationView]] = {}
        self._turned = asyncio.Event()
        self.is_known = asyncio.Event()

    def run_id(self) -> str:
        return self._run_id

    def station(self, name: str) -> StationView | None:
        return self.last(name) if self._is_fresh else None

    def last(self, name: str) -> StationView | None:
        return self._seen[name][1] if name in self._seen else None

    async def changed(self, timeout_s: float) -> None:
        try:
            await self._house.clock.within(timeout_s, self._turned.wait())
        except TimeoutError:
            return

    async def exceptions(self) -> list[dict[str, Any]]:
        store = self._house.store
        if store is None or self._house.line is None:
            return []
        rows = store.views.exceptions()
        effects = store.views.effects([row.effect_id for row in rows if row.effect_id])
        return [_row(row, effects.get(row.effect_id)) for row in rows]

    async def request(self, action: str, args: Mapping[str, Any], key: str) -> dict[str, Any]:
        try:
            answer = await self._house.act(action, args, key, self._user, ROLES[self._user])
        except Fault as fault:
            answer = {"error": fault.code}
        return answer if "state" in answer else {"state": "unanswered", "result": answer}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if self._look():
                turned, self._turned = self._turned, asyncio.Event()
                turned.set()
            await self._house.clock.sleep(self._poll_s)

    def _look(self) -> bool:
        """Take the line's screens; tells whether anything on them is new."""
        snapshot = self._house.line.snapshot if self._house.line is not None else None
        was_fresh, self._is_fresh = self._is_fresh, snapshot is not None
        if snapshot is None:
            return was_fresh
        is_new = not was_fresh or self._run_id != snapshot.run_id
        self._run_id = snapshot.run_id
        for raw in snapshot.stations():
            known = self._seen.get(raw["name"])
            if known is None or known[0] != raw:
                self._seen[raw["name"]] = (raw, view_of(raw))
                is_new = True
        self.is_known.set()
        return is_new


def _row(row: Any, effect: Any) -> dict[str, Any]:
    return {
        "id": row.exception_id,
        "code": row.code,
        "station": row.station,
        "subject": row.subject,
        "fault": dict(row.fault),
        "actions": list(row.actions),
        "effect": {"kind": effect.kind, "params": dict(effect.parameters), "state": effect.state} if effect else None,
    }
