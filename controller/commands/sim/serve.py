"""`packline sim serve`: the plant on real ports, for a foreign client or for whoever writes the program of a PLC or a controller."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from controller.commands import numbers
from controller.commands.chaos import typed_lines
from controller.commands.sim.pace import calendar, patched, run_paced
from controller.commands.sim.switchboard import WORDS, obey
from controller.commands.sim.telling import is_model, is_scenario
from controller.commands.twin.plant import LONE_ADDRESS, at_ports, lone_plant, plant_of
from controller.commands.twin.serving import leave_in_order, quiet
from controller.integrator.target import is_machine_file
from controller.site_file import load_site
from controller.sites import find_site
from controller.supervisor import die_with_supervisor
from packline.core.clock import Clock
from packline.core.faults import Fault
from plc.machine_file import load_machine
from plc.packml import name_of
from simulation.hall import AnyMachine
from simulation.machines.machine import Machine
from simulation.spec import PlantSpec
from simulation.twin import Served, Twin
from simulation.virtual.paced import PacedMotion
from simulation.virtual.sockets import PacedLoop

FILE = Path("sites/demo.toml")
OF_MODEL = "A model has no ports: run it with `packline sim model`."
LOOK_S, PIPED_S = 1.0, 15.0
"""How often the state is shown, in seconds of the wall clock: on a terminal, and into a pipe or a log."""
LATE_S = 0.5
"""A plant that was so late, in its own seconds, did not keep up: it is said."""


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.epilog = (
        f"lines on standard input while it runs: {WORDS}\n"
        "The same is there over HTTP, at the truth address: GET /faults, POST /fault, POST /hands."
    )
    options.add_argument(
        "file",
        type=Path,
        nargs="?",
        default=FILE,
        help=f"site file with a [twin], a scenario (its site), or a machine file (default: {FILE})",
    )
    options.add_argument(
        "--speed",
        type=numbers.speed,
        help="machines move this many times faster than life, their clocks do not (default: 1)",
    )
    options.add_argument(
        "--factor",
        type=numbers.speed,
        default=1.0,
        help="all time of the plant runs so much faster than the wall clock",
    )
    options.add_argument(
        "--modbus", type=numbers.port, metavar="PORT",
        help="Modbus devices listen at this port and those after it; 0: any free ones (default: the file's)",
    )  # fmt: skip
    options.add_argument(
        "--opcua", type=numbers.port, metavar="PORT",
        help="OPC UA devices listen at this port and those after it; 0: any free ones (default: the file's)",
    )  # fmt: skip
    options.add_argument("--free", action="store_true", help="all that no port was typed for listens at any free one")
    options.add_argument("--seconds", type=numbers.seconds, help="end by itself after so long on the wall clock")
    options.add_argument(
        "--json", action="store_true", help="a JSON line once ready, and as last line how it went; nothing else"
    )


@dataclass(slots=True, kw_only=True)
class Serving:
    """A plant that is served, and what was typed about it."""

    twin: Twin
    loop: PacedLoop
    clock: Clock
    chosen: argparse.Namespace
    out: TextIO
    ready_s: float = 0.0
    """The loop's time at which everything listened."""

    def seconds(self) -> float:
        """Give how long it is served, in seconds of the wall clock."""
        return (self.loop.time() - self.ready_s) / self.loop.factor

    def states(self) -> dict[str, str]:
        """Give the state of every machine."""
        return {name: state_of(machine) for name, machine in self.twin.hall.machines.items()}

    def figures(self, ended: str) -> dict[str, Any]:
        """Say how it went, JSON-ready."""
        return {
            "ok": True,
            "ended": ended,
            "seconds": round(self.seconds(), 3),
            "plant_seconds": round(self.twin.motion.now(), 3),
            "most_lag_s": round(self.loop.most_lag_s, 3),
            "machines": self.states(),
            "facts": len(self.twin.truth.facts),
            "faults": self.twin.misbehaviour.active(),
        }


def run(chosen: argparse.Namespace) -> int:
    """Serve until SIGTERM, Ctrl-C, the word quit, or the typed time is over."""
    quiet()
    die_with_supervisor()
    spec, files = _plant(chosen)
    run_paced(lambda: _serve(spec, files, chosen), factor=chosen.factor, speed=spec.speed)
    return 0


def _plant(chosen: argparse.Namespace) -> tuple[PlantSpec, Mapping[str, str]]:
    """Give the plant, and the machine file of each of its machines."""
    path = site_of(find_site(chosen.file))
    speed = chosen.speed or 1.0
    if is_machine_file(path):
        spec = lone_plant(load_machine(path), LONE_ADDRESS, speed)
        files = {machine.name: str(chosen.file) for machine in spec.machines}
    else:
        site = load_site(path)
        spec, files = plant_of(site, path, speed), {name: part.file for name, part in site.machines.items()}
    return at_ports(spec, modbus=chosen.modbus, opcua=chosen.opcua, is_free=chosen.free), files


