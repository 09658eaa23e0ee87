"""One shift of a site's line and its plant, in one process and on one clock."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import json
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from controller.commands.sim.house import House
from controller.commands.sim.lives import RESTART_S, Killed, Reaper
from controller.commands.twin.people import people_of
from controller.commands.twin.plant import plant_of
from controller.line import Given, Line
from controller.links import Links
from controller.processes import import_items
from controller.site import Site
from packline.core.clock import Clock, LoopClock
from packline.core.ids import SeededIds
from packline.store import Store, open_store
from simulation.people.house import memory_client
from simulation.people.stage import Stage
from simulation.plant.truth import Fact
from simulation.spec import PlantSpec
from simulation.virtual.check import self_check
from simulation.virtual.content import ContentSight, Press, Share
from simulation.virtual.faults import PlannedFault
from simulation.virtual.invariants import broken
from simulation.virtual.loop import VirtualLoop, run
from simulation.virtual.making import make_loop
from simulation.virtual.plant import VirtualPlant
from simulation.virtual.wall import patched_time

T = TypeVar("T")
Wrap = Callable[[Callable[[], None]], Callable[[], None]]

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""The calendar at which every shift begins: a Monday, four in the afternoon at the demo hall."""
HORIZON_S, PER_ORDER_S = 600.0, 60.0
"""The loop's seconds after which a shift that does not end is given up: ten minutes, and this for each order."""
IN_MEMORY = "sqlite://"
LOOK_S = 1.0
MICRO = 1_000_000
OF_ASYNCUA = (
    "asyncua.client.client",
    "asyncua.common.subscription",
    "asyncua.server.internal_session",
    "asyncua.server.internal_subscription",
    "asyncua.server.uaprocessor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What is played. `folder` holds what the line writes; `url` its books; `one_in` the share of parcels with real pixels."""

    site: Site
    path: Path
    folder: Path
    url: str = IN_MEMORY
    orders: int = 24
    seed: int = 1
    speed: float | None = None
    one_in: int = 500
    faults: tuple[PlannedFault, ...] = ()
    """What goes wrong. A controller that dies needs books in a file."""
    over: frozenset[str] = frozenset()
    """Protocols ("modbus", "opcua") whose machines are reached over real sockets of the loopback, in virtual time all the same."""


@dataclass(slots=True, kw_only=True)
class Played:
    """What came of it: the figures of the plant's truth, and hashes of the truth and of the journal without its pictures' bytes.

    `chain` is the hash that the journal itself ends in, pictures and all.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    journal: str = ""
    chain: str = ""
    rows: int = 0
    truth: str = ""
    virtual_s: float = 0.0
    broken: tuple[str, ...] = ()
    """What was not true that must be: see `simulation.virtual.invariants`."""
    deaths: int = 0
    commits: int = 0
    struck: int = 0
    """Faults that happened before the shift was over."""
    facts: tuple[Fact, ...] = ()


Tell = Callable[[dict[str, Any]], None]


def play(shift: Shift, tell: Tell = lambda _: None) -> Played:
    """Play a shift to its end; raises VirtualDeadlock, VirtualHorizon and whatever breaks the line or its plant."""
    self_check()
    plant = _plant(shift)

    async def whole() -> Played:
        return await _Run(shift, plant, tell).play()

    return run(whole(), lambda: make_loop(rate=plant.speed, horizon_s=horizon_s(shift), with_sockets=bool(shift.over)))


def known_faults(shift: Shift) -> Mapping[str, Sequence[str]]:
    """Give what each device of a shift's plant can do wrong."""
    plant = _plant(shift)

    async def look() -> Mapping[str, Sequence[str]]:
        return _Run(shift, plant, lambda _: None).known()

    return run(look(), lambda: make_loop(rate=plant.speed))


def _modules_of(over: frozenset[str]) -> list[ModuleType]:
    """Name the modules of asyncua that mix the computer's time with the loop's."""
    if "opcua" not in over:
        return []
    return [importlib.import_module(name) for name in OF_ASYNCUA]


def horizon_s(shift: Shift) -> float:
    """Give the loop's time by which a shift must have ended."""
    return HORIZON_S + shift.orders * PER_ORDER_S


def _plant(shift: Shift) -> PlantSpec:
    plant = plant_of(shift.site, shift.path, shift.speed)
    stock = tuple(replace(article, count=max(article.count, shift.orders)) for article in plant.stock)
    return replace(plant, seed=shift.seed, stock=stock)


class _Run:
    """One shift on the running loop."""

    def __init__(self, shift: Shift, spec: PlantSpec, tell: Tell) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)  # noqa: S101 - made by `play`
        self._shift, self._tell, self._clock = shift, tell, LoopClock(EPOCH)
        self._press = Press(Share(one_in=shift.one_in))
        self._plant = VirtualPlant(spec, loop, self._clock, press=self._press, offload=_inline, over=shift.over)
        self._secret = hashlib.sha256(f"{shift.seed}/secret".encode()).digest()
        self._house = House(shift.site, secret=self._secret, clock=self._clock)
        people = people_of(shift.site, shift.path, orders=shift.orders, seed=shift.seed, speed=spec.speed)
        self._stage = Stage(self._plant, people, clock=self._clock, house=self._house)
        self._reaper = Reaper((fault for fault in shift.faults if fault.is_kill), self._plant.cut_off)
        self._stops: list[tuple[str, float, float]] = []
        self._struck = 0

    async def play(self) -> Played:
        """Play to the end, or to the horizon."""
        await self._plant.start()
        works = (self._plant.run(), self._lives(), self._stage.run(), *map(self._strike, self._faults()))
        with patched_time(asyncio.get_running_loop(), EPOCH, *_modules_of(self._shift.over)):
            late = await self._until_over(works)
            played = self._played(late)
            await self._plant.stop()
        return played

    def known(self) -> Mapping[str, Sequence[str]]:
        """Give what each device can do wrong."""
        return self._plant.misbehaviour.known()

    # -- the line ------------------------------------------------------------------------------------------------------------

    async def _lives(self) -> None:
        """Run the controller; one that died is started again from its books."""
        while True:
            life = self._reaper.deaths
            books = self._books(f"{self._shift.seed}/ids/{life}", self._reaper.new_life())
            line = Line(self._given(books, life))
            web = books if self._is_in_memory else self._books(f"{self._shift.seed}/web/{life}")
            self._house.move_in(line, web)
            try:
                await line.run()
            except* Killed:
                self._house.move_out()
            finally:
                if not self._is_in_memory:
                    books.close()
            await self._clock.sleep(RESTART_S)

    @property
    def _is_in_memory(self) -> bool:
        return self._shift.url == IN_MEMORY

    def _books(self, seed: str, wrap: Wrap | None = None) -> Store:
        """Open the books; a dashboard of its own process would do it once more, on the same file."""
        store = open_store(self._shift.url, clock=self._clock, ids=SeededIds(seed), inline=True, wrap_commit=wrap)
        import_items(store, self._shift.site, self._shift.path.resolve().parent)
        return store

    def _given(self, store: Store, life: int) -> Given:
        shift, rng = self._shift, random.Random(f"{self._shift.seed}/controller/{life}")  # noqa: S311 - reproducible on purpose
        return Given(
            site=shift.site,
            folder=shift.path.resolve().parent,
            data=shift.folder,
            store=store,
            links=_links(self._plant, self._house, self._press, self._clock, rng),
            clock=self._clock,
            ids=SeededIds(f"{shift.seed}/line/{life}"),
            rng=rng,
            offload=_inline,
            secret=self._secret,
            open_door=NoDoor,
        )

    # -- what goes wrong -----------------------------------------------------------------------------------------------------

    def _faults(self) -> list[PlannedFault]:
        return [fault for fault in self._shift.faults if not fault.is_kill]

    async def _strike(self, planned: PlannedFault) -> None:
        """Let one fault happen at its time."""
        await self._clock.sleep(planned.at_s)
        switchboard = self._plant.misbehaviour
        if planned.fault == "estop" and planned.for_s is not None:
            now = self._plant.motion.now()
            self._stops.append((planned.device, now, now + planned.for_s * self._plant.motion.speed))
        self._struck += 1
        await switchboard.fault(planned.device, planned.fault, for_s=planned.for_s, times=planned.times)

    # -- the end -------------------------------------------------------------------------------------------------------------

    async def _until_over(self, works: Iterable[Coroutine[Any, Any, None]]) -> bool:
        """Run everything until the play is over; what breaks one breaks all. True when it was given up as too late."""
        late = False

        async def watch() -> None:
            nonlocal late
            ends_at = horizon_s(self._shift) - LOOK_S
            while not (self._stage.is_over() and self._clock.monotonic() > self._faults_end_s()):
                await self._clock.sleep(LOOK_S)
                self._tell(self._stage.progress())
                if late := self._clock.monotonic() >= ends_at:
                    break
            raise _Over

        with contextlib.suppress(_Over):
            try:
                async with asyncio.TaskGroup() as group:
                    for work in (*works, watch()):
                        group.create_task(work)
            except* _Over:
                raise _Over from None
        return late

    def _faults_end_s(self) -> float:
        """Give when the last fault that has begun by then is over; what lies behind the end of the play never happens."""
        now = self._clock.monotonic()
        return max((f.at_s + (f.for_s or 0.0) for f in self._faults() if f.at_s <= now), default=0.0)

    def _played(self, late: bool) -> Played:
        store, truth = self._house.store, self._plant.truth
        assert store is not None  # noqa: S101 - the line has begun
        rows, chain = store.head_now()
        journal = store.contents_hash_now()
        found = broken(truth, self._plant.hall.world, self._stage.receiver.events, self._stops)
        waiting = self._stage.score.waiting()
        found += [f"liveness: {len(waiting)} orders are not over"] if late and waiting else []
        found += ["liveness: a subscriber was not told all"] if late and not waiting else []
        store.close()
        return Played(
            figures=self._stage.summary(),
            journal=journal,
            chain=chain,
            rows=rows,
            truth=truth_hash(truth.facts),
            virtual_s=round(self._clock.monotonic(), 3),
            broken=tuple(found),
            deaths=self._reaper.deaths,
            commits=self._reaper.commits,
            struck=self._struck,
            facts=tuple(truth.facts),
        )


class _Over(Exception):  # noqa: N818 - no error
    """The play is over."""


def truth_hash(facts: Iterable[Fact]) -> str:
    """Hash what physically happened; times as whole microseconds, so that no text of a float is in it."""
    digest = hashlib.sha256()
    for fact in facts:
        row = [fact.n, fact.name, round(fact.sim_s * MICRO), fact.data]
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()


def _links(plant: VirtualPlant, house: House, press: Press, clock: Clock, rng: random.Random) -> Links:
    http = memory_client(house.ask_hosts)
    return Links(
        open_block=plant.open_block,
        open_port=plant.open_port,
        open_line=plant.open_line,
        open_reader=plant.open_reader,
        camera=plant.open_camera,
        http=http,
        video=http,
        clock=clock,
        rng=rng,
        sight=ContentSight(),
        typeset=press.typeset,
    )


class NoDoor:
    """The door of a line that is met in its own process."""

    def __init__(self, data: Path, **_: object) -> None:
        del data

    async def run(self) -> None:
        """Wait for nobody."""
        await asyncio.Event().wait()


async def _inline(work: Callable[..., T], *args: Any) -> T:
    return work(*args)
