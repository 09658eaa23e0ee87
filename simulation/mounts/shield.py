"""How a machine of the twin is protected: its own certificate, the one client that it believes, and who may sign in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plc.own_certificate import Own

_LEAST = {"TLS1.2": ssl.TLSVersion.TLSv1_2, "TLS1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shield:
    """A protected machine of the twin; `clients` is a folder that holds certificates of controllers and nothing else."""

    policy: str
    own: Own
    clients: Path
    user: str = ""
    password: str = field(default="", repr=False)

    def context(self) -> ssl.SSLContext:
        """Give TLS as a Modbus machine speaks it: nobody without a known certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _LEAST[self.policy]
        context.load_cert_chain(self.own.certificate_file, self.own.key_file)
        context.verify_mode = ssl.CERT_REQUIRED
        for file in sorted(self.clients.glob("*.pem")):
            context.load_verify_locations(file)
        return context
