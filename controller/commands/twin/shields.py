"""Protects a machine of the twin as the site file says: a certificate of its own, and our controller as its only client."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from controller.site_security import Reached, pki_folder, reach
from packline.core.clock import WallClock
from packline.core.files import FileFaults
from plc.security import LinkBarred, Secured, password
from simulation.mounts.shield import Shield
from simulation.mounts.wire import split_address

if TYPE_CHECKING:
    from plc.own_certificate import Own

FOLDER = "twin-pki"


def shield_of(folder: Path, data: Path, name: str, part: Reached) -> Shield | None:
    """Give the shield of one device, None for an unprotected one; raises FileFaults if our own certificate is missing.

    `folder` is the site file's, `data` the data folder.
    The twin's certificate is made at its first start. The controller trusts it no more than any other: `packline pki trust`.
    """
    secured = reach(part, folder, data).protection
    if not isinstance(secured, Secured):
        return None
    from plc.own_certificate import read_own  # a large library, for the few machines that are protected

    pki, now = pki_folder(data), WallClock().now()
    try:
        client = read_own(pki, now)
        secret = password(secured)
    except LinkBarred as fault:
        raise FileFaults([fault]) from fault
    own = _own(data / FOLDER / name, name, secured.server_name or split_address(part.address)[0])
    clients = own.certificate_file.parent.parent / "clients"
    clients.mkdir(exist_ok=True)
    (clients / "controller.pem").write_bytes(client.certificate_file.read_bytes())
    return Shield(policy=secured.policy, own=own, clients=clients, user=secured.user, password=secret)


def _own(folder: Path, name: str, host: str) -> Own:
    from plc.own_certificate import make_own, read_own

    now = WallClock().now()
    try:
        return read_own(folder, now)
    except LinkBarred:
        return make_own(folder, name=f"twin {name}", uri=f"urn:packline:twin:{name}", hosts=[host], now=now)