def site_of(path: Path) -> Path:
    """Give the site of a scenario file, for the plant is the site's, and any other file as it is; raises Fault 4201 for a model."""
    if is_machine_file(path):
        return path
    if is_model(path):
        raise Fault(
            4201, where=str(path), seen="a [model]", expected="a site, machine or scenario file", remedy=OF_MODEL
        )
    if not is_scenario(path):
        return path
    from controller.commands.sim.scenario import load_scenario, shift_of  # a shift is no small import

    site = shift_of(load_scenario(path), path, path.parent).path
    print(f"{path} is a scenario: its site {site} is served, and nothing of its orders and faults", file=sys.stderr)
    return site


async def _serve(spec: PlantSpec, files: Mapping[str, str], chosen: argparse.Namespace) -> None:
    leave_in_order()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, PacedLoop)  # noqa: S101 - made by run_paced
    clock = calendar(chosen.factor)
    with patched(loop, clock):
        twin = Twin(spec, clock=clock, motion=PacedMotion(loop))
        serving = Serving(
            twin=twin, loop=loop, clock=clock, chosen=chosen, out=sys.stderr if chosen.json else sys.stdout
        )
        try:
            served = await twin.start()
            serving.ready_s, loop.most_lag_s = (
                loop.time(),
                0.0,
            )  # building an address space keeps a plant that stands still
            _announce(served, spec, files, serving)
            ended = await _until_end(serving)
        finally:
            await twin.stop()
        _close(serving, ended)


async def _until_end(serving: Serving) -> str:
    """Serve until something ends it; says what did."""
    typed = asyncio.create_task(_typed(serving))
    shown = asyncio.create_task(_shown(serving))
    try:
        seconds = serving.chosen.seconds
        if seconds is None:
            await typed
            return "quit"
        with contextlib.suppress(TimeoutError):
            await serving.clock.within(serving.loop.wall(seconds), asyncio.shield(typed))
            return "quit"
        return "seconds"
    except asyncio.CancelledError:
        return "signal"
    finally:
        for task in (typed, shown):
            task.cancel()
        await asyncio.gather(typed, shown, return_exceptions=True)


async def _typed(serving: Serving) -> None:
    """Do what is typed, until "quit"; without a keyboard wait for ever."""
    async for line in typed_lines():
        if line == "quit":
            return
        said = await obey(serving.twin.misbehaviour, line)
        print(json.dumps(said, ensure_ascii=False), file=serving.out, flush=True)
    await asyncio.Event().wait()


async def _shown(serving: Serving) -> None:
    """Show the machines' states when they have changed, and that time passes."""
    is_terminal = serving.out.isatty()
    before = ""
    while not serving.chosen.json:
        await serving.clock.sleep(serving.loop.wall(LOOK_S if is_terminal else PIPED_S))
        states = "  ".join(f"{name} {state}" for name, state in serving.states().items())
        line = f"{serving.seconds():6.0f} s  {states}{_late(serving.loop)}"
        if is_terminal:
            print(line[:160].ljust(160), end="\r", file=serving.out, flush=True)
        elif states != before:
            print(line, file=serving.out, flush=True)
        before = states


def state_of(machine: AnyMachine) -> str:
    """Say what a machine does: its PackML state, or for one without states whether it has power."""
    if not machine.is_powered:
        return "off"
    return name_of(machine.brain.states.state) if isinstance(machine, Machine) else "on"


def _late(loop: PacedLoop) -> str:
    return f"  (was {loop.most_lag_s:.1f} s late)" if loop.most_lag_s > LATE_S else ""


# -- what is said --------------------------------------------------------------------------------------------------------


def _announce(served: Sequence[Served], spec: PlantSpec, files: Mapping[str, str], serving: Serving) -> None:
    units = {machine.name: machine.file.machine.unit for machine in spec.machines if _is_modbus(machine.file)}
    rows = [
        {
            "name": device.name,
            "protocol": device.protocol,
            "address": device.address,
            "unit": units.get(device.name),
            "file": files.get(device.name, ""),
        }
        for device in served
    ]
    truth = serving.twin.truth_address
    if serving.chosen.json:
        print(json.dumps({"ready": True, "machines": rows, "truth": truth}), flush=True)
        return
    for line in _table(["device", "protocol", "address", "unit", "machine file"], [_said_of(row) for row in rows]):
        print(line, flush=True)
    print(f"the plant is ready; truth, faults and hands at {truth}; Ctrl-C ends it", flush=True)


def _said_of(row: Mapping[str, Any]) -> list[str]:
    return ["" if value is None else str(value) for value in row.values()]


def _is_modbus(file: Any) -> bool:
    return bool(file.machine.protocol == "modbus")


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]


def _close(serving: Serving, ended: str) -> None:
    figures = serving.figures(ended)
    if serving.chosen.json:
        print(json.dumps(figures), flush=True)
        return
    if serving.out.isatty():
        print(file=serving.out)
    if serving.loop.most_lag_s > LATE_S:
        late = f"it was up to {serving.loop.most_lag_s:.1f} s late: type a smaller --factor"
        print(f"the plant could not keep up; {late}", file=serving.out)
    print(f"the plant is down after {figures['seconds']:.0f} s; every port is closed", file=serving.out)
