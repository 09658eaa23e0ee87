"""Notices a cancellation that a library has swallowed."""

from __future__ import annotations

import asyncio


def heed_cancellation() -> None:
    """Raise CancelledError if this task was asked to end.

    Python 3.11's `wait_for` returns its result and forgets a cancellation that comes in the same moment (gh-86296); pymodbus awaits
    every answer through it. A task that looks here once a round cannot be kept alive by that.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
