"""A machine in memory under a clock that the test moves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from packline.core.clock import ManualClock
from packline.core.effects import APPLY, EJECT, LIGHT, TURN, Effect, EffectKind
from plc.brains import brain_for
from plc.machine import Machine
from plc.machine_file import MachineFile, shipped_machine
from plc.machine_view import MachineView
from plc.memory_link import MemoryLink, MemoryMachine
from tests.plc.craft import Made
from tests.plc.protected import PASSWORD, controllers_certificate
from tests.waiting import let_run

T = TypeVar("T")
STEP_S = 0.01
LIMIT_S = 60.0
HOPS = 12


@dataclass
class BookOfEpochs:
    """core.effects.Epochs in a dict; `raised` is every epoch in order."""

    epochs: dict[str, int] = field(default_factory=dict)
    raised: list[int] = field(default_factory=list)

    async def epoch(self, machine: str) -> int:
        return self.epochs.get(machine, 0)

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        self.epochs[machine] = max(epoch, self.epochs.get(machine, 0))
        self.raised.append(epoch)


@dataclass
class Controller:
    """One controller of the machine: its books, its link, and what it told the line."""

    machine: Machine
    link: MemoryLink
    books: BookOfEpochs
    seen: list[MachineView]
    task: asyncio.Task[None]
    is_ticking: bool = True

    def faults_told(self) -> list[tuple[int, ...]]:
        told: list[tuple[int, ...]] = []
        for view in self.seen:
            if not told or told[-1] != view.faults:
                told.append(view.faults)
        return told


class Bench:
    """Builds one machine and as many controllers as a test wants, and moves the clock."""

    def __init__(self, file: MachineFile) -> None:
        self.file = file
        self.clock = ManualClock()
        self.plant = MemoryMachine(brain=brain_for(file, random.Random(1)), clock=self.clock)
        self.plant.boot()
        self.controllers: list[Controller] = []

    def controller(self, *, owner_id: int = 77, books: BookOfEpochs | None = None) -> Controller:
        books = books or BookOfEpochs()
        link = MemoryLink(machine=self.plant, clock=self.clock)
        seen: list[MachineView] = []
        holder: list[Controller] = []
        machine = Machine(
            name="m1",
            file=self.file,
            link=link,
            epochs=books,
            owner_id=owner_id,
            clock=self.clock,
            rng=random.Random(2),
            ticking=lambda: holder[0].is_ticking,
            on_change=seen.append,
        )
        controller = Controller(machine, link, books, seen, asyncio.ensure_future(machine.run()))
        holder.append(controller)
        self.controllers.append(controller)
        return controller

    async def ready(self, **given: Any) -> Controller:
        """Give a controller whose machine is in Execute."""
        controller = self.controller(**given)
        await self.do(controller.machine.make_ready())
        return controller

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end while the clock moves."""
        task = asyncio.ensure_future(work)
        await self.until(task.done)
        return task.result()

    async def until(self, condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        end = self.clock.monotonic() + limit_s
        while not condition():
            assert self.clock.monotonic() < end, "never came true"
            await self.step()

    async def run_for(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            await self.step()

    async def step(self) -> None:
        await let_run(HOPS)
        self.clock.advance(STEP_S)

    async def crash(self, controller: Controller) -> None:
        """Stop a controller as kill -9 would: nothing is said to the machine."""
        controller.task.cancel()
        await asyncio.wait({controller.task})

    async def close(self) -> None:
        for controller in self.controllers:
            await self.crash(controller)


def without_tags(name: str) -> MachineFile:
    """Give a shipped machine as its four blocks alone."""
    return shipped_machine(name).model_copy(update={"tags": {}, "expect": {}})


@pytest.fixture
async def arm() -> AsyncIterator[Bench]:
    bench = Bench(without_tags("applicator"))
    yield bench
    await bench.close()


@pytest.fixture
async def table() -> AsyncIterator[Bench]:
    bench = Bench(without_tags("turntable"))
    yield bench
    await bench.close()


def effect(kind: EffectKind, **parameters: Any) -> Effect:
    return Effect(kind=kind, subject="PL0000000017", generation=1, station="s1", parameters=parameters)


@pytest.fixture
def apply() -> Effect:
    return effect(APPLY)


@pytest.fixture
def eject() -> Effect:
    return effect(EJECT, lane=2)


@pytest.fixture
def turn() -> Effect:
    return effect(TURN, angle_deg=90)


@pytest.fixture
def light() -> Effect:
    return effect(LIGHT, level_pct=50)


# -- protected connections ---------------------------------------------------------------------------------------------


@pytest.fixture
def client() -> Made:
    return controllers_certificate()


@pytest.fixture
def pki(tmp_path: Path, client: Made) -> Path:
    client.kept(tmp_path / "pki")
    return tmp_path / "pki"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(PASSWORD, "utf-8")
    file.chmod(0o600)
    return file
