"""The one HTTP client of a process, so that connections are shared and closed in one place."""

from __future__ import annotations

import httpx

Http = httpx.AsyncClient


def open_http() -> Http:
    """Make the client; proxies of the environment are ignored: machines and subscribers are named by address."""
    return httpx.AsyncClient(trust_env=False)
