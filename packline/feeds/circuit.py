"""The fuse of one subscriber: after failures in a row it opens, then lets one probe through a minute."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

OPEN_AFTER_FAILURES = 5
PROBE_S = 60.0
PROBE_LASTS_S = 20.0


@dataclass(slots=True)
class Circuit:
    """What is known of one subscriber's health; times are those of the monotonic clock, which nobody puts back. `disabled`: it said 410; `told`: people see an alarm (None: a
    run before this one may have left one)."""

    failures: int = 0
    shut_until_s: float = 0.0
    told: bool | None = None
    disabled: bool = False
    busy: int = 0
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while people are told of trouble or of its end: of two at once the later must have the last word."""

    @property
    def is_open(self) -> bool:
        """Tell whether so much failed in a row that only probes go out."""
        return self.failures >= OPEN_AFTER_FAILURES

    def waits_s(self, now_s: float) -> float:
        """Give for how long nothing may be sent; 0: send now (when the fuse is out, this one is the probe)."""
        if now_s < self.shut_until_s:
            return self.shut_until_s - now_s
        return PROBE_LASTS_S if self.is_open and self.busy else 0.0

    def worked(self) -> None:
        """Note that an event arrived."""
        self.failures, self.shut_until_s = 0, 0.0

    def failed(self, now_s: float, retry_after_s: float | None) -> None:
        """Note a failure; a pause that the subscriber named holds for all its events."""
        self.failures += 1
        pause_s = max(PROBE_S if self.is_open else 0.0, retry_after_s or 0.0)
        self.shut_until_s = now_s + pause_s if pause_s else 0.0
