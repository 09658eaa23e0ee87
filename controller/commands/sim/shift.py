"""One shift of a site's line and its plant, in one process and on one clock."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

from controller.commands.sim.computing import offload_of
from controller.commands.sim.house import House
from controller.commands.sim.lives import DISK, RESTART_S, Killed, Reaper
from controller.commands.twin.people import people_of
from controller.commands.twin.plant import plant_of
from controller.line import Given, Line
from controller.links import Links
from controller.processes import import_items
from controller.site import Site
from packline.core.clock import Clock, LoopClock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import Store, open_store
from simulation.faults.calendar import JumpingClock
from simulation.faults.catalogue import CONTROLLER, DATABASE
from simulation.faults.hosts import HOST_QUIRKS, SUBSCRIBER_QUIRKS, RoughPost
from simulation.faults.known import known
from simulation.misbehave import at_once, momentary, quirk
from simulation.people.demand import DemandSpec
from simulation.people.house import memory_carry, memory_client
from simulation.people.receiver import Received
from simulation.people.rough_house import RoughHouse
from simulation.people.stage import Stage
from simulation.plant.truth import Fact
from simulation.spec import PlantSpec
from simulation.virtual.check import self_check
from simulation.virtual.content import ContentSight, Press, Share
from simulation.virtual.faults import PlannedFault
from simulation.virtual.invariants import broken, liveness
from simulation.virtual.loop import VirtualLoop, run
from simulation.virtual.making import make_loop
from simulation.virtual.moments import Moments
from simulation.virtual.plant import VirtualPlant
from simulation.virtual.tally import Flows, TruthHash
from simulation.virtual.wall import patched_time
from simulation.virtual.watch import Watch

T = TypeVar("T")
Wrap = Callable[[Callable[[], None]], Callable[[], None]]

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""The calendar at which every shift begins: a Monday, four in the afternoon at the demo hall."""
HORIZON_S, PER_ORDER_S = 1500.0, 60.0
"""The loop's seconds after which a shift that does not end is given up: this, and so many for each order.

A parcel that nobody sees is asked for after 900 s (`missing_s` of the site's policy); it must still have the time to end.
"""
IN_MEMORY = "sqlite://"
LOOK_S = 1.0
NO_DATABASE = 5002
MOST_COMPARED = 100_000
"""Parcels whose labels are compared with the books at the end."""
BUYER_QUIRKS = ("late_approval", "silent_buyer")
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
    demand: DemandSpec = DemandSpec()
    horizon_s: float | None = None
    """The loop's seconds after which it is given up; None: by its orders."""
    computing: float = 0.0
    """How many times as long drawing and reading pictures takes, of the line's time, as on this computer; 0: no time at all."""
    over: frozenset[str] = frozenset()
    """Protocols ("modbus", "opcua") whose machines are reached over real sockets of the loopback, in virtual time all the same."""

    keeps_facts: bool = True
    """Give all facts with what came of it; a shift of very many orders has no need of them, and no room."""
    elide: bool = True
    """Spare the polls that cannot see a change; the result is the same."""


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
    """All that physically happened; none where they were not kept."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of fault of each device happened."""
    not_struck: tuple[PlannedFault, ...] = ()
    """Faults whose moment did not come before the shift was over."""


Tell = Callable[[dict[str, Any]], None]


class Listener(Protocol):
    """Hears a shift from outside, and changes nothing in it."""

    def begin(self, plant: VirtualPlant) -> None:
        """Meet the plant before it is switched on."""

    def struck(self, device: str, fault: str) -> None:
        """Hear of what no switch of the plant makes: the death of a controller, a commit that fails."""

    def end(self, store: Store) -> None:
        """Read the books when all is over, before they are closed."""


def play(shift: Shift, tell: Tell = lambda _: None, listener: Listener | None = None) -> Played:
    """Play a shift to its end, heard by `listener`; raises VirtualDeadlock, VirtualHorizon and whatever breaks the line or its plant."""
    self_check()
    plant = _plant(shift)

    async def whole() -> Played:
        return await _Run(shift, plant, tell, listener).play()

    return run(whole(), lambda: make_loop(rate=plant.speed, horizon_s=horizon_s(shift), with_sockets=bool(shift.over)))


def known_faults(shift: Shift) -> Mapping[str, Sequence[str]]:
    """Give what each device of a shift's plant can do wrong."""
    return {device: sorted(kinds) for device, kinds in known(_plant(shift)).items()}


