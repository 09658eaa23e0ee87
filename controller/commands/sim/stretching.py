"""Gives wires on a faster loop as long as ever on the wall: their time-outs are a computer's and a network's, not the line's."""

from __future__ import annotations

import random
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from controller.links import Links
from labeling.transport import tcp_ports
from packline.core.clock import Clock
from packline.core.pictures import Camera, Still
from packline.core.scans import Scanner
from plc.links import BlockLink
from plc.machine_file import MachineFile
from plc.security import Reach
from scanning.scanners.link import tcp_links
from simulation.virtual.wall import FastClock

T = TypeVar("T")

HTTP_S = 5.0
"""What httpx gives an answer on an ordinary loop."""


class PatientClock(FastClock):
    """A clock by which a wire waits: time passes as on the loop, and what is bounded has `factor` times as long."""

    def __init__(self, *, factor: float, began: float, epoch: datetime) -> None:
        super().__init__(factor=factor, began=began, epoch=epoch)
        self.factor = factor

    async def within(self, seconds: float, work: Awaitable[T]) -> T:
        return await super().within(seconds * self.factor, work)


class PatientCamera:
    """A camera that is waited for as long as ever."""

    def __init__(self, camera: Camera, factor: float) -> None:
        self.name = camera.name
        self._camera, self._factor = camera, factor

    async def still(self, timeout_s: float = 3.0) -> Still:
        return await self._camera.still(timeout_s * self._factor)


def patient(file: MachineFile, factor: float) -> MachineFile:
    """Give a machine file whose time-outs for one request, and for a status to count as new, are `factor` times as long."""
    head = file.machine
    longer = {
        "request_timeout_ms": round(head.request_timeout_ms * factor),
        "stale_after_ms": round(head.stale_after_ms * factor),
    }
    return file.model_copy(update={"machine": head.model_copy(update=longer)})


def stretched(links: Links, clock: PatientClock) -> Links:
    """Give `links` with time-outs that are `clock.factor` times as long on the loop."""

    def open_block(file: MachineFile, address: str, reach: Reach) -> BlockLink:
        return links.open_block(patient(file, clock.factor), address, reach)

    def open_reader(name: str, url: str, _clock: Clock, rng: random.Random, reach: Reach) -> Scanner:
        return links.open_reader(name, url, clock, rng, reach)

    def camera(name: str) -> Any:
        return PatientCamera(links.camera(name), clock.factor)

    for client in (links.http, links.video):
        client.timeout = HTTP_S * clock.factor
    return replace(
        links,
        open_block=open_block,
        open_reader=open_reader,
        open_port=tcp_ports(clock),
        open_line=tcp_links(clock),
        camera=camera,
    )
