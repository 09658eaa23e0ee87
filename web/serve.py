"""Serves a WSGI application with gunicorn's thread worker, in this very process, gone within seconds of SIGTERM.

Our own supervisor keeps the process alive, so gunicorn's master would only be a second one; and without a fork the
store, its writer thread and the cameras' threads may be opened before.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.sock import create_sockets  # type: ignore[import-untyped]

from packline.core.clock import Clock
from web.app import create_app, hub_of
from web.patience import BODY_S, HEAD_S
from web.settings import WebSettings
from web.tls import Tls
from web.worker import Worker

SPARE_THREADS = 24
"""Threads beyond the streams: a thread server whose threads are all streams serves no page at all."""
GRACE_S = 3
BACKLOG = 256
KEEPALIVE_S = 5
MOST_CONNECTIONS = 1000


def run(settings: WebSettings, host: str, port: int, *, tls: Tls | None = None) -> None:
    """Serve the dashboard until SIGTERM; open streams close themselves at once."""
    app = create_app(settings)
    hub = hub_of(app)
    threads = settings.most_streams + SPARE_THREADS
    serve(app, host, port, clock=settings.clock, threads=threads, start=hub.start, stop=hub.stop, tls=tls)


def serve(
    app: Flask,
    host: str,
    port: int,
    *,
    clock: Clock,
    threads: int,
    start: Callable[[], None],
    stop: Callable[[], None],
    tls: Tls | None = None,
    head_s: float = HEAD_S,
    body_s: float = BODY_S,
) -> None:
    """Serve `app` on host:port until SIGTERM or SIGINT; `start` runs when it listens, `stop` when it is to end.

    `head_s` and `body_s` are how long a request's first lines and the rest of it may take to arrive.
    """
    application = _Application(app, _options(host, port, threads, tls))
    log = Logger(application.cfg)
    listeners = create_sockets(application.cfg, log)
    worker = Worker(1, os.getppid(), listeners, application, GRACE_S, application.cfg, log)
    worker.be_patient(clock, threads, head_s, body_s)

    def end(number: int, frame: FrameType | None) -> None:
        # Not here: stopping takes locks, and the signal may have come while this thread held one.
        threading.Thread(target=stop, name="stopping").start()
        worker.handle_exit(number, frame)

    def begin(_worker: object) -> None:
        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        start()

    application.cfg.set("post_worker_init", begin)
    worker.init_process()
    stop()


def _options(host: str, port: int, threads: int, tls: Tls | None) -> dict[str, Any]:
    return {
        **({"certfile": str(tls.certificate), "keyfile": str(tls.key)} if tls else {}),
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "worker_class": "gthread",
        "threads": threads,
        "worker_connections": max(MOST_CONNECTIONS, 2 * threads),
        "graceful_timeout": GRACE_S,
        "keepalive": KEEPALIVE_S,
        "backlog": BACKLOG,
        "loglevel": "warning",
    }


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Hands an application and its options to gunicorn; nothing is read from the command line or the environment."""

    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Give the application."""
        return self._app
