"""Our own certificate with its key: made, kept where nobody else reads the key, and read again."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plc.certificates import is_current, private_folder, read_file, uris, validity
from plc.security import LinkBarred, told

DAYS = 1825
RSA_BITS = 3072
SKEW = timedelta(minutes=5)
"""A new certificate begins a little earlier, for clocks that are a little late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Our own certificate with its key: what a device gets to know us by."""

    certificate: x509.Certificate
    certificate_file: Path
    key_file: Path

    @property
    def uri(self) -> str:
        """Give the application uri."""
        return next(iter(uris(self.certificate)), "")


def make_own(folder: Path, *, name: str, uri: str, hosts: Sequence[str], now: datetime, days: int = DAYS) -> Own:
    """Make a key and a self-signed certificate for client and server alike; they replace what was there.

    Fields after OPC 10000-6 6.2.2: application uri first, hosts after it, all four key usages, both extended ones.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    title = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name[:64]), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Packline")]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(title)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(uri, hosts)), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    own_folder = private_folder(folder / "own")
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_private(own_folder / "key.pem", secret)
    (own_folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Own(
        certificate=certificate, certificate_file=own_folder / "certificate.pem", key_file=own_folder / "key.pem"
    )


def read_own(folder: Path, now: datetime) -> Own:
    """Read our own certificate; raises LinkBarred 1017 if it is missing, run out, or its key not ours alone."""
    file, key_file = folder / "own" / "certificate.pem", folder / "own" / "key.pem"
    if not file.exists() or not key_file.exists():
        raise LinkBarred(1017, where=told(file), seen="no certificate", expected="one of our own", remedy=_MAKE_ONE)
    if (mode := key_file.stat().st_mode) & 0o077:
        raise LinkBarred(1017, where=told(key_file), seen=f"mode {mode & 0o777:o}", expected="600")
    certificate = read_file(file)
    if not is_current(certificate, now):
        raise LinkBarred(1017, where=told(file), seen=validity(certificate), expected=f"valid now, {now:%Y-%m-%d}")
    return Own(certificate=certificate, certificate_file=file, key_file=key_file)


_MAKE_ONE = "Make one: packline pki init SITE; then let the device trust it."


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _names(uri: str, hosts: Iterable[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # an older file would keep its mode
    path.touch(mode=0o600)
    path.write_bytes(content)