def switched(shift: Shift) -> Mapping[str, Sequence[str]]:
    """Give what can be switched on while a shift is played: all of `known_faults` but what happens at a commit."""
    plant = _plant(shift)

    async def look() -> Mapping[str, Sequence[str]]:
        return _Run(shift, plant, lambda _: None, None).known()

    return run(look(), lambda: make_loop(rate=plant.speed))


def _modules_of(over: frozenset[str]) -> list[ModuleType]:
    """Name the modules of asyncua that mix the computer's time with the loop's."""
    if "opcua" not in over:
        return []
    return [importlib.import_module(name) for name in OF_ASYNCUA]


def horizon_s(shift: Shift) -> float:
    """Give the loop's time by which a shift must have ended."""
    if shift.horizon_s is not None:
        return shift.horizon_s
    return HORIZON_S + shift.orders * PER_ORDER_S


def plant_spec(site: Site, path: Path, speed: float | None) -> PlantSpec:
    """Give the plant of a site; raises Fault 4201 where the site has no twin."""
    return plant_of(site, path, speed)


def _plant(shift: Shift) -> PlantSpec:
    plant = plant_spec(shift.site, shift.path, shift.speed)
    stock = tuple(replace(article, count=max(article.count, shift.orders)) for article in plant.stock)
    return replace(plant, seed=shift.seed, stock=stock)


