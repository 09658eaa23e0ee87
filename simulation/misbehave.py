"""Faults that can be switched on and off by name while the twin runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from packline.core.clock import Clock
from simulation.machines.applicator import Applicator
from simulation.machines.machine import Machine
from simulation.machines.plain import PlainMachine
from simulation.machines.printer import Printer
from simulation.mounts.wire import Mount, Wire
from simulation.quirks import Quirks

SLOW_S = 0.8
"""More than a request of the shipped machine files may take (0.5 s)."""
REBOOT_S = 1.0


class NoSuchFault(Exception):  # noqa: N818 - an answer to a wrong request
    """There is no such device, or it does not know that fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One fault of one device: `on` takes the number of times it strikes (None: until `off`).

    `is_over` tells whether somebody ended it by hand, as a person who loads paper does.
    """

    on: Callable[[int | None], Awaitable[None]]
    off: Callable[[], Awaitable[None]]
    is_over: Callable[[], bool] = lambda: False


Switches = Mapping[str, Switch]
AnyMachine = Machine | PlainMachine


class Misbehaviour:
    """The switchboard. A fault ends by `mend`, after `for_s` wall seconds, or by itself after its number of times."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._devices: dict[str, Switches] = {}
        self._active: dict[tuple[str, str], asyncio.Task[None] | None] = {}

    def add(self, device: str, switches: Switches) -> None:
        """Make a device's faults known."""
        self._devices[device] = switches

    def known(self) -> dict[str, list[str]]:
        """List every device's faults."""
        return {device: sorted(switches) for device, switches in self._devices.items()}

    def active(self) -> list[dict[str, str]]:
        """List what was switched on and not ended since; one that struck its number of times is still listed."""
        for key in [key for key in self._active if self._switch(*key).is_over()]:
            self._forget(key)
        return [{"device": device, "fault": fault} for device, fault in self._active]

    async def fault(self, device: str, fault: str, *, for_s: float | None = None, times: int | None = None) -> None:
        """Switch a fault on; raises NoSuchFault."""
        switch = self._switch(device, fault)
        await self.mend(device, fault)
        await switch.on(times)
        lasts = asyncio.create_task(self._mend_after(device, fault, for_s)) if for_s is not None else None
        self._active[device, fault] = lasts

    async def mend(self, device: str = "", fault: str = "") -> int:
        """Switch off what is on: one fault, all of a device, or all; returns how many."""
        chosen = [key for key in self._active if device in ("", key[0]) and fault in ("", key[1])]
        for key in chosen:
            self._forget(key)
            await self._switch(*key).off()
        return len(chosen)

    async def close(self) -> None:
        """Stop the timers; faults stay as they are."""
        timers = [timer for timer in self._active.values() if timer is not None]
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)

    def _forget(self, key: tuple[str, str]) -> None:
        timer = self._active.pop(key)
        if timer is not None and timer is not asyncio.current_task():
            timer.cancel()

    async def _mend_after(self, device: str, fault: str, for_s: float) -> None:
        await self._clock.sleep(for_s)
        await self.mend(device, fault)

    def _switch(self, device: str, fault: str) -> Switch:
        switches = self._devices.get(device)
        if switches is None:
            raise NoSuchFault(f"there is no device {device!r}; there are {', '.join(sorted(self._devices))}")
        if fault not in switches:
            raise NoSuchFault(f"{device} knows no fault {fault!r}; it knows {', '.join(sorted(switches))}")
        return switches[fault]


# -- what each kind of device can do wrong -----------------------------------------------------------------------------

_MACHINE_QUIRKS = ("garbage", "frozen", "fail", "jam")
_PRINTER_QUIRKS = ("paper_out", "cover_open", "silent_accept", "mute", "half_print", "faded")


def machine_switches(machine: AnyMachine, mount: Mount, wire: Wire, clock: Clock) -> Switches:
    """Give a machine's faults: off, unplugged, slow, late_answers, reboot, reboot_forgetting, estop, jam and its quirks."""
    own = ("label_dropped",) if isinstance(machine.mechanics, Applicator) else ()
    switches = {name: quirk(machine.quirks, name) for name in (*_MACHINE_QUIRKS, *own)}
    switches["jam"] = _with_end(switches["jam"], machine.clear_jam)
    return {
        **switches,
        **wire_switches(mount, wire),
        "off": Switch(on=lambda _: _power_off(machine, mount), off=lambda: _power_on(machine, mount)),
        "reboot": _momentary(lambda: _reboot(machine, mount, clock, memory_kept=True)),
        "reboot_forgetting": _momentary(lambda: _reboot(machine, mount, clock, memory_kept=False)),
        "estop": Switch(
            on=lambda _: _at_once(lambda: machine.emergency_stop(is_open=True)),
            off=lambda: _at_once(lambda: machine.emergency_stop(is_open=False)),
        ),
    }


def printer_switches(printer: Printer, mount: Mount, wire: Wire) -> Switches:
    """Give a printer's faults; mending also loads paper and clears its error, and who loads paper ends that fault."""
    switches = {name: _with_both(quirk(printer.quirks, name), printer.changed) for name in _PRINTER_QUIRKS}
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
        "slow": Switch(
            on=lambda _: _at_once(lambda: _lag(wire, ask_s=SLOW_S)), off=lambda: _at_once(lambda: _lag(wire))
        ),
        "late_answers": Switch(
            on=lambda _: _at_once(lambda: _lag(wire, answer_s=SLOW_S)), off=lambda: _at_once(lambda: _lag(wire))
        ),
    }


def quirk_switches(quirks: Quirks, names: tuple[str, ...], mount: Mount) -> Switches:
    """Give the faults of a simple device (camera, scanner): its quirks, and off."""
    return {name: quirk(quirks, name) for name in names} | {
        "off": Switch(on=lambda _: mount.close(), off=lambda: _open(mount))
    }


def quirk(quirks: Quirks, name: str) -> Switch:
    """Give the switch of one quirk."""
    return Switch(
        on=lambda times: _at_once(lambda: quirks.on(name, times)),
        off=lambda: _at_once(lambda: quirks.off(name)),
    )


def _with_end(switch: Switch, then: Callable[[], None]) -> Switch:
    async def off() -> None:
        await switch.off()
        then()

    return Switch(on=switch.on, off=off)


def _with_both(switch: Switch, then: Callable[[], None]) -> Switch:
    async def on(times: int | None) -> None:
        await switch.on(times)
        then()

    return _with_end(Switch(on=on, off=switch.off), then)


def _momentary(act: Callable[[], Awaitable[None]]) -> Switch:
    return Switch(on=lambda _: act(), off=_nothing)


async def _nothing() -> None:
    return None


async def _at_once(act: Callable[[], None]) -> None:
    act()


async def _open(mount: Mount) -> None:
    await mount.open()


def _lag(wire: Wire, *, ask_s: float = 0.0, answer_s: float = 0.0) -> None:
    wire.ask_s, wire.answer_s = ask_s, answer_s


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


async def _printer_off(printer: Printer, mount: Mount) -> None:
    printer.power_off()
    await mount.close()


async def _printer_on(printer: Printer, mount: Mount) -> None:
    printer.power_on()
    await mount.open()
