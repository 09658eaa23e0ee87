"""A fixed scanner over OPC UA, in the shape of the AutoID companion specification (OPC 30010)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

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
from plc.drivers.ua_watch import Watch
from plc.links import LinkDown, LinkRefused, LinkTrouble
from plc.security import UNSAID, Reach

NAMESPACE = "urn:packline:autoid"
READER = "OpticalReader"
REQUEST_S = 1.0
PUBLISH_MS = 20
ALIVE_S, SILENT_S = 0.25, 1.0
"""How often the reader is asked to say that nothing was read, and how long it may say nothing at all."""
PROBE_S = 1.0
QUEUE_READS = 1000

log = logging.getLogger(__name__)

_DATA_HANDLE, _COUNT_HANDLE = 1, 2
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
        self._news = asyncio.Event()
        self._untold: int | None = None
        self._is_live = False
        self._was_lost = False
        self._failed: LinkTrouble | None = None
        """How a trigger failed: whoever listens connects anew."""

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
        except LinkRefused as trouble:  # the link is well: whoever waits for the read asks again
            log.warning("%s: does not read: %s", self.name, trouble)
        except LinkTrouble as trouble:
            self._failed = trouble
            self._news.set()

    def is_connected(self) -> bool:
        """Tell whether scans would arrive now."""
        return self._is_live

    async def _scans_of_one_link(self) -> AsyncIterator[Scan]:
        watch = await self._subscribe()
        self._note_recovery()
        try:
            while True:
                await self._wait_for_news(watch)
                for text, at in self._pairing.take(self._clock.monotonic()):
                    yield self._scan(text, at)
        finally:
            watch.end()

    async def _subscribe(self) -> Watch:
        await self._session.open()
        self._index = await self._session.ask(self._session.client.get_namespace_index(NAMESPACE))
        self._pairing.forget_texts()
        self._untold = self._failed = None
        watch = Watch(self._session, self._feed)
        await watch.open(PUBLISH_MS, ALIVE_S)
        places = ((_DATA, _DATA_HANDLE), (_COUNT, _COUNT_HANDLE))
        made = await watch.add([_every_write_of(self._node(name), handle) for name, handle in places])
        if not all(status.is_good() for status in made):
            seen = ", ".join(status.name for status in made)
            raise LinkDown(f"{self.name}: not every node can be watched: {seen}")
        return watch

    async def _wait_for_news(self, watch: Watch) -> None:
        wait_s = SETTLE_S if self._pairing.is_waiting() else PROBE_S
        try:
            await self._clock.within(wait_s, self._news.wait())
        except TimeoutError:
            await self._probe(watch)
        self._news.clear()
        if self._failed is not None:
            raise self._failed

    async def _probe(self, watch: Watch) -> None:
        """Prove that the link lives and that the subscription tells: one that is over, or deaf, says nothing of it."""
        if watch.is_silent(SILENT_S):
            raise LinkDown(f"{self.name}: the subscription is silent")
        counter = self._session.client.get_node(self._node(_COUNT))
        count = await self._session.ask(counter.read_value())
        if count == self._pairing.newest or self._pairing.is_waiting():
            self._untold = None
        elif count == self._untold:  # seen twice, with a second in between, and still not told
            raise LinkDown(f"{self.name}: the subscription does not tell of read {count}")
        else:
            self._untold = count

    def _feed(self, handle: int, value: DataValue) -> None:
        told = value.Value.Value if value.Value is not None else None
        if value.StatusCode is not None and not value.StatusCode.is_good():
            return  # the reader itself does not vouch for it
        at = _aware(value.SourceTimestamp)
        if handle == _DATA_HANDLE:
            self._pairing.text(str(told or ""), at)
        elif isinstance(told, int):
            self._pairing.counted(told, at, self._clock.monotonic())
        self._news.set()

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
