"""Hangs up on a peer, also on one that does not read any more."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from packline.core.clock import Clock

FAREWELL_S = 2.0
"""How long what is still unsaid may take to leave; a peer that does not read would keep it for ever."""


async def hang_up(writer: asyncio.StreamWriter, clock: Clock) -> None:
    """Close a stream within 2 s; what has not left by then never does. Raises nothing for a link that is gone."""
    writer.close()
    is_closed = False
    try:
        with suppress(OSError):
            await clock.within(FAREWELL_S, writer.wait_closed())
            is_closed = True
    finally:
        if not is_closed:  # a transport that has said all and is closed has no loop any more to be aborted by
            writer.transport.abort()
