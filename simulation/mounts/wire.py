"""What every mount has in common: it opens at an address, closes with its connections, and its wire can be bad."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from simulation.quirks import Quirks

T = TypeVar("T")

SILENCE_S = 6.0
"""Longer than any client of ours waits for an answer."""
COPY_S = 0.3
"""Before a copy of a request arrives."""


class Unanswered(ConnectionError):
    """The request, or its answer, is lost: whoever asked waits until he gives up."""


class Busy(Exception):  # noqa: N818 - an answer
    """The device answers that it is busy."""


@dataclass(slots=True, kw_only=True)
class Wire:
    """How bad one device's link is, in wall time: `ask_s` before a request takes effect, `answer_s` before its answer leaves.

    `latency_s` is what every answer takes, also over a good link. Quirks: `half_open`, and the strikes `lost_request`,
    `lost_answer`, `exception`, `duplicated`, `torn`, `word_order`.
    """

    ask_s: float = 0.0
    answer_s: float = 0.0
    latency_s: float = 0.0
    quirks: Quirks = field(default_factory=Quirks)
    _before: Sequence[int] = ()

    @property
    def is_good(self) -> bool:
        """Tell whether it carries as it should."""
        return self.ask_s == 0 and self.answer_s == 0 and not self.quirks

    async def carry_request(self) -> None:
        """Wait as long as a request is under way; raises Unanswered, Busy."""
        if self.quirks:
            if "half_open" in self.quirks or self.quirks.hits("lost_request"):
                await _silence()
            if self.quirks.hits("exception"):
                raise Busy
        if self.ask_s > 0:
            await asyncio.sleep(self.ask_s)

    async def carry_answer(self) -> None:
        """Wait as long as an answer is under way; raises Unanswered."""
        if self.quirks and ("half_open" in self.quirks or self.quirks.hits("lost_answer")):
            await _silence()
        if self.answer_s > 0 or self.latency_s > 0:
            await asyncio.sleep(self.answer_s + self.latency_s)

    def late(self, tell: Callable[[bytes], Any]) -> Callable[[bytes], None]:
        """Give a way for the answers of a stream, over which they come late as long as the wire is like that."""

        def later(data: bytes) -> None:
            if self.answer_s > 0:
                asyncio.get_running_loop().call_later(self.answer_s, tell, data)
            else:
                tell(data)

        return later

    def put(self, act: Callable[[], T]) -> T:
        """Let a writing request take effect, and once more a little later if it is duplicated."""
        if self.quirks and self.quirks.hits("duplicated"):
            asyncio.get_running_loop().call_later(COPY_S, _once_more, act)
        return act()

    def shown(self, words: Sequence[int]) -> Sequence[int]:
        """Give the words that arrive of those that were read."""
        if not self.quirks:
            return words
        before, self._before = self._before, words
        if "torn" in self.quirks and len(before) == len(words) and self.quirks.hits("torn"):
            half = len(words) // 2
            return (*words[:half], *before[half:])
        if self.quirks.hits("word_order"):
            return tuple(words[n ^ 1] if n ^ 1 < len(words) else words[n] for n in range(len(words)))
        return words


async def _silence() -> None:
    await asyncio.sleep(SILENCE_S)
    raise Unanswered("no answer came")


def _once_more(act: Callable[[], Any]) -> None:
    with suppress(Exception):  # the link may be down by then, and nobody waits for this answer
        act()


class Cord:
    """What all links of one controller run over; cut, as when its process dies, none of them carries anything any more."""

    def __init__(self) -> None:
        self.is_cut = False
        self._ends: list[Callable[[], None]] = []

    def at_the_end(self, leave: Callable[[], None]) -> None:
        """Have `leave` called when it is cut."""
        self._ends.append(leave)

    def cut(self) -> None:
        """Cut it."""
        self.is_cut = True
        ends, self._ends = self._ends, []
        for leave in ends:
            leave()


class Mount(Protocol):
    """A served device."""

    async def open(self) -> str:
        """Listen, if it does not yet; returns the address in full (port 0 is replaced by the one that was given)."""
        ...

    async def close(self) -> None:
        """Stop listening and drop every connection; may be opened again at the same address."""
        ...


def split_address(address: str, default_port: int = 0) -> tuple[str, int]:
    """Split "host:port", with or without a scheme in front and a path behind."""
    bare = address.split("://", 1)[-1].split("/", 1)[0]
    host, _, port = bare.partition(":")
    return host or "127.0.0.1", int(port) if port else default_port


class StreamServer:
    """Listens on a TCP port and drops its connections when it closes."""

    def __init__(self, address: str, serve: ServeStream) -> None:
        self._host, self._port = split_address(address)
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> str:
        """Listen; nothing if it does."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, self._host, self._port)
            self._port = self._server.sockets[0].getsockname()[1]
        return f"{self._host}:{self._port}"

    async def close(self) -> None:
        """Stop listening; peers see their connection reset."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = list(self._open)
        for task, writer in list(self._open.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection handler is a task
        self._open[task] = writer
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the peer went or fell silent, or the plug was pulled: none is news
        finally:
            self._open.pop(task, None)
            writer.close()


class ServeStream(Protocol):
    """Talks with one peer until it goes."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...
