"""Parcels that nobody sees again: sent to a place that stands ready for them, taken off by hand, or known where nothing is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from packline.core.faults import Fault
from packline.orders.model import PARCEL_GONE, Parcel, ParcelState
from packline.orders.policy import actions_for
from stations.kit import Kit

MISSING = 3007
_IN_HOUSE = frozenset(ParcelState) - PARCEL_GONE
_ON_THE_WAY = "to:"
_ON_A_LANE = "lane-"
Track = tuple[str, int, str]


class Missing:
    """Asks for a parcel that has been on its way for `missing_s` seconds while its place waits and has nothing to do.

    The same goes for one that was there and that the place does not see any more. A place in trouble, or busy with another parcel, has a queue before it; there nothing is missing yet. After a start of the
    controller the time begins anew.
    """

    def __init__(
        self,
        kit: Kit,
        missing_s: float,
        *,
        waits: Callable[[str], bool],
        sees_nothing: Callable[[str], bool] = lambda _station: False,
        is_place: Callable[[str], bool] = lambda _place: True,
    ) -> None:
        """`waits` tells whether the station of that name is in order and has nothing to do; `sees_nothing` whether it is so
        because its own sensor sees that nothing stands there; `is_place` whether this line has a station or a slot of that name.
        """
        self._kit = kit
        self._missing_s = missing_s
        self._waits = waits
        self._sees_nothing = sees_nothing
        self._is_place = is_place
        self._since: dict[str, tuple[Track, float]] = {}
        self._asked: set[str] | None = None
        """Whose questions were open at the last look; before the first one, an earlier run may have left some."""

    async def once(self) -> None:
        """Ask for what has been missing for long enough, and take a question back when its parcel was seen."""
        parcels = {p.lpn: p for p in await self._kit.books.parcels(states=_IN_HOUSE)}
        moving = {lpn: p for lpn, p in parcels.items() if self._is_out_of_sight(p) and not p.held}
        if not moving and self._asked == set():
            self._since.clear()
            return
        rows = {r.subject: r for r in await self._kit.books.open_exceptions() if r.code == MISSING}
        now = self._kit.clock.monotonic()
        for lpn in (self._asked or set()) - rows.keys():  # a person answered: search anew from now
            self._since.pop(lpn, None)
        for lpn in [lpn for lpn in rows if self._was_seen(lpn, moving)]:
            await self._kit.books.close_exception(rows.pop(lpn).exception_id, action="retry", actor="policy")
        self._asked = set(rows)
        self._since = {lpn: self._seen(p, now) for lpn, p in moving.items()}
        busy = {p.place for p in parcels.values() if p.lpn not in moving}
        for lpn, parcel in moving.items():
            station = self._looked_for_at(parcel)
            is_late = now - self._since[lpn][1] >= self._missing_s
            if is_late and lpn not in rows and station not in busy and self._is_ready(station):
                await self._ask(parcel, station)
                self._asked.add(lpn)

    def _is_out_of_sight(self, parcel: Parcel) -> bool:
        """A parcel that was taken off by hand has no place; one whose station was taken out of the site file has none any more."""
        place = parcel.place
        return place.startswith(_ON_THE_WAY) or not self._is_known(place) or self._sees_nothing(place)

    def _is_known(self, place: str) -> bool:
        return bool(place) and self._is_place(place)

    def _looked_for_at(self, parcel: Parcel) -> str:
        """Give the station that would see it next; what lies on a lane is fetched by a person."""
        to = parcel.place.removeprefix(_ON_THE_WAY)
        return self._kit.places.get(to.removeprefix(_ON_A_LANE), to) if to.startswith(_ON_A_LANE) else to

    def _is_ready(self, station: str) -> bool:
        return not self._is_known(station) or self._waits(station)

    def _seen(self, parcel: Parcel, now: float) -> tuple[Track, float]:
        known = self._since.get(parcel.lpn)
        return known if known is not None and known[0] == _track(parcel) else (_track(parcel), now)

    def _was_seen(self, lpn: str, moving: Mapping[str, Parcel]) -> bool:
        """Tell whether a parcel is not on its way any more, or is on another."""
        known = self._since.get(lpn)
        return lpn not in moving or (known is not None and known[0] != _track(moving[lpn]))

    async def _ask(self, parcel: Parcel, station: str) -> None:
        if self._is_known(station):
            seen, expected = f"not at {station} for {self._missing_s:.0f} s", f"at {station}"
        else:
            seen, expected = f"scanned nowhere for {self._missing_s:.0f} s", "a scan of its plate"
        fault = Fault(MISSING, where=parcel.lpn, seen=seen, expected=expected)
        actions = [action.value for action in actions_for(MISSING)]
        await self._kit.books.open_exception(fault, station="desk", subject=parcel.lpn, actions=actions)


def _track(parcel: Parcel) -> Track:
    return parcel.place, parcel.visits, parcel.state.value
