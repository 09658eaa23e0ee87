"""Devices that nobody uses: rung when it lasts, taken back when it is gone, never by an answer seen twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

import stations.bells
from controller.watching import LOOK_S, Watching
from labeling.printer import LabelPrinter, PrinterStatus
from labeling.transport import CONNECT_S
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from packline.core.pictures import Still
from tests.scanning.shots import LIT, UNLIT
from tests.simulation.faults.small_line import SPEC, Small, in_small
from tests.waiting import let_run

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)
READY = {"connected": True, "online": True, "paper": True}


class Over(Exception):  # noqa: N818 - the end of a script
    """There is nothing more to look at."""


class Clock(ManualClock):
    """Nothing waits."""

    async def sleep(self, seconds: float) -> None:
        await let_run()  # the others have their turn

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        return await work


@dataclass
class Bells:
    """Notes what rings after each look."""

    ringing: set[int] = field(default_factory=set)

    async def ring(self, fault: Fault, by: str) -> None:
        self.ringing.add(fault.code)

    async def hush(self, by: str, *, but: int = 0) -> None:
        self.ringing &= {but}

    async def forget_old_ones(self, codes: Any) -> None:
        """Nothing is old here."""


class Alarms:
    """A desk that knows which alarms stand, as the overview shows them."""

    def __init__(self) -> None:
        self.standing: set[tuple[int, str]] = set()

    async def raise_alarm(self, fault: Fault, *, source: str) -> None:
        self.standing.add((fault.code, source))

    async def clear_alarm(self, code: int, *, source: str) -> None:
        self.standing.discard((code, source))


class Scripted:
    """A printer or scanner whose answers are known; notes what rang before each."""

    name = "device-1"

    def __init__(self, bells: Bells, *answers: Any) -> None:
        self.bells, self.answers = bells, list(answers)
        self.rang: list[set[int]] = []

    def _next(self) -> Any:
        self.rang.append(set(self.bells.ringing))
        if not self.answers:
            raise Over
        return self.answers.pop(0)

    async def status(self) -> PrinterStatus:
        return self._next()

    def is_connected(self) -> bool:
        return bool(self._next())

    async def still(self, timeout_s: float = 3.0) -> Still:
        jpeg = self._next()
        if jpeg is None:
            raise Fault(1005, where=self.name)
        return Still(jpeg=jpeg, camera=self.name, frame=1, captured_at=START)


async def inline(work: Any, *args: Any) -> Any:
    return work(*args)


async def rung_by(kind: str, *answers: Any, noted: list[int] | None = None) -> list[set[int]]:
    """Give what rang after each look; `noted` takes what a camera's screen is told."""
    noted = [] if noted is None else noted
    bells = Bells()
    device: Any = Scripted(bells, *answers)
    heard: Any = bells
    watching = Watching(Clock(), inline)
    watches = {
        "printer": lambda: watching.printer(device, heard, _unnoted),
        "scanner": lambda: watching.scanner(device, heard),
        "camera": lambda: watching.camera(device, heard, noted.append),
    }
    watch = watches[kind]()
    with pytest.raises(Over):
        await watch
    return list(device.rang[1:])


def _unnoted(_: PrinterStatus) -> None:
    """Nobody looks at a screen."""


def printer(**changes: bool) -> PrinterStatus:
    return PrinterStatus(**{**READY, **changes})


async def test_a_printer_rings_at_the_second_look_and_stops_at_the_second_good_one() -> None:
    empty = [printer(paper=False) for _ in range(2)]
    assert await rung_by("printer", printer(), *empty, printer(), printer()) == [set(), set(), {2101}, {2101}, set()]


def test_a_printer_that_takes_no_connection_rings_and_is_well_again_when_it_takes_one() -> None:
    """It speaks to one only, and somebody else has it: whoever comes next waits for his turn, but not for ever."""

    async def story(small: Small) -> None:
        address = next(part.address for part in SPEC.printers if part.name == "printer-1")
        first = small.plant.open_port(address)
        await first.connect()
        second = LabelPrinter(
            name="printer-1",
            address=address,
            open_port=small.plant.open_port,
            clock=small.clock,
            rng=random.Random(1),
            offload=inline,
        )
        desk: Any = Alarms()
        bells, shown = stations.bells.Bells("label-1", desk, lambda: None), list[PrinterStatus]()
        watch = asyncio.ensure_future(Watching(small.clock, inline).printer(second, bells, shown.append))
        await small.wait(CONNECT_S + 0.1)
        assert not shown[0].connected
        await small.wait(LOOK_S + CONNECT_S)
        assert desk.standing == {(1001, "label-1")}
        await first.close()
        await small.wait(3 * LOOK_S)
        assert shown[-1].connected
        assert desk.standing == set()
        watch.cancel()

    in_small(story)


async def test_an_answer_that_a_busy_printer_gives_again_is_no_second_look() -> None:
    empty = printer(paper=False)
    assert await rung_by("printer", empty, empty, empty, printer(), printer()) == [set()] * 5


async def test_a_cover_that_opens_over_an_empty_printer_rings_in_its_place() -> None:
    empty, opened = ([printer(paper=False, cover_open=is_open) for _ in range(2)] for is_open in (False, True))
    assert await rung_by("printer", *empty, *opened) == [set(), {2101}, {2101}, {2102}]


@pytest.mark.parametrize(
    "status, code",
    [
        (PrinterStatus(), 1001),
        (PrinterStatus(silent=True), 2103),
        (PrinterStatus(**READY | {"error": True}), 2106),
        (PrinterStatus(**READY | {"online": False}), 2103),
    ],
)
async def test_every_trouble_of_a_printer_has_its_code(status: PrinterStatus, code: int) -> None:
    again = PrinterStatus(
        **{name: getattr(status, name) for name in ("connected", "online", "paper", "error", "silent")}
    )
    assert (await rung_by("printer", status, again))[-1] == {code}


async def test_a_scanner_rings_at_the_third_look() -> None:
    assert await rung_by("scanner", False, False, False, True) == [set(), set(), {1006}, {1006}]


async def test_a_camera_that_does_not_answer_rings_at_the_third_look_and_is_shown_then() -> None:
    noted: list[int] = []
    rang = await rung_by("camera", LIT, None, None, None, LIT, noted=noted)
    assert rang == [set(), set(), set(), {1005}, {1005}]
    assert noted == [0, 1005, 0]


async def test_a_camera_in_the_dark_has_a_trouble_of_its_own() -> None:
    noted: list[int] = []
    assert (await rung_by("camera", UNLIT, UNLIT, UNLIT, noted=noted))[-1] == {2201}
    assert noted == [2201]


async def test_what_is_no_picture_at_all_is_not_called_dark() -> None:
    assert (await rung_by("camera", b"\xff\xd8 torn", b"\xff\xd8 torn", b"\xff\xd8 torn"))[-1] == set()
