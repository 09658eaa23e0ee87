"""The dashboard as a person uses it: sees the stations, reads the exceptions, asks for something; nothing else is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from packline.core.clock import Clock

log = logging.getLogger(__name__)

POLL_S = 0.1
SAME_S = 0.5
"""Wall time after which a picture is asked for again that shows nothing else."""
NEVER = -1
AGAIN_S = 0.5
"""Pause after the dashboard did not answer."""
ANSWER_S = 5.0
TAKEN = 1101


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence on a screen: its key and what it is about."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Give a parameter as text; "" if it is not there."""
        return str(self.params.get(name, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSeen:
    """One line of a station's scan list; `n` grows within one run of the controller."""

    n: int
    text: str
    result: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """A station's screen. `machine_states` are PackML states by name; `taken` tells whether another controller has one of them."""

    name: str
    kind: str
    state: str
    next: Told
    tasks: Sequence[Told]
    scans: Sequence[ScanSeen]
    unit: str
    hold_by: str
    fault_code: int
    machine_states: Mapping[str, str]
    taken: bool = False


class Desk(Protocol):
    """What people ask of the dashboard."""

    def run_id(self) -> str:
        """Give the id of the controller's run that the last picture came from."""
        ...

    def station(self, name: str) -> StationView | None:
        """Give a station's screen; None while the picture is stale or nobody answers."""
        ...

    def last(self, name: str) -> StationView | None:
        """Give a station's last known screen, however old."""
        ...

    async def changed(self, timeout_s: float) -> None:
        """Wait for the next picture, at most `timeout_s`."""
        ...

    async def exceptions(self) -> list[dict[str, Any]]:
        """Give the open exceptions; nothing when nobody answers."""
        ...

    async def request(self, action: str, args: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Ask for something; gives {"state", "result"}, state "unanswered" when nobody answers. The key makes it once."""
        ...


class HttpDesk:
    """A browser without a window: signs in, polls, and lives through every restart of web and controller."""

    def __init__(
        self, *, user: str, password: str, http: httpx.AsyncClient, clock: Clock, poll_s: float = POLL_S
    ) -> None:
        """`http` must have the dashboard's base address and be this desk's own: it keeps the cookie."""
        self._user, self._password, self._http, self._clock, self._poll_s = user, password, http, clock, poll_s
        self._csrf = ""
        self._run_id = ""
        self._fresh = False
        self._stations: dict[str, StationView] = {}
        self._turned = asyncio.Event()
        self.is_known = asyncio.Event()
        """Set once a fresh picture was seen."""

    def run_id(self) -> str:
        return self._run_id

    def station(self, name: str) -> StationView | None:
        return self._stations.get(name) if self._fresh else None

    def last(self, name: str) -> StationView | None:
        return self._stations.get(name)

    async def changed(self, timeout_s: float) -> None:
        try:
            await self._clock.within(timeout_s, self._turned.wait())
        except TimeoutError:
            return

    async def exceptions(self) -> list[dict[str, Any]]:
        answer = await self._ask("GET", "/api/exceptions")
        rows = answer.get("rows", [])
        return rows if isinstance(rows, list) else []

    async def request(self, action: str, args: Mapping[str, Any], key: str) -> dict[str, Any]:
        answer = await self._ask("POST", "/api/requests", {"action": action, "args": dict(args), "key": key})
        return answer if "state" in answer else {"state": "unanswered", "result": answer}

    async def run(self) -> None:
        """Look at the dashboard for ever."""
        version = NEVER
        while True:
            picture = await self._ask("GET", f"/api/line?after={version}&wait_s={SAME_S}")
            version = picture.get("version", NEVER)
            self._take(picture)
            await self._clock.sleep(self._poll_s if picture else AGAIN_S)

    def _take(self, picture: dict[str, Any]) -> None:
        stations = picture.get("stations")
        self._fresh = bool(picture.get("fresh")) and isinstance(stations, list)
        if self._fresh and isinstance(stations, list):
            self._run_id = str(picture.get("run", {}).get("id", ""))
            self._stations = {raw["name"]: view_of(raw) for raw in stations}
            self.is_known.set()
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask, signing in first where needed; {} when there is no sensible answer."""
        for _ in range(2):
            if not self._csrf and not await self._sign_in():
                return {}
            answer = await self._send(method, path, body)
            if answer is None or answer.status_code not in (401, 403):
                return _json(answer)
            self._csrf = ""
        return {}

    async def _sign_in(self) -> bool:
        answer = await self._send("POST", "/api/login", {"user": self._user, "password": self._password})
        if answer is None:
            return False
        self._csrf = str(_json(answer).get("csrf", ""))
        if not self._csrf:
            log.info("%s is not let in: %s", self._user, answer.status_code)
            await self._clock.sleep(AGAIN_S)
        return bool(self._csrf)

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response | None:
        headers = {"X-CSRF-Token": self._csrf} if self._csrf else {}
        try:
            return await self._http.request(method, path, json=body, headers=headers, timeout=ANSWER_S)
        except httpx.HTTPError:
            return None


def view_of(raw: Mapping[str, Any]) -> StationView:
    """Read a station's part of the live picture."""
    return StationView(
        name=raw["name"],
        kind=raw["kind"],
        state=raw["state"],
        next=_told(raw["next"]),
        tasks=tuple(_told(task) for task in raw["tasks"]),
        scans=tuple(ScanSeen(n=scan["n"], text=scan["text"], result=_told(scan["result"])) for scan in raw["scans"]),
        unit=raw.get("unit", ""),
        hold_by=raw.get("hold_by", ""),
        fault_code=int((raw.get("fault") or {}).get("code", 0)),
        machine_states={d["name"]: d["state"] for d in raw.get("devices", ()) if d.get("inputs")},
        taken=any(TAKEN in d.get("faults", ()) for d in raw.get("devices", ())),
    )


def _told(raw: Mapping[str, Any]) -> Told:
    return Told(key=raw["key"], params=raw.get("params") or {})


def _json(answer: httpx.Response | None) -> dict[str, Any]:
    try:
        body = answer.json() if answer is not None else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
