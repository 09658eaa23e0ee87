"""A fixed scanner over OPC UA, in the shape of the AutoID companion specification (OPC 30010)."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from asyncua.common.subscription import DataChangeEvent, OverflowPolicy, Subscription
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaprotocol_auto import (
    DataChangeTrigger,
    MonitoredItemCreateRequest,
    MonitoringMode,
    MonitoringParameters,
    ReadValueId,
)
from asyncua.ua.uaprotocol_hand import DataChangeFilter
from asyncua.ua.uatypes import DataValue, NodeId

from packline.core.backoff import Backoff
from packline.core.clock import Clock
from packline.core.scans import Scan
from plc.drivers.guard import NodeRules
from plc.drivers.scan_pairing import SETTLE_S, ScanPairing
from plc.drivers.ua_session import UaSession, node_id
from plc.links import LinkDown, LinkTrouble
from plc.security import UNSAID, Reach

NAMESPACE = "urn:packline:autoid"
READER = "OpticalReader"
REQUEST_S = 1.0
PUBLISH_MS = 20
PROBE_S = 1.0
QUEUE_READS = 1000

log = logging.getLogger(__name__)

_DATA, _COUNT, _START = f"{READER}.LastScanData", f"{READER}.ScanCounter", f"{READER}.ScanStart"
RULES = NodeRules(
    reads=frozenset((NAMESPACE, f"s={name}") for name in (_DATA, _COUNT)), calls=frozenset({(NAMESPACE, f"s={_START}")})
)
"""What may be asked of a reader."""


class AutoIdReader:
    """core.scans.Scanner over OPC UA; heals its own link, tells equal reads apart by the reader's counter."""

    def __init__(self, *, name: str, url: str, clock: Clock, rng: random.Random, reach: Reach = UNSAID) -> None:
        self.name = name
        self._clock = clock
        self._session = UaSession(url, REQUEST_S, reach, RULES)
        self._backoff = Backoff(rng=rng)
        self._pairing = ScanPairing()
        self._index = 0
        self._is_live = False
        self._was_lost = False

    async def scans(self) -> AsyncIterator[Scan]:
        """Give scans as they come, for ever; for one consumer."""
        while True:
            try:
                async for scan in self._scans_of_one_link():
                    yield scan
            except LinkTrouble as trouble:
                self._note_loss(trouble)
            finally:
                self._is_live = False
                await self._session.close()
            await self._clock.sleep(self._backoff.next_s())

    async def trigger(self) -> None:
        """Ask the reader to read again; while the link is down this does nothing, and no scan comes."""
        if not self._is_live:
            return
        reader = self._session.client.get_node(self._node(READER))
        try:
            await self._session.ask(reader.call_method(self._node(_START)))
        except LinkTrouble as trouble:
            self._note_loss(trouble)

    def is_connected(self) -> bool:
        """Tell whether scans would arrive now."""
        return self._is_live

    async def _scans_of_one_link(self) -> AsyncIterator[Scan]:
        events = await self._subscribe()
        self._note_recovery()
        while True:
            await self._take_event(events)
            for text, at in self._pairing.take(self._clock.monotonic()):
                yield self._scan(text, at)

    async def _subscribe(self) -> Subscription:
        await self._session.open()
        self._index = await self._session.ask(self._session.client.get_namespace_index(NAMESPACE))
        self._pairing.forget_texts()
        events = await self._session.ask(
            self._session.client.create_subscription(
                PUBLISH_MS, queue_maxsize=QUEUE_READS, overflow=OverflowPolicy.DISCONNECT
            )
        )
        items = [_every_write_of(self._node(name), handle) for handle, name in enumerate((_DATA, _COUNT), 1)]
        results = await self._session.ask(events.create_monitored_items(items))
        if not all(isinstance(result, int) for result in results):
            raise LinkDown(f"{self.name}: not every node can be watched: {results}")
        return events

    async def _take_event(self, events: Subscription) -> None:
        wait_s = SETTLE_S if self._pairing.is_waiting() else PROBE_S
        try:
            event = await self._clock.within(wait_s, anext(events))
        except TimeoutError:
            await self._probe()
            return
        except StopAsyncIteration:
            raise LinkDown(f"{self.name}: the subscription ended") from None
        if isinstance(event, DataChangeEvent):
            self._feed(event)

    async def _probe(self) -> None:
        """Prove by a read that the link lives, since a quiet subscription does not."""
        counter = self._session.client.get_node(self._node(_COUNT))
        await self._session.ask(counter.read_value())

    def _feed(self, event: DataChangeEvent) -> None:
        value: DataValue = event.data.monitored_item.Value
        at = _aware(value.SourceTimestamp)
        if event.node.nodeid == self._node(_DATA):
            self._pairing.text(str(event.value or ""), at)
        else:
            self._pairing.counted(int(event.value or 0), at, self._clock.monotonic())

    def _scan(self, text: str, at: datetime | None) -> Scan:
        symbology, text = (text[:3], text[3:]) if text.startswith("]") else ("", text)
        return Scan(text=text, device=self.name, at=at or self._clock.now(), symbology=symbology)

    def _node(self, name: str) -> NodeId:
        return node_id(name, self._index)

    def _note_recovery(self) -> None:
        self._is_live = True
        self._backoff.reset()
        if self._was_lost:
            self._was_lost = False
            log.warning("%s: recovered; %d reads were missed in all", self.name, self._pairing.missed)

    def _note_loss(self, trouble: LinkTrouble) -> None:
        self._is_live = False
        if not self._was_lost:
            self._was_lost = True
            log.warning("%s: 1006 scanner not reachable: %s", self.name, trouble)


def _every_write_of(node: NodeId, handle: int) -> MonitoredItemCreateRequest:
    """Ask to be told of each write, even of an equal value, with a queue so that none is overwritten."""
    return MonitoredItemCreateRequest(
        ItemToMonitor=ReadValueId(NodeId=node, AttributeId=AttributeIds.Value),
        MonitoringMode=MonitoringMode.Reporting,
        RequestedParameters=MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=0.0,
            QueueSize=QUEUE_READS,
            DiscardOldest=True,
            Filter=DataChangeFilter(Trigger=DataChangeTrigger.StatusValueTimestamp),
        ),
    )


def _aware(at: Any) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
