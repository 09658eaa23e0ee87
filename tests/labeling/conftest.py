"""A small ESC/POS printer on a real socket that can misbehave; an independent witness of what came out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from labeling.content import LabelContent, ShipTo
from labeling.printer import LabelPrinter, Waits
from labeling.raster import (
    AutoStatus,
    CounterRequest,
    Cut,
    Event,
    ProcessIdRequest,
    RasterReader,
    RealTimeRequest,
    Row,
    pieces,
)
from labeling.transport import tcp_ports
from packline.core.clock import LoopClock
from packline.core.effects import PRINT, Effect
from packline.core.identity import Lpn, Sscc


@dataclass
class FakePrinter:
    """Works off one connection after the other, as the printers do. Rows left in it wait for paper."""

    paper: bool = True
    cover_open: bool = False
    broken: bool = False
    silent: bool = False
    rows_until_paper_out: int | None = None
    rows_until_break: int | None = None
    hang_up_after_bytes: int | None = None
    swallow_jobs: bool = False
    counts_rows: bool = True
    is_exit_taken: bool = False
    opened_after_rows: int | None = None
    """The cover is opened after so many rows, and closed again before anybody can ask."""
    tells_changes: bool = False
    cuts: int = 7
    rows: int = 5000
    out: list[Event] = field(default_factory=list)
    buffered: list[Event] = field(default_factory=list)
    received: int = 0
    connections: int = 0
    address: str = ""
    keeps_back: int = 0
    """So many words that a job is done come late: when the head moves for the next one."""
    late_counters: int = 0
    """So many answers of a counter come late: with the next one."""
    answers_twice: bool = False
    comes_out_after_questions: int | None = None
    """After so many answers of counters a label comes out, of data that was on its way all the time."""
    owed: tuple[asyncio.StreamWriter, bytes] | None = None
    """What is not said yet, to whoever asked."""
    mended_after_question: int | None = None
    """Paper is loaded right after this real-time question (1..4) is answered."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        parser = RasterReader()
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                self.received += len(data)
                for event in parser.feed(data):
                    self._take(event, writer)
                if self.hang_up_after_bytes is not None and self.received >= self.hang_up_after_bytes:
                    break
                await writer.drain()
        writer.close()

    def _take(self, event: Event, writer: asyncio.StreamWriter) -> None:
        if isinstance(event, RealTimeRequest):
            if not self.silent:
                writer.write(bytes((self._status(event.n),)))
            if event.n == self.mended_after_question:
                self.paper, self.mended_after_question = True, None
            return
        if self.swallow_jobs and not isinstance(event, CounterRequest):
            return
        self.buffered.append(event)
        self.work(writer)

    def work(self, writer: asyncio.StreamWriter | None = None) -> None:
        """Work off what is buffered until something stops it."""
        while self.buffered and self.is_ready and not self.is_exit_taken:
            event = self.buffered.pop(0)
            self.out.append(event)
            if isinstance(event, Row):
                self.rows += 1
                self._say_what_is_owed()
                self._wear()
                self._open_for_a_moment(writer)
            elif isinstance(event, AutoStatus):
                self.tells_changes = event.n != 0
            elif isinstance(event, Cut):
                self.cuts += 1
            elif writer is not None and not self.silent:
                self._answer(event, writer)

    def _open_for_a_moment(self, writer: asyncio.StreamWriter | None) -> None:
        if self.opened_after_rows is None:
            return
        self.opened_after_rows -= 1
        if not self.opened_after_rows and self.tells_changes and writer is not None:
            writer.write(bytes((0x38, 0, 0, 0, 0x10, 0, 0, 0)))  # offline with its cover open, and well again

    def _wear(self) -> None:
        if self.rows_until_paper_out is not None:
            self.rows_until_paper_out -= 1
            self.paper = self.rows_until_paper_out > 0
        if self.rows_until_break is not None:
            self.rows_until_break -= 1
            self.broken = self.rows_until_break <= 0

    def _answer(self, event: Event, writer: asyncio.StreamWriter) -> None:
        if isinstance(event, ProcessIdRequest):
            word = b"\x37\x22" + event.process_id + b"\x00"
            if self.keeps_back:
                self.keeps_back, self.owed = self.keeps_back - 1, (writer, word)
            else:
                writer.write(word)
        elif isinstance(event, CounterRequest) and (event.counter == 50 or self.counts_rows):
            self._count(event.counter, writer)

    def _count(self, counter: int, writer: asyncio.StreamWriter) -> None:
        answer = b"\x5f" + str(self.cuts if counter == 50 else self.rows).encode() + b"\x00"
        if self.late_counters:
            self.late_counters, self.owed = self.late_counters - 1, (writer, answer)
            return
        self._say_what_is_owed()
        writer.write(answer * (2 if self.answers_twice else 1))
        if self.comes_out_after_questions is not None:
            self.comes_out_after_questions -= 1
            if not self.comes_out_after_questions:
                self.cuts, self.rows = self.cuts + 1, self.rows + 600

    def _say_what_is_owed(self) -> None:
        if self.owed is not None:
            (writer, word), self.owed = self.owed, None
            writer.write(word)

    def reload(self) -> None:
        """Put a new roll in and close the cover; what waits is printed."""
        self.paper, self.cover_open, self.rows_until_paper_out = True, False, None
        self.work()

    def repair(self) -> None:
        """Switch off and on after an error: the buffer is lost, the counters are not."""
        self.broken, self.rows_until_break = False, None
        self.buffered.clear()

    @property
    def is_ready(self) -> bool:
        return self.paper and not self.cover_open and not self.broken

    @property
    def labels(self) -> int:
        return sum(isinstance(event, Cut) for event in self.out)

    def pictures(self):
        return pieces(self.out)

    def _status(self, n: int) -> int:
        bits = {
            1: 0 if self.is_ready else 0x08,
            2: 0x04 * self.cover_open | 0x20 * (not self.paper) | 0x40 * self.broken,
            3: 0x20 * self.broken,
            4: 0 if self.paper else 0x60,
        }
        return 0x12 | bits[n]


@pytest.fixture
async def fake() -> AsyncIterator[FakePrinter]:
    printer = FakePrinter()
    server = await asyncio.start_server(printer.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    printer.address = f"{host}:{port}"
    yield printer
    server.close()


@pytest.fixture
async def driver(fake: FakePrinter) -> AsyncIterator[LabelPrinter]:
    clock = LoopClock()
    made = LabelPrinter(
        name="printer-1",
        address=fake.address,
        open_port=tcp_ports(clock),
        clock=clock,
        rng=random.Random(1),
        waits=Waits(finish_s=1.0, poll_s=0.1, answer_s=1.0, settle_s=0.05),
    )
    yield made
    await made.close()


@pytest.fixture
def content() -> LabelContent:
    return LabelContent(
        lpn=Lpn.number(42).text,
        sscc=Sscc.build(3, "6901234", 17).text,
        print_number=1234,
        merchant="青竹茶行 Bamboo Tea",
        order_ref="MP-2026-000123",
        ship_to=ShipTo(
            recipient="欧阳娜娜",
            phone="138****5678",
            lines=("浙江省杭州市西湖区文三路 478 号华星时代广场 A 座 1204 室", ""),
            postcode="310012",
            city="杭州市",
            country="中国",
        ),
        contents=("2 × 龙井茶 250 g", "1 × Teapot, white porcelain"),
        date="2026-11-21",
    )


@pytest.fixture
def effect(content: LabelContent) -> Effect:
    return Effect(kind=PRINT, subject=content.lpn, generation=0, station="print-apply-1", parameters=content.as_dict())
