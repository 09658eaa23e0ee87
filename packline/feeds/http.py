"""HTTP clients of a process, so that connections are shared and closed in one place."""

from __future__ import annotations

import ssl

import httpx

Http = httpx.AsyncClient


def open_http(trust: ssl.SSLContext | bool = True) -> Http:
    """Make the client; proxies of the environment are ignored: machines and subscribers are named by address.

    `trust` says whose certificates are believed; by default those of the authorities that come with httpx.
    """
    return httpx.AsyncClient(trust_env=False, verify=trust)
