"""The supervisor keeps children alive: restarts the dead and the stuck, gives up on the hopeless, stops all at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller import supervisor
from controller.supervisor import MOST_RESTARTS, Child, Supervisor, answers_http, answers_locally
from tests.waiting import PATIENCE_S, wait_for

LIVES = "import signal; signal.pause()"
DIES = "raise SystemExit('the disk is full')"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


class Watched:
    """A supervisor in a thread."""

    def __init__(self, folder: Path, *children: Child) -> None:
        self.said: list[str] = []
        self.is_deaf = False
        self.looks = 0
        self.code: int | None = None
        self.logs = folder / "logs"
        self.children = list(children)
        self._boss = Supervisor(
            self.children, logs=self.logs, env=dict(os.environ), say=self._hear, each_look=self._look
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _hear(self, text: str) -> None:
        if self.is_deaf:
            raise BrokenPipeError
        self.said.append(text)

    def _look(self) -> None:
        self.looks += 1

    def _run(self) -> None:
        self.code = self._boss.run()

    def stop(self) -> int:
        """Stop it; gives its exit code."""
        self._boss.stop()
        self._thread.join(PATIENCE_S)
        assert self.code is not None
        return self.code


def child(name: str, code: str, probe: Callable[[], bool] = lambda: True) -> Child:
    """Make a child that runs a line of Python."""
    return Child(name=name, command=[sys.executable, "-S", "-c", code], probe=probe)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Watched]]:
    """Supervise children with short waits, and stop at the end whatever happens."""
    for name, short in (("LOOK_S", 0.01), ("PROBE_S", 0.0), ("FIRST_PAUSE_S", 0.001), ("STOP_S", 1.0)):
        monkeypatch.setattr(supervisor, name, short)
    made: list[Watched] = []

    def start(*children: Child) -> Watched:
        made.append(Watched(tmp_path, *children))
        return made[-1]

    yield start
    for watched in made:
        watched.stop()


def pid(of: Child) -> int:
    """Give the process id of a child that runs."""
    wait_for(lambda: of.process is not None)
    assert of.process is not None
    return of.process.pid


def test_a_child_that_died_is_started_again(watch: Callable[..., Watched]) -> None:
    one = child("one", LIVES)
    watched = watch(one)
    first = pid(one)
    os.kill(first, 9)
    wait_for(lambda: one.process is not None and one.process.pid != first)
    assert any("one ended with code -9; starting it again" in line for line in watched.said)
    assert watched.stop() == 0


def test_after_five_restarts_it_gives_up_and_says_where_to_read(watch: Callable[..., Watched]) -> None:
    hopeless, good = child("hopeless", DIES), child("good", LIVES)
    watched = watch(hopeless, good)
    wait_for(lambda: hopeless.given_up)
    assert len([line for line in watched.said if "starting it again" in line]) == MOST_RESTARTS
    assert watched.said[0].endswith("starting it again (its last words: the disk is full)")
    assert watched.said[-1].startswith("5003") and "hopeless.log" in watched.said[-1]
    assert pid(good) and not good.given_up
    assert watched.stop() == 1


def test_each_start_within_a_minute_is_waited_for_three_times_as_long_up_to_five_seconds() -> None:
    assert [supervisor.pause_after(n) for n in range(MOST_RESTARTS)] == pytest.approx([0.1, 0.3, 0.9, 2.7, 5.0])


def test_a_child_that_does_not_answer_any_more_is_killed_and_started_again(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STUCK_S", 0.05)
    answers = [True]
    one = child("one", LIVES, probe=lambda: answers[0])
    watched = watch(one)
    first = pid(one)
    wait_for(lambda: one.answered_at is not None)
    answers[0] = False
    wait_for(lambda: any("did not answer" in line for line in watched.said))
    answers[0] = True
    wait_for(lambda: one.process is not None and one.process.pid != first)


def test_a_child_that_never_answered_is_given_time_to_start(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STUCK_S", 0.01)
    one = child("one", LIVES, probe=lambda: False)
    watched = watch(one)
    first = pid(one)
    looks = watched.looks
    wait_for(lambda: watched.looks > looks + 20)
    assert pid(one) == first and watched.said == []


def test_a_child_that_cannot_be_started_now_is_started_later_and_the_others_run_on(
    watch: Callable[..., Watched], tmp_path: Path
) -> None:
    """No memory for another process, no room for its log: the supervisor ended, and the whole line with it."""
    other, late = child("other", LIVES), child("late", LIVES)
    (tmp_path / "logs" / "late.log").mkdir(parents=True)
    watched = watch(other, late)
    first = pid(other)
    wait_for(lambda: any("late could not be started" in line for line in watched.said))
    (tmp_path / "logs" / "late.log").rmdir()
    assert pid(late) and pid(other) == first
    assert watched.stop() == 0


def test_a_listener_that_is_gone_does_not_end_the_line(watch: Callable[..., Watched]) -> None:
    """`packline up | tee log`, and tee is ended: the next word ended the line."""
    one = child("one", LIVES)
    watched = watch(one)
    first = pid(one)
    watched.is_deaf = True
    os.kill(first, 9)
    wait_for(lambda: one.process is not None and one.process.pid != first)
    assert watched.stop() == 0 and watched.said == []


def test_the_end_stops_every_child_also_one_that_does_not_listen(watch: Callable[..., Watched]) -> None:
    deaf, good = child("deaf", DEAF), child("good", LIVES)
    watched = watch(deaf, good)
    wait_for(lambda: (watched.logs / "deaf.log").exists() and b"up" in (watched.logs / "deaf.log").read_bytes())
    processes = [c.process for c in (deaf, good)]
    pid(good)
    watched.stop()
    wait_for(lambda: all(p is None or p.poll() is not None for p in processes))


def test_what_a_child_says_is_in_its_log(watch: Callable[..., Watched]) -> None:
    one = child("one", "import signal; print('good morning', flush=True); signal.pause()")
    watched = watch(one)
    wait_for(lambda: (watched.logs / "one.log").exists())
    wait_for(lambda: b"good morning" in (watched.logs / "one.log").read_bytes())


def test_a_full_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOG_BYTES", 10)
    (tmp_path / "one.log").write_bytes(b"x" * 100)
    boss = Supervisor([], logs=tmp_path, env={}, say=lambda text: None)
    boss._log("one").close()
    assert (tmp_path / "one.log.1").stat().st_size == 100 and (tmp_path / "one.log").stat().st_size == 0


def test_probes_of_nobody_say_no(tmp_path: Path) -> None:
    assert answers_locally(tmp_path)() is False
    assert answers_http("127.0.0.1", 1, "/health")() is False


class Deathless:
    """A process that a device keeps in the kernel until `dies`: SIGKILL does not end it."""

    pid, stdin = 0, None

    def __init__(self) -> None:
        self.kills, self.dies = 0, threading.Event()

    def poll(self) -> int | None:
        return -9 if self.dies.is_set() else None

    def kill(self) -> None:
        self.kills += 1

    def send_signal(self, number: int) -> None:
        """Hear nothing."""

    def wait(self, timeout: float) -> int:
        raise subprocess.TimeoutExpired("deathless", timeout)


def test_a_child_that_outlives_its_kill_keeps_nobody_else_from_being_started_again(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that hangs in the kernel: the supervisor waited for its reader for ever, and watched nobody."""
    monkeypatch.setattr(supervisor, "STUCK_S", 0.05)
    stuck = Deathless()
    process: Any = stuck
    one = child("one", LIVES, probe=lambda: stuck.dies.is_set())
    one.process, one.answered_at = process, 0.0
    other = child("other", LIVES)
    watch(one, other)
    first = pid(other)
    wait_for(lambda: stuck.kills)
    os.kill(first, 9)
    wait_for(lambda: other.process is not None and other.process.pid != first)
    assert one.process is process
    stuck.dies.set()
    wait_for(lambda: one.process is not None and one.process is not process)
