"""How one device is reached: protected by what, and what may be asked of it; the site file's words for both."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag

from packline.core.faults import Fault
from packline.core.file_part import FilePart
from plc.links import LinkTrouble

UaPolicy = Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"]
TlsPolicy = Literal["TLS1.2", "TLS1.3"]
UA_POLICIES: tuple[str, ...] = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
TLS_POLICIES: tuple[str, ...] = ("TLS1.2", "TLS1.3")
NOTHING_SAID = 'a [security] table, or in words why not: security = "none: closed machine network"'
_OTHERS = 0o077


class Protection(FilePart):
    """[security] of a device: always both ends by certificate, signed and encrypted."""

    policy: Literal[UaPolicy, TlsPolicy] = Field(
        description="OPC UA: `Basic256Sha256`, `Aes128Sha256RsaOaep` or `Aes256Sha256RsaPss`, always signed and encrypted. "
        "Modbus: `TLS1.2` (that or newer) or `TLS1.3`"
    )
    user: str = Field(default="", description="OPC UA: user name to sign in with; empty: nobody in particular")
    password_file: str = Field(
        default="",
        description="File with that user's password, one line, readable by Packline's own user only (`chmod 600`); a relative "
        "path lies beside the site file",
    )
    server_name: str = Field(
        default="",
        description="Host name or IP that the device's certificate carries, where it is not that of `address`",
    )
    server_uri: str = Field(
        default="",
        description="OPC UA: application uri that the server must have; empty: any that a trusted certificate names",
    )


WORDS_PATTERN, RANGE_PATTERN = r"^none: *\S.{6,}$", r"^(holding|input|coil|discrete) \d{1,5}(-\d{1,5})?$"
Words = Annotated[str, StringConstraints(pattern=WORDS_PATTERN)]


def _kind(value: Any) -> str:
    return "words" if isinstance(value, str) else "table"


Security = Annotated[Annotated[Words, Tag("words")] | Annotated[Protection, Tag("table")], Discriminator(_kind)]
"""A table, or `"none: <why>"`: a connection without protection is never a matter of forgetting."""

Range = Annotated[str, StringConstraints(pattern=RANGE_PATTERN)]


class Allow(FilePart):
    """[allow] of a machine: less than its machine file asks for. It only takes away."""

    read_only: bool = Field(
        default=False, description="Nothing is written: to look at a machine that another controller runs"
    )
    functions: list[Annotated[int, Field(ge=1, le=127)]] | None = Field(
        default=None, description="Modbus: the only function codes that may leave"
    )
    read: list[Range] | None = Field(
        default=None,
        description="Modbus: the only registers and bits that may be read, as `holding 100-139`, counted from 0 as they go over "
        "the wire",
    )
    write: list[Range] | None = Field(default=None, description="Modbus: the only ones that may be written")
    nodes: list[str] | None = Field(
        default=None, description="OPC UA: the only node ids that may be read or written, as `s=Machine.STATUS`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """A protected connection; the password stays in its file until the moment of signing in."""

    policy: str
    pki: Path
    user: str = ""
    password_file: Path | None = None
    server_name: str = ""
    server_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """A connection without protection, and why that is right."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a device is reached. Without a word about protection only this computer itself is spoken to."""

    protection: Secured | Unprotected | None = None
    allow: Allow = Allow()


UNSAID = Reach()


class LinkBarred(Fault, LinkTrouble):
    """The link refuses to go on for safety's sake (house faults 1011 to 1019); the device carried out nothing of it."""


def reach_of(said: str | Protection | None, allow: Allow, *, folder: Path, pki: Path) -> Reach:
    """Turn the site file's words into an access; `folder` is the site file's, `pki` that of the certificates."""
    if said is None:
        return Reach(allow=allow)
    if isinstance(said, str):
        return Reach(protection=Unprotected(why=said.partition(":")[2].strip()), allow=allow)
    secured = Secured(
        policy=said.policy,
        pki=pki,
        user=said.user,
        password_file=folder / said.password_file if said.password_file else None,
        server_name=said.server_name,
        server_uri=said.server_uri,
    )
    return Reach(protection=secured, allow=allow)


def require_words(given: Reach, host: str, where: str) -> None:
    """Raise LinkBarred 1019 for an unprotected connection that leaves this computer and that nobody answers for."""
    if given.protection is None and not is_loopback(host):
        raise LinkBarred(1019, where=where, seen="nothing about protection", expected=NOTHING_SAID)


def password(secured: Secured) -> str:
    """Read the password; raises LinkBarred 1017 if its file is missing, empty, or readable by others."""
    path = secured.password_file
    if path is None:
        return ""
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "bytes that are no UTF-8"
        raise LinkBarred(
            1017,
            where=told(path),
            seen=why or type(error).__name__,
            expected="a file with the password",
            remedy="Write the password into it, in one line, and let nobody else read it: chmod 600.",
        ) from None
    if mode & _OTHERS:
        raise LinkBarred(
            1017,
            where=told(path),
            seen=f"mode {mode & 0o777:o}",
            expected="600",
            remedy=f"Let nobody else read it: chmod 600 .../{path.parent.name}/{path.name}",
        )
    if not text:
        remedy = "Write the password into it, in one line."
        raise LinkBarred(
            1017, where=told(path), seen="an empty file", expected="the password in one line", remedy=remedy
        )
    return text


def told(path: Path) -> str:
    """Name a file of ours by its end: logs and books say which it is, and do not lead the way to where secrets lie."""
    return "/".join(path.parts[-3:])


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this computer itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
