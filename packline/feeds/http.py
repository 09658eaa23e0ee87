"""HTTP clients of a process, so that connections are shared and closed in one place."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx

Http = httpx.AsyncClient

ANSWER_S = 15.0
"""How long an answer to a message may take."""
MOST_ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What was answered to a message: HTTP status, the beginning of the body, Retry-After ("" without one)."""

    status: int
    body: bytes = b""
    retry_after: str = ""


Carry = Callable[[str, Mapping[str, str], bytes], Awaitable[Reply]]
"""Posts a body with headers to an address, once; follows no redirect. Raises httpx.HTTPError, httpx.InvalidURL and what the system raises."""


def open_http(trust: ssl.SSLContext | bool = True) -> Http:
    """Make the client; proxies of the environment are ignored: machines and subscribers are named by address.

    `trust` says whose certificates are believed; by default those of the authorities that come with httpx.
    """
    return httpx.AsyncClient(trust_env=False, verify=trust)


def carry_over(http: Http) -> Carry:
    """Carry messages by a client; of an answer 4 KiB are read: enough to be told why, too little to be drowned."""

    async def carry(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        asked = {**headers, "accept-encoding": "identity"}
        request = http.build_request("POST", url, headers=asked, content=body, timeout=ANSWER_S)
        response = await http.send(request, stream=True, follow_redirects=False)
        try:
            said = await _beginning(response)
        finally:
            await response.aclose()
        return Reply(status=response.status_code, body=said, retry_after=response.headers.get("retry-after", ""))

    return carry


async def _beginning(response: httpx.Response) -> bytes:
    """Read it as it comes: what is packed may be a thousand times as large when it is unpacked, and more than this computer can hold."""
    read = b""
    async for part in response.aiter_raw():
        read += part
        if len(read) >= MOST_ANSWER_BYTES:
            break
    return read[:MOST_ANSWER_BYTES]
