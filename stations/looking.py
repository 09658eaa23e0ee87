"""Looks at a parcel through the verify camera and keeps what it saw as evidence."""

from __future__ import annotations

from dataclasses import dataclass

from packline.core.faults import Fault
from packline.core.pictures import Camera, Still
from scanning.verify import ExpectedLabel, Seen, Verdict, judge, look, require_fresh
from stations.kit import Kit, Trouble
from stations.screen import Screen

LIGHT_OUT = 2201


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One still and all of ours that is in it."""

    still: Still
    seen: Seen
    verdict: Verdict | None = None


class Eye:
    """One camera with its memory of the last frame: nothing is judged twice from the same picture."""

    def __init__(self, *, camera: Camera, kit: Kit, screen: Screen) -> None:
        self._camera = camera
        self._kit = kit
        self._screen = screen
        self._last_frame: int | None = None

    async def shoot(self) -> Look:
        """Take a fresh still for people's eyes; nothing in it is read. Raises Fault 1005, 2201 when it is all dark."""
        still = await self._fresh()
        await self._require_light(still)
        return Look(still=still, seen=Seen())

    async def see(self, expected: ExpectedLabel | None = None) -> Look:
        """Take a fresh still and read it; raises Fault 1005 when none newer than this question comes, 2201 in the dark."""
        still = await self._fresh()
        sight = self._kit.sight
        codes = await self._kit.offload(sight.read_with_label if expected else sight.read, still.jpeg)
        if not codes:  # turning the parcel helps only where there is light
            await self._require_light(still)
        return Look(still=still, seen=look(codes), verdict=judge(codes, expected) if expected else None)

    async def _fresh(self) -> Still:
        asked_at = self._kit.clock.now()
        still = await self._camera.still()
        # the counter is noted before it is judged: a camera that was restarted is refused once, not for ever
        last, self._last_frame = self._last_frame, still.frame
        require_fresh(still, asked_at=asked_at, last_frame=last)
        return still

    async def _require_light(self, still: Still) -> None:
        if await self._kit.offload(self._kit.sight.is_dark, still.jpeg):
            raise Fault(LIGHT_OUT, where=still.camera, seen="a picture without light", expected="a lit one")

    async def keep(self, seen: Look, *, kind: str, subject: str, order_id: str, note: str = "") -> str:
        """Store the still as evidence and show it; gives the picture id."""
        books = self._kit.books
        picture = await books.keep_picture(seen.still, kind=kind, subject=subject, order_id=order_id, note=note)
        self._screen.pictures.appendleft(picture)
        return picture


def plate_in(seen: Seen, *, where: str, subject: str, wanted: str = "") -> str:
    """Give the one carton plate in a picture, `wanted` if it must be that one; raises Trouble 3001 about `subject`."""
    if len(seen.lpns) == 1 and wanted in ("", seen.lpns[0]):
        return seen.lpns[0]
    fault = Fault(
        3001,
        where=where,
        seen=" ".join(seen.lpns) or "nothing readable",
        expected=f"the plate {wanted} alone" if wanted else "one carton plate",
    )
    raise Trouble(fault, subject=subject)
