"""`packline twin SITE`: the site's machines on real sockets, and the virtual people around them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
from dataclasses import asdict
from pathlib import Path

from controller.commands import numbers
from controller.commands.twin.plant import plant_of
from controller.site import Site, twin_part
from controller.site_file import load_site
from controller.sites import find_site
from controller.supervisor import die_with_supervisor
from simulation.people.stage import PeopleSpec, Stage
from simulation.twin import Twin

OPERATOR, SUPERVISOR = "floor", "shift-lead"


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file, for example sites/demo.toml")
    options.add_argument(
        "--speed", type=numbers.speed, help="motion this many times faster than life (default: the site's)"
    )
    options.add_argument("--orders", type=numbers.orders, default=0, help="post this many orders (default: none)")
    options.add_argument("--seed", type=int, help="seed of orders and people (default: the site's)")
    options.add_argument("--no-people", action="store_true", help="machines only: nobody moves an item")
    options.add_argument("--json", action="store_true", help="print one JSON line once ready, nothing else")


def run(chosen: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    die_with_supervisor()
    path = find_site(chosen.site)
    site = load_site(path)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(site, path, chosen))
    return 0


async def _serve(site: Site, path: Path, chosen: argparse.Namespace) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
    twin = Twin(plant_of(site, path, chosen.speed))
    devices = [asdict(device) for device in await twin.start()]
    try:
        _announce(devices, site, chosen)
        if chosen.no_people:
            await asyncio.Event().wait()
        await Stage(twin, _people(site, path, chosen)).run()
    finally:
        await twin.stop()


def _announce(devices: list[dict[str, str]], site: Site, chosen: argparse.Namespace) -> None:
    if chosen.json:
        print(json.dumps({"ready": True, "machines": devices}), flush=True)
        return
    for device in devices:
        print(f"{device['name']:16}{device['protocol']:10}{device['address']}", flush=True)
    if chosen.no_people:
        print(f"the twin is ready; nobody moves anything: POST http://{twin_part(site).truth}/hands does", flush=True)
    else:
        print("the twin is ready; its people wait for the dashboard", flush=True)


def _people(site: Site, path: Path, chosen: argparse.Namespace) -> PeopleSpec:
    twin = twin_part(site)
    return PeopleSpec(
        web_url=f"http://{site.web.host}:{site.web.port}",
        operator=OPERATOR,
        supervisor=SUPERVISOR,
        password=twin.people_password,
        orders=chosen.orders,
        seed=chosen.seed if chosen.seed is not None else twin.seed,
        speed=chosen.speed or twin.speed,
        items=path.resolve().parent / site.site.items,
        host=twin.host,
        feed_secret=site.feeds["marketplace"].keys()[0],
        courier="kd",
        courier_secret=site.couriers["kd"].keys()[0],
        subscribers={part.role: part.key() for part in site.subscribers.values()},
    )
