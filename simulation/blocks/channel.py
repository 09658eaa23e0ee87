"""One channel of a server: what it does with its item, step by step."""

from __future__ import annotations

from collections.abc import Container
from typing import Protocol

import simpy

from simulation.blocks.block import Reservation, Taker
from simulation.blocks.by_class import OfClass
from simulation.blocks.conduct import Conduct
from simulation.blocks.draws import Draw
from simulation.blocks.floor import Due, Floor
from simulation.blocks.item import Item
from simulation.blocks.stops import Stop
from simulation.blocks.time_sheet import AWAY, BLOCKED, BUSY, DOWN, SETUP, STARVED, UNMANNED, TimeSheet
from simulation.statistics.tallies import Level, Tally

# What the channel is about; from _ASKING to _WORKING it has an item that is not finished.
_IDLE, _ASKING, _STOPPING, _MANNING, _SETTING, _WORKING, _HELD, _GIVING, _GONE = range(9)


class Home(Protocol):
    """What a channel needs of its server."""

    name: str
    floor: Floor
    conduct: Conduct
    next: Taker
    queue: Level
    wait: Tally
    is_plain: bool
    draw_setup: Draw | None
    draw_vacation: Draw | None

    @property
    def has_waiting(self) -> bool: ...
    @property
    def whole_down(self) -> Stop | None: ...
    def drawn(self, item: Item) -> float: ...
    def finished(self, item: Item) -> None: ...
    def stand_by(self, channel: Channel) -> None: ...
    def stand_down(self, channel: Channel) -> None: ...
    def free(self, channel: Channel, entered: float, kind: str) -> None: ...
    def pick(self, channel: Channel) -> None: ...
    def better_than(self, channel: Channel) -> bool: ...
    def swap(self, channel: Channel) -> None: ...
    def put_back(self, item: Item) -> None: ...
    def spoil(self, item: Item) -> None: ...
    def left_while_down(self, entered: float, kind: str) -> None: ...
    def counted(self, kind: str) -> OfClass: ...


