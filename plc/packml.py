"""PackML states of ISA-TR88.00.02: the table, its editions as profiles, and a machine that obeys it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType


class State(IntEnum):
    """The 17 states; numbers are fixed by the standard."""

    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class Cmd(IntEnum):
    """CntrlCmd; 0 means no command."""

    RESET = 1
    START = 2
    STOP = 3
    HOLD = 4
    UNHOLD = 5
    SUSPEND = 6
    UNSUSPEND = 7
    ABORT = 8
    CLEAR = 9
    COMPLETE = 10


class Mode(IntEnum):
    """Unit modes; 4..31 are the user's."""

    INVALID = 0
    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3


LAST_MODE = 31


class Edition(StrEnum):
    """Which text of the standard a machine follows; 2015 is also that of OPC 30050."""

    Y2015 = "2015"
    Y2022 = "2022"


S, C = State, Cmd

WAIT_STATES = frozenset({S.STOPPED, S.IDLE, S.SUSPENDED, S.ABORTED, S.HELD, S.COMPLETE})
MODE_CHANGE_STATES = frozenset({S.STOPPED, S.IDLE, S.ABORTED})
REQUIRED_STATES = frozenset({S.STOPPED, S.IDLE, S.EXECUTE, S.ABORTED})

_NO_STOP = frozenset({S.ABORTING, S.ABORTED, S.CLEARING, S.STOPPING, S.STOPPED})
_HOLD: Mapping[Edition, frozenset[State]] = MappingProxyType(
    {
        Edition.Y2015: frozenset(
            {S.EXECUTE, S.STARTING, S.UNHOLDING, S.SUSPENDING, S.SUSPENDED, S.UNSUSPENDING},
        ),
        Edition.Y2022: frozenset({S.EXECUTE, S.SUSPENDED}),
    }
)
_COMPLETE: Mapping[Edition, frozenset[State]] = MappingProxyType(
    {Edition.Y2015: frozenset({S.EXECUTE}), Edition.Y2022: frozenset({S.EXECUTE, S.SUSPENDED, S.HELD})}
)

STATE_COMPLETE: Mapping[State, State] = MappingProxyType(
    {
        S.CLEARING: S.STOPPED,
        S.STARTING: S.EXECUTE,
        S.EXECUTE: S.COMPLETING,
        S.STOPPING: S.STOPPED,
        S.ABORTING: S.ABORTED,
        S.HOLDING: S.HELD,
        S.UNHOLDING: S.EXECUTE,
        S.SUSPENDING: S.SUSPENDED,
        S.UNSUSPENDING: S.EXECUTE,
        S.RESETTING: S.IDLE,
        S.COMPLETING: S.COMPLETE,
    }
)

# the way from each state to Execute; acting states lead on by themselves
TOWARDS_EXECUTE: Mapping[int, Cmd] = MappingProxyType(
    {
        S.ABORTED: C.CLEAR,
        S.STOPPED: C.RESET,
        S.COMPLETE: C.RESET,
        S.IDLE: C.START,
        S.HELD: C.UNHOLD,
        S.SUSPENDED: C.UNSUSPEND,
    }
)


# the ways to Execute; whoever leaves one, or goes back on it, was stopped
_WAYS: tuple[tuple[State, ...], ...] = (
    (
        *(S.ABORTING, S.ABORTED, S.CLEARING, S.STOPPING, S.STOPPED, S.COMPLETING, S.COMPLETE),
        *(S.RESETTING, S.IDLE, S.STARTING, S.EXECUTE),
    ),
    (S.HOLDING, S.HELD, S.UNHOLDING, S.EXECUTE),
    (S.SUSPENDING, S.SUSPENDED, S.UNSUSPENDING, S.EXECUTE),
)


def leads_on(before: str, after: str) -> bool:
    """Tell whether a machine that was in the state named `before` has come nearer to Execute in `after`."""
    ways = ([name_of(state) for state in way] for way in _WAYS)
    return any(before in way and after in way and way.index(before) < way.index(after) for way in ways)


