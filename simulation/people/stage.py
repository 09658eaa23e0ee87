"""Puts everybody on stage: operators, shift leader, buyers, courier, marketplace and the receiver of events."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from packline.core.clock import Clock, LoopClock
from simulation.mounts.http import Request, Response
from simulation.people.bench import BenchOperator
from simulation.people.buyers import Buyers
from simulation.people.catalogue import read_catalogue
from simulation.people.clarify import ClarificationOperator
from simulation.people.courier import Courier
from simulation.people.crew import Crew, Recount
from simulation.people.demand import Demand, DemandSpec
from simulation.people.desk import POLL_S, Desk
from simulation.people.hold import HoldOperator
from simulation.people.house import House, HttpHouse
from simulation.people.induct import InductOperator
from simulation.people.marketplace import Marketplace
from simulation.people.porter import Porter
from simulation.people.post import Postman
from simulation.people.receiver import Receiver
from simulation.people.remedies import Remedies
from simulation.people.score import Score, figures
from simulation.people.supervisor import Supervisor
from simulation.plant.floor import Floor
from simulation.plant.truth import Truth
from simulation.spec import PlantSpec

LEADER_POLL_S = 0.4

Person = Callable[[], Coroutine[Any, Any, None]]
"""Somebody's working day; it ends only by being cancelled."""


class Plant(Protocol):
    """The twin, as far as people see it."""

    @property
    def spec(self) -> PlantSpec: ...

    @property
    def floor(self) -> Floor: ...

    @property
    def truth(self) -> Truth: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSpec:
    """Who plays, and where the house is. `speed` is simulated seconds per wall second; secrets are `whsec_...`.

    `host` is "host:port" of the little server that is marketplace and event receiver; `subscribers` has the signing secret
    of each role; `series` goes into the orders' numbers (default: the time, so that no two runs name two orders alike).
    """

    web_url: str
    operator: str
    supervisor: str
    password: str
    orders: int
    seed: int
    speed: float
    items: Path
    host: str
    feed_secret: str
    courier: str
    courier_secret: str
    subscribers: Mapping[str, str] = field(default_factory=dict)
    series: str = ""
    events_file: Path | None = None
    demand: DemandSpec = DemandSpec()


