"""Remembers which carton was scanned last at a place of people, and by whom: two may work there at once."""

from __future__ import annotations

from datetime import datetime

from packline.core.faults import Fault
from packline.core.scans import Scan
from stations.screen import SEEN


class InHand:
    """The carton that the next word or slot is about. In doubt nothing is booked: a plate is scanned again in a second."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._by: dict[str, str] = {}
        self._newest: tuple[str, str, datetime] | None = None

    def take(self, lpn: str, scan: Scan) -> None:
        """Note that somebody has just scanned the plate `lpn`."""
        self._by[_who(scan)] = lpn
        self._newest = (lpn, _who(scan), scan.at)

    def meant_by(self, scan: Scan) -> str:
        """Give the carton that a word means, "" when there is none; raises Fault 4304 when it may mean another than the newest.

        A plate may be scanned by the hand scanner and the word said on the dashboard, or the other way round.
        """
        if self._newest is None:
            return ""
        lpn, who, at = self._newest
        is_anothers = who != _who(scan)
        if is_anothers and (self._by.get(_who(scan), lpn) != lpn or scan.at - at < SEEN):
            raise Fault(
                4304, where=self._station, seen=f"{lpn} was scanned since", expected="the carton's own plate again"
            )
        return lpn

    def put_down(self) -> None:
        """The newest is done with."""
        if self._newest is not None:
            self._by = {who: lpn for who, lpn in self._by.items() if lpn != self._newest[0]}
        self._newest = None


def _who(scan: Scan) -> str:
    return scan.actor or scan.device
