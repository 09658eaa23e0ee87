"""A small HTTP/1.1 server for cameras, the truth channel and the virtual hosts; h11 speaks, asyncio carries."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from simulation.mounts.wire import StreamServer

MOST_BODY_BYTES = 4 * 2**20
IDLE_S = 60.0
_READ_BYTES = 65_536
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; header names are lower case, `path` is unquoted, `query` keeps the last of repeated keys."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """Read the body as JSON; raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer; Content-Length is added."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Response:
        """Answer with JSON."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status=status, body=body, headers={"Content-Type": "application/json; charset=utf-8"})

    @classmethod
    def of_text(cls, text: str, status: int = 200) -> Response:
        """Answer with plain text."""
        return cls(status=status, body=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})


Handler = Callable[[Request], Awaitable[Response]]


class HttpServer:
    """Serves one handler; what it raises becomes a 500 and a log line."""

    def __init__(self, address: str, handler: Handler) -> None:
        self.address = ""
        self._handler = handler
        self._streams = StreamServer(address, self._talk)

    async def open(self) -> str:
        """Listen; returns (and keeps as `address`) "http://host:port"."""
        self.address = f"http://{await self._streams.open()}"
        return self.address

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._streams.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = h11.Connection(h11.SERVER)
        while True:
            request = await _read_request(peer, reader)
            if request is None:
                return
            response = await self._answer(request)
            writer.write(_encode(peer, request, response))
            await writer.drain()
            if peer.our_state is not h11.DONE or peer.their_state is not h11.DONE:
                return
            peer.start_next_cycle()

    async def _answer(self, request: Request | Response) -> Response:
        if isinstance(request, Response):
            return request
        try:
            return await self._handler(request)
        except Exception:  # noqa: BLE001 - the server goes on; its log tells why the one request failed
            _log.exception("%s %s failed", request.method, request.path)
            return Response.of_text("internal error", 500)


async def serve(host: str, port: int, handler: Handler) -> HttpServer:
    """Open a server on `host`:`port` (0: any); `address` tells where it listens."""
    server = HttpServer(f"{host}:{port}", handler)
    await server.open()
    return server


async def _read_request(peer: h11.Connection, reader: asyncio.StreamReader) -> Request | Response | None:
    """Read one request; a Response is an error to answer with, None means that the peer is done."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        try:
            event = peer.next_event()
        except h11.RemoteProtocolError as error:
            return Response.of_text("bad request", error.error_status_hint)
        if event is h11.NEED_DATA:
            async with asyncio.timeout(IDLE_S):
                peer.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MOST_BODY_BYTES:
                return Response.of_text("too large", 413)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _request(head, bytes(body))
        else:
            return None


def _request(head: h11.Request, body: bytes) -> Request:
    url = urlsplit(head.target.decode("latin-1"))
    return Request(
        method=head.method.decode(),
        path=unquote(url.path),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers={name.decode().lower(): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )


def _encode(peer: h11.Connection, request: Request | Response, response: Response) -> bytes:
    if peer.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return b""
    headers = [*response.headers.items(), ("Content-Length", str(len(response.body)))]
    head = h11.Response(status_code=response.status, reason=_reason(response.status), headers=headers)
    is_head = isinstance(request, Request) and request.method == "HEAD"
    parts = [peer.send(head), b"" if is_head else peer.send(h11.Data(data=response.body))]
    return b"".join(part or b"" for part in [*parts, peer.send(h11.EndOfMessage())])


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
