"""A whole line without machines, started twice on the same books: what people said of its stations holds in the second run, too."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from controller.line import Given, Line
from controller.links import real_links
from controller.local_server import Take
from controller.site import Site
from packline.core.clock import LoopClock
from packline.core.ids import SeededIds
from packline.orders.model import Event, UnitState
from packline.store import open_store
from tests.stations.line import content
from tests.waiting import eventually

SITE = {
    "site": {"name": "hall", "title": "Hall", "data": "data", "company_prefix": "9521321"},
    "stations": {"hold-1": {"kind": "hold"}, "clarify-1": {"kind": "clarification"}},
}


class Shut:
    """A door that nobody comes through."""

    def __init__(self, data: Path, *, snapshot: Take, wake: Callable[[], None]) -> None:
        """Take what a door is given."""

    async def run(self) -> None:
        await asyncio.Event().wait()


async def at_once(work: Callable[..., Any], *args: Any) -> Any:
    return work(*args)


@asynccontextmanager
async def run_on(folder: Path, run: str) -> AsyncIterator[Line]:
    """Run the line on the books in `folder`, and end it."""
    clock, ids, rng = LoopClock(), SeededIds(run), random.Random(run)
    store = open_store(f"sqlite:///{folder / 'books.db'}", clock=clock, ids=ids)
    links = real_links(clock, rng, "http://127.0.0.1:1")
    line = Line(
        Given(
            site=Site.model_validate(SITE),
            folder=folder,
            data=folder,
            store=store,
            links=links,
            clock=clock,
            ids=ids,
            rng=rng,
            offload=at_once,
            secret=b"0" * 32,
            open_door=Shut,
        )
    )
    running = asyncio.ensure_future(line.run())
    try:
        await eventually(lambda: line.snapshot is not None or running.done())
        yield line
    finally:
        running.cancel()
        await asyncio.wait({running})
        await links.video.aclose()
        await links.http.aclose()
        store.close()


async def ask(line: Line, action: str, station: str) -> None:
    """Have a request of a person carried out."""
    args = {"station": station, "action": action}
    requests = line._given.store.requests
    row = await requests.put(key=f"{action} {station}", action="station", args=args, actor="lin", role="operator")
    line.wake()
    await eventually(lambda: _is_done(line, row.id))


async def _is_done(line: Line, request: int) -> bool:
    found = await line._given.store.requests.get(request)
    return found is not None and found.state == "done"


async def test_a_piece_on_a_table_that_the_site_has_no_more_is_wanted_again(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'books.db'}", clock=LoopClock(), ids=SeededIds("before"))) as store:
        new = content(1)
        order: dict[str, Any] = {"subject": new.order_id, "order_id": new.order_id}
        unit: dict[str, Any] = {"subject": f"{new.order_id}.1.1", "order_id": new.order_id, "station": "induct-9"}
        await store.books.record(
            Event(kind="OrderReceived", data={"content": new}, **order),
            Event(kind="OrderReleased", **order),
            Event(kind="UnitInducted", **unit),
            Event(kind="UnitInspected", **unit),
        )
    async with run_on(tmp_path, "first") as line:
        (found,) = await line.kit.books.units(order_id=new.order_id)
        assert found.state is UnitState.WANTED


async def test_a_station_that_a_person_holds_is_held_after_a_restart_until_it_is_released(tmp_path: Path) -> None:
    async with run_on(tmp_path, "first") as line:
        await ask(line, "hold", "clarify-1")
    async with run_on(tmp_path, "second") as line:
        assert {name: post.screen.hold_by for name, post in line.posts.items()} == {"hold-1": "", "clarify-1": "lin"}
        await ask(line, "release", "clarify-1")
    async with run_on(tmp_path, "third") as line:
        assert line.posts["clarify-1"].screen.hold_by == ""
