"""A small plant in virtual time for tests of single faults: links, hands and eyes, and no controller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from labeling.content import LabelContent, ShipTo
from labeling.drivers import escpos
from packline.core.clock import LoopClock
from packline.core.identity import Sscc
from plc.handshake import frames
from simulation.plant.things import Carton, LabelPaper
from simulation.virtual.content import ContentSight, Press, Share
from simulation.virtual.loop import run
from simulation.virtual.making import make_loop
from simulation.virtual.plant import VirtualPlant
from tests.simulation.rig import Hand, plant_spec

T = TypeVar("T")

APPLY, EJECT = 16, 17
SECRET = "whsec_" + "A" * 43 + "="


def _addressed(parts: Any, first: int) -> Any:
    return tuple(replace(part, address=f"127.0.0.1:{first + n}") for n, part in enumerate(parts))


SPEC = plant_spec(speed=1.0)
SPEC = replace(
    SPEC,
    machines=_addressed(SPEC.machines, 15_020),
    printers=_addressed(SPEC.printers, 19_100),
    scanners=_addressed(SPEC.scanners, 12_000),
    cameras=_addressed(SPEC.cameras, 18_000),
)


async def _inline(work: Callable[..., Any], *args: Any) -> Any:
    return work(*args)


class Small:
    """The plant and what a test does to it; a second is a simulated second."""

    def __init__(self) -> None:
        loop: Any = asyncio.get_running_loop()
        self.clock = LoopClock()
        self.press = Press(Share(one_in=0))
        self.plant = VirtualPlant(SPEC, loop, self.clock, press=self.press, offload=_inline)
        self.hall, self.world, self.floor = self.plant.hall, self.plant.hall.world, self.plant.floor
        self.fault, self.mend = self.plant.misbehaviour.fault, self.plant.misbehaviour.mend
        self.wait = asyncio.sleep

    def machine(self, name: str) -> Any:
        return self.hall.machines[name]

    async def link(self, name: str) -> Any:
        spec = next(m for m in SPEC.machines if m.name == name)
        link = self.plant.open_block(spec.file, spec.address)
        await link.connect()
        return link

    async def hand(self, name: str) -> Hand:
        """Give a controller's hand that has the machine in Execute."""
        link = await self.link(name)
        hand = Hand(link.read, link.write)
        await hand.take()
        return hand

    def carton(self, place: str) -> Carton:
        """Stand a fresh carton somewhere."""
        carton = self.world.take_carton()
        self.plant.motion.do(lambda: self.world.move(carton, place))
        return carton

    async def send(self, printer: str, lpn: str, number: int) -> Any:
        """Send a label to a printer; gives the port."""
        address = next(p.address for p in SPEC.printers if p.name == printer)
        port = self.plant.open_port(address)
        await port.connect()
        await port.send(self.press.typeset(content(lpn, number), escpos.process_id(number)))
        return port

    async def printed(self, printer: str, lpn: str, number: int) -> LabelPaper:
        """Send a label and take it off the peel bar."""
        port = await self.send(printer, lpn, number)
        await self.wait(3.0)
        await port.close()
        label = self.world.papers.take(printer)
        assert label is not None
        return label

    async def codes(self, camera: str) -> list[str]:
        """Give what can be read in a picture."""
        still = await self.plant.open_camera(camera).still()
        return [code.text for code in ContentSight().read(still.jpeg)]

    def names(self) -> list[str]:
        """List what happened."""
        return [fact.name for fact in self.plant.truth.facts]


def content(lpn: str, number: int) -> LabelContent:
    to = ShipTo(recipient="Li", lines=("Wensan Road 269",), city="Hangzhou", country="CN", postcode="310012")
    sscc = Sscc.build(0, "9521321", number).text
    return LabelContent(lpn=lpn, sscc=sscc, print_number=number, merchant="Camellia", order_ref="HM-1", ship_to=to)


def in_small(story: Callable[[Small], Awaitable[T]], horizon_s: float = 300.0) -> T:
    """Play a story in the small plant."""

    async def whole() -> T:
        small = Small()
        await small.plant.start()
        running = asyncio.ensure_future(small.plant.run())
        try:
            return await story(small)
        finally:
            running.cancel()
            await small.plant.stop()

    return run(whole(), lambda: make_loop(rate=1.0, horizon_s=horizon_s))


__all__ = ["APPLY", "EJECT", "SPEC", "Small", "content", "frames", "in_small"]
