"""The marketplace: posts its orders, signed, and lists the open ones for whoever compares books."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packline.core.clock import Clock
from simulation.mounts.http import Request, Response
from simulation.people.demand import DemandSpec, Story
from simulation.people.post import Postman
from simulation.people.receiver import Received

PAGE_ORDERS = 100
BETWEEN_ORDERS_S = 12.0
"""Simulated seconds between two new orders, on average."""
MOST_PATIENCE_S = 900.0
"""Simulated seconds after which a reserved order is bought even if its buyer never saw it on stage."""
MOVED_TO = {"lines": ["5 Harbour Road", "临港路 5 号"], "city": "Shanghai", "postcode": "201306"}
"""What is another about the address of a buyer who has moved."""
IN_PROGRESS = frozenset({"item.on_stage", "item.inspected", "parcel.packed", "parcel.labelled", "parcel.verified"})
SHIPPED = frozenset({"parcel.handed_over", "parcel.delivered", "order.closed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The address that an order had `before` it got another, and when that was posted and the house had taken it."""

    before: Mapping[str, Any]
    begun_s: float
    taken_s: float


@dataclass(slots=True, kw_only=True)
class Account:
    """What the marketplace knows of the `n`th of its orders, from 0. `posted` counts the versions that the house has taken."""

    stories: Sequence[Story]
    n: int
    posted: int = 0
    fulfilment: str = "none"
    bought: asyncio.Event | None = None
    """Set when its buyer buys; only a reserved one waits for it."""
    moved: dict[str, Any] | None = None
    """The version with another address, once there is one."""
    called_off: dict[str, Any] | None = None
    """The version that cancels it, once there is one."""

    @property
    def story(self) -> Story:
        """Give what is to happen to it."""
        return self.stories[self.n]

    @property
    def is_posted(self) -> bool:
        """Tell whether the house has every version."""
        return self.posted == len(self.story.versions)

    @property
    def current(self) -> dict[str, Any]:
        """Give the order as it stands at the host now."""
        return dict(self.called_off or self.moved or self.story.versions[max(self.posted, 1) - 1])

    @property
    def last(self) -> dict[str, Any]:
        """Give its last version, whether it is posted or not."""
        return dict(self.called_off or self.moved or self.story.versions[-1])

    @property
    def may_be_called_off(self) -> bool:
        """Tell whether the house has it, and nothing of it has left as far as the host knows."""
        return bool(self.posted) and self.called_off is None and self.fulfilment != "shipped"

    @property
    def may_move(self) -> bool:
        """Tell whether the house has every version, and it may still get another address."""
        return self.is_posted and self.may_be_called_off and self.moved is None


