"""One line, put together and running: machines, stations, feeds, requests, duties, snapshot."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from controller.announced import announced
from controller.disk_watch import RoomOf, room_of
from controller.duties import Calendar, Duties, Terms
from controller.hands import Hands
from controller.links import Links
from controller.local_server import Door, LocalServer, OpenDoor
from controller.placement import Equipment, Placement, equip
from controller.pulse import Pulse
from controller.recovery import RESTORED, Recovery
from controller.requests import RequestDesk
from controller.senses import Senses
from controller.site import Site, places_of, standing_places
from controller.snapshot import Snapshot
from controller.turns import Turns
from controller.upkeep import Upkeep
from controller.watching import Watching
from packline.core import tokens
from packline.core.clock import Clock
from packline.core.effects import KINDS, Device, OpenEffect
from packline.core.faults import Fault
from packline.core.ids import Ids
from packline.feeds.push import Pusher
from packline.feeds.sending import Subscriber
from packline.feeds.worker import IntakeWorker
from packline.orders.model import Event
from packline.orders.policy import rule_for
from packline.store import Store
from stations.cartoning import STILL_TO_BOX
from stations.kit import Kit, Rules
from stations.ports import Offload
from stations.post import Post
from stations.resolve import Resolver

LINK_DAYS = 30
HELD = "held "
"""The mark in the books, with a station's name, of who holds it."""

