"""The certificate of a server, for who names one without serving anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A server's certificate, with its chain, and its key: PEM files."""

    certificate: Path
    key: Path
