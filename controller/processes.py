"""The three processes of `packline up`, each with what it needs and nothing more."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import random
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from controller.site import Site, load_site
from controller.supervisor import die_with_supervisor
from packline.core.clock import LoopClock
from packline.core.ids import SystemIds
from packline.store import Store, open_store

DATABASE = "packline.db"
SECRET_BYTES = 32

T = TypeVar("T")
log = logging.getLogger("packline.start")


def database_url(data: Path) -> str:
    """Give the database of a data folder, or the one that the environment names."""
    return os.environ.get("PACKLINE_DATABASE") or f"sqlite:///{data / DATABASE}"


def secret_of(data: Path) -> bytes:
    """Give the site's signing secret, made on first use and readable by its owner only."""
    data.mkdir(parents=True, exist_ok=True)
    path = data / "secret.key"
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
    return path.read_bytes()


def run_controller(path: Path) -> int:
    """Run the line of a site file until SIGTERM."""
    from controller.line import Given, Line
    from controller.links import real_links

    prepare()
    site, data = site_and_data(path)
    with _only_one(data):
        clock, ids, rng = LoopClock(), SystemIds(), random.Random()  # noqa: S311 - jitter, no secret

        async def main() -> None:
            store = open_store(database_url(data), clock=clock, ids=ids)
            import_items(store, site, path.resolve().parent)
            links = real_links(clock, rng, f"http://{site.web.host}:{site.web.video_port}")
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
                await links.http.aclose()
                store.close()

        asyncio.run(main())
    return 0


async def _in_thread(work: Callable[..., T], *args: Any) -> T:
    return await asyncio.to_thread(work, *args)


def import_items(store: Store, site: Site, folder: Path) -> None:
    """Take in the site's item file when it changed since the last start; bad rows are logged, good ones are kept."""
    if not site.site.items:
        return
    raw = (folder / site.site.items).read_bytes()
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
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the data folder's lock; a second controller on the same books says so and ends."""
    with (data / "controller.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another controller works in {data}; stop it first") from None
        yield


def prepare() -> None:
    """Set up logging to standard error and the watch on the supervisor."""
    level = os.environ.get("PACKLINE_LOG", "INFO")
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("httpx", "httpcore", "asyncua", "pymodbus", "apscheduler", "alembic"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy in ("asyncua", "pymodbus") else logging.WARNING)
    die_with_supervisor()


def site_and_data(path: Path) -> tuple[Site, Path]:
    """Read the site file and make its data folder."""
    site = load_site(path)
    data = site.data_dir()
    data.mkdir(parents=True, exist_ok=True)
    return site, data
