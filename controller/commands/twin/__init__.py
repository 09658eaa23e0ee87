"""`packline twin FILE`: a site's machines on real sockets and the virtual people around them, or one machine alone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from dataclasses import asdict
from pathlib import Path

from controller.commands import numbers
from controller.commands.twin.people import people_of
from controller.commands.twin.plant import LONE_ADDRESS, lone_plant, plant_of
from controller.commands.twin.serving import leave_in_order, quiet
from controller.integrator.target import is_machine_file
from controller.site import Site, twin_part
from controller.site_file import load_site
from controller.sites import find_site
from controller.supervisor import die_with_supervisor
from plc.machine_file import load_machine
from simulation.people.stage import Stage
from simulation.twin import Twin


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument(
        "site", type=Path, metavar="file", help="site file, for example sites/demo.toml, or the file of one machine"
    )
    options.add_argument("--at", metavar="HOST:PORT", help=f"machine file: where it listens (default: {LONE_ADDRESS})")
    options.add_argument(
        "--speed", type=numbers.speed, help="motion this many times faster than life (default: the site's)"
    )
    options.add_argument("--orders", type=numbers.orders, default=0, help="post this many orders (default: none)")
    options.add_argument("--seed", type=numbers.seed, help="seed of orders and people (default: the site's)")
    options.add_argument("--no-people", action="store_true", help="machines only: nobody moves an item")
    options.add_argument("--json", action="store_true", help="print one JSON line once ready, nothing else")


def run(chosen: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    quiet()
    die_with_supervisor()
    path = find_site(chosen.site)
    with contextlib.suppress(asyncio.CancelledError):
        if is_machine_file(path):
            asyncio.run(_serve_alone(Twin(lone_plant(load_machine(path), chosen.at, chosen.speed)), chosen))
        else:
            asyncio.run(_serve(load_site(path), path, chosen))
    return 0


async def _serve_alone(twin: Twin, chosen: argparse.Namespace) -> None:
    leave_in_order()
    served = [asdict(device) for device in await twin.start()]
    try:
        if chosen.json:
            print(json.dumps({"ready": True, "machines": served}), flush=True)
        for device in () if chosen.json else served:
            print(f"{device['name']} ({device['protocol']}) listens at {device['address']}; Ctrl-C ends it", flush=True)
        await asyncio.Event().wait()
    finally:
        await twin.stop()


async def _serve(site: Site, path: Path, chosen: argparse.Namespace) -> None:
    leave_in_order()
    twin = Twin(plant_of(site, path, chosen.speed))
    devices = [asdict(device) for device in await twin.start()]
    try:
        _announce(devices, site, chosen)
        if chosen.no_people:
            await asyncio.Event().wait()
        await Stage(twin, people_of(site, path, orders=chosen.orders, seed=chosen.seed, speed=chosen.speed)).run()
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
