"""Keeps the controller, the web and the video process alive; standard library only."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from packline.core.local import ask

LOOK_S = 0.2
PROBE_S = 1.0
STUCK_S = 10.0
START_S = 60.0
"""A process that has never answered is given this long before it counts as stuck."""
MOST_RESTARTS = 5
RESTART_WINDOW_S = 60.0
FIRST_PAUSE_S = 0.1
MOST_PAUSE_S = 5.0
STOP_S = 8.0
KILL_S = 1.0
"""How long a killed process may take to end; one that waits for a device in the kernel may take for ever."""
LOG_BYTES = 5_000_000
MOST_WORDS = 600
"""Bytes of a log that are told of a process that died."""

Probe = Callable[[], bool]
Say = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Child:
    """One process under watch."""

    name: str
    command: list[str]
    probe: Probe
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    answered_at: float | None = None
    probed_at: float = 0.0
    restarts: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_RESTARTS))
    down_until: float = 0.0
    given_up: bool = False


def pause_after(restarts: int) -> float:
    """Give the pause in seconds before another start after so many within a minute: nine seconds of pauses in all before it is given up."""
    return min(MOST_PAUSE_S, FIRST_PAUSE_S * 3.0**restarts)


class Supervisor:
    """Starts children, restarts the dead and the stuck, gives up on the hopeless, stops all at the end."""

    def __init__(
        self,
        children: list[Child],
        *,
        logs: Path,
        env: Mapping[str, str],
        say: Say,
        each_look: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = children
        self._logs = logs
        self._env = dict(env)
        self._say = say
        self._each_look = each_look
        self._stop = threading.Event()

    def stop(self, *_: object) -> None:
        """Ask the loop to end; safe from a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """Watch until told to stop; gives the exit code: 1 when a process was given up."""
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            while not self._stop.wait(LOOK_S):
                for child in self._children:
                    self._look(child)
                self._each_look()
        finally:
            self._end()
        return int(any(child.given_up for child in self._children))

    def _look(self, child: Child) -> None:
        now = time.monotonic()
        if child.given_up or now < child.down_until:
            return
        if child.process is None:
            try:
                self._start(child)
            except OSError as error:  # no memory, no place for a log: that passes, and the others run on meanwhile
                self._died(child, f"could not be started: {error}")
        elif (code := child.process.poll()) is not None:
            self._died(child, f"ended with code {code}", self._last_words(child.name) if code > 0 else "")
        elif self._is_stuck(child, now):
            if _is_killed(child.process):
                waited_s = START_S if child.answered_at is None else STUCK_S
                self._died(child, f"did not answer for {waited_s:.0f} s")

    def _start(self, child: Child) -> None:
        child.started_at, child.answered_at = time.monotonic(), None
        with self._log(child.name) as log:
            # the pipe on its standard input tells a child that its supervisor is gone, however it went
            child.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                child.command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=self._env, start_new_session=False
            )

    def _died(self, child: Child, why: str, last: str = "") -> None:
        now = time.monotonic()
        _hang_up(child.process)
        child.process = None
        recent = [at for at in child.restarts if now - at < RESTART_WINDOW_S]
        if len(recent) >= MOST_RESTARTS:
            child.given_up = True
            self._tell(f"5003 process restarted too often: {child.name} {why}. Read {self._logs / child.name}.log.")
            return
        child.restarts.append(now)
        child.down_until = now + pause_after(len(recent))
        self._tell(f"{child.name} {why}; starting it again{f' (its last words: {last})' if last else ''}")

    def _tell(self, text: str) -> None:
        with contextlib.suppress(
            OSError
        ):  # who listened is gone (`up | tee`): the line is not, and never for want of a listener
            self._say(text)

    def _is_stuck(self, child: Child, now: float) -> bool:
        if now - child.probed_at >= PROBE_S:
            child.probed_at = now
            if child.probe():
                child.answered_at = time.monotonic()
        if child.answered_at is None:
            return now - child.started_at > START_S
        return now - child.answered_at > STUCK_S + PROBE_S

    def _end(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            if process.poll() is None:
                _is_killed(process)
            _hang_up(process)

    def _last_words(self, name: str) -> str:
        """Give the last line of a log, at most `MOST_WORDS` bytes of it."""
        with contextlib.suppress(OSError), (self._logs / f"{name}.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - MOST_WORDS))
            return (log.read().decode("utf-8", "replace").strip().splitlines() or [""])[-1]
        return ""

    def _log(self, name: str) -> IO[bytes]:
        path = self._logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")


def _is_killed(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process; False while a device that it reads keeps it alive: it is looked at again, and the others meanwhile."""
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILL_S)
    return process.poll() is not None


def _hang_up(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None and process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def answers_locally(data: Path) -> Probe:
    """Give the controller's probe: it answers its local socket, so its loop turns."""

    def probe() -> bool:
        try:
            return "run" in ask(data, {"do": "snapshot"}, timeout_s=2.0)
        except (OSError, ValueError):
            return False

    return probe


def answers_http(host: str, port: int, path: str, *, is_https: bool = False) -> Probe:
    """Give a web process's probe: any answer below 500. It asks for a sign of life; whose certificate it is matters not."""

    def probe() -> bool:
        connection = (
            http.client.HTTPSConnection(host, port, timeout=2.0, context=_any_certificate())
            if is_https
            else http.client.HTTPConnection(host, port, timeout=2.0)
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def is_supervised() -> bool:
    """Tell whether a supervisor started this process."""
    return os.environ.get("PACKLINE_SUPERVISED") == "1"


def die_with_supervisor() -> None:
    """In a child: end at once when the supervisor's end of our standard input closes."""
    if not is_supervised():
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1):  # not sys.stdin: its lock would outlive the interpreter
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_S)
        os._exit(1)

    threading.Thread(target=wait, name="supervisor watch", daemon=True).start()
