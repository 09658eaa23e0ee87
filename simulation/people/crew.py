"""What everybody on the floor shares: eyes on the screens, hands on the things, and one way to scan and be answered."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from packline.core.clock import Clock
from simulation.people.desk import Desk, StationView, Told
from simulation.plant.floor import Floor
from simulation.plant.things import HANDS, CannotDo, Carton
from simulation.spec import CONVEYED, PlantSpec

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""People look again after this long even when no screen changed."""
PATIENCE_S = 4.0
"""A scan that is not answered within this wall time is made again."""
MOVE_S = 2.0
MOST_SCAN_CHARS = 80
MOST_SCANS, NO_BOOKS = 20, "5002"
"""A scan that is refused because the books are away is made again, so often."""
BREATH_S = 0.5


@dataclass(slots=True)
class Recount:
    """What people know without a screen, for a day on which the books are older than the floor.

    `ordered` counts how often they were told so: everything in sight is scanned again then. `boxed` is the packing list
    that they keep on paper: into which carton they put the piece of each unit last; `cartons` has every plate that was
    ever used for an order, by order id; `called_shipped` the cartons that left unsaid and were called shipped by a person.
    """

    ordered: int = 0
    boxed: dict[str, str] = field(default_factory=dict)
    cartons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    called_shipped: set[str] = field(default_factory=set)
    _feeds: set[str] = field(default_factory=set)

    def note(self, unit: str, lpn: str) -> None:
        """Write down that the piece of a unit was put into a carton."""
        self.boxed[unit] = lpn
        order_id = order_of(unit)
        self._feeds.add(order_id.partition("-")[0])
        before = self.cartons.get(order_id, ())
        self.cartons[order_id] = before if lpn in before else (*before, lpn)

    def cartons_of(self, number: str) -> set[str]:
        """Give every plate that was ever used for an order, by the number that its host gave it."""
        return {lpn for feed in self._feeds for lpn in self.cartons.get(f"{feed}-{number}", ())}


def order_of(unit: str) -> str:
    """Give the order id in a unit id ("<order>.<line>.<n>")."""
    return unit.rsplit(".", 2)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Handed to every virtual person. `speed` is simulated seconds per wall second; `barcodes` what is printed on articles."""

    floor: Floor
    desk: Desk
    clock: Clock
    plant: PlantSpec
    speed: float
    barcodes: Mapping[str, str] = field(default_factory=dict)
    patience_s: float = PATIENCE_S
    recount: Recount = field(default_factory=Recount)

    def station_of(self, kind: str) -> str:
        """Give the first station of `kind`; "" if the hall has none."""
        return next((s.name for s in self.plant.stations if s.kind == kind), "")

    def scanner_at(self, station: str) -> str:
        """Give the hand scanner that lies at `station`."""
        return next((s.name for s in self.plant.scanners if s.at == station and not s.fixed), "")

    async def think(self, sim_s: float) -> None:
        """Take `sim_s` simulated seconds for a thought or a walk."""
        await self.clock.sleep(sim_s / self.speed)

    async def scan(self, station: str, text: str) -> Told | None:
        """Scan `text` at `station` and read the answer off the screen, again while the books are away; None when none comes."""
        for _ in range(MOST_SCANS):
            answer = await self._scan_once(station, text)
            if answer is None or answer["code"] != NO_BOOKS:
                break
            await self.clock.sleep(MOVE_S)
        return answer

    async def _scan_once(self, station: str, text: str) -> Told | None:
        newest = self._newest(station)
        await self.floor.scan(self.scanner_at(station), text)
        until = self.clock.monotonic() + self.patience_s
        while True:
            answer = self._answer(station, text, newest)
            left = until - self.clock.monotonic()
            if answer is not None or left <= 0:
                return answer
            await self.desk.changed(left)

    async def until_screen_moves(self, station: str, seen: Told) -> None:
        """Wait, at most MOVE_S, for the screen to say something else: an answered scan is not repeated for a slow screen."""
        until = self.clock.monotonic() + MOVE_S
        while (left := until - self.clock.monotonic()) > 0:
            view = self.desk.station(station)
            if view is None or view.next != seen:
                return
            await self.desk.changed(left)

    async def deliver(self, carton: Carton, to: str, *, wait: bool = False) -> bool:
        """Carry a carton to a station (onto its belt, where it has one); False if there is no room, it is in the hands then."""
        place = self.door_of(to)
        if carton.place != HANDS:
            await self.floor.pick_up(carton)
        try:
            await self.floor.put_down(carton, place, wait=wait)
        except CannotDo:
            return False
        return True

    def door_of(self, station: str) -> str:
        """Give the place where cartons for `station` are put."""
        kinds = {s.name: s.kind for s in self.plant.stations}
        return f"infeed:{station}" if kinds.get(station) in CONVEYED else station

    def _newest(self, station: str) -> tuple[str, int]:
        view = self.desk.last(station)
        return self.desk.run_id(), max((scan.n for scan in view.scans), default=0) if view else 0

    def _answer(self, station: str, text: str, newest: tuple[str, int]) -> Told | None:
        """A controller that was started again counts its scans from one."""
        view = self.desk.station(station)
        seen = newest[1] if self.desk.run_id() == newest[0] else 0
        found = [s for s in (view.scans if view else ()) if s.n > seen and s.text == text[:MOST_SCAN_CHARS]]
        return max(found, key=lambda s: s.n).result if found else None


async def at_work(crew: Crew, station: str, step: Callable[[StationView], Awaitable[None]]) -> None:
    """Let a person follow the screen of one station for ever; what is physically impossible is tried again later."""
    while True:
        view = crew.desk.station(station)
        try:
            if view is not None:
                await step(view)
        except CannotDo as refusal:
            log.info("%s: %s", station, refusal)
            await crew.clock.sleep(BREATH_S)
        await crew.desk.changed(LOOK_S)
