"""One OPC UA session that fails plainly: what is lost is opened anew by its owner, never behind our back."""

from __future__ import annotations

import struct
from collections.abc import Awaitable
from typing import TypeVar

from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors._base import UaError, UaStatusCodeError
from asyncua.ua.uatypes import Int16, NodeId, String

from plc.drivers.guard import NodeRules
from plc.drivers.ua_security import CHANNEL_REFUSED, UaDoor
from plc.links import LinkDown, LinkRefused, LinkSilent
from plc.security import UNSAID, Reach

T = TypeVar("T")
WATCHDOG_S = 2.0
CONNECT_S = 3.0
"""For each of the six requests that open a session: a busy server signs them in slower than it reads a value."""

_LOST = frozenset(
    {
        StatusCodes.BadSessionIdInvalid,
        StatusCodes.BadSessionClosed,
        StatusCodes.BadSessionNotActivated,
        StatusCodes.BadSecureChannelClosed,
        StatusCodes.BadSecureChannelIdInvalid,
        StatusCodes.BadConnectionClosed,
        StatusCodes.BadServerHalted,
        StatusCodes.BadShutdown,
    }
)


_UNREADABLE = (struct.error, LookupError, TypeError, AttributeError)
"""What asyncua 2.1 raises, beside its own errors, over an answer whose bytes make no sense (found by flipping some of them)."""


class UaSession:
    """One OPC UA session without a life of its own: it never reconnects by itself, so nothing is ever sent late by it.

    Every error comes out as LinkTrouble. asyncua's reconnect would hold requests back for up to a minute and then send them
    (read in asyncua 2.1, `_wait_until_ready`).
    """

    def __init__(self, url: str, request_s: float, reach: Reach = UNSAID, rules: NodeRules | None = None) -> None:
        self._url, self._request_s = url, request_s
        self._door = UaDoor(url, reach, rules)
        self._client: Client | None = None
        self._is_well = False

    @property
    def client(self) -> Client:
        """Give the connected client; raises LinkDown."""
        if self._client is None:
            raise LinkDown(f"{self._url} is not connected")
        return self._client

    async def open(self) -> None:
        """Connect afresh and activate a session; raises LinkTrouble, LinkBarred before anything was asked."""
        await self.close()
        self._client = Client(self._url, timeout=CONNECT_S, watchdog_intervall=WATCHDOG_S, auto_reconnect=False)
        await self.ask(self._door.secure(self._client))
        await self.ask(self._door.connect(self._client))
        if self._client.uaclient.protocol is not None:
            self._client.uaclient.protocol.timeout = self._request_s
        self._is_well = True

    async def node(self, namespace: str, identifier: str) -> Node:
        """Give the node with a string id in the namespace of that uri; raises LinkTrouble."""
        index = await self.ask(self.client.get_namespace_index(namespace))
        return self.client.get_node(node_id(identifier, index))

    async def ask(self, request: Awaitable[T]) -> T:
        """Await a request; raises LinkTrouble and nothing else."""
        try:
            return await request
        except TimeoutError as error:
            self._is_well = False
            raise LinkSilent(f"{self._url} does not answer in time") from error
        except UaStatusCodeError as error:
            self._is_well = False
            kind = LinkDown if error.code in _LOST else LinkRefused
            raise kind(f"{self._url}: {error}") from error
        except (ConnectionError, OSError) as error:
            self._is_well = False
            raise LinkDown(f"{self._url}: {error}") from error
        except (UaError, ValueError) as error:  # ValueError: the server does not know the namespace
            self._is_well = False
            raise LinkRefused(f"{self._url}: {error}") from error
        except _UNREADABLE as error:
            self._is_well = False
            raise LinkRefused(f"{self._url}: an answer that cannot be read: {error}") from error
        except AssertionError as error:  # asyncua 2.1 asserts that a secure channel was granted
            self._is_well = False
            raise LinkRefused(f"{self._url}: {CHANNEL_REFUSED}") from error

    async def close(self) -> None:
        """Close; never raises. After trouble the socket is dropped first, so that leaving waits for nobody."""
        client, self._client = self._client, None
        if client is None:
            return
        if not self._is_well:
            client.disconnect_socket()
        self._is_well = False
        try:
            await client.disconnect()
        except (UaError, OSError, TimeoutError):
            client.disconnect_socket()


def node_id(identifier: str, index: int) -> NodeId:
    """Build the string node id `identifier` in namespace number `index`."""
    return NodeId(String(identifier), Int16(index))
