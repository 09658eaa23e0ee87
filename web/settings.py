"""What the dashboard is given before it starts; it reads no file and no environment of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from packline.core.clock import Clock
from packline.core.ids import Ids
from packline.store import Store
from web.replay import Player

Ask = Callable[[dict[str, Any]], dict[str, Any]]
"""Sends one request to the controller; raises OSError or ValueError when it does not answer sensibly."""


def pause(seconds: float) -> None:
    """Block this thread for `seconds`; tests hand in one that moves their clock instead."""
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wedge:
    """How a keyboard-wedge scanner is told from a person's typing.

    With a `prefix` (an IME station needs one) the timing does not matter; without, `gap_ms` is the longest pause between
    two keys of one scan and `least_chars` the shortest scan.
    """

    prefix: str = ""
    suffix: str = ""
    gap_ms: int = 50
    least_chars: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Everything that `create_app` needs.

    `secret` signs buyer and camera tokens. `feeds` and `couriers` map a name to its Standard Webhooks secrets (several
    while one is being replaced). `no_answer` is the site's rule for a buyer who stays silent: ship | ask | return. `video_url` is the base of the video process as browsers see it; one that starts with
    ":" is that port on the host that the browser already talks to, "" hides live pictures. `buyer_url` is the base of
    links for buyers ("" = the address of the request). `https` marks cookies Secure and sends HSTS. `player` is a recording that is shown
    instead of a line, and `guest` the name of a viewer who need not sign in: only a replay on one's own computer has them.
    """

    store: Store
    clock: Clock
    ids: Ids
    data: Path
    secret: bytes
    title: str = "Packline"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    languages: Sequence[str] = ("en", "zh")
    feeds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    couriers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    no_answer: str = "ask"
    video_url: str = ""
    buyer_url: str = ""
    wedge: Wedge = field(default_factory=Wedge)
    https: bool = False
    most_streams: int = 200
    ask: Ask | None = None
    player: Player | None = None
    guest: str = ""
    pause: Callable[[float], None] = pause
