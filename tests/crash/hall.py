"""A whole demo hall for one campaign: twin and people, dashboard and video, and controllers that come and go."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from controller.processes import DATABASE
from controller.site import Site
from controller.site_file import load_site
from controller.sites import OFFSET_STEP, free_offset, moved
from packline.core.local import ask, socket_path
from tests.crash.nursery import ROOT, Child, nursery

LOOK_S = 0.1
ASIDE = 20
READY_S = 180.0
END_S = 15.0
T = TypeVar("T")

QUICK = {"wip_limit": "12\nstills = 1", "inspect_live_s": "1", "approve_s": "12"}
"""Policy of the campaign's site: the demo's, with shorter waits for people."""


class NotInTime(AssertionError):  # noqa: N818 - what the harness says of a line that stands still
    """What was waited for did not come."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One controller run. `code` is None while it lives; -9 is a kill."""

    number: int
    child: Child
    points: Path
    begun: float

    @property
    def code(self) -> int | None:
        """Give how it ended, as far as was heard."""
        return self.child.code


@dataclass(slots=True, kw_only=True)
class Hall:
    """Where everything of one campaign runs; enter it with `open_hall`."""

    folder: Path
    path: Path
    site: Site
    orders: int
    speed: float
    seed: int
    processes: dict[str, Child] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """Give the books' folder."""
        return self.folder / "data"

    @property
    def database(self) -> Path:
        """Give the books."""
        return self.data / DATABASE

    # -- processes -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start everything but a controller and wait until it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        words = ["twin", str(self.path), "--orders", str(self.orders), "--speed", str(self.speed)]
        self._start("twin", *words, "--seed", str(self.seed), "--json")
        self.open_web()
        host, _, port = self._twin.host.rpartition(":")
        self.until(lambda: answers(host, int(port), "/stage"), "the people are there")

    def open_web(self) -> None:
        """Start dashboard and video, and wait until they answer."""
        for name in ("video", "web"):
            self._start(name, "process", name, str(self.path))
        web = self.site.web
        self.until(lambda: answers(web.host, web.port, "/api/health"), "the dashboard answers")
        self.until(lambda: answers(web.host, web.video_port, "/health"), "the video process answers")

    def close_web(self) -> None:
        """Stop dashboard and video."""
        self._stop("web", "video")

    def close(self) -> None:
        """Stop everything, and take away what killed controllers left beside the folder."""
        self._stop(*reversed(list(self.processes)))
        for run in self.runs:
            run.child.kill()
        socket_path(self.data).unlink(missing_ok=True)

    def _start(self, name: str, *words: str) -> None:
        self.processes[name] = nursery().start(self.folder / f"{name}.log", self._env, words=words)

    @property
    def _env(self) -> dict[str, str]:
        # the zygote watches for them that the tests are still there
        return {"PACKLINE_DATA": str(self.data), "PACKLINE_SUPERVISED": "0"}

    def _stop(self, *names: str) -> None:
        ended = [self.processes.pop(name) for name in names]
        for process in ended:
            process.terminate()
        for process in ended:
            if not process.is_over(END_S):
                process.kill()
                assert process.is_over(END_S), "a killed process lives"

    # -- controllers ---------------------------------------------------------------------------------------------------

    def begin(self, ends_at: Mapping[str, int] | None = None) -> Run:
        """Start a controller that kills itself at one of the points of `ends_at`."""
        number = len(self.runs) + 1
        points = self.folder / f"points-{number:04d}.log"
        order = {"site": str(self.path), "points": str(points), "ends_at": dict(ends_at or {})}
        child = nursery().start(self.folder / "controller.log", self._env, run=order)
        run = Run(number=number, child=child, points=points, begun=time.time())
        self.runs.append(run)
        return run

    @staticmethod
    def ended(run: Run, within_s: float) -> bool:
        """Wait at most `within_s` for the end of `run`; tell whether it came."""
        return run.child.is_over(within_s)

    @staticmethod
    def ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
        """Let `process` work for `seconds`; tell whether it ended by itself meanwhile."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode is not None

    def kill(self, run: Run) -> None:
        """Kill `run` now, as kill -9 does."""
        run.child.kill()
        assert self.ended(run, END_S), "a killed process lives"

    def stop(self, run: Run) -> None:
        """End `run` cleanly."""
        run.child.terminate()
        if not self.ended(run, END_S):
            self.kill(run)
            raise NotInTime("the controller did not end on SIGTERM")

    def answers(self) -> bool:
        """Tell whether the controller gives its live picture."""
        try:
            return "run" in ask(self.data, {"do": "snapshot"}, timeout_s=2.0)
        except (OSError, ValueError):
            return False

    # -- what is seen --------------------------------------------------------------------------------------------------

    def stage(self) -> dict[str, Any]:
        """Give the people's own account: progress, summary, whether all is over."""
        answer: dict[str, Any] = self._get(self._twin.host, "/stage")
        return answer

    def events(self) -> list[dict[str, Any]]:
        """Give what the subscribers received, each once."""
        received: list[dict[str, Any]] = self._get(self._twin.host, "/events")["events"]
        return received

    def truth(self) -> dict[str, Any]:
        """Give what is physically true now."""
        answer: dict[str, Any] = self._get(self._twin.truth, "/truth")
        return answer

    def facts(self) -> list[dict[str, Any]]:
        """Give everything that physically happened."""
        facts: list[dict[str, Any]] = []
        while True:
            page = self._get(self._twin.truth, f"/truth/facts?after={len(facts)}")["facts"]
            if not page:
                return facts
            facts += page

    def keep(self) -> None:
        """Write down what plant and people know, beside the books."""
        for name in ("stage", "truth", "facts", "events"):
            text = json.dumps(getattr(self, name)(), ensure_ascii=False, indent=1)
            (self.folder / f"{name}.json").write_text(text, "utf-8")

    def misbehave(self, **order: Any) -> None:
        """Switch a fault of a device on."""
        self._call("POST", self._twin.truth, "/fault", json.dumps(order))

    def mend(self, **wish: Any) -> None:
        """Switch faults off."""
        self._call("POST", self._twin.truth, "/mend", json.dumps(wish))

    def until(self, holds: Callable[[], T], what: str, within_s: float = READY_S) -> T:
        """Wait until `holds` gives something true, and give it."""
        due = time.monotonic() + within_s
        while not (found := holds()):
            for name, process in self.processes.items():
                if process.is_over():
                    raise NotInTime(f"{name} ended: {tail(self.folder / f'{name}.log')}")
            if time.monotonic() > due:
                raise NotInTime(f"not within {within_s:.0f} s: {what}")
            time.sleep(LOOK_S)
        return found

    @property
    def _twin(self) -> Any:
        return self.site.twin

    def _get(self, host: str, path: str) -> Any:
        return json.loads(self._call("GET", host, path))

    def _call(self, method: str, host: str, path: str, body: str = "") -> bytes:
        name, _, port = host.rpartition(":")
        connection = http.client.HTTPConnection(name, int(port), timeout=10.0)
        try:
            connection.request(method, path, body or None, {"content-type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        assert answer.status == http.client.OK, f"{method} {path}: {answer.status} {said[:200]!r}"
        return said


@contextmanager
def open_hall(folder: Path, *, orders: int, speed: float = 40.0, seed: int = 1) -> Iterator[Hall]:
    """Give a running hall without a controller; stops everything at the end, the folder stays."""
    path = _own_site(folder)
    hall = Hall(folder=folder, path=path, site=load_site(path), orders=orders, speed=speed, seed=seed)
    before = os.environ.get("PACKLINE_DATA")
    os.environ["PACKLINE_DATA"] = str(hall.data)
    try:
        hall.open()
        yield hall
    finally:
        hall.close()
        os.environ.pop("PACKLINE_DATA")
        if before is not None:
            os.environ["PACKLINE_DATA"] = before


def _own_site(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "sites" / "demo.toml").read_text("utf-8")
    for name, value in QUICK.items():
        text, found = re.subn(rf"^{name} = \S+", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1, f"{name} stands {found} times in the site file"
    path = folder / "hall.toml"
    path.write_text(moved(text, free_offset(text, first=_first_offset())), "utf-8")
    shutil.copy(ROOT / "sites" / "demo-items.csv", folder)
    return path


def _first_offset() -> int:
    """Begin elsewhere in each process and beside the offsets of `demo`, so that two halls do not choose the same free ports."""
    return ASIDE + os.getpid() % 50 * OFFSET_STEP


def answers(host: str, port: int, path: str) -> bool:
    """Tell whether a server answers without an error of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tail(log: Path, most: int = 2000) -> str:
    """Give the end of a log."""
    return log.read_text("utf-8", "replace")[-most:] if log.exists() else ""
