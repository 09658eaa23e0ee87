"""The lives of one controller in virtual time: it dies, at a commit of its books or at any moment, and is started again from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from packline.store import trouble
from simulation.quirks import Quirks
from simulation.virtual.faults import PlannedFault
from simulation.virtual.moments import Moments

RESTART_S = 1.0
"""From the death of a controller to the start of the next, as the supervisor needs."""
DISK: Mapping[str, Callable[[], Exception]] = {"full": trouble.full, "locked": trouble.locked}

Commit = Callable[[], None]
Wrap = Callable[[Commit], Commit]


class Killed(BaseException):
    """The controller is dead. No Exception: nothing in it may catch this."""


class Reaper:
    """Counts the commits of all lives and ends one when it is told to; what is dead commits nothing more.

    `disk` has the faults of the database, which all books on it share.
    """

    def __init__(self, kills: Iterable[PlannedFault], cut_off: Callable[[], None], moments: Moments) -> None:
        """`cut_off` cuts the dead controller's links."""
        at_commits = ((kill.when.commit, kill) for kill in kills if kill.when is not None and kill.when.commit)
        self._kills = sorted(at_commits, key=lambda due: due[0])
        self._cut_off, self._moments = cut_off, moments
        self._end: Callable[[], object] | None = None
        self.disk = Quirks()
        self.commits = 0
        self.deaths = 0
        self.at_commits: list[str] = []
        """Kills that happened at a commit."""

    def begins(self, end: Callable[[], object]) -> None:
        """Take what ends the life that begins now, wherever it is."""
        self._end = end

    def kill(self) -> None:
        """Let the controller die at once; nothing while none lives."""
        end, self._end = self._end, None
        if end is not None:
            self._dies()
            end()

    def waiting(self) -> list[PlannedFault]:
        """Give the kills at commits that did not come."""
        return [kill for _, kill in self._kills]

    def new_life(self) -> Wrap:
        """Give what wraps the commits of the next life."""
        life = self.deaths

        def wrap(commit: Commit) -> Commit:
            def counted() -> None:
                if life != self.deaths:
                    raise Killed
                self.commits += 1
                self._moments.commit(self.commits)
                kill = self._due()
                if kill is None:
                    self._written(commit)
                    return
                if kill.fault == "kill_after_commit":
                    self._written(commit)
                self._end = None
                self.at_commits.append(kill.fault)
                self._dies()
                raise Killed

            return counted

        return wrap

    def on_same_disk(self, commit: Commit) -> Commit:
        """Wrap the commits of another process on the same disk."""
        return lambda: self._written(commit)

    def _written(self, commit: Commit) -> None:
        for name in DISK if self.disk else ():
            if self.disk.hits(name):
                raise DISK[name]()
        commit()

    def _dies(self) -> None:
        self.deaths += 1
        self._cut_off()

    def _due(self) -> PlannedFault | None:
        if self._kills and self._kills[0][0] <= self.commits:
            return self._kills.pop(0)[1]
        return None
