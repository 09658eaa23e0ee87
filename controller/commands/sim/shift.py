"""One shift of a site's line and its plant, in one process and on one clock."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from controller.commands.sim.house import House
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
from simulation.virtual.loop import VirtualLoop, make_loop, run
from simulation.virtual.plant import VirtualPlant

T = TypeVar("T")

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""The calendar at which every shift begins: a Monday, four in the afternoon at the demo hall."""
HORIZON_S = 3600.0
PER_ORDER_S = 60.0
"""The loop's seconds after which a shift that does not end is given up: an hour, and this for each order."""
LOOK_S = 1.0
MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What is played. `folder` holds what the line writes; `url` its books; `one_in` the share of parcels with real pixels."""

    site: Site
    path: Path
    folder: Path
    url: str = "sqlite://"
    orders: int = 24
    seed: int = 1
    speed: float | None = None
    one_in: int = 500


@dataclass(slots=True, kw_only=True)
class Played:
    """What came of it: the figures of the plant's truth, the hash that the journal ends in, and that of the truth."""

    figures: dict[str, Any] = field(default_factory=dict)
    journal: str = ""
    rows: int = 0
    truth: str = ""
    virtual_s: float = 0.0


Tell = Callable[[dict[str, Any]], None]


def play(shift: Shift, tell: Tell = lambda _: None) -> Played:
    """Play a shift to its end; raises VirtualDeadlock, VirtualHorizon and whatever breaks the line or its plant."""
    self_check()
    plant = _plant(shift)
    horizon_s = HORIZON_S + shift.orders * PER_ORDER_S
    return run(_play(shift, plant, tell), lambda: make_loop(rate=plant.speed, horizon_s=horizon_s))


def _plant(shift: Shift) -> PlantSpec:
    plant = plant_of(shift.site, shift.path, shift.speed)
    stock = tuple(replace(article, count=max(article.count, shift.orders)) for article in plant.stock)
    return replace(plant, seed=shift.seed, stock=stock)


async def _play(shift: Shift, spec: PlantSpec, tell: Tell) -> Played:
    loop, clock = asyncio.get_running_loop(), LoopClock(EPOCH)
    assert isinstance(loop, VirtualLoop)  # noqa: S101 - made by `play`
    press = Press(Share(one_in=shift.one_in))
    plant = VirtualPlant(spec, loop, clock, press=press, offload=_inline)
    secret = hashlib.sha256(f"{shift.seed}/secret".encode()).digest()
    house = House(shift.site, secret=secret, clock=clock)
    people = people_of(shift.site, shift.path, orders=shift.orders, seed=shift.seed, speed=spec.speed)
    stage = Stage(plant, people, clock=clock, house=house)
    ids = SeededIds(f"{shift.seed}/ids")
    store = open_store(shift.url, clock=clock, ids=ids, inline=True)
    import_items(store, shift.site, shift.path.resolve().parent)
    rng = random.Random(f"{shift.seed}/controller")  # noqa: S311 - reproducible on purpose
    given = Given(
        site=shift.site,
        folder=shift.path.resolve().parent,
        data=shift.folder,
        store=store,
        links=_links(plant, house, press, clock, rng),
        clock=clock,
        ids=ids,
        rng=rng,
        offload=_inline,
        secret=secret,
        open_door=NoDoor,
    )
    await plant.start()
    line = Line(given)
    house.move_in(line, store)
    try:
        await _until_over(stage, clock, tell, [plant.run(), line.run(), stage.run()])
        return _played(stage, store, plant.truth.facts, clock)
    finally:
        store.close()


async def _until_over(stage: Stage, clock: Clock, tell: Tell, works: Iterable[Any]) -> None:
    """Run everything until the play is over; what breaks one of them breaks all."""

    async def watch() -> None:
        while not stage.is_over():
            await clock.sleep(LOOK_S)
            tell(stage.progress())
        raise _Over

    with contextlib.suppress(_Over):
        try:
            async with asyncio.TaskGroup() as group:
                for work in (*works, watch()):
                    group.create_task(work)
        except* _Over:
            raise _Over from None


class _Over(Exception):  # noqa: N818 - no error
    """The play is over."""


def _played(stage: Stage, store: Store, facts: list[Fact], clock: Clock) -> Played:
    rows, journal = store.head_now()
    return Played(
        figures=stage.summary(),
        journal=journal,
        rows=rows,
        truth=truth_hash(facts),
        virtual_s=round(clock.monotonic(), 3),
    )


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
