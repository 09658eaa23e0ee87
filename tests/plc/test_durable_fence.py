"""An epoch is fenced with only when the books have it for good: a crash right after the claim must not use it again."""

from __future__ import annotations

import asyncio

from plc.handshake import frames
from tests.plc.conftest import BookOfEpochs


class SlowBooks(BookOfEpochs):
    """Books whose commit waits for the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = asyncio.Event()

    async def raise_epoch(self, machine: str, epoch: int) -> None:
        await self.disk.wait()
        await super().raise_epoch(machine, epoch)


async def test_no_claim_goes_out_while_its_epoch_is_still_on_its_way_to_the_disk(arm):
    books = SlowBooks()
    c = arm.controller(books=books)
    await arm.run_for(3.0)
    assert not any(block == frames.CMD for block, _ in c.link.written)

    books.disk.set()
    await arm.until(lambda: c.machine.view().owned)
