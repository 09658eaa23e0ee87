"""Computing in virtual time: it takes none, or as long as this computer needs for it, at a pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from packline.core.clock import Clock, WallClock
from stations.ports import Offload

T = TypeVar("T")


async def in_no_time(work: Callable[..., T], *args: Any) -> T:
    """Run heavy work at once; no time of the line passes."""
    return work(*args)


def offload_of(clock: Clock, factor: float) -> Offload:
    """Give what runs heavy work (drawing and reading pictures). With a factor of 0 it takes no time of the line.

    Else it takes `factor` times as long as this computer just needed for it, as in a line whose time runs so much faster than
    the wall: how such a run goes depends on the computer, and it does not repeat itself.
    """
    if factor == 0:
        return in_no_time
    wall = WallClock()

    async def in_its_time(work: Callable[..., T], *args: Any) -> T:
        began = wall.monotonic()
        done = work(*args)
        await clock.sleep((wall.monotonic() - began) * factor)
        return done

    return in_its_time
