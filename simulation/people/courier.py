"""The courier: takes what passes the door, asks about some of it by scan, and says later that it was delivered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from simulation.people.crew import LOOK_S, Crew
from simulation.people.post import Postman
from simulation.plant.truth import Fact, Truth

DRIVE_S = (60.0, 200.0)
"""Simulated seconds from the door to the buyer."""
BY_HAND_EACH = 3
"""Every third parcel is also scanned by hand: a question whether it may leave, which opens nothing."""
STEP_S = 0.2


class Courier:
    """Knows only what left the door: its own eyes, the labels, no books."""

    def __init__(self, *, crew: Crew, truth: Truth, postman: Postman, name: str, rng: random.Random) -> None:
        self._crew, self._postman, self._name, self._rng = crew, postman, name, rng
        self._left: list[Fact] = []
        truth.listeners.append(self._see)
        self._seen_at_gate: set[str] = set()
        self.taken: set[str] = set()
        self.delivered: set[str] = set()
        self._told: dict[str, datetime] = {}
        self._recounts = 0

    async def run(self) -> None:
        """Drive for ever."""
        async with asyncio.TaskGroup() as tours:
            tours.create_task(self._scan_some())
            while True:
                for fact in self._take():
                    tours.create_task(self._drive(fact))
                if self._crew.recount.ordered > self._recounts:
                    self._recounts = self._crew.recount.ordered
                    tours.create_task(self._tell_again())
                await self._crew.clock.sleep(STEP_S)

    @property
    def is_idle(self) -> bool:
        """Tell whether everything that left the door is delivered and told."""
        return not self._left and self.taken == self.delivered

    def _see(self, fact: Fact) -> None:
        if fact.name == "left_door":
            self._left.append(fact)

    def _take(self) -> Sequence[Fact]:
        left, self._left = self._left, []
        self.taken |= {fact.data["lpn"] for fact in left}
        return left

    async def _drive(self, fact: Fact) -> None:
        await self._crew.think(self._rng.uniform(*DRIVE_S))
        codes = [code for code in fact.data["sscc"] if code]
        if codes:
            await self._tell(codes[-1], self._crew.clock.now())
        self.delivered.add(fact.data["lpn"])

    async def _tell(self, sscc: str, at: datetime) -> None:
        self._told[sscc] = at
        await self._postman.post(f"/intake/couriers/{self._name}", f"dlv_{sscc}", _message(sscc, at))

    async def _tell_again(self) -> None:
        """After a restore the house asks for everything once more."""
        for sscc, at in dict(self._told).items():
            await self._tell(sscc, at)

    async def _scan_some(self) -> None:
        """Show the label of every third parcel before the gate to the courier's own scanner."""
        gate = self._crew.station_of("courier_gate")
        scanner = self._crew.scanner_at(gate)
        while gate and scanner:
            await self._crew.desk.changed(LOOK_S)
            for carton in self._crew.floor.cartons_at(gate):
                if carton.lpn not in self._seen_at_gate:
                    self._seen_at_gate.add(carton.lpn)
                    if carton.labels and len(self._seen_at_gate) % BY_HAND_EACH == 0:
                        await self._crew.floor.scan(scanner, f"00{carton.labels[-1].label.sscc}")


def _message(sscc: str, at: datetime) -> dict[str, Any]:
    data = {"sscc": sscc, "at": at.isoformat(), "proof": "signed at the door 已签收"}
    return {"type": "parcel.delivered", "timestamp": at.isoformat(), "data": data}
