"""A house in this process whose post comes and goes over a bad way."""

from __future__ import annotations

from typing import Protocol

from simulation.faults.hosts import RoughPost
from simulation.mounts.http import Handler, Request, Response
from simulation.people.house import House, LiveDesk
from simulation.people.web import MemoryWeb, Web


class RoughHouse:
    """A house whose post goes over a RoughPost, in both directions."""

    def __init__(self, house: AnyHouse, post: RoughPost) -> None:
        self._house, self._post = house, post

    def desk(self, user: str, poll_s: float) -> LiveDesk:
        return self._house.desk(user, poll_s)

    def client(self) -> Web:
        return MemoryWeb(self._post.to_house(self._house.answer))

    async def open(self, handler: Handler) -> None:
        await self._house.open(self._post.to_people(handler))

    async def close(self) -> None:
        await self._house.close()


class AnyHouse(House, Protocol):
    """A house in this process."""

    async def answer(self, request: Request) -> Response:
        """Answer what comes over HTTP."""
        ...
