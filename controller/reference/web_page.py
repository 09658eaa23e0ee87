"""The page of the routes: what the dashboard, the intake, the buyers' pages and the video server answer to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from controller.reference.markdown import code, codes, first_line, page, table
from packline.core.clock import ManualClock
from packline.core.ids import SeededIds
from packline.store import open_store
from web.acting import KINDS, MOST_KEY_CHARS, PATIENCE_S, Kind
from web.app import create_app
from web.live import STALE_S
from web.settings import WebSettings
from web.video import VideoSettings, create_video_app

INTRO = f"""
All routes of the dashboard's port, and below those of the video server. What programs use is `/api`, `/intake` and `/buyer`; the others
serve the pages of people.

- **Signing in.** `POST /api/login` with `{{"user", "password"}}` gives `{{"csrf"}}` and a session cookie. Every later POST carries the header
  `X-CSRF-Token`. `/intake` is signed instead ([messages in](messages-in.md)); `/buyer/<token>` needs only its token.
- **Roles.** A route lists the least role that it is for.
- **Stale.** When the controller's snapshot has not moved for {STALE_S:g} s, or nobody listens at its socket, it is stale: `fresh` is false, and
  whatever may move a machine is refused with 409.
"""
REQUESTS = f"""
What people ask of the line goes through `POST /api/requests` with `{{"action", "args", "key"}}`. It becomes a durable row and is answered once.
`key` is chosen by the caller, 8 to {MOST_KEY_CHARS} characters; the same key again gives the first answer and does nothing. The answer is `{{"id",
"state", "result"}}` with 200, or 202 with state `new` when the controller has not answered within {PATIENCE_S:g} s; 400 unreadable, 401 not
signed in, 403 role or action not open, 409 stale. States: `new`, `done`, `refused` (result: the fault), `expired`.
"""
SNAPSHOT = """
`GET /api/line` gives the whole picture at once; with `?after=<version>&wait_s=<seconds, at most 5>` it answers when there is another than that `version`, or the
time is up. It has `at`, `seq` (number in the journal), `fresh`, `run` (`id`, `started_at`, `recovered`), `line` (`state`,
`wip` and `wip_limit`, `per_hour`, `oldest_waiting_s`, `orders` and `parcels` by state), `stations`, `alarms` (to acknowledge) and `exceptions` (open). A station has `name`,
`kind`, `run_by`, `state`, `parcel`, `order`, `unit`, `next` and `tasks` ([instructions](instructions.md)), `devices` (`quality` good, stale, bad or
absent; `state`, `owned`, `faults`, `inputs`, a machine's `own_faults`), `scans` (newest first, each with `n` and `result`), `camera`, `pictures`, `fault`, `hold_by`.
"""
GROUPS = {
    "api": "For programs",
    "intake": "Messages in",
    "buyer": "Buyers' pages",
    "stream": "Live stream",
    "": "Pages and buttons",
}
LEAST = "least"


def web_page() -> str:
    """Give the page."""
    store = open_store("sqlite://", clock=ManualClock(), ids=SeededIds("reference"), inline=True)
    try:
        app = create_app(_settings(store))
        parts = [_group(app, name, title) for name, title in GROUPS.items()]
    finally:
        store.close()
    video = create_video_app(VideoSettings(cameras={}, secret=b"", clock=ManualClock()))
    return page(
        "HTTP routes",
        INTRO,
        *parts,
        "## Video server",
        "On its own port. `token` is a signed, expiring token for one camera; stills are also given to this computer itself.",
        _routes(video, lambda endpoint: endpoint != "static"),
        "## Requests",
        REQUESTS,
        table(
            ["action", "args", "least role", "may move a machine", "lives"], (_request(n, k) for n, k in KINDS.items())
        ),
        "## Snapshot",
        SNAPSHOT,
    )


def _settings(store: Any) -> WebSettings:
    return WebSettings(store=store, clock=ManualClock(), ids=SeededIds("reference"), data=Path(), secret=b"reference")


def _group(app: Any, name: str, title: str) -> str:
    named = {group for group in GROUPS if group}

    def belongs(endpoint: str) -> bool:
        room = endpoint.partition(".")[0]
        return endpoint != "static" and (room == name if name else room not in named)

    return f"## {title}\n\n{_routes(app, belongs)}"


def _routes(app: Any, belongs: Callable[[str], bool]) -> str:
    rows = sorted(row for rule in app.url_map.iter_rules() if belongs(rule.endpoint) for row in _rows(app, rule))
    return table(
        ["route", "method", "least role", "does"], ((code(r), m, code(role), text) for r, m, role, text in rows)
    )


def _rows(app: Any, rule: Any) -> Iterator[tuple[str, str, str, str]]:
    view = app.view_functions[rule.endpoint]
    for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
        yield rule.rule, method, _role(view), first_line(view.__doc__)


def _role(view: Any) -> str:
    """Read the role that `guard.needs` closed over; "" for a route that needs no session."""
    return str(inspect.getclosurevars(view).nonlocals.get(LEAST, "")) if inspect.isfunction(view) else ""


def _request(name: str, kind: Kind) -> tuple[str, str, str, str, str]:
    args = codes(kind.args.model_fields)
    lives = f"{kind.lives_s:g} s"
    roles = {_least(kind, args_) for args_ in _samples(kind)}
    return code(name), args, " or ".join(code(r) for r in sorted(roles)), "yes" if kind.moves else "no", lives


def _samples(kind: Kind) -> list[Any]:
    """Give stand-ins for arguments: one for every value of `action`, where the least role depends on it."""
    action = kind.args.model_json_schema()["properties"].get("action", {})
    reference = str(action.get("$ref", "")).rpartition("/")[2]
    values = action.get("enum") or kind.args.model_json_schema().get("$defs", {}).get(reference, {}).get("enum", [""])
    return [_Stand(value) for value in values]


class _Stand:
    def __init__(self, action: str) -> None:
        self.action = action


def _least(kind: Kind, args: Any) -> str:
    return kind.role(args)
