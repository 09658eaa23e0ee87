"""Checks what a site file says about protection and allow-lists, and hands it to the links.

What reads certificates is imported where there are some: most lines have none, and the library is a large one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from packline.core.faults import Fault
from plc.drivers.guard import register_rules, spans_said
from plc.machine_file import MachineFile
from plc.security import (
    NOTHING_SAID,
    TLS_POLICIES,
    UA_POLICIES,
    Allow,
    LinkBarred,
    Protection,
    Reach,
    Secured,
    password,
    reach_of,
    told,
)

OPCUA = "opc.tcp://"
FOLDER = "pki"


class Reached(Protocol):
    """A part of the site file that says how its device is reached."""

    @property
    def address(self) -> str: ...
    @property
    def security(self) -> str | Protection | None: ...
    @property
    def allow(self) -> Allow: ...


def pki_folder(data: Path) -> Path:
    """Give the folder of the certificates inside the data folder."""
    return data / FOLDER


def reach(part: Reached, folder: Path, data: Path) -> Reach:
    """Say how a device of the site is reached; `folder` is the site file's."""
    return reach_of(part.security, part.allow, folder=folder.resolve(), pki=pki_folder(data))


def said_faults(parts: Mapping[str, Reached], where: str) -> Iterator[Fault]:
    """Give what the words themselves get wrong; `where` ends in the kind of part ("site.toml [machines")."""
    for name, part in parts.items():
        said, place = part.security, f"{where}.{name}.security]"
        if said is None:
            yield Fault(4201, where=place, seen="nothing", expected=NOTHING_SAID)
        elif isinstance(said, Protection):
            yield from _protection_faults(said, place, is_ua=part.address.startswith(OPCUA))


def _protection_faults(said: Protection, place: str, *, is_ua: bool) -> Iterator[Fault]:
    policies = UA_POLICIES if is_ua else TLS_POLICIES
    if said.policy not in policies:
        yield Fault(4201, where=f"{place[:-1]}.policy]", seen=said.policy, expected=" | ".join(policies))
    if not is_ua and (said.user or said.server_uri):
        seen = "user" if said.user else "server_uri"
        yield Fault(4201, where=place, seen=seen, expected="policy, server_name: over Modbus the certificate signs in")
    if bool(said.user) != bool(said.password_file):
        yield Fault(4201, where=place, seen="user or password_file alone", expected="both, or neither")


def transport_faults(file: MachineFile, said: str | Protection | None, place: str) -> Iterator[Fault]:
    """Give the contradiction of a protected machine whose file asks for the client that knows no TLS."""
    if file.machine.transport == "lean" and isinstance(said, Protection):
        remedy = 'Take transport = "lean" out of the machine file.'
        seen, expected = f"{said.policy} over the lean client", "the client that knows TLS"
        yield Fault(4201, where=place, seen=seen, expected=expected, remedy=remedy)


def allow_faults(file: MachineFile, allow: Allow, place: str) -> Iterator[Fault]:
    """Give what an [allow] names that the machine file does not have: it only takes away."""
    if file.machine.protocol == "opcua":
        if allow.read or allow.write or allow.functions:
            yield Fault(4201, where=place, seen="registers of an OPC UA machine", expected="nodes, read_only")
        return
    if allow.nodes:
        yield Fault(4201, where=place, seen="nodes of a Modbus machine", expected="read, write, functions, read_only")
    rules = register_rules(file, Allow())
    for texts, spans in ((allow.read or (), rules.reads), (allow.write or (), rules.writes)):
        for text, said in zip(texts, spans_said(texts), strict=True):
            if not any(span.cut(said) for span in spans):
                expected = ", ".join(map(str, spans)) or "nothing"
                yield Fault(4201, where=place, seen=text, expected=f"a part of {expected}")


def kept_faults(reaches: Mapping[str, Reach], now: datetime) -> Iterator[Fault]:
    """Give what is wrong with the files that protected devices need: own certificate, password files."""
    secured = [one.protection for one in reaches.values() if isinstance(one.protection, Secured)]
    found = {fault.text(): fault for one in secured for fault in _missing_files(one, now)}
    yield from found.values()


def _missing_files(secured: Secured, now: datetime) -> Iterator[Fault]:
    from plc.own_certificate import read_own

    looks: tuple[Callable[[], object], ...] = (partial(read_own, secured.pki, now), partial(password, secured))
    for look in looks:
        try:
            look()
        except LinkBarred as fault:
            yield fault


def certificate_advice(pki: Path, now: datetime) -> list[Fault]:
    """Give Fault 1020 for each certificate, own or trusted, that runs out within 30 days, 1022 if it has; 1017 for unreadable ones."""
    if not pki.exists():
        return []
    looks = (partial(_own_advice, pki, now), partial(_trusted_advice, pki, now))
    return [fault for look in looks for fault in _or_unreadable(look) if fault is not None]


def _own_advice(pki: Path, now: datetime) -> Iterator[Fault | None]:
    from plc.certificates import read_file, warning
    from plc.own_certificate import read_own

    file = pki / "own" / "certificate.pem"
    if file.exists():
        ends = warning(read_file(file), now, told(file))
        yield ends
        if ends is None:
            read_own(pki, now)


def _trusted_advice(pki: Path, now: datetime) -> Iterator[Fault | None]:
    from plc.certificates import warning
    from plc.trust import TrustFolder

    return (warning(one, now, told(path)) for path, one in TrustFolder(pki).trusted().items())


def _or_unreadable(look: Callable[[], Iterator[Fault | None]]) -> Iterator[Fault | None]:
    try:
        yield from look()
    except LinkBarred as fault:
        yield fault
