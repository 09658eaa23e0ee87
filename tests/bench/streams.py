"""Serves one live stream to many readers, in a process of its own: `python -m tests.bench.streams ours|bare FOLDER PORT`."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from flask import Flask, Response

from packline.core.clock import WallClock
from packline.core.ids import SystemIds
from packline.core.local import ask
from packline.store import open_store
from web.app import create_app, hub_of
from web.doors import hash_password
from web.live import POLL_S
from web.serve import serve
from web.settings import WebSettings

USER, PASSWORD = "viewer", "a password for the bench"
THREADS = 80


def ours(folder: Path, port: int) -> None:
    """Serve the dashboard: snapshots are fetched, compared, rendered and told to every page."""
    clock, ids = WallClock(), SystemIds()
    store = open_store(f"sqlite:///{folder / 'books.db'}", clock=clock, ids=ids)
    store.users.create(USER, role="viewer", password_hash=hash_password(PASSWORD), now=clock.now())
    app = create_app(WebSettings(store=store, clock=clock, ids=ids, data=folder, secret=b"0" * 32))
    hub = hub_of(app)
    serve(app, "127.0.0.1", port, clock=clock, threads=THREADS, start=_ready(hub.start), stop=hub.stop)
    store.close()


class Feed:
    """Fetches the same snapshots as often as the dashboard does, and does nothing with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._text, self._number = "", 0

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._ending.set()
        with self._changed:
            self._changed.notify_all()

    def messages(self) -> Iterator[str]:
        number = 0
        while not self._ending.is_set():
            with self._changed:
                self._changed.wait_for(self._beyond(number))
                number, text = self._number, self._text
            yield f"event: view\ndata: {text}\n\n"

    def _beyond(self, number: int) -> Callable[[], bool]:
        return lambda: self._number != number or self._ending.is_set()

    def _run(self) -> None:
        while not self._ending.wait(POLL_S):
            text = json.dumps({**ask(self._folder, {"do": "snapshot"}), "at": ""})
            with self._changed:
                if text != self._text:
                    self._text, self._number = text, self._number + 1
                    self._changed.notify_all()


def bare(folder: Path, port: int) -> None:
    """Serve a Flask application of one page that streams what it is told, by the same server."""
    app, feed = Flask("bare"), Feed(folder)
    app.add_url_rule("/live", view_func=lambda: Response(feed.messages(), mimetype="text/event-stream"))
    serve(app, "127.0.0.1", port, clock=WallClock(), threads=THREADS, start=_ready(feed.start), stop=feed.stop)


def _ready(start: Callable[[], None]) -> Callable[[], None]:
    """Say so once the port listens; end when the bench ends, however it does."""

    def begin() -> None:
        start()
        threading.Thread(target=_outlive_nobody, daemon=True).start()
        print("{}", flush=True)

    return begin


def _outlive_nobody() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    {"ours": ours, "bare": bare}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
