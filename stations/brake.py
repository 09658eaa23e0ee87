"""Lets a machine of a held station finish the job that runs, and begin no other."""

from __future__ import annotations

from packline.core.effects import Device, Effect, Evidence, Ticket
from stations.person import Held
from stations.screen import Screen


class Braked(Device):
    """A device of one station. A step does several jobs, and a person may hold the station between two of them.

    `prepare` is asked before a job is even meant, so that nothing stays open; the step begins anew after the release.
    """

    def __init__(self, device: Device, screen: Screen) -> None:
        self._device, self._screen = device, screen

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """Prepare the device; raises Held while a person holds the station."""
        if self._screen.hold_by:
            raise Held
        return await self._device.prepare(effect, job)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Hand the job over."""
        return await self._device.send(effect, ticket)

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Ask the device."""
        return await self._device.inquire(effect, ticket)
