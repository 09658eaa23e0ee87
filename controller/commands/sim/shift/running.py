"""One shift while it is played: plant, people, controller and what goes wrong, on the running loop."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from controller.commands.sim.shift.computing import offload_of
from controller.commands.sim.shift.house import House
from controller.commands.sim.shift.lives import Lives
from controller.commands.sim.shift.parts import EPOCH, Listener, Played, Shift, Tell, horizon_s
from controller.commands.sim.shift.reaper import DISK, Reaper
from controller.commands.sim.shift.strikes import Strikes
from controller.commands.sim.shift.terms import against_terms
from controller.commands.twin.people import people_of
from controller.site import Site
from packline.core.clock import LoopClock
from simulation.faults.calendar import JumpingClock
from simulation.faults.catalogue import CONTROLLER
from simulation.faults.hosts import HOST_QUIRKS, SUBSCRIBER_QUIRKS, RoughPost
from simulation.misbehave import at_once, momentary, quirk
from simulation.people.receiver import Received
from simulation.people.rough_house import RoughHouse
from simulation.people.stage import Stage
from simulation.spec import PlantSpec
from simulation.virtual.content import Press, Share
from simulation.virtual.invariants import broken, liveness
from simulation.virtual.loop import VirtualLoop
from simulation.virtual.moments import Moments
from simulation.virtual.plant import VirtualPlant
from simulation.virtual.tally import Flows, TruthHash
from simulation.virtual.wall import OF_ASYNCUA, patched_time
from simulation.virtual.watch import Watch

LOOK_S = 1.0
BUYER_QUIRKS = ("late_approval", "silent_buyer", "rejects")


class Run:
    """One shift on the running loop, which must be a virtual one."""

    def __init__(self, shift: Shift, spec: PlantSpec, tell: Tell, listener: Listener | None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)  # noqa: S101 - made by `play`
        self._shift, self._tell, self._clock = shift, tell, LoopClock(EPOCH)
        self._computer = JumpingClock(self._clock)
        press = Press(Share(one_in=shift.one_in))
        self._plant = VirtualPlant(
            spec,
            loop,
            self._clock,
            press=press,
            offload=offload_of(self._clock, self._shift.computing),
            over=shift.over,
            elide=shift.elide,
        )
        secret = hashlib.sha256(f"{shift.seed}/secret".encode()).digest()
        self._house = House(shift.site, secret=secret, clock=self._computer, hears=self._asked)
        people = people_of(shift.site, shift.path, orders=shift.orders, seed=shift.seed, speed=spec.speed)
        self._post = RoughPost(self._clock, _secrets(shift.site))
        rough = RoughHouse(self._house, self._post)
        self._stage = Stage(self._plant, replace(people, demand=shift.demand), clock=self._clock, house=rough)
        self._watch = Watch(self._plant.hall.world)
        self._hash, self._flows = TruthHash(), Flows()
        self._moments = Moments(self._clock, self._plant.hall.machines)
        self._reaper = Reaper((fault for fault in shift.faults if fault.is_kill), self._cut_off, self._moments)
        self._lives = Lives(
            shift,
            self._plant,
            self._house,
            press=press,
            clock=self._clock,
            computer=self._computer,
            secret=secret,
            reaper=self._reaper,
            watch=self._watch,
        )
        self._listener = listener
        self._strikes = Strikes(
            shift.faults,
            self._plant,
            clock=self._clock,
            moments=self._moments,
            reaper=self._reaper,
            watch=self._watch,
            tell=self._tell_of,
        )
        self._listen()

    def _listen(self) -> None:
        """Have everybody hear what concerns him, and make known what can go wrong besides the plant."""
        motion, board = self._plant.motion, self._plant.misbehaviour
        if self._listener is not None:
            self._listener.begin(self._plant)

        def moved(machine: str, what: str) -> None:
            self._watch.moved(machine, what, motion.now())
            self._moments.moved(machine, what)

        tells = board.struck  # the recorder's, where there is one

        def struck(device: str, fault: str, is_last: bool) -> None:
            tells(device, fault, is_last)
            self._strikes.hit(device, fault)

        board.struck = struck
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
        cancel = momentary(lambda: at_once(self._stage.marketplace.cancel))
        move = momentary(lambda: at_once(self._stage.marketplace.move))
        board.add(
            "hosts",
            {"cancelled": cancel, "readdressed": move, **{name: quirk(self._post.hosts, name) for name in HOST_QUIRKS}},
        )
        board.add("subscribers", {name: quirk(self._post.subscribers, name) for name in SUBSCRIBER_QUIRKS})

    def _asked(self, action: str, args: Mapping[str, Any]) -> None:
        if args.get("action") == "release":
            self._watch.led_on()

    async def _told(self, event: Received) -> None:
        lpn, sscc = (str(event.data.get(key, "")) for key in ("lpn", "sscc"))
        self._watch.told(event.role, event.name, lpn, sscc)

    async def play(self) -> Played:
        """Play to the end, or to the horizon."""
        await self._plant.start()
        works = (self._plant.run(), self._lives.run(), self._stage.run(), *self._strikes.works())
        modules = map(importlib.import_module, OF_ASYNCUA if "opcua" in self._shift.over else ())
        with patched_time(asyncio.get_running_loop(), EPOCH, *modules):
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

    # -- the end -------------------------------------------------------------------------------------------------------------

    async def _until_over(self, works: Iterable[Coroutine[Any, Any, None]]) -> bool:
        """Run everything until the play is over or something is broken; what breaks one breaks all. True when it was given up as too late."""
        late = False

        async def watch() -> None:
            nonlocal late
            horizon = horizon_s(self._shift)
            while not self._is_done():
                rest_s = horizon - self._clock.monotonic()
                if late := rest_s <= 0:
                    break
                await self._clock.sleep(min(LOOK_S, rest_s))  # the last look is at the horizon itself
                self._tell(self._stage.progress())
                if self._is_broken():  # what comes after it says nothing more, and may take long
                    break
            raise _Over

        try:
            async with asyncio.TaskGroup() as group:
                for work in (*works, watch()):
                    group.create_task(work)
        except* _Over:
            pass  # raised again from here, Python before 3.11.4 would wrap it in a group of its own
        return late

    def _is_done(self) -> bool:
        """Tell whether the play is over, and so is what goes wrong in it."""
        return self._stage.is_over() and self._clock.monotonic() > self._strikes.ends_s

    def _is_broken(self) -> bool:
        """Tell whether something is broken that need not be waited for."""
        counts = self._stage.receiver.counts
        return bool(self._watch.found or self._post.taken or counts["overtaken"] or counts["renamed"])

    def _played(self, late: bool) -> Played:
        store, truth = self._house.store, self._plant.truth
        assert store is not None  # noqa: S101 - the line has begun
        rows, chain = store.head_now()
        journal = store.contents_hash_now()
        receiver = self._stage.receiver
        found = broken(
            truth,
            self._plant.hall.world,
            receiver.each,
            self._watch,
            heard=receiver.counts,
            forged=self._post.taken,
        )
        found += against_terms(
            self._shift.faults, self._stage, self._watch, store.views.labels, speed=self._plant.motion.speed
        )
        found += liveness(self._stage.score.waiting(), is_late=late)
        if self._listener is not None:
            self._listener.end(store)
        store.close()
        in_vain = (*self._strikes.planned, *self._strikes.in_vain(), *self._reaper.waiting())
        kinds = self._strikes.kinds + Counter(f"{CONTROLLER} {kill}" for kill in self._reaper.at_commits)
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
            struck=kinds.total(),
            kinds=dict(sorted(kinds.items())),
            not_struck=tuple(sorted(in_vain, key=self._shift.faults.index)),
            facts=tuple(truth.facts),
        )


class _Over(Exception):  # noqa: N818 - no error
    """The play is over."""


def _secrets(site: Site) -> dict[str, str]:
    """Give the signing secrets of hosts and couriers by the path that they post to."""
    feeds = {f"/intake/{name}": part.keys()[0] for name, part in site.feeds.items()}
    return feeds | {f"/intake/couriers/{name}": part.keys()[0] for name, part in site.couriers.items()}
