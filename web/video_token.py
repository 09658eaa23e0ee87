"""What a camera token says, agreed between the pages that sign it and the video process that checks it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from packline.core.clock import Clock
from packline.core.tokens import verify

VIEWER_S = 12 * 3600.0
BUYER_S = 900.0


def camera_claims(camera: str) -> dict[str, str]:
    """Give the claims that let somebody see `camera`."""
    return {"cam": camera}


def until(clock: Clock, seconds: float) -> datetime:
    """Give now plus `seconds`."""
    return clock.now() + timedelta(seconds=seconds)


def may_see(secret: bytes, token: str, camera: str, now: datetime) -> bool:
    """Tell whether `token` is genuine, not expired, and for `camera`."""
    claims: Mapping[str, Any] | None = verify(secret, token, now)
    return claims is not None and claims.get("cam") == camera
