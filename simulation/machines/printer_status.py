"""What an ESC/POS printer answers about itself, byte by byte (Epson's command reference: DLE EOT, GS r, GS a, GS g, GS ( H)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What keeps a printer from printing; all False is ready."""

    cover_open: bool = False
    paper_out: bool = False
    error: bool = False

    @property
    def is_offline(self) -> bool:
        """Tell whether it prints nothing now."""
        return self.cover_open or self.paper_out or self.error

    def real_time(self, n: int) -> bytes:
        """Answer DLE EOT `n`: 1 printer, 2 offline cause, 3 error, 4 paper; nothing for others."""
        bits = {
            1: 0x08 * self.is_offline,
            2: 0x04 * self.cover_open | 0x20 * self.paper_out | 0x40 * self.error,
            3: 0x20 * self.error,
            4: 0x60 * self.paper_out,
        }
        return bytes((0x12 | bits[n],)) if n in bits else b""

    def transmitted(self, n: int) -> bytes:
        """Answer GS r `n` (1 or 49: paper; others have nothing to say)."""
        return bytes((0x0C * self.paper_out,)) if n in (1, 49) else b"\x00"

    def block(self) -> bytes:
        """Give the four bytes of automatic status."""
        first = 0x10 | 0x08 * self.is_offline | 0x20 * self.cover_open
        return bytes((first, 0x20 * self.error, 0x0C * self.paper_out, 0x00))


def process_reply(process_id: bytes) -> bytes:
    """Say that all before the request with this process id is printed."""
    return b"\x37\x22" + process_id + b"\x00"


def counter_reply(value: int) -> bytes:
    """Give a maintenance counter."""
    return b"\x5f" + str(value).encode() + b"\x00"
