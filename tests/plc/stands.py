"""A machine file on its twin over real sockets, and the controller's side of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from packline.core.effects import Effect, EffectKind, EffectState, Evidence
from plc.kinds import LiveMachine
from plc.machine_file import MachineFile
from simulation.machines.mechanics import Mechanics
from simulation.plant.things import Carton
from simulation.spec import MachineSpec, PlantSpec, StationSpec, StockSpec
from simulation.twin import Twin
from tests.plc.plants import live

NAME, PLACE = "m1", "s1"


class Stand:
    """The twin of one machine, with a bench at which it stands."""

    def __init__(self, twin: Twin, file: MachineFile, address: str) -> None:
        self.twin, self.file, self.address = twin, file, address

    @property
    def mechanics(self) -> Any:
        """Give what moves."""
        mechanics: Mechanics = self.twin.hall.machines[NAME].mechanics
        return mechanics

    async def carton(self, pieces: int = 0) -> Carton:
        """Put a carton with some pieces before the machine."""
        floor = self.twin.floor
        carton = await floor.fresh_carton()
        for _ in range(pieces):
            piece = self.twin.hall.world.take_piece("TEA")
            assert piece is not None
            self.twin.hall.world.box(piece, carton)
        self.twin.motion.do(lambda: self.twin.hall.world.move(carton, PLACE))
        return carton

    @asynccontextmanager
    async def controlled(self) -> AsyncIterator[LiveMachine]:
        """Run a controller's machine on it."""
        async with live(self.file, self.address, NAME) as machine:
            yield machine


@asynccontextmanager
async def stand_for(file: MachineFile, *, speed: float = 20.0) -> AsyncIterator[Stand]:
    """Serve the twin of a machine."""
    spec = PlantSpec(
        machines=(MachineSpec(name=NAME, file=file, address=any_port(file), at=PLACE),),
        stations=(StationSpec(name=PLACE, kind="hold"),),
        stock=(StockSpec(sku="TEA", name="Tea"),),
        speed=speed,
        first_plate=1,
    )
    twin = Twin(spec)
    (machine,) = await twin.start()
    try:
        yield Stand(twin, file, machine.address)
    finally:
        await twin.stop()


def any_port(file: MachineFile) -> str:
    """Give an address at which the system chooses the port."""
    return "127.0.0.1:0" if file.machine.protocol == "modbus" else "opc.tcp://127.0.0.1:0"


async def do(machine: LiveMachine, kind: EffectKind, **parameters: Any) -> Evidence:
    """Have one job done and give the last word on it."""
    await machine.make_ready()
    effect = Effect(kind=kind, subject="PL0000000017", generation=1, station=PLACE, parameters=parameters)
    device = machine.device()
    ticket = await device.prepare(effect, 4)
    evidence = await device.send(effect, ticket)
    while evidence.state is EffectState.SENT:
        evidence = await device.inquire(effect, ticket)
    return evidence
