"""What plant code knows of time: a SimPy environment and a way to wait for it from asyncio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import simpy

T = TypeVar("T")


class Motion(Protocol):
    """The plant's time in simulated seconds; whether a wall clock or a virtual one drives it is not seen here."""

    env: simpy.Environment

    def now(self) -> float:
        """Give the simulated seconds since the start."""
        ...

    def do(self, act: Callable[[], T]) -> T:
        """Change the plant from outside SimPy: brings the plant up to now, acts, and lets what follows begin."""
        ...

    async def sleep(self, sim_s: float) -> None:
        """Wait `sim_s` (>= 0) simulated seconds."""
        ...

    async def until(self, event: Callable[[], simpy.Event]) -> Any:
        """Wait for the SimPy event that `event` gives; returns its value."""
        ...