class Marketplace:
    """One host. Posts under a stable message id, tries again until taken, sends some messages twice."""

    def __init__(
        self,
        *,
        stories: Sequence[Story],
        postman: Postman,
        secret: str,
        clock: Clock,
        speed: float,
        rng: random.Random,
        demand: DemandSpec | None = None,
    ) -> None:
        """`demand` says how orders follow each other."""
        self._burst = demand.burst if demand is not None else 1
        self._gap = demand.gap(rng) if demand is not None and demand.gap is not None else self._usual_gap
        self._postman, self._secret, self._clock, self._speed, self._rng = postman, secret, clock, speed, rng
        self.accounts = {story.id: _opened(stories, n, story) for n, story in enumerate(stories)}
        self._taken: list[Account] = []
        """Those of which the house has at least one version, in the order in which it took them."""
        self.turned_away: Counter[str] = Counter()
        self.called_off_at: dict[str, float] = {}
        """When the house took that an order is cancelled, by the clock's monotonic seconds."""
        self.sold_at: dict[str, float] = {}
        """Since when orders are bought and paid of which that was not said at first, by the clock's monotonic seconds; inf before."""
        self.unseen: set[str] = set()
        """Orders whose buyers are not to be asked for a yes."""
        self.moved: dict[str, Move] = {}
        """Orders that got another address, by the same seconds."""
        self._regrets: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    @property
    def begun(self) -> int:
        """Count the orders of which the house has at least one version."""
        return len(self._taken)

    async def run(self) -> None:
        """Post every order, one by one; each then lives its own life. Ends when the house has every version of all."""
        async with asyncio.TaskGroup() as lives:
            for n, account in enumerate(self.accounts.values(), 1):
                lives.create_task(self._live(account))
                if n % self._burst == 0:
                    await self._wait(self._gap())

    async def hear(self, event: Received) -> None:
        """Learn from tracking how far an order is, as a merchant's system does."""
        account = self.accounts.get(event.order)
        if account is None:
            return
        if event.name in SHIPPED:
            account.fulfilment = "shipped"
        elif event.name in IN_PROGRESS and account.fulfilment == "none":
            account.fulfilment = "in_progress"

    def buy(self, order: str) -> None:
        """Let the buyer of a reserved order buy it."""
        account = self.accounts.get(order)
        if account is not None and account.bought is not None:
            account.bought.set()

    def cancel(self) -> None:
        """Let the buyer of the oldest order that may be called off have second thoughts."""
        self._regrets.put_nowait(self._call_off)

    def move(self) -> None:
        """Let the buyer of the oldest order that may get another address have moved."""
        self._regrets.put_nowait(self._readdress)

    async def handle(self, request: Request) -> Response:
        """Answer GET /orders?after=n for whoever shows the shared secret."""
        if request.headers.get("authorization") != f"Bearer {self._secret}":
            return Response.of_text("who asks?", 401)
        after = int(request.query.get("after", "0") or 0)
        page = self._taken[after : after + PAGE_ORDERS]
        more = after + PAGE_ORDERS if len(self._taken) > after + PAGE_ORDERS else None
        listed = [{"data": account.current, "fulfilment": account.fulfilment} for account in page]
        return Response.of_json({"orders": listed, "next": more})

    def address_of(self, order: str) -> Mapping[str, Any]:
        """Give the address of an order as it stands now."""
        return dict(self.accounts[order].current["ship_to"] or {})

    async def _live(self, account: Account) -> None:
        for n, version in enumerate(account.story.versions):
            if n:
                await self._until_next(account, account.story.waits_s[n - 1])
            self._note_terms(account.story.id, version)
            await self._post(account, version)
            account.posted = n + 1
            if n == 0:
                self._taken.append(account)

    async def _until_next(self, account: Account, wait_s: float) -> None:
        if account.bought is None:
            await self._wait(wait_s)
            return
        try:
            await self._clock.within(MOST_PATIENCE_S / self._speed, account.bought.wait())
        except TimeoutError:
            return

    def _note_terms(self, order: str, version: Mapping[str, Any]) -> None:
        """Note before it is posted what it says: the house may have it long before its answer comes."""
        if not version.get("options", {}).get("approval", True):
            self.unseen.add(order)
        if version["purchase"] != "bought" or not version.get("paid", True):
            self.sold_at[order] = math.inf
        elif order in self.sold_at:
            self.sold_at[order] = self._clock.monotonic()

    async def heed_regrets(self) -> None:
        """Post what buyers have thought of since, for ever."""
        while True:
            regret = await self._regrets.get()
            await regret()

    async def _call_off(self) -> None:
        account = next((account for account in self.accounts.values() if account.may_be_called_off), None)
        if account is not None:
            before = account.last
            account.called_off = {**before, "version": before["version"] + 1, "purchase": "cancelled"}
            await self._post(account, account.called_off)
            self.called_off_at[account.story.id] = self._clock.monotonic()

    async def _readdress(self) -> None:
        account = next((account for account in self.accounts.values() if account.may_move), None)
        if account is not None:
            before = account.last
            begun_s = self._clock.monotonic()
            self.moved[account.story.id] = Move(before=before["ship_to"], begun_s=begun_s, taken_s=math.inf)
            account.moved = {**before, "version": before["version"] + 1, "ship_to": {**before["ship_to"], **MOVED_TO}}
            await self._post(account, account.moved)
            taken_s = self._clock.monotonic()
            self.moved[account.story.id] = Move(before=before["ship_to"], begun_s=begun_s, taken_s=taken_s)

    async def _post(self, account: Account, order: Any) -> None:
        message = {"type": "order.changed", "timestamp": self._clock.now().isoformat(), "data": order}
        message_id = f"msg_{order['id']}_{order['version']}"
        for _ in range(2 if "posted_twice" in account.story.traits else 1):
            status = await self._postman.post("/intake/marketplace", message_id, message)
            if status >= 300:
                self.turned_away[f"{message_id}: {status}"] += 1

    def _usual_gap(self) -> float:
        return self._rng.uniform(0.2, 1.8) * BETWEEN_ORDERS_S

    async def _wait(self, sim_s: float) -> None:
        await self._clock.sleep(sim_s / self._speed)


def _opened(stories: Sequence[Story], n: int, story: Story) -> Account:
    return Account(stories=stories, n=n, bought=asyncio.Event() if story.on_purchase else None)
