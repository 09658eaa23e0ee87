"""Tasks whose order in a set is their order of creation.

asyncio keeps tasks in sets (TaskGroup's cancellation, wait, as_completed, all_tasks): hashed by address, as they are, they are
cancelled in another order in each run of the same program.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import count
from typing import Any


class CountedTask(asyncio.Task[Any]):
    """A task that is hashed by its number within its loop."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], *, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        """Give the number."""
        return self._number


class TaskCounter:
    """A task factory; each loop has one of its own."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        """Make the next task."""
        return CountedTask(coroutine, number=next(self._numbers), loop=loop, **options)