log = logging.getLogger("packline.line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a controller run is handed: nothing here is made by the line itself."""

    site: Site
    folder: Path
    """The folder of the site file; machine files may lie relative to it."""
    data: Path
    store: Store
    links: Links
    clock: Clock
    ids: Ids
    rng: random.Random
    offload: Offload
    secret: bytes
    open_door: OpenDoor = LocalServer
    room: RoomOf = room_of
    """Tells how full the disk of `data` is."""


class Line:
    """The controller of one line. `run` works until cancelled and leaves a note whether the stop was clean."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._site, self._store = given.site, given.store
        self.owner_id = given.ids.u32()
        self._pulse = Pulse(given.clock)
        self._changes: deque[Callable[..., None]] = deque()
        self.equipment: Equipment = equip(
            given.site,
            given.folder,
            given.data,
            given.links,
            epochs=given.store.epochs,
            owner_id=self.owner_id,
            pulse=self._pulse,
            rng=given.rng,
            offload=given.offload,
        )
        self._turns = Turns(given.clock)
        self.kit = self._kit()
        self.posts = self._posts()
        self._intake = IntakeWorker(
            inbox=given.store.inbox,
            books=announced(given.store.books, self._changed),
            clock=given.clock,
            policy=given.site.policy,
        )
        self._pusher = self._push()
        self._duties = Duties(
            self.kit,
            Terms(
                wip_limit=given.site.policy.wip_limit,
                no_answer=given.site.policy.no_answer,
                missing_s=given.site.policy.missing_s,
            ),
            may_release=lambda: self._recovery is not None and self._recovery.may_release,
            waits=lambda station: station in self.posts and self.posts[station].waits,
            sees_nothing=lambda station: station in self.posts and self.posts[station].sees_nothing,
            is_place=standing_places(given.site).__contains__,
        )
        self._requests = self._desk()
        self._senses = Senses(
            site=given.site,
            posts=self.posts,
            equipment=self.equipment,
            watching=Watching(given.clock, given.offload, given.links.sight),
            onlooker=given.links.onlooker,
        )
        self._upkeep = Upkeep(
            site=given.site,
            data=given.data,
            store=given.store,
            intake=self._intake.intake,
            http=given.links.http,
            clock=given.clock,
            offload=given.offload,
            room=given.room,
        )
        self.snapshot: Snapshot | None = None
        self._recovery: Recovery | None = None

    async def run(self) -> None:
        """Serve the line for ever."""
        async with self._noted_run() as unclean:
            restored = str(await self._store.meta.get(RESTORED, "no"))
            await self._hold_as_before()
            await self._put_back_strays()
            self._recovery = self._recover(unclean, restored)
            self.snapshot = snapshot = Snapshot(
                site=self._site,
                store=self._store,
                posts=self.posts,
                equipment=self.equipment,
                recovery=self._recovery,
                printers=self._senses.printers,
                cameras=self._senses.cameras,
                clock=self._given.clock,
                run_id=f"{self.owner_id:08x}",
                turns=self._turns,
            )
            server = self._given.open_door(self._given.data, snapshot=snapshot.take_next, wake=self.wake)
            others = (self._duties.wake, self._pusher.wake)
            self._changes.extend(partial(_whatever, wake) for wake in others)
            self._changes.extend(post.changed for post in self.posts.values())
            async with asyncio.TaskGroup() as group:
                for work in self._jobs(server):
                    group.create_task(work)

    def wake(self) -> None:
        """Somebody wrote into the database from outside: look at requests and inbox now."""
        self._requests.wake()
        self._intake.wake()

    def _jobs(self, server: Door) -> list[Any]:
        machines = self.equipment.machines.values()
        return [
            self._pulse.run(),
            server.run(),
            *(machine.run() for machine in machines),
            *self._senses.jobs(),
            *(post.run() for post in self.posts.values()),
            self._intake.run(),
            self._pusher.run(),
            self._duties.run(),
            self._requests.run(),
            *([self._recovery.run()] if self._recovery else []),
            Calendar(self._given.clock, self._upkeep.calendar()).run(),
        ]

    async def _hold_as_before(self) -> None:
        for name, post in self.posts.items():
            post.hold_as_before(str(await self._store.meta.get(f"{HELD}{name}", "")))

    async def _put_back_strays(self) -> None:
        """Want the pieces again that lay on a table which the site file has no more: no screen would ever show them."""
        tables = {name for name, part in self._site.stations.items() if part.kind == "turntable"}
        lying = await self._store.books.units(states=STILL_TO_BOX)
        strays = [unit for unit in lying if unit.station not in tables]
        if strays:
            await self.kit.record(
                *(Event(kind="UnitPutBack", subject=u.unit_id, order_id=u.order_id, station=u.station) for u in strays)
            )

    # -- parts --------------------------------------------------------------------------------------------------

    def _kit(self) -> Kit:
        policy = self._site.policy
        rules = Rules(
            inspect_live_s=policy.inspect_live_s,
            approve_s=policy.approve_s,
            stills=policy.stills,
            machine_most_mm=policy.machine_most_mm,
            company_prefix=self._site.site.company_prefix,
        )
        return Kit(
            books=self._store.books,
            ledger=self._store.ledger,
            clock=self._given.clock,
            offload=self._given.offload,
            rules=rules,
            places=places_of(self._site),
            changed=self._changed,
            sight=self._given.links.sight,
        )

    def _changed(self, *events: Event) -> None:
        for tell in self._changes:
            tell(*events)

    def _posts(self) -> dict[str, Post]:
        placement = Placement(self._site, self.kit, self.equipment)
        posts = {}
        for name, part in self._site.stations.items():
            posts[name] = Post(
                placement.work(name, part),
                self.kit,
                ready=partial(self._ready, name, self._devices_of(name)),
                shown=self._turns.turn,
                keep=partial(self._store.meta.put, f"{HELD}{name}"),
            )
        return posts

    async def _ready(self, station: str, devices: Mapping[str, Device]) -> None:
        if self._recovery is not None:
            await self._recovery.ready(station, devices)

    def _devices_of(self, station: str) -> dict[str, Device]:
        """Say which device answers for which kind of effect at a station; people answer through their screens."""
        part = self._site.stations[station]
        devices: dict[str, Device] = {}
        if part.printer:
            devices["print"] = self.equipment.printers[part.printer]
        if part.machine and part.run_by == "machine":
            machine = self.equipment.machines[part.machine]
            devices |= {kind: machine.device() for kind in machine.file.jobs if kind in KINDS}
        return devices

    def _push(self) -> Pusher:
        subscribers = [
            Subscriber(name=name, role=part.role, url=part.url, secret=part.key())
            for name, part in self._site.subscribers.items()
        ]
        return Pusher(
            outbox=self._store.outbox,
            subscribers=subscribers,
            desk=self._store.books,
            carry=self._given.links.carry,
            clock=self._given.clock,
            rng=self._given.rng,
            source=f"urn:packline:{self._site.site.name}",
            link_for=self._link_for,
        )

    def _link_for(self, order_id: str) -> str:
        until = self._given.clock.now() + timedelta(days=LINK_DAYS)
        return f"{self._site.web.base_url}/buyer/{tokens.sign(self._given.secret, {'o': order_id}, until)}"

    def _desk(self) -> RequestDesk:
        hands = Hands(
            kit=self.kit,
            posts=self.posts,
            resolver=Resolver(self.kit),
            requests=self._store.requests,
            alarms=self._store.desk,
            quarantine=self._intake,
            pushes=self._pusher,
            replay=self._replay,
            marks=self._store.meta,
            clock=self._given.clock,
        )
        return RequestDesk(hands)

    async def _replay(self, inbox_id: int) -> None:
        await self._store.inbox.replay(inbox_id)
        self._intake.wake()

    # -- recovery -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _noted_run(self) -> AsyncIterator[bool]:
        """Tell whether the run before ended uncleanly; note a clean end of this one."""
        await self._store.outbox.set_subscribers([(n, p.role) for n, p in self._site.subscribers.items()])
        await self._store.outbox.release_claims()
        unclean = await self._store.meta.get("running") == "yes"
        await self._store.meta.put("running", "yes")
        if unclean:
            fault = Fault(3008, where="recovery", seen="the last run did not end cleanly")
            actions = [action.value for action in rule_for(fault.code).actions]
            await self._store.books.open_exception(fault, station="line", subject="recovery", actions=actions)
        try:
            yield unclean
        except asyncio.CancelledError:
            await asyncio.shield(self._store.meta.put("running", "no"))
            raise  # told to stop: a clean end; whatever else ends a line leaves the mark of an unclean one

    def _recover(self, unclean: bool, restored: str) -> Recovery:
        machines = self.equipment.machines.values()
        return Recovery(
            ledger=self._store.ledger,
            desk=self._store.books,
            serials=self._store.meta,
            unclean=unclean,
            restored=restored,
            books_older=lambda: any(machine.view().books_older for machine in machines),
            set_aside=self._intake.intake.set_all_aside,
            reconcile_hosts=self._upkeep.reconcile,
            clock=self._given.clock,
            void_label=self._void_label,
            newest_job=lambda: max((machine.view().job for machine in machines), default=0),
            all_seen=lambda: all(machine.view().owned for machine in machines),
        )

    async def _void_label(self, row: OpenEffect) -> None:
        parcel = await self._store.books.parcel(row.effect.subject)
        if parcel is None or parcel.generation != row.effect.generation or not parcel.sscc:
            return
        data = {"sscc": parcel.sscc, "why": "books older than the printer"}
        event = Event(kind="LabelVoided", subject=parcel.lpn, order_id=parcel.order_id, actor="recovery", data=data)
        await self.kit.record(event)


def _whatever(wake: Callable[[], None], *_: Event) -> None:
    wake()
