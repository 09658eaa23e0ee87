"""Holds the ports of `packline up` for its children before anything else is begun; standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator

from controller.supervisor import STOP_S
from packline.core.faults import Fault

PATIENCE_S = STOP_S + 2.0
"""The dashboard of an `up` that was killed may hold its port this long; who is there longer means to stay."""
LOOK_S = 0.1


@contextlib.contextmanager
def hold_ports(where: str, host: str, ports: dict[str, int], say: Callable[[str], None]) -> Iterator[None]:
    """Hold `ports` (by their keys in the site file) for our own children; raises Fault 4201 where somebody listens.

    Nobody listens on what is held. A child may, because both sides allow the address to be shared; a server that
    listens already shows itself here, before a machine is claimed.
    """
    with contextlib.ExitStack() as held:
        until = time.monotonic() + PATIENCE_S
        for key, port in ports.items():
            held.enter_context(_hold(f"{where} [{key}]", host, port, until, say))
        yield


def _hold(where: str, host: str, port: int, until: float, say: Callable[[str], None]) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    waits = False
    while True:
        holder = socket.socket(family, kind, protocol)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(address)
        except OSError as error:
            holder.close()
            if time.monotonic() >= until or error.errno != errno.EADDRINUSE:
                raise _not_ours(where, host, port, error) from error
        else:
            return holder
        if not waits:
            say(f"{host}:{port} is in use; waiting up to {PATIENCE_S:.0f} s for it")
            waits = True
        time.sleep(LOOK_S)


def _not_ours(where: str, host: str, port: int, error: OSError) -> Fault:
    remedy = "Stop what listens there (another packline up or demo?), or give another port in the site file."
    seen = f"{host}:{port}: {os.strerror(error.errno or 0)}"
    return Fault(4201, where=where, seen=seen, expected="a port that nobody listens on", remedy=remedy)
