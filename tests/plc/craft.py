"""Certificates as good or as bad as a test wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plc.own_certificate import Own, _key_usage, _names
from plc.security import Secured

NOW = datetime.now(UTC)
URI = "urn:test:machine"
SERVER = (ExtendedKeyUsageOID.SERVER_AUTH,)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)


@cache
def key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """Give a key; making one takes a while, so tests share them by number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def kept(self, folder: Path) -> Own:
        """Put it where an own certificate lies."""
        own = folder / "own"
        own.mkdir(parents=True, exist_ok=True)
        (own / "certificate.pem").write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        secret = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (own / "key.pem").write_bytes(secret)
        (own / "key.pem").chmod(0o600)
        return Own(certificate=self.certificate, certificate_file=own / "certificate.pem", key_file=own / "key.pem")


def made(
    *,
    name: str = "machine",
    uri: str = URI,
    hosts: Sequence[str] = ("127.0.0.1",),
    begins: timedelta = timedelta(days=-10),
    ends: timedelta = timedelta(days=300),
    purposes: Sequence[x509.ObjectIdentifier] | None = (*SERVER, *CLIENT),
    usage: x509.KeyUsage | None = _key_usage(),  # noqa: B008 - a frozen thing
    secret: rsa.RSAPrivateKey | None = None,
    issuer: Made | None = None,
    is_authority: bool = False,
) -> Made:
    """Make a certificate, by default one that is in order."""
    secret = secret or key()
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(issuer.certificate.subject if issuer else title)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + begins)
        .not_valid_after(NOW + ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_names(uri, hosts)), critical=False)
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Made(certificate=builder.sign(issuer.key if issuer else secret, hashes.SHA256()), key=secret)


def uses(**changed: bool) -> x509.KeyUsage:
    """Give the key usage of a good certificate, but for what is `changed`."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    said = dict.fromkeys(
        (*names, "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False
    )
    return x509.KeyUsage(**{**said, **dict.fromkeys(names, True), **changed})


def secured(pki: Path, policy: str, **more) -> Secured:
    return Secured(policy=policy, pki=pki, **more)
