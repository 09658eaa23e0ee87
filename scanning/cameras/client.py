"""The controller's view of a camera: asks the video process for new stills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import httpx

from packline.core.clock import Clock
from packline.core.faults import Fault
from packline.core.pictures import Still

ANSWER_SLACK_S = 1.0
"""What the way there and back may take beyond the wait for the frame."""


class VideoStill:
    """Implements Camera: `GET {url}/still/{name}?fresh=1` at the video process, which answers JPEG or 503.

    `url` is the video process's base address. `headers` go with every question (a token). `http` may be shared.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        *,
        headers: Mapping[str, str] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.name = name
        self._url = f"{url.rstrip('/')}/still/{quote(name, safe='')}"
        self._clock = clock
        self._headers = dict(headers or {})
        self._http = http or httpx.AsyncClient(trust_env=False)

    async def still(self, timeout_s: float = 3.0) -> Still:
        """Give a frame that the video process says is newer than the question; raises Fault 1005 without one.

        Whoever judges it checks that once more (`verify.require_fresh`), with one memory of the frame before.
        """
        return self._read(await self._ask(timeout_s))

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.aclose()

    async def _ask(self, timeout_s: float) -> httpx.Response:
        query = {"fresh": "1", "timeout_s": f"{timeout_s:g}"}
        question = self._http.get(self._url, params=query, headers=self._headers, timeout=None)  # noqa: S113 - by clock
        try:
            answer = await self._clock.within(timeout_s + ANSWER_SLACK_S, question)
        except TimeoutError as error:
            raise self._fault("silence", f"a frame within {timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise self._fault(str(error) or type(error).__name__, "an answer of the video process") from error
        if answer.status_code != httpx.codes.OK:
            raise self._fault(f"status {answer.status_code}: {answer.text[:200]}", "a frame")
        return answer

    def _read(self, answer: httpx.Response) -> Still:
        stamp = _stamp(answer.headers)
        if stamp is None or not answer.content.startswith(b"\xff\xd8"):
            raise self._fault("an answer without JPEG, frame counter or capture time", "a stamped frame")
        return Still(jpeg=answer.content, camera=self.name, frame=stamp.frame, captured_at=stamp.captured_at)

    def _fault(self, seen: str, expected: str) -> Fault:
        return Fault(1005, where=f"camera {self.name}", seen=seen, expected=expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    frame: int
    captured_at: datetime


def _stamp(headers: Mapping[str, str]) -> _Stamp | None:
    try:
        frame = int(headers["X-Frame-Counter"])
        captured_at = datetime.fromisoformat(headers["X-Captured-At"])
    except (KeyError, ValueError):
        return None
    return _Stamp(frame=frame, captured_at=captured_at) if captured_at.tzinfo else None
