"""Keeps the crowd in bounds: how many streams at once, how often a buyer may turn the table."""

from __future__ import annotations

import threading

from packline.core.clock import Clock

TURN_PAUSE_S = 0.5
MOST_REMEMBERED = 1000


class Gauge:
    """At most `most` streams at once; a thread server that runs out of threads serves nobody at all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        with self._lock:
            if self._open >= self._most:
                return False
            self._open += 1
            return True

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._open -= 1

    @property
    def open(self) -> int:
        """Give how many streams are open."""
        with self._lock:
            return self._open


class Pacer:
    """Lets each order turn the table once in TURN_PAUSE_S."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def may(self, order_id: str) -> bool:
        """Take the turn if it is time."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._last.get(order_id, -TURN_PAUSE_S) < TURN_PAUSE_S:
                return False
            if len(self._last) >= MOST_REMEMBERED:
                self._last.clear()
            self._last[order_id] = now
        return True
