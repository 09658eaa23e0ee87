"""What people do wrong on the floor, and the emergency stop of the hall, as switches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from typing import Any

import simpy

from simulation.faults.devices import stop_switch
from simulation.hall import Hall
from simulation.misbehave import Misbehaviour, Switch, at_once, nothing, quirk
from simulation.motion import Motion
from simulation.plant.things import GONE, HANDS, Carton
from simulation.plant.world import UNBOUNDED, World

ASIDE = "aside"
"""Where a carton stands that somebody took off the line."""
FLOOR_QUIRKS = ("wrong_item", "wrong_item_down", "away")


def add_people(board: Misbehaviour, hall: Hall, motion: Motion) -> None:
    """Make known what the people of a hall do wrong, and the hall's emergency stop."""
    board.add("hall", {"estop": stop_switch(hall.stop)})
    gates = {station.name for station in hall.spec.stations if station.kind == "courier_gate"}
    meddler = Meddler(hall.world, motion, _line_of(hall), out_of_reach={GONE, HANDS, *gates})
    quirks = {name: quirk(hall.floor.quirks, name) for name in FLOOR_QUIRKS}
    taken = {
        "taken_off": Switch(on=lambda _: at_once(meddler.take), off=lambda: at_once(meddler.put_back)),
        "put_elsewhere": Switch(on=lambda _: at_once(meddler.take), off=lambda: at_once(meddler.put_elsewhere)),
        "peeled": Switch(on=lambda times: at_once(lambda: meddler.peel(times)), off=nothing),
    }
    board.add("floor", {**quirks, **taken})


def _line_of(hall: Hall) -> list[str]:
    """Name the places of the line, from the last to the first: stops, and the belts before them."""
    names = [name for station in hall.spec.stations for name in (f"infeed:{station.name}", station.name)]
    return [name for name in reversed(names) if name in hall.world.places]


class Meddler:
    """Somebody who takes cartons off the line and labels off cartons. What is not there yet, he waits for.

    He peels no label at a place that is `out_of_reach`. One is the stop before the gate: its scanner has the last look at a label,
    and of one that comes off behind that look no line can know.
    """

    def __init__(self, world: World, motion: Motion, places: list[str], out_of_reach: Collection[str]) -> None:
        self._world, self._motion, self._places = world, motion, places
        self._out_of_reach = frozenset(out_of_reach)
        self._taken: tuple[Carton, str] | None = None
        self._waits = False
        if ASIDE not in world.places:
            world.add_place(ASIDE, UNBOUNDED)

    def take(self) -> None:
        """Take the carton that is furthest on the line, or the next one that comes."""
        self._waits = True
        self._begin(self._take_when_there)

    def put_back(self) -> None:
        """Put it where it stood, when there is room."""
        self._put(lambda place: place)

    def put_elsewhere(self) -> None:
        """Put it down at the next place of the line that has room."""
        self._put(self._another)

    def peel(self, times: int | None) -> None:
        """Peel the label off the next carton that has one, and throw it away; so often."""
        for _ in range(times or 1):
            self._begin(self._peel_when_there)

    def _begin(self, what: Callable[[], Generator[simpy.Event, Any, None]]) -> None:
        self._motion.do(lambda: self._motion.env.process(what()))

    def _on_line(self) -> list[Carton]:
        return [carton for place in self._places for carton in self._world.place(place).cartons]

    def _take_when_there(self) -> Generator[simpy.Event, Any, None]:
        while self._waits and not (there := self._on_line()):
            yield self._world.changed()
        if self._waits:
            self._waits = False
            carton = there[0]
            self._taken = (carton, carton.place)
            self._world.move(carton, ASIDE)

    def _put(self, where: Callable[[str], str]) -> None:
        self._waits = False
        taken, self._taken = self._taken, None
        if taken is not None and taken[0].place == ASIDE:
            carton, place = taken
            self._begin(lambda: self._put_when_free(carton, where(place)))

    def _put_when_free(self, carton: Carton, place: str) -> Generator[simpy.Event, Any, None]:
        while carton.place == ASIDE and self._world.place(place).full:
            yield self._world.changed()
        if carton.place == ASIDE:
            self._world.move(carton, place)

    def _another(self, place: str) -> str:
        """Give the place of another station that comes before this one in the line; behind the first one comes the last."""
        station = place.removeprefix("infeed:")
        others = [name for name in self._places if name.removeprefix("infeed:") != station]
        before = [name for name in others if self._places.index(name) > self._places.index(place)]
        free = [name for name in (*before, *others) if not self._world.place(name).full]
        return next(iter(free), place)

    def _peel_when_there(self) -> Generator[simpy.Event, Any, None]:
        while not (
            found := [c for c in self._world.cartons.values() if c.labels and c.place not in self._out_of_reach]
        ):
            yield self._world.changed()
        label = self._world.papers.peel_off(found[0])
        if label is not None:
            self._world.papers.discard(label)
