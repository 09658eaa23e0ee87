"""The hold operator: puts what comes off the lanes into slots, fetches what is recalled; every move is a scan."""

from __future__ import annotations

from simulation.people.crew import Crew, at_work
from simulation.people.desk import StationView, Told
from simulation.plant.things import HANDS, CannotDo, Carton

BUSY_S = 1.0
"""Wall time after which a carton that found no room is tried again."""


class HoldOperator:
    """One person at the rack, who also clears the lanes that lead here."""

    def __init__(self, crew: Crew, station: str) -> None:
        self._crew, self._station = crew, station
        self._counts = 0
        self._carton: Carton | None = None
        self._later: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        await at_work(self._crew, self._station, self.step)

    async def step(self, view: StationView) -> None:
        """Bring one carton to where the scanner says."""
        if self._crew.recount.ordered > self._counts:
            self._counts = self._crew.recount.ordered
            await self._empty_the_rack()
        carton = self._in_hand() or await self._next(view)
        if carton is None:
            return
        self._carton = carton
        answer = await self._crew.scan(self._station, carton.lpn)
        if answer is not None:
            await self._follow(carton, answer)
            self._carton = None

    def _in_hand(self) -> Carton | None:
        return self._carton if self._carton is not None and self._carton.place == HANDS else None

    async def _next(self, view: StationView) -> Carton | None:
        """Take the next carton into the hands: those that come first, then those that are recalled."""
        for place in (*self._lanes(), self._station):
            for carton in self._crew.floor.cartons_at(place):
                if self._is_due(carton):
                    await self._crew.floor.pick_up(carton)
                    return carton
        recalled = (self._recalled(task) for task in view.tasks)
        wanted = next((carton for carton in recalled if carton is not None), None)
        if wanted is not None:
            await self._crew.floor.pick_up(wanted)
        return wanted

    def _recalled(self, task: Told) -> Carton | None:
        """Give the carton of a fetch task that may go now; the gate takes one at a time, and so does any full place."""
        if task.key != "fetch":
            return None
        carton = self._crew.floor.carton(task["lpn"])
        if carton is None or carton.place != f"slot:{task['slot']}" or not self._is_due(carton):
            return None
        gate = self._crew.station_of("courier_gate")
        is_busy = task["to"] == gate and bool(self._crew.floor.cartons_at(gate))
        return None if is_busy else carton

    async def _follow(self, carton: Carton, answer: Told) -> None:
        if answer.key in ("store", "stored"):
            await self._store(carton, f"slot:{answer['slot']}")
        elif answer.key == "take_to":
            await self._carry(carton, answer["to"])
        else:
            await self._carry(carton, self._crew.station_of("clarification"))

    async def _carry(self, carton: Carton, to: str) -> None:
        if to != self._station and await self._crew.deliver(carton, to):
            return
        self._later[carton.lpn] = self._crew.clock.monotonic() + BUSY_S
        await self._crew.floor.put_down(carton, self._station)

    async def _store(self, carton: Carton, slot: str) -> None:
        """Put a carton into its slot; whatever stands there against the books comes out and is scanned next."""
        try:
            await self._crew.floor.put_down(carton, slot)
        except CannotDo:
            for other in self._crew.floor.cartons_at(slot):
                await self._crew.floor.pick_up(other)
                await self._crew.floor.put_down(other, self._station)
            await self._crew.floor.put_down(carton, slot)

    async def _empty_the_rack(self) -> None:
        for slot in self._crew.plant.slots:
            for carton in self._crew.floor.cartons_at(f"slot:{slot}"):
                await self._crew.floor.pick_up(carton)
                await self._crew.floor.put_down(carton, self._station)

    def _is_due(self, carton: Carton) -> bool:
        return self._later.get(carton.lpn, 0.0) <= self._crew.clock.monotonic()

    def _lanes(self) -> list[str]:
        return [
            f"lane:{station.name}:{number}"
            for station in self._crew.plant.stations
            for number, to in sorted(station.lanes.items())
            if to == self._station
        ]