class Stage:
    """`run()` plays until cancelled; `progress()`, `summary()` and `is_over()` tell how far the play is."""

    def __init__(
        self, twin: Plant, spec: PeopleSpec, *, clock: Clock | None = None, house: House | None = None
    ) -> None:
        """`house` is how everybody reaches the house; default: over HTTP, by the addresses in `spec`."""
        self._twin, self._spec = twin, spec
        self._clock = clock or LoopClock()
        self._began: float | None = None
        self._ended: float | None = None
        self._house = house or HttpHouse(
            web_url=spec.web_url, password=spec.password, host=spec.host, clock=self._clock
        )
        self._web = self._house.client()
        self._operator = self._house.desk(spec.operator, POLL_S)
        self._leader = self._house.desk(spec.supervisor, LEADER_POLL_S)
        self._catalogue = read_catalogue(spec.items)
        self.receiver = Receiver(
            secrets=spec.subscribers, clock=self._clock, file=spec.events_file, keeps_all=house is None
        )
        self.marketplace = self._marketplace()
        crew = self._crew(self._operator, Recount())
        self.recount = crew.recount
        self.score = Score(
            accounts=self.marketplace.accounts,
            truth=twin.truth,
            roles=frozenset(spec.subscribers),
            recount=crew.recount,
        )
        self.supervisor = self._supervisor(crew)
        self.courier = Courier(
            crew=crew,
            truth=twin.truth,
            postman=Postman(http=self._web, secret=spec.courier_secret, clock=self._clock),
            name=spec.courier,
            rng=self._rng("courier"),
        )
        self.buyers = self._buyers()
        self._floor_hands = _hands(crew)

    async def run(self) -> None:
        """Play for ever; ends what it opened."""
        self._listen()
        await self._house.open(self._handle)
        try:
            async with asyncio.TaskGroup() as group:
                for desk in (self._operator, self._leader):
                    group.create_task(desk.run())
                group.create_task(self.buyers.run())
                await self._operator.is_known.wait()
                self._began = self._clock.monotonic()
                host = (self.marketplace.run, self.marketplace.heed_regrets)
                for person in (*self._floor_hands, self.supervisor.run, self.courier.run, *host):
                    group.create_task(person())
        finally:
            await self._house.close()

    def is_over(self) -> bool:
        """Tell whether every order that was to be posted is over, on the floor and in every subscriber's ears."""
        is_over = bool(self.marketplace.accounts) and not self.score.open_orders() and self.courier.is_idle
        # events of one order overtake those of another: the last ones may still be under way; a lost one never comes
        is_over = is_over and not self.score.waiting() and not self.score.lost_events()
        if not is_over:
            self._ended = None
        elif self._ended is None:
            self._ended = self._clock.monotonic()
        return is_over

    def progress(self) -> dict[str, Any]:
        """Give what a terminal shows while it runs."""
        truth, accounts = self._twin.truth, self.marketplace.accounts
        return {
            "orders": len(accounts),
            "orders_posted": self.marketplace.begun,
            "orders_over": len(accounts) - self.score.open_orders(),
            "inducted": self.score.count("item.on_stage"),
            "packed": truth.count("sealed"),
            "labelled": truth.count("label_applied"),
            "approved": self.score.count("parcel.approved"),
            "left_door": truth.count("left_door"),
            "delivered": len(self.courier.delivered),
            "exceptions": len(self.supervisor.opened),
        }

    def backstage(self) -> dict[str, Any]:
        """Give what helps when a play goes wrong."""
        return {
            "dashboard_seen": self._began is not None,
            "waiting": self.score.waiting(),
            "turned_away": dict(self.marketplace.turned_away),
            "buyers_turns": self.buyers.turns,
            "events": dict(self.receiver.counts),
            "opened": self.supervisor.opened,
            "handled": self.supervisor.handled,
            "packing_list": {order: sorted(cartons) for order, cartons in self.recount.cartons.items()},
            "called_shipped": sorted(self.recount.called_shipped),
        }

    def summary(self) -> dict[str, Any]:
        """Give the figures of the run; what is not over when this is asked counts as lost."""
        return figures(
            score=self.score,
            accounts=self.marketplace.accounts,
            truth=self._twin.truth,
            events=self.receiver.heard,
            exceptions=len(self.supervisor.opened),
            seconds=self._seconds(),
        )

    def _seconds(self) -> float:
        if self._began is None:
            return 0.0
        return (self._ended if self._ended is not None else self._clock.monotonic()) - self._began

    def _listen(self) -> None:
        for role in self._spec.subscribers:
            self.receiver.listen(role, self.score.hear)
        self.receiver.listen("merchant", self.marketplace.hear)
        self.receiver.listen("buyer", self.buyers.hear)

    async def _handle(self, request: Request) -> Response:
        """Serve POST /events/<role>, GET /events, /orders and /stage."""
        if request.path.startswith("/events"):
            return await self.receiver.handle(request)
        if request.path == "/orders":
            return await self.marketplace.handle(request)
        if request.path == "/stage":
            return Response.of_json(
                {
                    "progress": self.progress(),
                    "over": self.is_over(),
                    "summary": self.summary(),
                    "backstage": self.backstage(),
                }
            )
        return Response.of_text("nothing here", 404)

    # -- casting -------------------------------------------------------------------------------------------------------

    def _crew(self, desk: Desk, recount: Recount) -> Crew:
        return Crew(
            floor=self._twin.floor,
            desk=desk,
            clock=self._clock,
            plant=self._twin.spec,
            speed=self._spec.speed,
            barcodes={article.sku: article.barcode for article in self._catalogue},
            recount=recount,
        )

    def _marketplace(self) -> Marketplace:
        now = self._clock.now()
        demand = Demand(
            articles=self._catalogue,
            seed=self._spec.seed,
            series=self._spec.series or f"{int(now.timestamp()) % 10**8:08d}",
            placed_at=now,
            shares=self._spec.demand.shares,
            turn=self._spec.demand.turn,
        )
        return Marketplace(
            stories=demand.stories(self._spec.orders),
            postman=Postman(http=self._web, secret=self._spec.feed_secret, clock=self._clock),
            secret=self._spec.feed_secret,
            clock=self._clock,
            speed=self._spec.speed,
            rng=self._rng("marketplace"),
            demand=self._spec.demand,
        )

    def _supervisor(self, crew: Crew) -> Supervisor:
        own = self._crew(self._leader, crew.recount)
        return Supervisor(own, Remedies(own, self.score.cartons_of))

    def _buyers(self) -> Buyers:
        return Buyers(
            accounts=self.marketplace.accounts,
            marketplace=self.marketplace,
            http=self._web,
            clock=self._clock,
            speed=self._spec.speed,
            rng=self._rng("buyers"),
        )

    def _rng(self, who: str) -> random.Random:
        return random.Random(f"{self._spec.seed}/{who}")


def _hands(crew: Crew) -> list[Person]:
    """Give a person to every station that people serve, and a porter."""
    people: list[Person] = [Porter(crew).run]
    for station in crew.plant.stations:
        if station.kind == "turntable":
            people.append(InductOperator(crew, station.name).run)
        elif station.kind == "bench" or (station.run_by == "person" and station.kind in ("pack", "print_apply")):
            people.append(BenchOperator(crew, station.name).run)
        elif station.kind == "hold":
            people.append(HoldOperator(crew, station.name).run)
        elif station.kind == "clarification":
            people.append(ClarificationOperator(crew, station.name).run)
    return people
