"""Judges the certificate that a device shows, by rules that each say what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from plc.certificates import common_name, describe, extension, hosts, is_current, uris, validity
from plc.security import LinkBarred, told
from plc.trust import TrustFolder

LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 256
_WEAK = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the certificate of a device must say; `uri` is asked for over OPC UA only."""

    where: str
    host: str
    uri: str | None = None


def judge(certificate: x509.Certificate, wanted: Wanted, trust: TrustFolder, now: datetime) -> None:
    """Raise LinkBarred if a device's certificate is not to be believed: 1011 untrusted, 1012 out of date, 1013 another's, 1014 unfit."""
    issuer = trust.vouches_for(certificate)
    if issuer is None:
        _refuse_stranger(certificate, wanted, trust)
    else:
        _check_time(certificate, issuer, wanted, now)
    _check_identity(certificate, wanted)
    _check_use(certificate, wanted)


def _refuse_stranger(certificate: x509.Certificate, wanted: Wanted, trust: TrustFolder) -> None:
    kept = trust.note_refused(certificate)
    remedy = (
        f"Compare the fingerprint with the device's own panel, then: packline pki trust SITE {told(kept)}"
        if kept
        else ""
    )
    raise LinkBarred(
        1011, where=wanted.where, seen=describe(certificate), expected="a certificate in pki/trusted", remedy=remedy
    )


def _check_time(certificate: x509.Certificate, issuer: x509.Certificate, wanted: Wanted, now: datetime) -> None:
    for one in (certificate, issuer):
        if not is_current(one, now):
            seen = f"{common_name(one)} {validity(one)}"
            raise LinkBarred(1012, where=wanted.where, seen=seen, expected=f"valid now, {now:%Y-%m-%d %H:%M} UTC")


def _check_identity(certificate: x509.Certificate, wanted: Wanted) -> None:
    if wanted.uri is not None and wanted.uri not in uris(certificate):
        seen = ", ".join(uris(certificate)) or "no application uri"
        raise LinkBarred(1013, where=wanted.where, seen=seen, expected=f"application uri {wanted.uri}")
    if wanted.host.lower() not in {name.lower() for name in hosts(certificate)}:
        seen = ", ".join(hosts(certificate)) or "no host"
        raise LinkBarred(1013, where=wanted.where, seen=seen, expected=f"host {wanted.host}")


def _check_use(certificate: x509.Certificate, wanted: Wanted) -> None:
    for is_well, seen, expected in _uses(certificate, is_ua=wanted.uri is not None):
        if not is_well:
            raise LinkBarred(1014, where=wanted.where, seen=seen, expected=expected)


def _uses(certificate: x509.Certificate, *, is_ua: bool) -> Iterable[tuple[bool, str, str]]:
    """Say what must hold. OPC UA demands both usage extensions (OPC 10000-6 6.2.2); TLS counts a missing one as any use."""
    usage, purpose = extension(certificate, x509.KeyUsage), extension(certificate, x509.ExtendedKeyUsage)
    may_sign = usage.digital_signature if usage else not is_ua
    may_encrypt = not is_ua or bool(usage and usage.data_encipherment and usage.key_encipherment)
    is_server = ExtendedKeyUsageOID.SERVER_AUTH in purpose if purpose else not is_ua
    yield may_sign, "key usage without digital signature", "digital signature"
    yield may_encrypt, "key usage without encipherment", "key and data encipherment"
    yield is_server, "no server authentication", "extended key usage: server authentication"
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        yield key.key_size >= LEAST_RSA_BITS, f"RSA of {key.key_size} bits", f"at least {LEAST_RSA_BITS}"
    elif isinstance(key, ec.EllipticCurvePublicKey) and not is_ua:
        yield key.key_size >= LEAST_EC_BITS, f"a curve of {key.key_size} bits", f"at least {LEAST_EC_BITS}"
    else:
        yield False, type(key).__name__, "an RSA key" if is_ua else "an RSA or elliptic curve key"
    algorithm = certificate.signature_hash_algorithm
    yield algorithm is not None and not isinstance(algorithm, _WEAK), "a weak signature", "SHA-256 or better"
