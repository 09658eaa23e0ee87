"""How hosts, couriers and buyers ask the house: over HTTP, or within one process without making messages of it."""

from __future__ import annotations

import json as text
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx

from simulation.mounts.http import Handler, Request

ANSWER_S = 5.0


class Answered(Protocol):
    """What the house said."""

    @property
    def status_code(self) -> int: ...

    def json(self) -> Any:
        """Read the body as JSON; raises ValueError."""
        ...


class Web(Protocol):
    """As much of httpx's client as they need; addresses may be relative to the house. Raises httpx.HTTPError."""

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answered: ...

    async def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = ANSWER_S,  # noqa: ASYNC109 - httpx's word
    ) -> Answered: ...


@dataclass(frozen=True, slots=True)
class MemoryAnswer:
    """An answer that never left the process."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        """Read the body as JSON; raises ValueError."""
        return text.loads(self.content)


class MemoryWeb:
    """A Web that hands requests to a function in this process; what that raises as OSError is a connection that failed."""

    def __init__(self, answer: Handler) -> None:
        self._answer = answer

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> MemoryAnswer:
        return await self._ask("GET", url, headers or {}, b"")

    async def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = ANSWER_S,  # noqa: ASYNC109
    ) -> MemoryAnswer:
        del timeout  # the house answers at once or never
        body = text.dumps(json, ensure_ascii=False).encode() if content is None else content
        return await self._ask("POST", url, headers or {"content-type": "application/json"}, body)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> MemoryAnswer:
        where = urlsplit(url)
        query = dict(parse_qsl(where.query, keep_blank_values=True))
        lowered = {name.lower(): value for name, value in headers.items()}
        try:
            said = await self._answer(Request(method=method, path=where.path, query=query, headers=lowered, body=body))
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return MemoryAnswer(said.status, said.body)
