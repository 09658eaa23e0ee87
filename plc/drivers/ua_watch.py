"""One OPC UA subscription that says how far it may be believed: when it was last heard, how long it may be silent, whether it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from asyncua.ua.uaprotocol_auto import (
    CreateMonitoredItemsParameters,
    CreateSubscriptionParameters,
    DataChangeNotification,
    ModifySubscriptionParameters,
    MonitoredItemCreateRequest,
    PublishResult,
    StatusChangeNotification,
    TimestampsToReturn,
)
from asyncua.ua.uatypes import DataValue, StatusCode

from plc.drivers.ua_session import UaSession

LIFETIME_S = 30.0
WATCHED_AT_ONCE = 100
"""Monitored items made in one call: a busy server takes about a millisecond for each, and a call has `request_timeout_ms`."""

Tell = Callable[[int, DataValue], None]
"""Is told each change by the client handle of its item, in the order of the server's notifications."""


class Watch:
    """A subscription of one session, over once the server says so or `end` is called.

    It stands on the session itself. asyncua's own class (read in 2.1) asks a server that publishes more slowly than it was asked
    for a word every 45 minutes, makes a silent subscription anew behind our back, and counts that, and the loss of the connection,
    as heard of.
    """

    def __init__(self, session: UaSession, tell: Tell) -> None:
        self._session, self._tell = session, tell
        self._number, self._opened_at = 0, 0.0
        self._is_over = False
        self.heard_at: float | None = None
        """When the last publish came, by the loop's clock; None before the first."""
        self.silence_s = 0.0
        """How long the server may be silent while nothing changes, as it says itself."""

    async def open(self, publish_ms: int, alive_s: float) -> None:
        """Subscribe, with a word at least every `alive_s` if the server can; raises LinkTrouble."""
        service = self._session.client.uaclient.session
        wish = _parameters(publish_ms, alive_s)
        made = await self._session.ask(service.create_subscription(wish, self._take))
        self._number, self._opened_at = made.SubscriptionId, asyncio.get_running_loop().time()
        publish_s = (made.RevisedPublishingInterval or publish_ms) / 1000
        count = made.RevisedMaxKeepAliveCount
        if publish_s * count > alive_s and count > 1:
            # the count was meant for the interval that was asked for
            slower = _parameters(round(publish_s * 1000), alive_s)
            given = await self._session.ask(service.update_subscription(_modified(self._number, slower)))
            publish_s = (given.RevisedPublishingInterval or publish_s * 1000) / 1000
            count = given.RevisedMaxKeepAliveCount
        self.silence_s = publish_s * max(1, count)

    async def add(self, items: Sequence[MonitoredItemCreateRequest]) -> list[StatusCode]:
        """Make monitored items; gives for each whether it could be made. Raises LinkTrouble."""
        service = self._session.client.uaclient.session
        found: list[StatusCode] = []
        for first in range(0, len(items), WATCHED_AT_ONCE):
            wish = CreateMonitoredItemsParameters(
                SubscriptionId=self._number,
                TimestampsToReturn=TimestampsToReturn.Both,
                ItemsToCreate=list(items[first : first + WATCHED_AT_ONCE]),
            )
            made = await self._session.ask(service.create_monitored_items(wish))
            found += [one.StatusCode for one in made]
        return found

    def silent_s(self) -> float | None:
        """Give the time since the last publish: None before the first, infinity once it is over."""
        if self._is_over:
            return float("inf")
        return None if self.heard_at is None else asyncio.get_running_loop().time() - self.heard_at

    def is_silent(self, limit_s: float) -> bool:
        """Tell whether it is over, or was not heard of for longer than `limit_s` and three words of a slow server."""
        since = self._opened_at if self.heard_at is None else self.heard_at
        return self._is_over or asyncio.get_running_loop().time() - since > max(limit_s, 3 * self.silence_s)

    def end(self) -> None:
        """Tell nothing any more, whatever still comes."""
        self._is_over = True

    async def delete(self) -> None:
        """End it at the server too; raises LinkTrouble."""
        self.end()
        await self._session.ask(self._session.client.uaclient.session.delete_subscriptions([self._number]))

    def _take(self, result: PublishResult) -> None:
        if self._is_over:
            return
        for part in result.NotificationMessage.NotificationData or ():
            if isinstance(part, StatusChangeNotification):  # expired, moved elsewhere, or the connection is lost
                self._is_over = True
                return
            if isinstance(part, DataChangeNotification):
                for item in part.MonitoredItems:
                    self._tell(item.ClientHandle, item.Value)
        self.heard_at = asyncio.get_running_loop().time()


def _parameters(publish_ms: int, alive_s: float) -> CreateSubscriptionParameters:
    keep_alive = max(1, int(alive_s * 1000 / publish_ms))
    return CreateSubscriptionParameters(
        RequestedPublishingInterval=publish_ms,
        RequestedMaxKeepAliveCount=keep_alive,
        # OPC 10000-4, 5.14.2: at least three times the keep-alive count
        RequestedLifetimeCount=max(3 * keep_alive, round(LIFETIME_S * 1000 / publish_ms)),
        MaxNotificationsPerPublish=0,
        PublishingEnabled=True,
        Priority=0,
    )


def _modified(number: int, wish: CreateSubscriptionParameters) -> ModifySubscriptionParameters:
    return ModifySubscriptionParameters(
        SubscriptionId=number,
        RequestedPublishingInterval=wish.RequestedPublishingInterval,
        RequestedLifetimeCount=wish.RequestedLifetimeCount,
        RequestedMaxKeepAliveCount=wish.RequestedMaxKeepAliveCount,
        MaxNotificationsPerPublish=wish.MaxNotificationsPerPublish,
        Priority=wish.Priority,
    )
