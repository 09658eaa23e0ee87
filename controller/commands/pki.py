"""`packline pki VERB SITE [FILE]`: our own certificate, and the certificates of devices that are believed."""

from __future__ import annotations

import argparse
import ipaddress
import json
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from controller.commands import actions
from controller.site import Site
from controller.site_file import load_site
from controller.site_security import certificate_advice, pki_folder
from controller.sites import find_site
from controller.starting import data_of
from packline.core.clock import WallClock
from packline.core.faults import Fault
from plc.certificates import common_name, days_left, fingerprint, hosts, read_file, thumbprint, uris
from plc.own_certificate import DAYS, make_own, read_own
from plc.trust import TrustFolder

MOST_DAYS = 3650
HOST = re.compile(r"(?!\d+(\.\d+)*$)[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
"""A name; what is made of numbers alone is an address, or none."""
ACTIONS = {
    "init": "make our own certificate and its key",
    "show": "show our own certificate, or FILE",
    "trust": "believe the certificate in FILE from now on",
    "distrust": "believe the certificate in FILE no longer",
    "list": "list what is trusted, and what was refused",
}


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions.declare(options, ACTIONS)
    options.add_argument("site", type=Path, help="site file")
    options.add_argument("file", type=Path, nargs="?", help="a certificate, PEM or DER (show, trust, distrust)")
    options.add_argument(
        "--host",
        action="append",
        help="init: a further name or address of this computer, as devices see it; may be repeated (--renew: default those of the "
        "old one)",
    )
    options.add_argument("--days", type=int, default=DAYS, help=f"init: days that it is valid (default: {DAYS})")
    options.add_argument("--renew", action="store_true", help="init: put a new one in place of the one that is there")
    options.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(chosen: argparse.Namespace) -> int:
    """Do one thing with certificates; raises Fault."""
    path = find_site(chosen.site)
    site = load_site(path)
    pki, now = pki_folder(data_of(site, path)), WallClock().now()
    report = {
        "init": lambda: _init(site, pki, chosen, now),
        "show": lambda: _show(pki, chosen.file, now),
        "trust": lambda: _told(TrustFolder(pki).trust(_named(chosen, pki)), now, "trusted"),
        "distrust": lambda: _told(TrustFolder(pki).distrust(_named(chosen, pki)), now, "distrusted"),
        "list": lambda: _list(pki, now),
    }[chosen.action]()
    print(json.dumps(report, ensure_ascii=False) if chosen.json else _as_text(report))
    return 0


def _init(site: Site, pki: Path, chosen: argparse.Namespace, now: datetime) -> dict[str, Any]:
    if (pki / "own" / "certificate.pem").exists() and not chosen.renew:
        raise Fault(
            4301,
            where=str(pki / "own"),
            seen="a certificate",
            expected="none yet",
            remedy="Devices know the one that is there. To replace it: --renew; then let every device trust the new one.",
        )
    if not 1 <= chosen.days <= MOST_DAYS:
        remedy = "Five years (1825) are usual; devices must trust each new one."
        raise Fault(4301, where="--days", seen=str(chosen.days), expected=f"1 to {MOST_DAYS}", remedy=remedy)
    _demand_hosts(chosen.host or [])
    further = chosen.host or _further_hosts(pki)
    host = socket.gethostname()
    with _old_one_aside(pki, now):
        own = make_own(
            pki,
            name=f"Packline {site.site.name}",
            uri=f"urn:{re.sub(r'[^A-Za-z0-9.-]', '-', host)}:packline:{site.site.name}",
            hosts=[host, *further],
            now=now,
            days=chosen.days,
        )
    report = _told(own.certificate_file, now, "made")
    return {
        **report,
        "next": "let each device trust this certificate file; the key beside it never leaves this computer",
    }


@contextmanager
def _old_one_aside(pki: Path, now: datetime) -> Iterator[None]:
    """Keep the old certificate, the way back as long as devices know it only; put it back when no new one comes of it."""
    own, aside = pki / "own", pki / f"own-until-{now:%Y%m%dT%H%M%S}"
    if not own.exists():
        yield
        return
    own.rename(aside)
    try:
        yield
    except BaseException:
        shutil.rmtree(own, ignore_errors=True)
        aside.rename(own)
        raise


def _demand_hosts(hosts: Sequence[str]) -> None:
    """Raise Fault 4201 for what no device could know this computer by."""
    for host in hosts:
        if not HOST.fullmatch(host) and not _is_address(host):
            remedy = "Type it as devices do: hall-7.example or 10.20.0.5; a name with other letters in its xn-- form."
            raise Fault(
                4201, where="--host", seen=host or "nothing", expected="a host name or an address", remedy=remedy
            )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _further_hosts(pki: Path) -> list[str]:
    """Give the names in the certificate that is replaced: devices see this computer as before."""
    old = pki / "own" / "certificate.pem"
    return hosts(read_file(old)) if old.exists() else []


def _show(pki: Path, file: Path | None, now: datetime) -> dict[str, Any]:
    if file is not None:
        return _told(_found(file, pki), now, "shown")
    return _told(read_own(pki, now).certificate_file, now, "own")


def _list(pki: Path, now: datetime) -> dict[str, Any]:
    trust = TrustFolder(pki)
    return {
        "trusted": [_row(path, one, now) for path, one in trust.trusted().items()],
        "refused": [_row(path, one, now) for path, one in trust.refused().items()],
        "advice": [fault.text() for fault in certificate_advice(pki, now)],
    }


def _named(chosen: argparse.Namespace, pki: Path) -> x509.Certificate:
    if chosen.file is None:
        remedy = "Type its path behind the site file; packline pki list names what was refused."
        raise Fault(
            4301, where=f"pki {chosen.action}", seen="no file", expected="a certificate, PEM or DER", remedy=remedy
        )
    certificate = read_file(_found(chosen.file, pki))
    own = pki / "own" / "certificate.pem"
    if chosen.action in ("trust", "distrust") and own.exists() and read_file(own) == certificate:
        remedy = "Take the file that the device showed (packline pki list) or that its maker gave you."
        raise Fault(
            4301, where=f"pki {chosen.action}", seen="our own certificate", expected="that of a device", remedy=remedy
        )
    return certificate


def _found(file: Path, pki: Path) -> Path:
    """Find a file also by the name that logs and alarms give it: `pki/refused/plc-7-3f9a1c22.pem`."""
    found = file if file.exists() else pki.parent / file
    if not found.exists():
        remedy = "Check the path, and from which folder you type; packline pki list names what was refused."
        raise Fault(1017, where=str(file), seen="no such file", expected="a certificate, PEM or DER", remedy=remedy)
    return found


def _told(path: Path, now: datetime, what: str) -> dict[str, Any]:
    return {"done": what, **_row(path, read_file(path), now)}


def _row(path: Path, certificate: x509.Certificate, now: datetime) -> dict[str, Any]:
    return {
        "name": common_name(certificate),
        "file": str(path),
        "valid_until": f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        "days_left": days_left(certificate, now),
        "hosts": hosts(certificate),
        "uris": uris(certificate),
        "sha256": fingerprint(certificate),
        "sha1": thumbprint(certificate),
    }


def _as_text(report: dict[str, Any]) -> str:
    lines: list[str] = []
    for key, value in report.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *(f"  {row['name']}, until {row['valid_until']}: {row['file']}" for row in value)]
        else:
            lines.append(f"{key:12}{', '.join(map(str, value)) or 'none' if isinstance(value, list) else value}")
    return "\n".join(lines)