class Channel:
    """Begins an item, works on it, gives it on. A step that cannot be done yet is tried again when it may."""

    __slots__ = (
        "_began", "_breaking", "_busy_stops", "_claim", "_cycle_stops", "_down", "_due", "_entered", "_env", "_home",
        "_is_manned", "_is_queued", "_last_kind", "_phase", "_setup_left", "_stops", "_was_idle", "item", "times",
    )  # fmt: skip

    def __init__(self, home: Home, number: int) -> None:
        self._home = home
        self._env: simpy.Environment = home.floor.env
        self.item: Item | None = None
        self._phase = _IDLE
        self.times = TimeSheet(self._env)
        self._due: Due | None = None
        self._claim: Reservation | None = None
        self._down: Stop | None = None
        self._breaking: Stop | None = None
        self._is_manned = self._is_queued = False
        self._was_idle = True
        self._last_kind: str | None = None
        self._setup_left: float | None = None
        self._began = self._entered = 0.0
        self._stops = [
            Stop(home.floor, f"{home.name}.{number}.{law.name or f'stop{n}'}", law, self._fail)
            for n, law in enumerate(home.conduct.stops)
            if not law.is_whole
        ]
        self._busy_stops = [stop for stop in self._stops if stop.law.by == "busy"]
        self._cycle_stops = [stop for stop in self._stops if stop.law.by == "cycles"]
        for stop in self._stops:
            stop.run()

    # -- the way of an item ----------------------------------------------------------------------------------------

    def begin(self, item: Item, *, is_queued: bool) -> None:
        """Take an item to work on. `is_queued`: it comes from the queue, and is counted there until work begins."""
        self.item = item
        self._entered = item.entered
        self._is_queued = is_queued
        if self._home.is_plain:
            self._work()
            return
        if not is_queued:
            self._home.queue.change(self._env.now, item.size)
            self._is_queued = True
        self._setup_left = None
        self._phase = _ASKING
        self._step()

    def _step(self) -> None:
        """Go on as far as it goes: a place ahead, counted stops, an operator, the setup, the work."""
        if self._phase == _ASKING and not self._has_place_ahead():
            return
        if self._phase == _STOPPING:
            worn = next((stop for stop in self._cycle_stops if stop.left <= 0), None)
            if worn is not None:
                self._go_down(worn)
                return
            self._phase = _MANNING
        if self._phase == _MANNING and not self._has_operator():
            return
        if self._phase == _SETTING and not self._is_set_up():
            return
        self._work()

    def _has_place_ahead(self) -> bool:
        if self._home.conduct.blocking == "before" and self._claim is None:
            assert self.item is not None  # noqa: S101 - an item is asked for
            self._phase = _GIVING
            self._claim = self._home.next.reserve(self.item, self)
            self._phase = _ASKING
            if self._claim is None:
                self.times.turn(BLOCKED)
                return False
        self._phase = _STOPPING
        return True

    def _has_operator(self) -> bool:
        crew = self._home.conduct.crew
        if crew is not None and self._home.conduct.is_crew_for_work and not self._is_manned:
            assert self.item is not None  # noqa: S101
            if not crew.ask(self, self.item.priority):
                self.times.turn(UNMANNED)
                return False
            self._is_manned = True
        self._phase = _SETTING
        return True

    def granted(self) -> None:
        """Go on: an operator has come."""
        if self._down is not None:
            self._repair(self._down)
            return
        self._is_manned = True
        self._phase = _SETTING
        self._step()

    def _is_set_up(self) -> bool:
        if self._setup_left is None:
            self._setup_left = self._setup_time()
        if self._setup_left > 0:
            self.times.turn(SETUP)
            self._due = self._home.floor.after(self._setup_left, self._set_up)
            return False
        return True

    def _setup_time(self) -> float:
        home = self._home
        if home.draw_setup is None:
            return 0.0
        assert self.item is not None  # noqa: S101
        match home.conduct.setup_when:
            case "each":
                is_due = True
            case "change":
                is_due = self._last_kind is not None and self._last_kind != self.item.kind
            case _:
                is_due = self._was_idle
        return home.draw_setup() if is_due else 0.0

    def _set_up(self, _due: Due) -> None:
        self._due = None
        self._setup_left = 0.0
        self._work()

    def _work(self) -> None:
        now, item, home = self._env.now, self.item, self._home
        assert item is not None  # noqa: S101
        if self._is_queued:
            home.queue.change(now, -item.size)
            self._is_queued = False
        left = item.left_s
        if left is None:
            left = item.left_s = item.full_s = home.drawn(item)
        if item.started is None:
            item.started = now
            home.wait.add(now - item.entered)
            if item.kind:
                home.counted(item.kind).wait.add(now - item.entered)
        if self.times.state != BUSY:
            self.times.turn(BUSY)
        self._phase = _WORKING
        self._began = now
        self._was_idle = False
        self._last_kind = item.kind
        if self._busy_stops:
            stop = min(self._busy_stops, key=lambda one: one.left)
            if stop.left < left:
                self._breaking = stop
                self._due = Due(self._env, stop.left, self._break)
                return
        self._due = Due(self._env, left, self._done)

    def _done(self, _due: Due) -> None:
        assert self.item is not None  # noqa: S101
        self._due = None
        for stop in self._busy_stops:
            stop.left -= self._env.now - self._began
        for stop in self._cycle_stops:
            stop.left -= 1
        self.item.left_s = None
        self._home.finished(self.item)
        self._phase = _HELD
        self._let_operator_go()
        self._hand_over()

    def _hand_over(self) -> None:
        item, claim = self.item, self._claim
        assert item is not None  # noqa: S101
        self._phase = _GIVING  # whoever is invited meanwhile must not find the item here twice
        if claim is not None:
            self._claim = None
            claim.use(item)
        elif not self._home.next.take(item, self):
            self._phase = _HELD
            if self._down is None:
                self.times.turn(BLOCKED)
            return
        self.item = None
        self._phase = _IDLE
        if self._down is None:
            self._home.free(self, self._entered, item.kind)
        else:
            self._home.left_while_down(self._entered, item.kind)

    @property
    def block(self) -> object:
        """Give the server."""
        return self._home

    def go_on(self) -> None:
        """Try again what waited for room ahead."""
        if self._phase == _HELD:
            self._hand_over()
        elif self._phase == _ASKING and self._down is None:
            self._step()

    @property
    def is_blocked(self) -> bool:
        """Tell whether it waits for room ahead."""
        return self.times.state == BLOCKED

    def is_waiting_at(self, door: Container[object]) -> bool:
        """Tell whether it stands at a door."""
        return self in door

    # -- without an item -------------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Wait for an item."""
        self._phase = _IDLE
        self._was_idle = True
        if self.times.state != STARVED:
            self.times.turn(STARVED)
        self._home.stand_by(self)

    def go_away(self) -> None:
        """Take a vacation."""
        assert self._home.draw_vacation is not None  # noqa: S101
        self._phase = _GONE
        self.times.turn(AWAY)
        self._due = self._home.floor.after(self._home.draw_vacation(), self._come_back)

    def _come_back(self, _due: Due) -> None:
        self._due = None
        if self._home.has_waiting or self._home.conduct.vacations == "multiple":
            self._home.pick(self)
        else:
            self.rest()

    # -- breaking off ----------------------------------------------------------------------------------------------

    @property
    def is_preemptible(self) -> bool:
        """Tell whether it has an item that is not finished, and is not down."""
        return self._down is None and _ASKING <= self._phase <= _WORKING

    @property
    def is_working(self) -> bool:
        """Tell whether it is at work now."""
        return self._phase == _WORKING and self._down is None

    def left_s(self) -> float:
        """Give the seconds of work that are left now."""
        assert self.item is not None and self.item.left_s is not None  # noqa: S101, PT018
        return self.item.left_s - (self._env.now - self._began if self._phase == _WORKING else 0.0)

    def break_off(self, after: str) -> Item:
        """Give back the unfinished item, which nobody counts then; `after` says what becomes of its work."""
        item = self.item
        assert item is not None  # noqa: S101
        self._interrupt(after)
        if self._is_queued:
            self._home.queue.change(self._env.now, -item.size)
            self._is_queued = False
        claim, self._claim = self._claim, None
        self.item = None
        self._phase = _IDLE
        if claim is not None:
            claim.give_up()
        self._let_operator_go()
        return item

    def _interrupt(self, after: str) -> None:
        """Hold what is going on, at the phase where it is."""
        if self._phase == _WORKING:
            self._hold_work(after)
        elif self._phase == _SETTING and self._due is not None:
            self._due.cancel()
            self._setup_left = self._due.at - self._env.now
        elif self._phase == _MANNING and self._home.conduct.crew is not None:
            self._home.conduct.crew.withdraw(self)
        elif self._phase == _GONE and self._due is not None:
            self._due.cancel()
            self._phase = _IDLE
        self._due = None

    def _hold_work(self, after: str) -> None:
        item, worked = self.item, self._env.now - self._began
        assert item is not None and item.left_s is not None and self._due is not None  # noqa: S101, PT018
        self._due.cancel()
        for stop in self._busy_stops:
            stop.left -= worked
        if after == "resume":
            item.left_s -= worked
        elif after == "repeat":
            item.left_s = item.full_s
        else:
            item.left_s = item.full_s = self._home.drawn(item)

    def _let_operator_go(self) -> None:
        if self._is_manned:
            self._is_manned = False
            crew = self._home.conduct.crew
            assert crew is not None  # noqa: S101
            crew.release()

    # -- down and up -----------------------------------------------------------------------------------------------

    def _break(self, _due: Due) -> None:
        assert self._breaking is not None  # noqa: S101
        self._go_down(self._breaking)

    def _fail(self, stop: Stop) -> None:
        self._go_down(stop)

    def _go_down(self, stop: Stop) -> None:
        self._stand_still(stop)
        crew = self._home.conduct.crew
        if not stop.law.needs_crew or crew is None or crew.ask(self):
            self._repair(stop)

    def fall(self, stop: Stop) -> None:
        """Go down with the whole machine. What is down by itself is repaired meanwhile, and then waits for the rest."""
        if self._down is None:
            self._stand_still(stop)

    def rise(self, stop: Stop) -> None:
        """Go on with the whole machine, unless it is down by itself."""
        if self._down is stop:
            self._rise()

    def _stand_still(self, stop: Stop) -> None:
        was = self._phase
        if was == _IDLE:
            self._home.stand_down(self)
        self._interrupt("resume" if stop.law.after == "scrap" else stop.law.after)
        self._let_operator_go()
        for one in self._stops:
            one.pause()
        self._down = stop
        self.times.turn(SETUP if stop.law.is_setup else DOWN)
        if was in (_SETTING, _WORKING):
            self._phase = _MANNING  # from there it goes on
        if was == _WORKING and stop.law.after == "scrap":
            self._home.spoil(self._take_off())
        elif _ASKING <= was <= _WORKING and stop.law.is_passed_on:
            self._home.put_back(self._take_off())

    def _take_off(self) -> Item:
        self._phase = _STOPPING  # what went on is held already: nothing more is to be broken off
        return self.break_off("resume")

    def _repair(self, stop: Stop) -> None:
        self._due = self._home.floor.after(stop.draw_last(), self._repaired)

    def _repaired(self, _due: Due) -> None:
        stop, whole = self._down, self._home.whole_down
        assert stop is not None  # noqa: S101
        self._due = None
        stop.renew()
        if whole is None:
            self._rise()
        else:
            self._down = whole
            self.times.turn(SETUP if whole.law.is_setup else DOWN)
        if stop.law.needs_crew and self._home.conduct.crew is not None:
            self._home.conduct.crew.release()

    def _rise(self) -> None:
        self._down = None
        for one in self._stops:
            one.run()
        if self._phase == _IDLE:
            self._home.pick(self)
        elif self._phase == _HELD:
            self.times.turn(BLOCKED)
        elif self._home.better_than(self):
            self._home.swap(self)
        else:
            self._step()
