"""Gunicorn's thread worker, with a bound on what one slow or crowded address can keep from the others."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from typing import Any

from gunicorn.util import close_graceful  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from packline.core.clock import Clock
from web.patience import Patience

PARKED = "parked"
"""What became of a line whose address has its share of the threads: it waits without one."""
MOST_PARKED = 200
"""Of one address; more are sent away."""
PARKED_S = 10.0


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves as gunicorn does; who sends too slowly, or does not hang up, costs a thread for a short time only."""

    def be_patient(self, clock: Clock, threads: int, head_s: float, body_s: float) -> None:
        """Say how many threads there are, and how long a request may take to arrive."""
        self.clock = clock
        self.patience: Patience[Any] = Patience(threads, clock.monotonic, head_s, body_s)
        self.parked: deque[tuple[float, Any]] = deque()

    def handle(self, conn: Any) -> Any:
        """Serve one request in a thread of its own, and hang up there."""
        if not self.patience.begin(conn, _address(conn)):
            return PARKED
        try:
            goes_on = super().handle(conn)
            if goes_on is False:
                _hang_up(conn)
            return goes_on
        finally:
            self.patience.end(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose first lines are there."""
        self.patience.has_head(conn, has_body=_has_body(req))
        return super().handle_request(req, conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Note what became of a request, in the thread that accepts: a parked line keeps its place in the queue."""
        if not fs.cancelled() and fs.exception() is None and fs.result() is PARKED:
            self._park(conn)
            return
        super().finish_request(conn, fs)
        self._unpark()

    def murder_pending(self) -> None:
        """Cut, once a second, the lines whose time is over: their threads wake up and find the line closed."""
        super().murder_pending()
        for conn in self.patience.overdue():
            with contextlib.suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)
        now = self.clock.monotonic()
        while self.parked and (self.parked[0][0] <= now or not self.alive):
            self._send_away(self.parked.popleft()[1])
        self._unpark()

    def _park(self, conn: Any) -> None:
        if sum(_address(other) == _address(conn) for _, other in self.parked) >= MOST_PARKED:
            self._send_away(conn)
        else:
            self.parked.append((self.clock.monotonic() + PARKED_S, conn))

    def _unpark(self) -> None:
        """Give a thread to the first parked line whose address may have one again."""
        for place in self.parked:
            if self.patience.has_room(_address(place[1])):
                self.parked.remove(place)
                self.enqueue_req(place[1])
                return

    def _send_away(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()


def _hang_up(conn: Any) -> None:
    """Close a line here: gunicorn does it in the thread that accepts, which waits two seconds for each that stays silent."""
    with contextlib.suppress(OSError):
        conn.sock.setblocking(True)
        close_graceful(conn.sock)
    conn.close = lambda graceful=False: None


def _address(conn: Any) -> str:
    return str(conn.client[0]) if isinstance(conn.client, tuple) else str(conn.client)


def _has_body(req: Any) -> bool:
    return any(name == "TRANSFER-ENCODING" or (name == "CONTENT-LENGTH" and said != "0") for name, said in req.headers)
