"""Asks a printer over one connection and sorts its answers."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from labeling.drivers import escpos
from labeling.drivers.replies import Condition, Counter, RealTime, Reply, ReplyParser, StatusBlock
from labeling.transport import RawPort
from packline.core.clock import Clock

R = TypeVar("R", bound=Reply)

SEND_S = 10.0
MOST_UNREAD = 256
"""Replies kept for later; a printer that talks more than this is not listened to."""


class Dialogue:
    """One connection to a printer. Silence raises TimeoutError, a lost link ConnectionError.

    A question that was not answered, for these or because the asker was cancelled, spoils the dialogue for good: a
    late answer would be taken for the answer to the next question.
    """

    def __init__(self, port: RawPort, clock: Clock, answer_s: float) -> None:
        self._answer_s = answer_s
        self._port = port
        self._clock = clock
        self._parser = ReplyParser()
        self._unread: deque[Reply] = deque(maxlen=MOST_UNREAD)
        self._is_spoilt = False

    @property
    def is_spoilt(self) -> bool:
        """Tell whether this connection must be given up."""
        return self._is_spoilt

    async def send(self, data: bytes) -> None:
        """Hand over `data` within 10 s."""
        self._is_spoilt = True
        await self._clock.within(SEND_S, self._port.send(data))
        self._is_spoilt = False

    def forget_changes(self) -> None:
        """Drop what the printer told by itself so far: a cover that was open between two jobs spoils neither."""
        self._unread = deque((r for r in self._unread if not isinstance(r, StatusBlock)), maxlen=MOST_UNREAD)

    async def condition(self) -> Condition:
        """Ask the printer's real-time status, four questions one after another.

        A printer that is mended between two of them is offline for no reason that it tells: it is asked once more.
        """
        first = await self._real_time()
        return await self._real_time() if first.is_unexplained else first

    async def _real_time(self) -> Condition:
        answers = [(await self._ask(escpos.real_time_request(n), RealTime)).byte for n in (1, 2, 3, 4)]
        return Condition.from_real_time(*answers)

    async def counter(self, number: int) -> int:
        """Ask a maintenance counter; the answer comes when all data before it is worked off."""
        return (await self._ask(escpos.counter_request(number), Counter)).value

    async def next(self, timeout_s: float) -> Reply:
        """Give the oldest reply not yet looked at; raises TimeoutError when none comes, which spoils nothing."""
        due = self._clock.monotonic() + timeout_s
        while not self._unread:
            await self._listen(due)
        return self._unread.popleft()

    async def close(self) -> None:
        """Hang up."""
        self._is_spoilt = True
        await self._port.close()

    async def _ask(self, question: bytes, wanted: type[R]) -> R:
        """Put one question; replies of the same kind that came unasked before it are no answer to it."""
        self._unread = deque((r for r in self._unread if not isinstance(r, wanted)), maxlen=MOST_UNREAD)
        await self.send(question)
        self._is_spoilt = True
        due = self._clock.monotonic() + self._answer_s
        while (answer := self._first(wanted)) is None:
            await self._listen(due)
        self._is_spoilt = False
        return answer

    def _first(self, wanted: type[R]) -> R | None:
        answer = next((r for r in self._unread if isinstance(r, wanted)), None)
        if answer is not None:
            self._unread.remove(answer)
        return answer

    async def _listen(self, due: float) -> None:
        left = due - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            self._unread.extend(self._parser.feed(await self._port.receive(left)))
        except ConnectionError:
            self._is_spoilt = True
            raise
