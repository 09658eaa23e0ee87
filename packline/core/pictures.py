"""A still picture and the promise a camera makes about its age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One frame: JPEG bytes, the camera's own frame counter, the time the grab of it began."""

    jpeg: bytes
    camera: str
    frame: int
    captured_at: datetime


class Camera(Protocol):
    """Gives stills that are newer than the question; an older frame is no evidence."""

    name: str

    async def still(self, timeout_s: float = 3.0) -> Still:
        """Give a frame whose exposure began after this call began; raises Fault 1005 if none comes in time."""
        ...
