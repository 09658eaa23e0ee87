"""The buyers: follow the link in their tracking, turn what is on stage, buy it, and judge the picture of their parcel."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from typing import Any

import httpx

from packline.core.clock import Clock
from simulation.people.marketplace import Account, Marketplace
from simulation.people.receiver import Received
from simulation.people.web import Web
from simulation.quirks import Quirks

log = logging.getLogger(__name__)

ANSWER_AFTER_S = {"approve": (15.0, 50.0), "late": (180.0, 320.0), "reject": (30.0, 60.0)}
"""Simulated seconds from the question to the answer, by how the buyer is; a silent one gives none."""
LATER_S = 300.0
TURNS_DEG = (45, -45)
BETWEEN_TURNS_S = 0.7
"""Wall time: the page takes one turn in half a second."""
ON_STAGE_S = 12.0
LOOK_S = 0.3
TRIES = 40
WAIT_S = 1.0


class Buyers:
    """All buyers of a run; each order's buyer knows only the link that came with its events."""

    def __init__(
        self,
        *,
        accounts: Mapping[str, Account],
        marketplace: Marketplace,
        http: Web,
        clock: Clock,
        speed: float,
        rng: random.Random,
        again_s: float = WAIT_S,
        between_turns_s: float = BETWEEN_TURNS_S,
    ) -> None:
        self._again_s, self._between_turns_s = again_s, between_turns_s
        self._accounts, self._marketplace, self._http = accounts, marketplace, http
        self._clock, self._speed, self._rng = clock, speed, rng
        self._work: asyncio.Queue[tuple[str, Received]] = asyncio.Queue()
        self._begun: set[str] = set()
        self.quirks = Quirks()
        """`silent_buyer`, `late_approval` and `rejects` strike the next answers."""
        self.rejected: set[str] = set()
        """Plates of the parcels of which the house took that their buyer does not want them."""
        self.asked: dict[str, str] = {}
        """Until when a buyer was asked last about a parcel, by its plate; "" once he said yes to that."""
        self.turns = 0
        """Turns that the table made for a buyer."""

    async def hear(self, event: Received) -> None:
        """Take a tracking event; what follows happens in `run`."""
        account = self._accounts.get(event.order)
        if account is None:
            return
        if event.name in ("item.on_stage", "item.inspected") and account.story.on_purchase:
            self._begin(f"inspect {event.order}", "inspect", event)
        elif event.name == "parcel.approval_asked":
            self.asked[str(event.data.get("lpn"))] = str(event.data.get("until"))
            self._begin(f"answer {event.data.get('lpn')} {event.data.get('until')}", "answer", event)

    async def run(self) -> None:
        """React for ever."""
        async with asyncio.TaskGroup() as people:
            while True:
                what, event = await self._work.get()
                people.create_task(self._inspect(event) if what == "inspect" else self._answer(event))

    def _begin(self, once: str, what: str, event: Received) -> None:
        if once not in self._begun:
            self._begun.add(once)
            self._work.put_nowait((what, event))

    async def _inspect(self, event: Received) -> None:
        """Look while the item is on the table, turn it twice, buy."""
        link = str(event.data.get("link", ""))
        until = self._clock.monotonic() + ON_STAGE_S
        unit = await self._unit_on_stage(link, until)
        for step in TURNS_DEG if unit else ():
            await self._turn(link, {"unit": unit, "step_deg": step}, until)
        self._marketplace.buy(event.order)

    async def _turn(self, link: str, turn: Mapping[str, Any], until: float) -> None:
        """Turn once; the page takes no turn before the item was photographed, nor two at a time."""
        while self._clock.monotonic() < until:
            said = await self._send(f"{link}/turn", turn)
            await self._clock.sleep(self._between_turns_s)
            if said.get("state") == "done":
                self.turns += 1
                return

    async def _unit_on_stage(self, link: str, until: float) -> str:
        while self._clock.monotonic() < until:
            for unit in (await self._page(link)).get("units", ()):
                if unit.get("on_stage") and unit.get("pictures"):
                    return str(unit["unit"])
            await self._clock.sleep(LOOK_S)
        return ""

    async def _answer(self, event: Received) -> None:
        story = self._accounts[event.order].story
        if story.answer == "silent" or self.quirks.hits("silent_buyer"):
            return
        later_s = LATER_S if self.quirks.hits("late_approval") else 0.0
        await self._clock.sleep((self._rng.uniform(*ANSWER_AFTER_S[story.answer]) + later_s) / self._speed)
        lpn, link = str(event.data.get("lpn")), str(event.data.get("link", ""))
        is_no = story.answer == "reject" or self.quirks.hits("rejects")
        said = {"lpn": lpn, "answer": "reject" if is_no else "approve"}
        for _ in range(TRIES):
            shown = await self._shown(link, lpn)
            if not is_no and shown["until"] == self.asked.get(lpn):
                self.asked[lpn] = ""  # before it is sent: the house may have it long before its answer comes
            answer = await self._send(f"{link}/answer", {**said, **shown})
            if is_no and answer.get("state") == "done":
                self.rejected.add(lpn)
            if answer.get("state") in ("new", "done", "refused"):
                return
            await self._clock.sleep(self._again_s)
        log.warning("the buyer of %s could not answer", event.order)

    async def _shown(self, link: str, lpn: str) -> dict[str, str]:
        """Give what the page shows of a parcel: the picture that is judged, and until when."""
        parcels = (await self._page(link)).get("parcels", ())
        seen: dict[str, Any] = next((parcel for parcel in parcels if parcel.get("lpn") == lpn), {})
        return {"picture": str(seen.get("picture") or ""), "until": str(seen.get("answer_until") or "")}

    async def _page(self, link: str) -> dict[str, Any]:
        try:
            answer = await self._http.get(link, headers={"Accept": "application/json"})
            body = answer.json() if answer.status_code == httpx.codes.OK else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return body if isinstance(body, dict) else {}

    async def _send(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = await self._http.post(url, json=dict(body))
            said = answer.json()
        except (httpx.HTTPError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}
