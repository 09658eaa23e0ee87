"""Keeps the newest frame of a camera in a thread of its own and gives fresh ones on demand."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from types import TracebackType

from packline.core.pictures import Still
from scanning.cameras.sources import CameraError, Now, Source, wall_now

log = logging.getLogger(__name__)

ASKED_PAUSE_S = 0.02
"""Pause between grabs while somebody waits for a fresh frame; spares a camera that answers without exposing."""
FAILED_PAUSE_S = 1.0
UNWATCHED_PAUSE_S = 1.0
"""Pause between grabs of single pictures while nobody watches: just enough to know that the camera is there."""


class Grabber:
    """One camera, one thread, one slot for the newest frame; viewers never slow it down.

    Start it with `start()` or as a context manager. Wall time rules here: it runs in the video process.
    """

    def __init__(self, name: str, source: Source, now: Now = wall_now) -> None:
        self.name = name
        self._source = source
        self._now = now
        self._changed = threading.Condition()
        self._newest: Still | None = None
        self._error = "no frame yet"
        self._askers = self._viewers = 0
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name=f"camera {name}", daemon=True)

    def start(self) -> None:
        """Begin to grab."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and let go of the camera; waits at most for one grab."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._thread.join()

    def __enter__(self) -> Grabber:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def latest(self) -> Still | None:
        """Give the newest frame, however old; None before the first."""
        with self._changed:
            return self._newest

    def error(self) -> str:
        """Say why the last grab failed; empty when it did not."""
        with self._changed:
            return self._error

    def fresh(self, timeout_s: float) -> Still | None:
        """Give a frame captured after this call began, with a counter that moved; None if none comes in time.

        A frozen camera, which answers but always the same, has no fresh frame.
        """
        asked_at = self._now()
        with self._changed:
            seen = self._newest.frame if self._newest else None
            self._askers += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_stopped or self._is_fresh(asked_at, seen), timeout_s)
            self._askers -= 1
            return self._newest if self._is_fresh(asked_at, seen) else None

    def next_after(self, frame: int | None, timeout_s: float) -> Still | None:
        """Wait for another frame than number `frame`, skipping what was missed; None after `timeout_s`."""
        with self._changed:
            self._viewers += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_stopped or self._is_other(frame), timeout_s)
            self._viewers -= 1
            return self._newest if self._is_other(frame) else None

    def _is_fresh(self, asked_at: datetime, seen: int | None) -> bool:
        return self._newest is not None and self._newest.captured_at > asked_at and self._newest.frame != seen

    def _is_other(self, frame: int | None) -> bool:
        return self._newest is not None and self._newest.frame != frame

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                pause_s = self._grab()
                with self._changed:
                    self._changed.wait_for(self._is_wanted, pause_s)
                    if pause_s:  # a stream is read on, or it grows old
                        self._changed.wait_for(self._is_watched, UNWATCHED_PAUSE_S)
                    if self._askers and not self._is_stopped:
                        self._changed.wait_for(lambda: self._is_stopped, ASKED_PAUSE_S)
        finally:
            self._source.close()

    def _is_wanted(self) -> bool:
        return self._is_stopped or self._askers > 0

    def _is_watched(self) -> bool:
        return self._is_wanted() or self._viewers > 0

    def _grab(self) -> float:
        """Put one frame into the slot; give the pause until the next in seconds."""
        try:
            frame = self._source.grab()
        except CameraError as error:
            self._failed(str(error))
            return FAILED_PAUSE_S
        still = Still(jpeg=frame.jpeg, camera=self.name, frame=frame.counter, captured_at=frame.captured_at)
        with self._changed:
            if self._error and self._newest:
                log.info("camera %s is back", self.name)
            self._newest, self._error = still, ""
            self._changed.notify_all()
        return self._source.pause_s

    def _failed(self, why: str) -> None:
        with self._changed:
            if not self._error or self._newest is None:
                log.warning("1005 camera %s: %s", self.name, why)
            self._error = why
