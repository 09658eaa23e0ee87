"""Reads X.509 certificates, our own and those of devices: from files, and what one says of itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from packline.core.faults import Fault
from plc.security import LinkBarred, told

E = TypeVar("E", bound=x509.ExtensionType)

WARN_DAYS = 30


def read_file(path: Path) -> x509.Certificate:
    """Read a PEM or DER file; raises LinkBarred 1017."""
    try:
        content = path.read_bytes()
        if content.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except (OSError, ValueError) as error:
        seen = (error.strerror or "").lower() if isinstance(error, OSError) else "no certificate"
        remedy = "Take the certificate alone, as the device's maker or its panel gives it."
        raise LinkBarred(
            1017,
            where=told(path),
            seen=seen or type(error).__name__,
            expected="a certificate, PEM or DER",
            remedy=remedy,
        ) from error


def read_der(content: bytes, where: str) -> x509.Certificate:
    """Read what a device showed, its own certificate where it shows those of its authorities behind it; raises LinkBarred 1014."""
    try:
        return x509.load_der_x509_certificate(_first(content))
    except ValueError as error:
        raise LinkBarred(1014, where=where, seen="something that is no certificate", expected="X.509") from error


def _first(content: bytes) -> bytes:
    """Give the first of certificates that follow each other (X.690, 8.1.3: how long it is stands at its begin)."""
    if len(content) < 2 or content[1] < 0x80:
        return content
    long = 2 + (content[1] & 0x7F)
    return content[: long + int.from_bytes(content[2:long])]


def is_current(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether `now` lies in the certificate's time."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def days_left(certificate: x509.Certificate, now: datetime) -> int:
    """Give the whole days until it runs out; negative afterwards."""
    return (certificate.not_valid_after_utc - now).days


def warning(certificate: x509.Certificate, now: datetime, where: str) -> Fault | None:
    """Give Fault 1020 for a certificate that runs out within 30 days, 1022 for one that has."""
    left = days_left(certificate, now)
    if left >= WARN_DAYS:
        return None
    seen = f"{common_name(certificate)} {validity(certificate)}"
    return Fault(1022 if left < 0 else 1020, where=where, seen=seen, expected=f"more than {WARN_DAYS} days left")


def validity(certificate: x509.Certificate) -> str:
    """Say from when to when it is valid."""
    return f"valid {certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"


def fingerprint(certificate: x509.Certificate) -> str:
    """Give the SHA-256 fingerprint in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def thumbprint(certificate: x509.Certificate) -> str:
    """Give the SHA-1 fingerprint in hex, which OPC UA tools and panels show; it identifies, it proves nothing."""
    return certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303


def common_name(certificate: x509.Certificate) -> str:
    """Give the subject's common name."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else "without a name"


def describe(certificate: x509.Certificate) -> str:
    """Say which certificate this is, in one line."""
    return f"{common_name(certificate)} (SHA-256 {fingerprint(certificate)[:16]}..., SHA-1 {thumbprint(certificate)})"


def uris(certificate: x509.Certificate) -> list[str]:
    """Give the uris of the subject's alternative names."""
    names = extension(certificate, x509.SubjectAlternativeName)
    return names.get_values_for_type(x509.UniformResourceIdentifier) if names else []


def hosts(certificate: x509.Certificate) -> list[str]:
    """Give the host names and IP addresses that it stands for."""
    names = extension(certificate, x509.SubjectAlternativeName)
    if not names:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """Give an extension; None if it is missing or cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def private_folder(folder: Path) -> Path:
    """Make a folder that nobody else looks into; gives `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder
