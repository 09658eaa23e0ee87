"""What each kind of device can do wrong, as switches by the ids of the catalogue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from packline.core.clock import Clock
from plc.handshake import frames
from simulation.machines.applicator import Applicator
from simulation.machines.machine import Machine
from simulation.machines.plain import PlainMachine
from simulation.machines.printer import Printer
from simulation.misbehave import Switch, Switches, at_once, momentary, nothing, quirk
from simulation.mounts.wire import Mount, Wire
from simulation.plant.things import Place
from simulation.quirks import Quirks

SLOW_S = 0.8
"""More than a request of the shipped machine files may take (0.5 s)."""
REBOOT_S = 1.0
WIRE_QUIRKS = ("half_open", "lost_request", "lost_answer", "duplicated", "torn", "word_order", "exception")
MACHINE_QUIRKS = ("frozen", "fail", "jam", "half_done", "done_but_failed", "stuck_sensor", "drift")
BLOCK_QUIRKS = ("garbage", "stale_heartbeat", "overwritten", "slow_scan", "brown_out")
ARM_QUIRKS = ("label_dropped", "folded", "doubled", "air_low", "wrong_lane")
PRINTER_QUIRKS = (
    "paper_out",
    "cover_open",
    "silent_accept",
    "mute",
    "half_print",
    "faded",
    "unreadable",
    "previous",
    "printed_twice",
    "ribbon_out",
    "unsaid",
)
SCANNER_QUIRKS = ("no_read", "multi_read", "fragment", "wrong_read", "ghost")
CAMERA_QUIRKS = ("frozen", "dark", "blurred", "moved", "lost", "late")

AnyMachine = Machine | PlainMachine


def machine_switches(
    machine: AnyMachine, mount: Mount, wire: Wire, clock: Clock, stop: Place | None = None
) -> Switches:
    """Give a machine's faults; `stop` is the place before it where a belt brings cartons."""
    names: tuple[str, ...] = MACHINE_QUIRKS
    if isinstance(machine, Machine):
        names += BLOCK_QUIRKS
    if isinstance(machine.mechanics, Applicator):
        names += ARM_QUIRKS
    switches = {name: quirk(machine.quirks, name) for name in names}
    switches["jam"] = _with_end(switches["jam"], machine.clear_jam)
    if isinstance(machine, Machine):
        switches["claimed"] = momentary(partial(_claimed, machine))
        machine.trip = _tripping(machine, mount, clock)
    if stop is not None:
        switches["double_feed"] = _room_for_two(stop)
    return {
        **switches,
        **wire_switches(mount, wire),
        **{name: quirk(wire.quirks, name) for name in WIRE_QUIRKS},
        "dropped": momentary(partial(_reopen, mount)),
        "off": Switch(on=lambda _: _power_off(machine, mount), off=lambda: _power_on(machine, mount)),
        "reboot": momentary(lambda: _reboot(machine, mount, clock, memory_kept=True)),
        "reboot_forgetting": momentary(lambda: _reboot(machine, mount, clock, memory_kept=False)),
        "estop": stop_switch(machine.emergency_stop),
    }


class Circuit(Protocol):
    """A safety circuit."""

    def __call__(self, *, is_open: bool) -> None: ...


def stop_switch(circuit: Circuit) -> Switch:
    """Give the switch of a safety circuit."""
    return Switch(
        on=lambda _: at_once(lambda: circuit(is_open=True)),
        off=lambda: at_once(lambda: circuit(is_open=False)),
    )


def printer_switches(printer: Printer, mount: Mount, wire: Wire) -> Switches:
    """Give a printer's faults; mending also loads paper and clears its error, and who loads paper ends that fault."""
    switches = {name: _with_both(quirk(printer.quirks, name), printer.changed) for name in PRINTER_QUIRKS}
    switches["half_print"] = _with_end(switches["half_print"], printer.recover)
    no_paper = _with_end(switches["paper_out"], printer.load_paper)
    switches["paper_out"] = replace(no_paper, is_over=lambda: "paper_out" not in printer.quirks)
    return {
        **switches,
        **wire_switches(mount, wire),
        "off": Switch(on=lambda _: _printer_off(printer, mount), off=lambda: _printer_on(printer, mount)),
    }


