"""When a machine is polled: at moments of its own, so that it does not matter how many of them are left out."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Protocol, runtime_checkable
from zlib import crc32


class Moments:
    """The moments of one machine: each period has one, at a share of it that the machine's name gives.

    Machines of one period are thus polled one after the other, not all at once.
    """

    def __init__(self, name: str) -> None:
        self._share = crc32(name.encode()) / 2**32

    def after(self, now: float, period_s: float) -> float:
        """Give the first moment later than `now`, in seconds of the same clock."""
        count = floor(now / period_s - self._share)
        while (at := (count + self._share) * period_s) <= now:
            count += 1
        return at

    def last(self, now: float, period_s: float) -> float:
        """Give the last moment not later than `now`."""
        count = floor(now / period_s - self._share) + 1
        while (at := (count + self._share) * period_s) > now:
            count -= 1
        return at


@runtime_checkable
class NewsLink(Protocol):
    """A BlockLink whose far end can say when there is something new to read: polls before that may be left out."""

    def listen(self, tell: Callable[[], None]) -> float | None:
        """Have `tell` called, once, when STATUS shows more than it did at the last read, its count apart.

        Gives the seconds that an answer takes; None where nothing will be told: the link is not well, or there are news already.
        """
        ...
