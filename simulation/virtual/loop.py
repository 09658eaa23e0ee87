"""An asyncio loop that steps a SimPy environment where it would have to wait, instead of sleeping.

It is the test double of the event loop, not of the controller: whatever runs on asyncio runs here, and does not see it. Private
names of asyncio and SimPy that it touches: `_run_once`, `_ready`, `_scheduled`, `_stopping`, `_clock_resolution`, `_process_events` and
`_timer_cancelled_count` of the loop, `_cancelled`, `_run` and `_scheduled` of its timers, `_now` and `_queue` of the environment.
`simulation.virtual.check` fails loudly when a release moves one of them.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

import simpy

from simulation.virtual.tasks import TaskCounter

T = TypeVar("T")
Events = list[tuple[selectors.SelectorKey, int]]

LEAST_RESOLUTION_S = 1e-9
ULPS = 8
"""Timers within so many units in the last place of now are due: a rate multiplies and divides, and each rounds."""

MOST_IDLE_LOOKS = 8
MOST_CANCELLED = 100
"""Timers that are set no more are swept out when they are more than these, and more than half."""


class VirtualDeadlock(RuntimeError):  # noqa: N818 - the trade's word
    """Nothing is scheduled in the plant and no timer is set, yet somebody still waits: a lost wake-up."""


class VirtualHorizon(RuntimeError):  # noqa: N818
    """The next thing to happen lies beyond the horizon: what was to end did not."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Virtual time in one process, without sockets: time jumps to the next event of the plant or the next timer.

    `rate` is how many of SimPy's seconds pass in one of the loop's (> 0). At a tie the plant goes first. `horizon_s` bounds the
    loop's time. What runs in an executor runs inline, in no time.
    """

    def __init__(self, env: simpy.Environment, *, rate: float = 1.0, horizon_s: float = math.inf) -> None:
        self.env, self.rate, self.horizon_s = env, rate, horizon_s
        self.steps = self.jumps = self.looks = self._idle_looks = 0
        self.is_stepping = False
        """True while the plant runs: what it does to itself then needs no catching up."""
        self.happened: Callable[[], None] = _nobody
        """Called after everything that happened in the plant."""
        self._time = env.now / rate
        self._fine_until = -math.inf
        self._timers = 0
        self._ready: Any
        self._scheduled: list[tuple[float, int, Any]]
        self._timer_cancelled_count: int
        self._stopping: bool
        self._selector = selectors.DefaultSelector()
        self._process_events: Callable[[Events], None]
        super().__init__(self._selector)
        self.set_task_factory(TaskCounter())  # type: ignore[arg-type]  # it makes tasks, which are futures
        self._set_resolution()

    def time(self) -> float:
        """Give the loop's seconds."""
        return self._time

    def call_at(  # type: ignore[override]  # typeshed binds args to the callback by variadic generics, which mean nothing here
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """Call at `when`; what is due at the same time is called in the order of these calls.

        asyncio's own order at a tie is that of its heap, which depends on every timer there is: on those that change nothing, too.
        """
        self._timers += 1
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._scheduled, (when, self._timers, timer))
        timer._scheduled = True  # type: ignore[attr-defined]  # cancelled timers are counted by it
        return timer

    def _run_once(self) -> None:
        """Turn once, as asyncio's own loop does; its timers would be compared by Python, thousands of times for an order."""
        waiting, ready = self._scheduled, self._ready
        if self._timer_cancelled_count > MOST_CANCELLED and 2 * self._timer_cancelled_count > len(waiting):
            waiting[:] = [timer for timer in waiting if not timer[2]._cancelled]
            heapify(waiting)
            self._timer_cancelled_count = 0
        while waiting and waiting[0][2]._cancelled:
            heappop(waiting)[2]._scheduled = False
            self._timer_cancelled_count -= 1
        is_due = ready or self._stopping or (waiting and waiting[0][0] <= self._time)
        if events := self.wait_for_news(0 if is_due else None):
            self._process_events(events)
        due = self._time + self._clock_resolution
        while waiting and waiting[0][0] < due:
            timer = heappop(waiting)[2]
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def wait_for_news(self, timeout: float | None) -> Events:
        """Let the plant run until something is ready here, or the next timer is due; raises VirtualDeadlock, VirtualHorizon."""
        self.looks += 1
        if self._ready or self._stopping:
            self._idle_looks = 0
        elif timeout == 0:
            self._demand_progress()
        else:
            self._idle_looks = 0
            self._advance()
        return []

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Run `func` now, in order."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever awaits it hears of it
            future.set_exception(error)
        return future

    def _write_to_self(self) -> None:
        """Wake nobody: nothing sleeps here, and there is one thread."""

    def _advance(self) -> None:
        queue, ready = self.env._queue, self._ready
        due = self._scheduled[0][0] if self._scheduled else math.inf
        due_in_plant = due * self.rate
        while queue and queue[0][0] <= due_in_plant:
            self._demand_within(queue[0][0] / self.rate)
            self._step()
            if ready:
                return
        if due == math.inf:
            raise VirtualDeadlock(f"nothing is scheduled after {self._time:.6f} s, and {self._who_waits()}")
        self._demand_within(due)
        self._jump(due)

    def settle(self) -> None:
        """Let everything happen in the plant that is due at this very moment."""
        queue = self.env._queue
        while queue and queue[0][0] <= self.env._now:
            self._step()

    def _step(self) -> None:
        self.is_stepping = True
        try:
            self.env.step()
        finally:
            self.is_stepping = False
        self.steps += 1
        self._move_to(self.env._now / self.rate)
        self.happened()

    def _jump(self, to: float) -> None:
        """Move to a moment at which nothing happens in the plant."""
        if to > self._time:
            self.jumps += 1
            self.env._now = max(self.env._now, to * self.rate)
            self._move_to(to)

    def _move_to(self, time: float) -> None:
        if time > self._time:
            self._time = time
            if time > self._fine_until:
                self._set_resolution()

    def _set_resolution(self) -> None:
        # asyncio fires timers with `when < time() + resolution`. Below the last place of time() that sum is time() itself: a due
        # timer never fires, and virtual time stands still for ever
        self._fine_until = max(abs(self._time) * 2.0, 1.0)
        self._clock_resolution = max(LEAST_RESOLUTION_S, ULPS * math.ulp(self._fine_until))

    def _demand_progress(self) -> None:
        """Raise VirtualDeadlock when a timer that is due is looked at again and again and does not fire."""
        self._idle_looks += 1
        if self._idle_looks > MOST_IDLE_LOOKS:
            raise VirtualDeadlock(f"a timer is due at {self._time:.6f} s and does not fire")

    def _demand_within(self, time: float) -> None:
        if time > self.horizon_s:
            raise VirtualHorizon(f"the next event lies at {time:.6f} s, beyond {self.horizon_s:.6f} s")

    def _who_waits(self) -> str:
        waiting = sorted(task.get_name() for task in asyncio.all_tasks(self) if not task.done())
        return f"{len(waiting)} tasks wait: {', '.join(waiting[:8])}" if waiting else "no task waits"


def _nobody() -> None:
    """Hear of nothing."""


def run(main: Coroutine[Any, Any, T], make: Callable[[], asyncio.AbstractEventLoop]) -> T:
    """Run `main` on the loop that `make` gives, as asyncio.run() does on its own."""
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)
