"""Faults that can be switched on and off by name while the twin runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from packline.core.clock import Clock
from simulation.quirks import Quirks


class NoSuchFault(Exception):  # noqa: N818 - an answer to a wrong request
    """There is no such device, or it does not know that fault."""


def _tells_nobody(_hears: Callable[[bool], None]) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One fault of one device: `on` takes the number of times it strikes (None: until `off`).

    `is_over` tells whether somebody ended it by hand, as a person who loads paper does.
    """

    on: Callable[[int | None], Awaitable[None]]
    off: Callable[[], Awaitable[None]]
    is_over: Callable[[], bool] = lambda: False
    tell: Callable[[Callable[[bool], None]], None] = _tells_nobody
    """Takes who is to hear of each strike, and whether that was the last one."""


Switches = Mapping[str, Switch]


class Misbehaviour:
    """The switchboard. A fault ends by `mend`, after `for_s` wall seconds, or by itself after its number of times."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._devices: dict[str, Switches] = {}
        self._active: dict[tuple[str, str], asyncio.Task[None] | None] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}
        self.heard: Callable[[str, str, bool], None] = _to_nobody
        """Hears of every fault that is switched on (True) or has ended, by device and fault."""
        self.struck: Callable[[str, str, bool], None] = _to_nobody
        """Hears of every strike of a fault that counts them, by device and fault, and whether it was the last."""
        self.switched: Callable[[], None] = _by_nobody
        """Called after every switch, when what it does is done."""

    def add(self, device: str, switches: Switches) -> None:
        """Make a device's faults known."""
        self._devices[device] = switches
        for fault, switch in switches.items():
            switch.tell(partial(self._strikes, device, fault))

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
        switch, key = self._switch(device, fault), (device, fault)
        async with self._turn(key):
            await self._off(key)
            self.heard(device, fault, True)
            await switch.on(times)
            self.switched()
            if switch.off is nothing:
                self.heard(device, fault, False)
            self._active[key] = asyncio.create_task(self._mend_after(*key, for_s)) if for_s is not None else None

    async def mend(self, device: str = "", fault: str = "") -> int:
        """Switch off what is on: one fault, all of a device, or all; returns how many. Raises NoSuchFault for what nobody knows."""
        self._demand_known(device, fault)
        begun = [key for key, turn in self._turns.items() if turn.locked()]
        known = dict.fromkeys((*self._active, *begun))
        mended = 0
        for key in [key for key in known if device in ("", key[0]) and fault in ("", key[1])]:
            async with self._turn(key):
                mended += await self._off(key)
        return mended

    async def _off(self, key: tuple[str, str]) -> bool:
        """Switch a fault off in its turn; False when it is not on (any more)."""
        if key not in self._active:
            return False
        self._forget(key)
        await self._switch(*key).off()
        self.switched()
        return True

    def _turn(self, key: tuple[str, str]) -> asyncio.Lock:
        """Give what is held while a fault is switched: two orders for one are carried out one after the other."""
        return self._turns.setdefault(key, asyncio.Lock())

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
        self.heard(*key, False)

    async def _mend_after(self, device: str, fault: str, for_s: float) -> None:
        await self._clock.sleep(for_s)
        await self.mend(device, fault)

    def counts_strikes(self, device: str, fault: str) -> bool:
        """Tell whether `struck` hears of each strike of a fault; raises NoSuchFault."""
        return self._switch(device, fault).tell is not _tells_nobody

    def _strikes(self, device: str, fault: str, is_last: bool) -> None:
        self.struck(device, fault, is_last)

    def _demand_known(self, device: str, fault: str) -> None:
        if device and fault:
            self._switch(device, fault)
        elif device:
            self._switches(device)
        elif fault and not any(fault in switches for switches in self._devices.values()):
            raise NoSuchFault(f"no device knows a fault {fault!r}")

    def _switches(self, device: str) -> Switches:
        switches = self._devices.get(device)
        if switches is None:
            raise NoSuchFault(f"there is no device {device!r}; there are {', '.join(sorted(self._devices))}")
        return switches

    def _switch(self, device: str, fault: str) -> Switch:
        switches = self._switches(device)
        if fault not in switches:
            raise NoSuchFault(f"{device} knows no fault {fault!r}; it knows {', '.join(sorted(switches))}")
        return switches[fault]


def _to_nobody(_device: str, _fault: str, _is_on: bool) -> None:
    return None


def _by_nobody() -> None:
    return None


# -- switches of the usual kinds -----------------------------------------------------------------------------------------


def quirk(quirks: Quirks, name: str) -> Switch:
    """Give the switch of one quirk."""
    return Switch(
        on=lambda times: at_once(lambda: quirks.on(name, times)),
        off=lambda: at_once(lambda: quirks.off(name)),
        tell=partial(quirks.tell, name),
    )


def momentary(act: Callable[[], Awaitable[None]]) -> Switch:
    """Give the switch of what happens once and is over."""
    return Switch(on=lambda _: act(), off=nothing)


async def at_once(act: Callable[[], object]) -> None:
    """Do something that takes no time."""
    act()


async def nothing() -> None:
    """Do nothing."""
