"""The bench operator: closes cartons by hand and sticks their labels on, one carton at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from simulation.people.crew import Crew, at_work
from simulation.people.desk import StationView, Told
from simulation.plant.things import HANDS, CannotDo, Carton, LabelPaper

OLD_LABEL = "3006"
MISSING_LABEL_S = 6.0
"""A label that is not at the printer this long (wall time) after the screen asked for it did not come out."""


class BenchOperator:
    """One person at one bench. A label goes on the carton that it names, or into the bin."""

    def __init__(self, crew: Crew, station: str) -> None:
        self._crew, self._station = crew, station
        printer = crew.plant.printer_at(station)
        self._printer = printer.name if printer else ""
        self._label: LabelPaper | None = None
        self._missing: tuple[str, float] = ("", 0.0)
        self._moves: Mapping[str, Callable[[StationView], Awaitable[None]]] = {
            "wait_carton": self._begin,
            "idle": self._begin,
            "take_to": self._take_to,
            "close_by_hand": self._close,
            "stick_label": self._stick,
        }

    async def run(self) -> None:
        """Work until cancelled."""
        await at_work(self._crew, self._station, self.step)

    async def step(self, view: StationView) -> None:
        """Do the one thing that the screen says now."""
        if move := self._moves.get(view.next.key):
            await move(view)

    async def _begin(self, view: StationView) -> None:
        """Scan the carton that the belt brought."""
        here = self._crew.floor.cartons_at(self._station)
        if not here:
            return
        answer = await self._crew.scan(self._station, here[0].lpn)
        if answer is None:
            return
        if answer.key == "take_to" and answer["to"] != self._station:
            await self._carry(here[0], answer["to"])
        elif answer.key == "refused":
            await self._carry(here[0], self._crew.station_of("clarification"))

    async def _take_to(self, view: StationView) -> None:
        """The screen keeps saying where the last carton went; a new one on the bench is begun."""
        here = self._crew.floor.cartons_at(self._station)
        if not here:
            return
        if here[0].lpn == view.next["lpn"] and view.next["to"] != self._station:
            await self._carry(here[0], view.next["to"])
        else:
            await self._begin(view)

    async def _carry(self, carton: Carton, to: str) -> None:
        if not await self._crew.deliver(carton, to):
            await self._crew.floor.put_down(carton, self._station)
            raise CannotDo(f"no room at {to}")

    async def _close(self, view: StationView) -> None:
        carton = self._mine(view.next["lpn"])
        if carton is None:
            await self._say("DO:NOTDONE", view)
            return
        if not carton.closed:
            await self._crew.floor.close_carton(carton)
        await self._say("DO:DONE", view)

    async def _stick(self, view: StationView) -> None:
        carton = self._mine(view.next["lpn"])
        if carton is None:
            await self._say("DO:NOTDONE", view)
            return
        await self._take_label(carton)
        if self._label is not None:
            await self._crew.floor.stick(self._label, carton)
            self._label = None
        on = [stuck.label for stuck in carton.labels if stuck.label.lpn == carton.lpn]
        if on:
            await self._show(carton, on[-1].sscc, view)
        elif self._is_missing(carton):
            await self._say("DO:NOTDONE", view)

    async def _show(self, carton: Carton, sscc: str, view: StationView) -> None:
        """Scan the label that was stuck on; an old one that is refused comes off and is thrown away."""
        answer = await self._say(f"00{sscc}", view)
        is_old = answer is not None and answer.key == "refused" and answer["code"] == OLD_LABEL
        while is_old and carton.labels:
            label = await self._crew.floor.peel_off(carton)
            if label is not None:
                await self._crew.floor.discard(label)

    async def _say(self, text: str, view: StationView) -> Told | None:
        answer = await self._crew.scan(self._station, text)
        if answer is not None:
            await self._crew.until_screen_moves(self._station, view.next)
        return answer

    async def _take_label(self, carton: Carton) -> None:
        """Take the label of this carton off the printer; one of another carton is nobody's and is thrown away."""
        if self._label is None and self._crew.floor.label_at(self._printer) is not None:
            self._label = await self._crew.floor.take_label(self._printer)
        if self._label is not None and self._label.lpn != carton.lpn:
            await self._crew.floor.discard(self._label)
            self._label = None

    def _mine(self, lpn: str) -> Carton | None:
        carton = self._crew.floor.carton(lpn)
        return carton if carton is not None and carton.place in (self._station, HANDS) else None

    def _is_missing(self, carton: Carton) -> bool:
        now = self._crew.clock.monotonic()
        if self._missing[0] != carton.lpn:
            self._missing = (carton.lpn, now)
        if now - self._missing[1] < MISSING_LABEL_S:
            return False
        self._missing = ("", 0.0)
        return True
