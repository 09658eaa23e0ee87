"""The dashboard's own TLS: which certificate, and how our own processes believe it."""

from __future__ import annotations

import ssl
from pathlib import Path

from controller.site import Web
from web.tls import Tls


def tls_of(web: Web, path: Path) -> Tls | None:
    """Give the certificate of the site file at `path`, None for plain HTTP; its files may lie relative to the site file."""
    if not web.is_https:
        return None
    folder = path.resolve().parent
    return Tls(certificate=folder / web.certificate, key=folder / web.key)


def own_trust(tls: Tls | None) -> ssl.SSLContext | bool:
    """Give what the controller checks its own video server by: exactly its certificate, whatever name that is made for."""
    if tls is None:
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= (
        ssl.VERIFY_X509_PARTIAL_CHAIN
    )  # it may be signed by somebody whom this computer does not know
    context.load_verify_locations(tls.certificate)
    return context
