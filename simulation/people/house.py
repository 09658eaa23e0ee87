"""How the people of a play reach the house, and it them: over HTTP, or within one process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx

from packline.core.clock import Clock
from packline.feeds.http import Carry, Reply
from simulation.mounts.http import Handler, HttpServer, Request, Response
from simulation.people.desk import Desk, HttpDesk
from simulation.people.web import Web

MOST_CONNECTIONS = 40


class LiveDesk(Desk, Protocol):
    """A desk that keeps looking while it runs; `is_known` is set once it has seen the house."""

    is_known: asyncio.Event

    async def run(self) -> None:
        """Look for ever."""
        ...


class House(Protocol):
    """The way to dashboard, intake and buyers' pages, and the address at which hosts and subscribers are served."""

    def desk(self, user: str, poll_s: float) -> LiveDesk:
        """Make the desk of one person."""
        ...

    def client(self) -> Web:
        """Make a client with the house's base address."""
        ...

    async def open(self, handler: Handler) -> None:
        """Serve the hosts and subscribers."""
        ...

    async def close(self) -> None:
        """End it, and every client."""
        ...


class HttpHouse:
    """A house on sockets."""

    def __init__(self, *, web_url: str, password: str, host: str, clock: Clock) -> None:
        """`host` is the "host:port" at which hosts and subscribers are served."""
        self._web_url, self._password, self._host, self._clock = web_url, password, host, clock
        self._clients: list[httpx.AsyncClient] = []
        self._server: HttpServer | None = None

    def desk(self, user: str, poll_s: float) -> HttpDesk:
        return HttpDesk(user=user, password=self._password, http=self.client(), clock=self._clock, poll_s=poll_s)

    def client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS)
        client = httpx.AsyncClient(base_url=self._web_url, trust_env=False, limits=limits)
        self._clients.append(client)
        return client

    async def open(self, handler: Handler) -> None:
        self._server = HttpServer(self._host, handler)
        await self._server.open()

    async def close(self) -> None:
        if self._server is not None:
            await self._server.close()
        for client in self._clients:
            await client.aclose()


class MemoryTransport(httpx.AsyncBaseTransport):
    """Hands requests to a function in this process; what it raises as OSError is a connection that failed."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Give the answer."""
        url = urlsplit(str(request.url))
        asked = Request(
            method=request.method,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers=dict(request.headers),
            body=request.content,
        )
        try:
            answer = await self._answer(asked)
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)


def memory_client(answer: Callable[[Request], Awaitable[Response]], base_url: str = "") -> httpx.AsyncClient:
    """Make a client whose requests never leave the process."""
    return httpx.AsyncClient(transport=MemoryTransport(answer), base_url=base_url, trust_env=False)


def memory_carry(answer: Callable[[Request], Awaitable[Response]]) -> Carry:
    """Give the way of messages that never leave the process; what `answer` raises as OSError is a connection that failed."""

    async def carry(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        where = urlsplit(url)
        query = dict(parse_qsl(where.query, keep_blank_values=True))
        try:
            said = await answer(Request(method="POST", path=where.path, query=query, headers=headers, body=body))
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return Reply(status=said.status, body=said.body, retry_after=said.headers.get("retry-after", ""))

    return carry
