"""The controller process of `packline up`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from controller.books import open_line_patiently
from controller.item_file import item_bytes
from controller.line import Given, Line
from controller.links import Links, real_links
from controller.site import Site
from controller.starting import (
    DATABASE,
    PATIENCE_S,
    database_url,
    ending_signals,
    only_one,
    prepare,
    secret_of,
    site_and_data,
)
from controller.supervisor import is_supervised
from controller.tls import own_trust, tls_of
from packline.core.clock import Clock, LoopClock
from packline.core.ids import Ids, SystemIds
from packline.store import Store

T = TypeVar("T")
log = logging.getLogger("packline.start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast time passes for a process: its clock, what runs its loop, and links whose time-outs fit that loop."""

    clock: Clock = field(default_factory=LoopClock)
    run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
    fit: Callable[[Links], Links] = lambda links: links


def run_controller(path: Path, pace: Pace | None = None) -> int:
    """Run the line of a site file until SIGTERM; default: at the pace of the wall clock."""
    prepare()
    pace = pace or Pace()
    site, data = site_and_data(path)
    with only_one(data, patience_s=PATIENCE_S if is_supervised() else 0.0):
        clock, ids, rng = pace.clock, SystemIds(), random.Random()  # noqa: S311 - jitter, no secret

        async def main() -> None:
            store = open_line_patiently(site, data, clock=clock, ids=ids, owns=True)
            import_items(store, site, path.resolve().parent)
            links = pace.fit(
                real_links(clock, rng, site.web.url_at(site.web.video_port), own_trust(tls_of(site.web, path)))
            )
            await run_line(path, site, data, store=store, links=links, clock=clock, ids=ids, rng=rng)

        pace.run(main())
    return 0


async def run_line(
    path: Path, site: Site, data: Path, *, store: Store, links: Links, clock: Clock, ids: Ids, rng: random.Random
) -> None:
    """Run the line of the site file at `path` until SIGTERM; then closes its links and books."""
    given = Given(
        site=site,
        folder=path.resolve().parent,
        data=data,
        store=store,
        links=links,
        clock=clock,
        ids=ids,
        rng=rng,
        offload=_in_thread,
        secret=secret_of(data),
    )
    try:
        await _until_sigterm(Line(given).run())
    finally:
        await links.video.aclose()
        await links.http.aclose()
        store.close()


async def _in_thread(work: Callable[..., T], *args: Any) -> T:
    return await asyncio.to_thread(work, *args)


def import_items(store: Store, site: Site, folder: Path) -> None:
    """Take in the site's item file when it changed since the last start; bad rows are logged, good ones are kept.

    Raises Fault 4201 for one that cannot be read.
    """
    if not site.site.items:
        return
    raw = item_bytes(site, folder)
    digest = hashlib.sha256(raw).hexdigest()
    if store.meta.get_now("items") == digest:
        return
    report = store.items.import_csv(raw)
    for row in report.bad:
        log.warning("%s: %s", site.site.items, row.text())
    store.meta.put_now("items", digest)


async def _until_sigterm(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in ending_signals():
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


__all__ = [
    "DATABASE",
    "database_url",
    "import_items",
    "prepare",
    "run_controller",
    "run_line",
    "secret_of",
    "site_and_data",
]