def wire_switches(mount: Mount, wire: Wire) -> Switches:
    """Give the faults that every link has: unplugged (refused, connections dropped), slow, late_answers (done, told late)."""
    return {
        "unplugged": Switch(on=lambda _: mount.close(), off=lambda: _open(mount)),
        "slow": Switch(on=lambda _: at_once(lambda: _lag(wire, ask_s=SLOW_S)), off=lambda: at_once(lambda: _lag(wire))),
        "late_answers": Switch(
            on=lambda _: at_once(lambda: _lag(wire, answer_s=SLOW_S)), off=lambda: at_once(lambda: _lag(wire))
        ),
    }


def quirk_switches(quirks: Quirks, names: tuple[str, ...], mount: Mount) -> Switches:
    """Give the faults of a simple device (camera, scanner): its quirks, and off."""
    return {name: quirk(quirks, name) for name in names} | {
        "off": Switch(on=lambda _: mount.close(), off=lambda: _open(mount))
    }


def _with_end(switch: Switch, then: Callable[[], None]) -> Switch:
    async def off() -> None:
        await switch.off()
        then()

    return replace(switch, off=off)


def _with_both(switch: Switch, then: Callable[[], None]) -> Switch:
    async def on(times: int | None) -> None:
        await switch.on(times)
        then()

    return _with_end(replace(switch, on=on), then)


def _room_for_two(stop: Place) -> Switch:
    def turn(capacity: int) -> Awaitable[None]:
        stop.capacity = capacity
        return nothing()

    return Switch(on=lambda _: turn(2), off=lambda: turn(1))


async def _open(mount: Mount) -> None:
    await mount.open()


async def _reopen(mount: Mount) -> None:
    await mount.close()
    await mount.open()


def _lag(wire: Wire, *, ask_s: float = 0.0, answer_s: float = 0.0) -> None:
    wire.ask_s, wire.answer_s = ask_s, answer_s


async def _claimed(machine: Machine) -> None:
    """Claim it as a second controller does that is started on it by mistake."""
    memory = machine.brain.memory
    words = frames.encode_command(
        frames.Command(
            epoch=memory.owner_epoch + 1,
            seq=frames.CLAIM_SEQ,
            code=frames.CLAIM,
            params=(memory.boot, *frames.split(STRANGER), 0, 0, 0, 0, 0),
        )
    )
    machine.write(frames.CMD, words)


STRANGER = 0x0BAD_0BAD
"""Owner id of the second master."""


async def _power_off(machine: AnyMachine, mount: Mount) -> None:
    machine.power_off()
    await mount.close()


async def _power_on(machine: AnyMachine, mount: Mount, *, memory_kept: bool = True) -> None:
    machine.power_on(memory_kept=memory_kept)
    await mount.open()


async def _reboot(machine: AnyMachine, mount: Mount, clock: Clock, *, memory_kept: bool) -> None:
    await _power_off(machine, mount)
    await clock.sleep(REBOOT_S)
    await _power_on(machine, mount, memory_kept=memory_kept)


def _tripping(machine: AnyMachine, mount: Mount, clock: Clock) -> Callable[[], None]:
    """Give what lets a machine boot that is in the middle of something, and cannot wait for it."""
    booting: set[asyncio.Future[None]] = set()  # the loop alone does not keep them

    def trip() -> None:
        task = asyncio.ensure_future(_reboot(machine, mount, clock, memory_kept=True))
        booting.add(task)
        task.add_done_callback(booting.discard)

    return trip


async def _printer_off(printer: Printer, mount: Mount) -> None:
    printer.power_off()
    await mount.close()


async def _printer_on(printer: Printer, mount: Mount) -> None:
    printer.power_on()
    await mount.open()
