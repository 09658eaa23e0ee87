"""Keeps one machine's link: connects, serves, and connects again after each loss, until it is told to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from packline.core.faults import Fault
from plc.leaving import heed_cancellation
from plc.links import LinkTrouble


class Opened(Protocol):
    """A link as far as keeping it goes."""

    async def connect(self) -> None: ...

    async def close(self) -> None: ...


async def keep(
    link: Opened,
    *,
    serve: Callable[[], Awaitable[None]],
    lose: Callable[[LinkTrouble | Fault], None],
    pause: Callable[[], Awaitable[None]],
    leave: Callable[[], Awaitable[None]],
) -> None:
    """Serve for ever. After each trouble: `lose`, close, `pause`; at the end `leave`, then close."""
    try:
        while True:
            heed_cancellation()
            try:
                await link.connect()
                await serve()
            except (LinkTrouble, Fault) as trouble:
                lose(trouble)
            await link.close()
            await pause()
    finally:
        await leave()
        await link.close()
