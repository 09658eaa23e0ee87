"""Rings while the line runs when a certificate, our own or a trusted one, is near its end or past it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from controller.site_security import certificate_advice, pki_folder
from packline.core.clock import Clock
from packline.core.faults import Fault
from stations.ports import Offload

log = logging.getLogger("packline.certificates")


class AlarmDesk(Protocol):
    """Where alarms stand."""

    async def raise_alarm(self, fault: Fault, *, source: str) -> None: ...
    async def clear_alarm(self, code: int, *, source: str) -> None: ...
    async def standing_alarms(self) -> list[Mapping[str, Any]]: ...


class CertificateWatch:
    """One alarm for each certificate, its source the file's name; taken back when it was renewed, or is trusted no longer."""

    def __init__(self, data: Path, desk: AlarmDesk, clock: Clock, offload: Offload) -> None:
        self._pki, self._desk, self._clock, self._offload = pki_folder(data), desk, clock, offload

    async def look(self) -> None:
        """Look at all certificates once; an alarm that stands already is not raised again, whichever run raised it."""
        found = {
            (fault.code, fault.where): fault
            for fault in await self._offload(certificate_advice, self._pki, self._clock.now())
        }
        standing = {
            (int(row["code"]), str(row["source"]))
            for row in await self._desk.standing_alarms()
            if str(row["source"]).startswith(f"{self._pki.name}/")
        }
        for code, source in sorted(standing - found.keys()):
            await self._desk.clear_alarm(code, source=source)
        for code, source in sorted(found.keys() - standing):
            log.warning("%s", found[code, source])
            await self._desk.raise_alarm(found[code, source], source=source)
