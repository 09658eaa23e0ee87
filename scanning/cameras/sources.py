"""Where frames come from: a camera's snapshot address or its video stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import cv2
import httpx
import numpy as np

from scanning.cameras.addresses import is_snapshot

SNAPSHOT_S = 3.0
STREAM_OPEN_MS = 3000
STREAM_READ_MS = 3000
JPEG_QUALITY = 90
MOST_JPEG_BYTES = 16 * 1024 * 1024

Now = Callable[[], datetime]


class CameraError(Exception):
    """A grab that gave no frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One grabbed picture; nothing of it was exposed before `captured_at`, as far as can be known."""

    jpeg: bytes
    counter: int
    captured_at: datetime


class Source(Protocol):
    """Grabs one frame at a time, blocking; used from one thread only. `pause_s` is left between idle grabs."""

    pause_s: float

    def grab(self) -> Frame:
        """Give a frame; raises CameraError."""
        ...

    def close(self) -> None:
        """Let go of the camera."""
        ...


def wall_now() -> datetime:
    """Give the calendar time; frames carry it so that another process can compare."""
    return datetime.now(UTC)


def open_source(url: str, now: Now = wall_now, *, delay_s: float = 0.0) -> Source:
    """Choose by `url` between snapshot and stream; `delay_s` is how old a frame of a stream may be when it arrives."""
    return SnapshotSource(url, now) if is_snapshot(url) else StreamSource(url, now, delay_s=delay_s)


class SnapshotSource:
    """Asks `url` for a JPEG; `X-Frame-Counter` and `X-Captured-At` (ISO 8601) are the camera's own words.

    A camera without a counter gets one that moves only when the picture's bytes change.
    """

    pause_s = 0.2

    def __init__(self, url: str, now: Now = wall_now, http: httpx.Client | None = None) -> None:
        self._url = url
        self._now = now
        self._http = http or httpx.Client(timeout=SNAPSHOT_S, trust_env=False)
        self._changes = _ChangeCounter()

    def grab(self) -> Frame:
        begun = self._now()
        try:
            answer = self._http.get(self._url)
            answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CameraError(f"{self._url}: {error or type(error).__name__}") from error
        jpeg = answer.content
        if not jpeg.startswith(b"\xff\xd8") or len(jpeg) > MOST_JPEG_BYTES:
            raise CameraError(f"{self._url}: {len(jpeg)} bytes that are no JPEG")
        return Frame(
            jpeg=jpeg, counter=self._counter(answer.headers, jpeg), captured_at=_earlier(begun, answer.headers)
        )

    def close(self) -> None:
        self._http.close()

    def _counter(self, headers: Mapping[str, str], jpeg: bytes) -> int:
        told = headers.get("X-Frame-Counter", "")
        return int(told) if told.isascii() and told.isdigit() else self._changes.count(jpeg)


class StreamSource:
    """Reads an MJPEG or RTSP stream by OpenCV's FFmpeg and counts the frames that differ from the one before.

    A frame may have been on its way when it was asked for, so it counts as captured when its forerunner arrived, less
    `delay_s`: what camera, network and buffers may hold back, which nothing in the stream tells.
    """

    pause_s = 0.0  # the stream sets the pace; frames left unread would grow old in its buffers

    def __init__(self, url: str, now: Now = wall_now, *, delay_s: float = 0.0) -> None:
        self._url = url
        self._now = now
        self._delay = timedelta(seconds=delay_s)
        self._stream: cv2.VideoCapture | None = None
        self._changes = _ChangeCounter()
        self._arrived: datetime | None = None

    def grab(self) -> Frame:
        stream = self._opened()
        not_before = self._arrived or self._now()
        got, pixels = stream.read()
        if not got:
            self.close()
            raise CameraError(f"{self._url}: the stream gives no frame")
        self._arrived = self._now()
        _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        counter = self._changes.count(np.ascontiguousarray(pixels).tobytes())
        return Frame(jpeg=jpeg.tobytes(), counter=counter, captured_at=not_before - self._delay)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.release()
        self._stream = None
        self._arrived = None

    def _opened(self) -> cv2.VideoCapture:
        if self._stream is None:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_READ_MS]
            stream = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
            if not stream.isOpened():
                raise CameraError(f"{self._url}: the stream does not open")
            stream.read()  # the first frame may be an old one that the server keeps for newcomers
            self._stream, self._arrived = stream, self._now()
        return self._stream


class _ChangeCounter:
    """Counts pictures that differ from the one before; a frozen camera does not move it."""

    def __init__(self) -> None:
        self._last = b""
        self._count = 0

    def count(self, picture: bytes) -> int:
        if picture != self._last:
            self._last = picture
            self._count += 1
        return self._count


def _earlier(begun: datetime, headers: Mapping[str, str]) -> datetime:
    """Give the earlier of the grab's begin and what the camera says: neither may make a frame look younger."""
    with suppress(ValueError):
        told = datetime.fromisoformat(headers.get("X-Captured-At", ""))
        return min(begun, told) if told.tzinfo else begun
    return begun
