"""One thread asks the controller for its snapshot; every open page hears of it from here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from packline.core.clock import Clock
from web.settings import Ask

log = logging.getLogger(__name__)

POLL_S = 0.25
"""The controller is asked at least so often; it answers sooner when a screen shows something else."""
LEAST_S = 0.02
STALE_S = 4.0
"""A snapshot older than this is no ground to move a machine on. Five seconds are promised; one is left for the way to the eye."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page may show now. `version` grows whenever anything in it changed; `seq` is the journal's number."""

    snapshot: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    fresh: bool = False
    version: int = 0

    @property
    def seq(self) -> int:
        """Give the journal's sequence number that the snapshot shows."""
        return int(self.snapshot.get("seq", 0))

    def station(self, name: str) -> Mapping[str, Any] | None:
        """Give the station called `name`, if the controller told of it."""
        return next((s for s in self.snapshot.get("stations", ()) if s["name"] == name), None)


class Hub:
    """Keeps the newest snapshot and says whether it is fresh.

    A snapshot is fresh for STALE_S after its `at` last moved on: a controller that answers with an old picture is as
    stale as one that does not answer; one whose socket refuses is gone, and that is stale now. Ages are counted on the monotonic clock, so a stepped calendar changes nothing.
    """

    def __init__(self, *, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._view = View()
        self._at = ""
        self._picture: int | None = None
        """The number that the controller gave to what the stations showed in its last answer; None without one."""
        self._moved_s: float | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the polling thread; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop polling and let every waiting stream go."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    @property
    def stopping(self) -> bool:
        """Tell whether the process is going down."""
        return self._stopping.is_set()

    def poll(self, wait_s: float = 0.0) -> View:
        """Ask once and give the view; never raises for a controller that does not answer.

        With `wait_s` the answer may take so long, unless something else is shown than at the last answer.
        """
        answer = self._question(wait_s)
        if answer is not None and answer.get("at") != self._at:
            self._moved_s = self._clock.monotonic() - self._first_age_s(answer)
            self._at = str(answer.get("at"))
        self._publish(answer)
        return self.view()

    def view(self) -> View:
        """Give what is known now; freshness is judged at this moment, not at the last poll."""
        with self._changed:
            view = self._view
        if view.fresh and not self._is_fresh():
            return self._publish(None)
        return view

    def wait(self, version: int, seconds: float) -> View:
        """Give the view as soon as it differs from `version`, at the latest after `seconds`."""
        with self._changed:
            # nobody else may look when the time of this view is up: whoever waits wakes for it
            most = min(seconds, self._left_s()) if self._view.fresh else seconds
            self._changed.wait_for(lambda: self._view.version != version or self.stopping, max(0.0, most))
        return self.view()

    def nudge(self) -> bool:
        """Tell the controller that a request waits; its own polling finds it anyway."""
        try:
            self._ask({"do": "wake"})
        except (OSError, ValueError):
            return False
        return True

    def _run(self) -> None:
        pause_s = POLL_S
        while not self._stopping.wait(pause_s):
            self.poll(POLL_S)
            pause_s = POLL_S if self._picture is None else LEAST_S

    def _question(self, wait_s: float) -> dict[str, Any] | None:
        patience = {"seen": self._picture, "wait_s": wait_s} if wait_s and self._picture is not None else {}
        self._picture = None
        try:
            answer = self._ask({"do": "snapshot", **patience})
        except (OSError, ValueError) as error:
            if self._view.fresh:
                log.warning("the controller does not answer: %s", error)
            if isinstance(error, (ConnectionError, FileNotFoundError)):
                self._moved_s = float("-inf")  # nobody listens: whatever we have is of a controller that is gone
            return None
        if "stations" not in answer:
            return None
        self._picture = answer.pop("picture", None)
        return answer

    def _first_age_s(self, answer: Mapping[str, Any]) -> float:
        """Give the age of the first snapshot ever seen; later ones are new by having changed."""
        if self._moved_s is not None:
            return 0.0
        try:
            return max(0.0, (self._clock.now() - datetime.fromisoformat(answer["at"])).total_seconds())
        except (KeyError, TypeError, ValueError):
            return STALE_S

    def _is_fresh(self) -> bool:
        return self._left_s() > 0

    def _left_s(self) -> float:
        """Give how long the newest snapshot is still fresh."""
        return STALE_S - (self._clock.monotonic() - self._moved_s) if self._moved_s is not None else 0.0

    def _publish(self, answer: Mapping[str, Any] | None) -> View:
        with self._changed:
            fresh = self._is_fresh()  # judged in turn: who was slow must not call old what is new by now
            snapshot = self._view.snapshot if answer is None else answer
            if fresh != self._view.fresh or _differ(snapshot, self._view.snapshot):
                self._view = View(snapshot=snapshot, fresh=fresh, version=self._view.version + 1)
                self._changed.notify_all()
            return self._view


def _differ(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Tell whether two snapshots differ in anything but their time."""
    return new is not old and {**new, "at": ""} != {**old, "at": ""}


class Fragments:
    """Renders each (page, language, role) once for a version, however many streams want it."""

    MOST = 500

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a fragment may be made of others
        self._version = -1
        self._kept: dict[tuple[str, ...], str] = {}

    def get(self, version: int, key: tuple[str, ...], make: Callable[[], str]) -> str:
        """Give the fragment of `key`, made once for a `version`: fifty streams wake at the same time."""
        with self._lock:
            if version != self._version or len(self._kept) > self.MOST:
                self._version, self._kept = version, {}
            kept = self._kept  # what is made may ask for a newer version's parts: they begin a new dictionary
            if key not in kept:
                kept[key] = make()
            return kept[key]
