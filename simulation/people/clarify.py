"""The clarification operator: unpacks what goes back to the shelf, keeps what waits for a decision, sends on the rest."""

from __future__ import annotations

from simulation.people.crew import Crew, at_work
from simulation.people.desk import StationView, Told
from simulation.plant.things import GONE, Carton

AGAIN_S = 1.5
"""Wall time after which a carton that waits for a decision is scanned again."""
MOST_UNKNOWN = 3
"""A plate that the books refuse this often belongs to nobody: the pieces go back to the shelf."""


class ClarificationOperator:
    """One person at the clarification table."""

    def __init__(self, crew: Crew, station: str, *, again_s: float = AGAIN_S) -> None:
        self._crew, self._station, self._again_s = crew, station, again_s
        self._unpacked: set[str] = set()
        """For good: a controller that begins again lists nothing at first, and what it does not know was unpacked after that."""
        self._refused: dict[str, int] = {}
        self._later: dict[str, float] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        await at_work(self._crew, self._station, self.step)

    async def step(self, view: StationView) -> None:
        """Serve one carton on the table."""
        listed = (str(task["lpn"]) for task in view.tasks if task.key == "return_to_shelf")
        if lpn := next((lpn for lpn in listed if lpn in self._unpacked), ""):
            await self._say_unpacked(lpn)
            return
        for carton in self._crew.floor.cartons_at(self._station):
            if self._later.get(carton.lpn, 0.0) <= self._crew.clock.monotonic():
                await self._serve(carton)
                return

    async def _serve(self, carton: Carton) -> None:
        self._later[carton.lpn] = self._crew.clock.monotonic() + self._again_s
        answer = await self._scan(carton.lpn)
        if answer is None:
            return
        if answer.key == "return_to_shelf":
            await self._unpack(carton)
        elif answer.key == "take_to" and answer["to"] != self._station:
            await self._carry(carton, answer["to"])
        elif answer.key == "refused":
            await self._unknown(carton)

    async def _unpack(self, carton: Carton) -> None:
        await self._crew.floor.unpack(carton)
        self._unpacked.add(carton.lpn)
        await self._scan("DO:DONE")

    async def _say_unpacked(self, lpn: str) -> None:
        """The word may have been lost: plate and word again, whenever the carton stands on the list."""
        answer = await self._scan(lpn)
        if answer is not None and answer.key == "return_to_shelf":
            await self._scan("DO:DONE")

    async def _unknown(self, carton: Carton) -> None:
        self._refused[carton.lpn] = self._refused.get(carton.lpn, 0) + 1
        if self._refused[carton.lpn] >= MOST_UNKNOWN and carton.place != GONE:
            await self._crew.floor.unpack(carton)

    async def _carry(self, carton: Carton, to: str) -> None:
        if not await self._crew.deliver(carton, to):
            await self._crew.floor.put_down(carton, self._station)

    async def _scan(self, text: str) -> Told | None:
        return await self._crew.scan(self._station, text)
