"""Keeps slow strangers from taking every thread: how long a request may take to arrive, and how many of one address at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

HEAD_S = 15.0
"""A request's first lines are in one packet; who needs longer than this is no browser."""
BODY_S = 60.0
"""An item file of two megabytes over a poor radio link."""
SHARE = 2
"""One address may have a half of the threads that no stream has: all screens and a busy host may stand behind one proxy."""
LEAST = 4

L = TypeVar("L", bound=Hashable)


@dataclass(slots=True)
class _Wait:
    address: str
    until_s: float


@dataclass(slots=True)
class Patience(Generic[L]):
    """Whose request is still arriving. Safe in several threads."""

    threads: int
    now: Callable[[], float]
    head_s: float = HEAD_S
    body_s: float = BODY_S
    _waits: dict[L, _Wait] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _answered: set[L] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def has_room(self, address: str) -> bool:
        """Tell whether another line of this address may have a thread to wait in."""
        with self._lock:
            return self._counts[address] < self._most()

    def begin(self, line: L, address: str) -> bool:
        """Begin to wait for a request; False when too many lines of this address do so already."""
        with self._lock:
            if self._counts[address] >= self._most():
                return False
            self._counts[address] += 1
            self._waits[line] = _Wait(address, self.now() + self.head_s)
            return True

    def has_head(self, line: L, *, has_body: bool) -> None:
        """Its first lines are there; what has no body has arrived, however long its answer takes."""
        with self._lock:
            if has_body and line in self._waits:
                self._waits[line].until_s = self.now() + self.body_s
                return
            self._forget(line)
            self._answered.add(line)

    def end(self, line: L) -> None:
        """The line has its thread no more; one that never had one is no mistake."""
        with self._lock:
            self._forget(line)
            self._answered.discard(line)

    def overdue(self) -> list[L]:
        """Give the lines whose time is over."""
        with self._lock:
            return [line for line, wait in self._waits.items() if wait.until_s <= self.now()]

    def _most(self) -> int:
        return max(LEAST, (self.threads - len(self._answered)) // SHARE)

    def _forget(self, line: L) -> None:
        wait = self._waits.pop(line, None)
        if wait is None:
            return
        self._counts[wait.address] -= 1
        if not self._counts[wait.address]:
            del self._counts[wait.address]
