"""A weight is told with the proof of its weighing, or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from packline.core.effects import WEIGH, Effect, EffectState, Evidence
from plc.links import Area
from plc.machine_file import MachineFile, shipped_machine
from plc.plain_machine import PlainMachine
from tests.plc.tables import Tables, TableStand
from tests.waiting import serving

SHIPPED = shipped_machine("checkweigher")
WEIGHING = Effect(kind=WEIGH, subject="PL1", generation=1, station="s")
MOST_WEIGHINGS = 2**32


def apart() -> MachineFile:
    """Give the file with a weight that is read in a request of its own, as a device with a hole before it wants it."""
    file = shipped_machine("checkweigher")
    tag = file.tags["weight"].model_copy(update={"no_merge": True})
    return file.model_copy(update={"tags": {**file.tags, "weight": tag}})


class Scale(Tables):
    """Weighs 1.5 kg at once when it is told to; in a hurry it has weighed the next carton before its weight is asked for."""

    is_hurried = False

    def count(self) -> int:
        wired = SHIPPED.wired["weighings"]
        low, high = (self.words.get((wired.area, wired.start + n), 0) for n in (0, 1))
        return high << 16 | low  # CDAB: the low word comes first

    def write(self, area: Area, start: int, words: Sequence[int]) -> None:
        Tables.write(self, area, start, words)
        if (area, start) == (Area.COIL, SHIPPED.wired["weigh_now"].start) and words[0]:
            self.weigh(1.5)

    def read(self, area: Area, start: int, count: int) -> list[int]:
        if self.is_hurried and self.count() == 1 and start == SHIPPED.wired["weight"].start:
            self.weigh(9.9)
        return Tables.read(self, area, start, count)

    def weigh(self, kg: float) -> None:
        self.show(SHIPPED, weight=kg, weighings=(self.count() + 1) % MOST_WEIGHINGS)


class Weighing(TableStand):
    """The scale with its controller."""

    def __init__(self, file: MachineFile = SHIPPED, **shown: Any) -> None:
        self.scale = Scale()
        super().__init__(file, self.scale)
        self.show(model_no=30, starts=1, **shown)
        self.machine = PlainMachine(**self.given())

    async def weigh(self) -> Evidence:
        await self.do(self.machine.make_ready())
        device = self.machine.device()
        ticket = await self.do(device.prepare(WEIGHING, 5))
        assert (await self.do(device.send(WEIGHING, ticket))).state is EffectState.SENT
        return await self.do(device.inquire(WEIGHING, ticket))


@pytest.fixture
async def weighing() -> AsyncIterator[Weighing]:
    stand = Weighing()
    async with serving(stand.machine.run()):
        yield stand


async def test_weight_is_told_with_the_count_that_proves_it(weighing):
    evidence = await weighing.weigh()
    assert evidence.state is EffectState.CONFIRMED
    assert (evidence.data["weighings"], evidence.data["weight_kg"]) == (1, 1.5)
    assert evidence.data["overweight"] is False


async def test_count_that_rolls_over_proves_a_weighing_too():
    stand = Weighing(weighings=MOST_WEIGHINGS - 1)
    async with serving(stand.machine.run()):
        evidence = await stand.weigh()
    assert (evidence.state, evidence.data["weighings"]) == (EffectState.CONFIRMED, 0)


async def test_weight_of_the_next_carton_is_never_told_as_that_of_this_one():
    stand = Weighing(apart())
    async with serving(stand.machine.run()):
        await stand.do(stand.machine.make_ready())
        stand.scale.is_hurried = True
        evidence = await stand.weigh()
    assert evidence.data.get("weight_kg") is None


async def test_weight_that_means_no_weight_is_none(weighing):
    weighing.scale.weigh = lambda kg: weighing.show(weight=-999.0, weighings=weighing.scale.count() + 1)
    evidence = await weighing.weigh()
    assert (evidence.state, evidence.data["weight_kg"]) == (EffectState.CONFIRMED, None)