class _Run:
    """One shift on the running loop."""

    def __init__(self, shift: Shift, spec: PlantSpec, tell: Tell, listener: Listener | None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)  # noqa: S101 - made by `play`
        self._shift, self._tell, self._clock = shift, tell, LoopClock(EPOCH)
        self._computer = JumpingClock(self._clock)
        self._press = Press(Share(one_in=shift.one_in))
        self._plant = VirtualPlant(
            spec,
            loop,
            self._clock,
            press=self._press,
            offload=offload_of(self._clock, self._shift.computing),
            over=shift.over,
            elide=shift.elide,
        )
        self._secret = hashlib.sha256(f"{shift.seed}/secret".encode()).digest()
        self._house = House(shift.site, secret=self._secret, clock=self._computer, hears=self._asked)
        people = people_of(shift.site, shift.path, orders=shift.orders, seed=shift.seed, speed=spec.speed)
        self._post = RoughPost(self._clock, _secrets(shift.site))
        rough = RoughHouse(self._house, self._post)
        self._stage = Stage(self._plant, replace(people, demand=shift.demand), clock=self._clock, house=rough)
        self._watch = Watch(self._plant.hall.world)
        self._hash, self._flows = TruthHash(), Flows()
        self._moments = Moments(self._clock, self._plant.hall.machines)
        self._reaper = Reaper((fault for fault in shift.faults if fault.is_kill), self._cut_off, self._moments)
        self._kinds: Counter[str] = Counter()
        self._planned = self._faults()
        self._ends_s = 0.0
        self._listener = listener
        self._listen()

    def _listen(self) -> None:
        """Have everybody hear what concerns him, and make known what can go wrong besides the plant."""
        motion, board = self._plant.motion, self._plant.misbehaviour
        if self._listener is not None:
            self._listener.begin(self._plant)

        def moved(machine: str, what: str) -> None:
            self._watch.moved(machine, what, motion.now())
            self._moments.moved(machine, what)

        self._plant.hall.watch(moved)
        truth = self._plant.truth
        truth.keeps_facts = self._shift.keeps_facts
        truth.listeners += [self._hash.hear, self._flows.hear, self._watch.hear, self._moments.hear]
        for role in {part.role for part in self._shift.site.subscribers.values()}:
            self._stage.receiver.listen(role, self._told)
        kill = momentary(lambda: at_once(self._reaper.kill))
        board.add("controller", {"kill": kill, **self._computer.switches()})
        board.add("database", {name: quirk(self._reaper.disk, name) for name in DISK})
        board.add("buyers", {name: quirk(self._stage.buyers.quirks, name) for name in BUYER_QUIRKS})
        board.add("hosts", {name: quirk(self._post.hosts, name) for name in HOST_QUIRKS})
        board.add("subscribers", {name: quirk(self._post.subscribers, name) for name in SUBSCRIBER_QUIRKS})

    def _asked(self, action: str, args: Mapping[str, Any]) -> None:
        if args.get("action") == "release":
            self._watch.led_on()

    async def _told(self, event: Received) -> None:
        self._watch.told(event.role, event.name, str(event.data.get("lpn", "")))

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

    def _cut_off(self) -> None:
        self._plant.cut_off()
        self._watch.died()
        self._tell_of("controller", "killed")

    def _tell_of(self, device: str, fault: str) -> None:
        if self._listener is not None:
            self._listener.struck(device, fault)

    # -- the line ------------------------------------------------------------------------------------------------------------

    async def _lives(self) -> None:
        """Run the controller; one that died is started again from its books."""
        while True:
            life = self._reaper.deaths
            try:
                books, web = self._opened(life)
            except Fault as trouble:  # the disk is full or locked: the supervisor tries again
                _demand_trouble(trouble, self._shift)
                await self._clock.sleep(RESTART_S)
                continue
            except Killed:  # at a commit of its start
                await self._clock.sleep(RESTART_S)
                continue
            line = Line(self._given(books, life))
            self._house.move_in(line, web)
            self._watch.begun(self._plant.motion.now())
            try:
                await self._life(line, life)
            finally:
                self._house.move_out()
                if not self._is_in_memory:
                    books.close()
            await self._clock.sleep(RESTART_S)

    async def _life(self, line: Line, life: int) -> None:
        """Run one life to its end; raises what ended it, unless that was a kill."""
        running = asyncio.ensure_future(line.run())
        self._reaper.begins(running.cancel)
        try:
            await asyncio.wait({running})
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait({running})
        was_killed = life != self._reaper.deaths
        error = None if running.cancelled() else running.exception()
        if error is not None and not was_killed:
            for cause in _causes(error):  # a start or an end that the disk stops: the supervisor tries again
                _demand_trouble(cause, self._shift)

    def _opened(self, life: int) -> tuple[Store, Store]:
        """Give the controller's books and the dashboard's; where they are in memory both are the same."""
        books = self._books(f"{self._shift.seed}/ids/{life}", self._reaper.new_life())
        if self._is_in_memory:
            return books, books
        return books, self._books(f"{self._shift.seed}/web/{life}", self._reaper.on_same_disk)

    @property
    def _is_in_memory(self) -> bool:
        return self._shift.url == IN_MEMORY

    def _books(self, seed: str, wrap: Wrap | None = None) -> Store:
        """Open the books; a dashboard of its own process would do it once more, on the same file."""
        store = open_store(self._shift.url, clock=self._computer, ids=SeededIds(seed), inline=True, wrap_commit=wrap)
        import_items(store, self._shift.site, self._shift.path.resolve().parent)
        return store

    def _given(self, store: Store, life: int) -> Given:
        self._plant.lay_cord()
        shift, rng = self._shift, random.Random(f"{self._shift.seed}/controller/{life}")  # noqa: S311 - reproducible on purpose
        return Given(
            site=shift.site,
            folder=shift.path.resolve().parent,
            data=shift.folder,
            store=store,
            links=_links(self._plant, self._house, self._press, self._computer, rng),
            clock=self._computer,
            ids=SeededIds(f"{shift.seed}/line/{life}"),
            rng=rng,
            offload=offload_of(self._clock, self._shift.computing),
            secret=self._secret,
            open_door=NoDoor,
        )

    # -- what goes wrong -----------------------------------------------------------------------------------------------------

    def _faults(self) -> list[PlannedFault]:
        """Give the faults but for those that the reaper has by the number of a commit."""
        return [fault for fault in self._shift.faults if not (fault.is_kill and fault.when and fault.when.commit)]

    async def _strike(self, planned: PlannedFault) -> None:
        """Let one fault happen when it is due."""
        if planned.device == DATABASE and planned.when is not None and planned.when.commit:
            self._at_commit(planned, planned.when.commit)
            return
        await self._moments.of(planned)
        self._note(planned)
        board = self._plant.misbehaviour
        await board.fault(planned.device, planned.fault, for_s=planned.for_s, times=planned.times)

    def _at_commit(self, planned: PlannedFault, number: int) -> None:
        """Let the very commit of that number fail: nothing can be switched on in time from outside."""

        def strike() -> None:
            self._note(planned)
            self._tell_of(planned.device, planned.fault)
            self._reaper.disk.on(planned.fault, planned.times)
            if planned.for_s is not None:
                asyncio.get_running_loop().call_later(planned.for_s, self._reaper.disk.off, planned.fault)

        self._moments.at_commit(number, strike)

    def _note(self, planned: PlannedFault) -> None:
        self._kinds[f"{planned.device} {planned.fault}"] += 1
        self._planned.remove(planned)
        if planned.fault == "claimed":
            self._watch.claimed(planned.device, self._plant.motion.now())
        if planned.times is None:  # what waits for something to strike is not waited for
            self._ends_s = max(self._ends_s, self._clock.monotonic() + (planned.for_s or 0.0))

    # -- the end -------------------------------------------------------------------------------------------------------------

    async def _until_over(self, works: Iterable[Coroutine[Any, Any, None]]) -> bool:
        """Run everything until the play is over or something is broken; what breaks one breaks all. True when it was given up as too late."""
        late = False

        async def watch() -> None:
            nonlocal late
            ends_at = horizon_s(self._shift) - LOOK_S
            while not (self._stage.is_over() and self._clock.monotonic() > self._ends_s):
                await self._clock.sleep(LOOK_S)
                self._tell(self._stage.progress())
                if self._is_broken():  # what comes after it says nothing more, and may take long
                    break
                if late := self._clock.monotonic() >= ends_at:
                    break
            raise _Over

        try:
            async with asyncio.TaskGroup() as group:
                for work in (*works, watch()):
                    group.create_task(work)
        except* _Over:
            pass  # raised again from here, Python before 3.11.4 would wrap it in a group of its own
        return late

    def _is_broken(self) -> bool:
        """Tell whether something is broken that need not be waited for."""
        counts = self._stage.receiver.counts
        return bool(self._watch.found or self._post.taken or counts["overtaken"] or counts["renamed"])

    def _played(self, late: bool) -> Played:
        store, truth = self._house.store, self._plant.truth
        assert store is not None  # noqa: S101 - the line has begun
        rows, chain = store.head_now()
        journal = store.contents_hash_now()
        recorded = store.views.labels() if len(truth.parcels) <= MOST_COMPARED else None
        receiver = self._stage.receiver
        found = broken(
            truth,
            self._plant.hall.world,
            receiver.events,
            self._watch,
            recorded,
            heard=receiver.counts,
            forged=self._post.taken,
        )
        found += liveness(self._stage.score.waiting(), is_late=late)
        if self._listener is not None:
            self._listener.end(store)
        store.close()
        self._kinds.update(f"{CONTROLLER} {kill}" for kill in self._reaper.at_commits)
        return Played(
            figures={**self._stage.summary(), **self._flows.figures()},
            journal=journal,
            chain=chain,
            rows=rows,
            truth=self._hash.text(),
            virtual_s=round(self._clock.monotonic(), 3),
            broken=tuple(found),
            deaths=self._reaper.deaths,
            commits=self._reaper.commits,
            struck=self._kinds.total(),
            kinds=dict(sorted(self._kinds.items())),
            not_struck=tuple(sorted((*self._planned, *self._reaper.waiting()), key=self._shift.faults.index)),
            facts=tuple(truth.facts),
        )


class _Over(Exception):  # noqa: N818 - no error
    """The play is over."""


def _secrets(site: Site) -> dict[str, str]:
    """Give the signing secrets of hosts and couriers by the path that they post to."""
    feeds = {f"/intake/{name}": part.keys()[0] for name, part in site.feeds.items()}
    return feeds | {f"/intake/couriers/{name}": part.keys()[0] for name, part in site.couriers.items()}


def _demand_trouble(error: BaseException, shift: Shift) -> None:
    """Raise what is not the trouble with the books that was planned."""
    is_planned = any(fault.device == DATABASE for fault in shift.faults)
    if not (is_planned and isinstance(error, Fault) and error.code == NO_DATABASE):
        raise error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give what a group of errors holds; an error that is none holds itself."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _causes(one)
    else:
        yield error


def _links(plant: VirtualPlant, house: House, press: Press, clock: Clock, rng: random.Random) -> Links:
    http = memory_client(house.ask_hosts)
    return Links(
        open_block=plant.open_block,
        open_port=plant.open_port,
        open_line=plant.open_line,
        open_reader=plant.open_reader,
        camera=plant.open_camera,
        http=http,
        carry=memory_carry(house.ask_hosts),
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
