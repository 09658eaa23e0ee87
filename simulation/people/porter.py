"""The porter: clears the lanes that lead to the gate and to clarification, and what machines will not take."""

from __future__ import annotations

import logging

from simulation.people.crew import LOOK_S, Crew
from simulation.plant.things import HANDS, CannotDo, Carton

log = logging.getLogger(__name__)

TAKES_BY_SCAN = "hold"
"""Lanes to a place of this kind are cleared by the person with the scanner there."""


class Porter:
    """One person with a trolley and no scanner; takes a carton only where a screen or a lane says so."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._kinds = {s.name: s.kind for s in crew.plant.stations}
        self._carton: tuple[Carton, str] | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.step()
            except CannotDo as refusal:
                log.info("porter: %s", refusal)
            await self._crew.desk.changed(LOOK_S)

    async def step(self) -> None:
        """Bring every carton that waits one place further."""
        if self._carton is not None and self._carton[0].place == HANDS:
            await self._bring(*self._carton)
        await self._clear_lanes()
        await self._clear_machines()

    async def _clear_lanes(self) -> None:
        for station in self._crew.plant.stations:
            for number, to in sorted(station.lanes.items()):
                if self._kinds.get(to) != TAKES_BY_SCAN:
                    await self._clear_lane(f"lane:{station.name}:{number}", to)

    async def _clear_lane(self, lane: str, to: str) -> None:
        for carton in self._crew.floor.cartons_at(lane):
            if self._kinds.get(to) == "courier_gate" and self._crew.floor.cartons_at(to):
                return
            await self._bring(carton, to)

    async def _clear_machines(self) -> None:
        """Take off what a machine's screen sends away, and what the gate turns back."""
        for station in self._crew.plant.stations:
            view = self._crew.desk.station(station.name)
            here = self._crew.floor.cartons_at(station.name) if view and station.run_by == "machine" else []
            if view is None or not here:
                continue
            if view.next.key == "take_to" and here[0].lpn == view.next["lpn"]:
                await self._bring(here[0], view.next["to"])
            elif view.next.key == "take_back" and _is_named(here[0], view.next["lpn"]):
                await self._bring(here[0], self._crew.station_of("hold"))

    async def _bring(self, carton: Carton, to: str) -> None:
        self._carton = (carton, to)
        if await self._crew.deliver(carton, to):
            self._carton = None


def _is_named(carton: Carton, text: str) -> bool:
    """Tell whether a screen means this carton: by its plate, or by a label that nobody knows."""
    return text == carton.lpn or any(stuck.label.sscc == text for stuck in carton.labels)