def transitions(edition: Edition) -> dict[tuple[State, Cmd], State]:
    """Give every command transition of `edition`: 41 (2015), 39 (2022 defaults)."""
    table: dict[tuple[State, Cmd], State] = {}
    table |= {(s, C.ABORT): S.ABORTING for s in S if s not in (S.ABORTING, S.ABORTED)}
    table |= {(s, C.STOP): S.STOPPING for s in S if s not in _NO_STOP}
    table |= {(s, C.HOLD): S.HOLDING for s in _HOLD[edition]}
    table |= {(s, C.COMPLETE): S.COMPLETING for s in _COMPLETE[edition]}
    return table | {
        (S.ABORTED, C.CLEAR): S.CLEARING,
        (S.STOPPED, C.RESET): S.RESETTING,
        (S.COMPLETE, C.RESET): S.RESETTING,
        (S.IDLE, C.START): S.STARTING,
        (S.EXECUTE, C.SUSPEND): S.SUSPENDING,
        (S.SUSPENDED, C.UNSUSPEND): S.UNSUSPENDING,
        (S.HELD, C.UNHOLD): S.UNHOLDING,
    }


_TABLES: Mapping[Edition, Mapping[tuple[State, Cmd], State]] = MappingProxyType(
    {edition: MappingProxyType(transitions(edition)) for edition in Edition}
)


def name_of(state: int) -> str:
    """Give the standard's name of state number `state` ("Execute"), or "state 99" for a number it does not know."""
    try:
        return State(state).name.capitalize()
    except ValueError:
        return f"state {state}"


@dataclass(slots=True, kw_only=True)
class PackMl:
    """A machine's state; a command in the wrong state is rejected, never queued, and changes nothing.

    `disabled` acting states collapse to their targets; Execute cannot be disabled.
    """

    edition: Edition = Edition.Y2022
    disabled: frozenset[State] = frozenset()
    current: State = State.STOPPED
    current_mode: int = Mode.PRODUCTION
    _table: Mapping[tuple[State, Cmd], State] = field(init=False)

    def __post_init__(self) -> None:
        wrong = self.disabled - (STATE_COMPLETE.keys() - {S.EXECUTE})
        if wrong:
            raise ValueError(f"cannot disable {', '.join(sorted(name_of(s) for s in wrong))}")
        self._table = _TABLES[self.edition]

    @property
    def state(self) -> int:
        """Give the state's number."""
        return self.current

    @property
    def mode(self) -> int:
        """Give the mode's number."""
        return self.current_mode

    def command(self, number: int) -> bool:
        """Take CntrlCmd `number`; False, and nothing changed, if the table does not know it in this state."""
        if number not in Cmd.__members__.values():
            return False
        target = self._table.get((self.current, Cmd(number)))
        if target is None:
            return False
        self.current = self._collapse(target)
        return True

    def scan(self, commands: frozenset[Cmd], *, is_complete: bool = False) -> bool:
        """Take what arrived in one scan: Abort before Stop before others before state-complete; True if one was taken."""
        order = sorted(commands, key=lambda c: (c is not C.ABORT, c is not C.STOP, c))
        return any(self.command(c) for c in order) or (is_complete and self.complete())

    def complete(self) -> bool:
        """Take state-complete; False, and nothing changed, in a wait state."""
        target = STATE_COMPLETE.get(self.current)
        if target is None:
            return False
        self.current = self._collapse(target)
        return True

    def set_mode(self, mode: int) -> bool:
        """Change to `mode` (1..31); False, and nothing changed, outside Stopped, Idle and Aborted."""
        if not Mode.INVALID < mode <= LAST_MODE or self.current not in MODE_CHANGE_STATES:
            return False
        self.current_mode = mode
        return True

    def hold(self) -> bool:
        """Take Hold."""
        return self.command(C.HOLD)

    def stop(self) -> bool:
        """Take Stop."""
        return self.command(C.STOP)

    def abort(self) -> bool:
        """Take Abort."""
        return self.command(C.ABORT)

    def is_execute(self) -> bool:
        """Tell whether production runs."""
        return self.current is S.EXECUTE

    def is_stopping(self) -> bool:
        """Tell whether motion must end at once."""
        return self.current in (S.STOPPING, S.ABORTING)

    def is_transient(self) -> bool:
        """Tell whether this is an acting state other than Execute."""
        return self.current is not S.EXECUTE and self.current in STATE_COMPLETE

    def power_up(self, *, aborted: bool) -> None:
        """Begin after a power cut: Aborted if work was interrupted, else Stopped; mode Production."""
        self.current = S.ABORTED if aborted else S.STOPPED
        self.current_mode = Mode.PRODUCTION

    def _collapse(self, target: State) -> State:
        while target in self.disabled:
            target = STATE_COMPLETE[target]
        return target
