"""A scan and who may give one; drivers live in `scanning` and `plc/drivers`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One read: `text` without the AIM prefix, `symbology` the AIM prefix ("]C1", "" when the device gives none)."""

    text: str
    device: str
    at: datetime
    symbology: str = ""
    actor: str = ""


class Scanner(Protocol):
    """A source of scans that heals its own link."""

    name: str

    def scans(self) -> AsyncIterator[Scan]:
        """Give scans as they come, for ever; reconnects by itself and never raises for a lost link."""
        ...

    async def trigger(self) -> None:
        """Ask a fixed scanner to read again what lies before it; nothing for hand scanners."""
        ...

    def is_connected(self) -> bool:
        """Tell whether scans would arrive now."""
        ...
