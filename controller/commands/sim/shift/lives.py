"""The lives of the controller in a shift: its books, its links, its deaths."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from controller.commands.sim.shift.books_trouble import causes, demand_trouble
from controller.commands.sim.shift.computing import offload_of
from controller.commands.sim.shift.house import House
from controller.commands.sim.shift.parts import IN_MEMORY, Shift
from controller.commands.sim.shift.reaper import RESTART_S, Killed, Reaper
from controller.disk_watch import Room
from controller.line import Given, Line
from controller.links import Links
from controller.processes import import_items
from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.ids import SeededIds
from packline.store import Store, open_store
from simulation.faults.calendar import JumpingClock
from simulation.people.house import memory_carry, memory_client
from simulation.virtual.content import ContentSight, Press
from simulation.virtual.plant import VirtualPlant
from simulation.virtual.watch import Watch

Wrap = Callable[[Callable[[], None]], Callable[[], None]]

ENDLESS = Room(total=2**60, free=2**60)
"""A shift's disk is never full by what else lies on this computer's; what a full one does, a fault of its own shows."""


class Lives:
    """The controller of a shift, started again from its books whenever it died.

    `clock` is the loop's, `computer` that of the controller's own computer; `house` is who meets it.
    """

    def __init__(
        self,
        shift: Shift,
        plant: VirtualPlant,
        house: House,
        *,
        press: Press,
        clock: Clock,
        computer: JumpingClock,
        secret: bytes,
        reaper: Reaper,
        watch: Watch,
    ) -> None:
        self._shift, self._plant, self._house, self._press = shift, plant, house, press
        self._clock, self._computer, self._secret = clock, computer, secret
        self._reaper, self._watch = reaper, watch

    async def run(self) -> None:
        """Run the controller; one that died is started again from its books."""
        while True:
            life = self._reaper.deaths
            try:
                books, web = self._opened(life)
            except Fault as trouble:  # the disk is full or locked: the supervisor tries again
                demand_trouble(trouble, self._shift.faults)
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
            for cause in causes(error):  # a start or an end that the disk stops: the supervisor tries again
                demand_trouble(cause, self._shift.faults)

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
        store = open_store(
            self._shift.url,
            clock=self._computer,
            ids=SeededIds(seed),
            inline=True,
            wrap_commit=wrap,
            survives_power=False,  # whoever dies in a shift is the controller; this computer's power is none of its story
        )
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
            room=lambda _folder: ENDLESS,
        )


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
