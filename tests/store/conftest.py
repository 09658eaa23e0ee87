"""Books in a file (or on the server that PACKLINE_TEST_DATABASE names), an order to fill them with, and an obedient device."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from packline.core.clock import ManualClock
from packline.core.effects import Effect, EffectState, Evidence, Ticket
from packline.core.ids import SeededIds
from packline.orders.model import Address, Event, OrderLine, PlaceOrder, Purchase
from packline.store import Store, open_store
from tests.servers import ASKS_SQLITE, named


@pytest.fixture(scope="session")
def empty_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "books.db"
    open_store(f"sqlite:///{path}", clock=ManualClock(), ids=SeededIds("empty"), inline=True).close()
    return path


@pytest.fixture
def path(empty_books: Path, tmp_path: Path) -> Path:
    """The file of the books; for tests that look into it."""
    if named():
        pytest.skip(ASKS_SQLITE)
    return Path(shutil.copy(empty_books, tmp_path / "books.db"))


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of empty books."""
    if named():
        with request.getfixturevalue("server").books() as address:
            yield address
    else:
        yield f"sqlite:///{request.getfixturevalue('path')}"


@pytest.fixture
def sqlite_only() -> None:
    """For tests that ask SQLite's own questions."""
    if named():
        pytest.skip(ASKS_SQLITE)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(url: str, clock: ManualClock) -> Iterator[Store]:
    """Books that work in the caller, as in virtual time."""
    opened = open_store(url, clock=clock, ids=SeededIds("test"), inline=True)
    yield opened
    opened.close()


@pytest.fixture
def threaded(url: str, clock: ManualClock) -> Iterator[Store]:
    """The same books through a writer thread, as in a running plant."""
    opened = open_store(url, clock=clock, ids=SeededIds("threaded"))
    yield opened
    opened.close()


@pytest.fixture
def place_order() -> Callable[..., PlaceOrder]:
    def make(number: object = 1, quantities: tuple[int, ...] = (2, 1), **changes: object) -> PlaceOrder:
        lines = tuple(
            OrderLine(line_no=i, sku=f"SKU-{i}", name="青花茶杯", quantity=quantity, unit_minor=1990)
            for i, quantity in enumerate(quantities, 1)
        )
        fields: dict[str, Any] = {
            "channel": "market",
            "external_id": f"HM-{number}",
            "version": 1,
            "digest": "0" * 64,
            "merchant": "m-1",
            "buyer": "b-1",
            "placed_at": datetime(2026, 1, 1, 8, tzinfo=UTC),
            "currency": "CNY",
            "lines": lines,
            "total_minor": 1990 * sum(quantities),
            "purchase": Purchase.BOUGHT,
            "paid": True,
            "ship_to": Address(recipient="王小明", lines=("中山路 1 号",), city="上海", postcode="200000"),
        }
        return PlaceOrder(**{**fields, **changes})

    return make


@pytest.fixture
def received(place_order: Callable[..., PlaceOrder]) -> Callable[..., Event]:
    def make(*args: object, **changes: object) -> Event:
        content = place_order(*args, **changes)
        return Event(kind="OrderReceived", subject=content.order_id, data={"content": content})

    return make


class FakeDevice:
    """Answers `send` and `inquire` from a script; an exception in it is raised; the last answer is given for ever."""

    def __init__(self, send: object = EffectState.SENT, inquire: object = EffectState.CONFIRMED) -> None:
        self.sends: list[Ticket] = []
        self.inquiries: list[Ticket] = []
        self.jobs: list[int] = []
        self.refuses: Exception | None = None
        self.remember: dict[str, Any] = {}
        self.while_sending: Callable[[], Awaitable[None]] | None = None
        self.while_asked: Callable[[], Awaitable[None]] | None = None
        self._send = send if isinstance(send, list) else [send]
        self._inquire = inquire if isinstance(inquire, list) else [inquire]

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        if self.refuses:
            raise self.refuses
        self.jobs.append(job)
        return Ticket(machine="m", epoch=3, sequence=len(self.jobs), boot=7, job=job, extra={"before": 41})

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        self.sends.append(ticket)
        if self.while_sending:
            await self.while_sending()
        return _say(self._send)

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        self.inquiries.append(ticket)
        if self.while_asked:
            await self.while_asked()
        return replace(_say(self._inquire), remember=self.remember)


def _say(script: list) -> Evidence:
    answer = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(answer, BaseException):
        raise answer
    return Evidence(state=answer, source="machine memory", data={"at": datetime(2026, 1, 1, tzinfo=UTC)})


@pytest.fixture
def device() -> type[FakeDevice]:
    return FakeDevice
