"""Refuses a click that was made before its screen could show what the one before had done."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from packline.core.faults import Fault
from stations.screen import SEEN

MOST_KEPT = 256
LOOK = "Look at what the screen shows now; then click again, if it is still to be done."


class Clicks:
    """What was done last, by what it was done to. A word like *release* means what the thing waits for, and that has changed."""

    def __init__(self) -> None:
        self._done: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    def did(self, what: str, at: datetime, actor: str) -> None:
        """Note that `actor` has changed something just now."""
        self._done[what] = at, actor
        self._done.move_to_end(what)
        while len(self._done) > MOST_KEPT:
            self._done.popitem(last=False)

    def demand_seen(self, what: str, asked_at: datetime, *, but_by: str = "") -> None:
        """Raise Fault 4301 for a click of `asked_at` that cannot know of the last change, unless `but_by` made that."""
        at, actor = self._done.get(what, (None, ""))
        if at is not None and asked_at < at + SEEN and not (but_by and actor == but_by):
            seen = f"{what} by {actor} just before"
            raise Fault(4301, where="request", seen=seen, expected="a click that knows of it", remedy=LOOK)
