"""Two controllers with one set of books: what one has meant, the other cannot mean too."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from packline.core.effects import PRINT, Effect
from packline.core.ids import SeededIds
from packline.store import open_store

LABEL = Effect(kind=PRINT, subject="PL0000000018", generation=1, station="label-1")


async def test_effect_that_another_controller_means_in_the_same_moment_is_sent_by_one_only(store, url, clock, device):
    second = open_store(url, clock=clock, ids=SeededIds("second"), inline=True)
    slower, faster = device(), device()
    prepare = slower.prepare

    async def overtaken(effect, job):
        await second.ledger.perform(LABEL, faster)
        return await prepare(effect, job)

    slower.prepare = overtaken
    with pytest.raises(IntegrityError):
        await store.ledger.perform(LABEL, slower)
    second.close()

    assert (len(slower.sends), len(faster.sends)) == (0, 1)
