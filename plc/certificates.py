"""X.509 certificates of our own and of devices: made, kept, and judged by rules that each say what is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from packline.core.faults import Fault
from plc.security import LinkBarred, told

E = TypeVar("E", bound=x509.ExtensionType)

DAYS = 1825
WARN_DAYS = 30
RSA_BITS = 3072
LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 256
MOST_REFUSED = 50
SKEW = timedelta(minutes=5)
"""A new certificate begins a little earlier, for clocks that are a little late."""
_WEAK = (hashes.MD5, hashes.SHA1)
_SUFFIXES = (".pem", ".der", ".crt", ".cer")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the certificate of a device must say; `uri` is asked for over OPC UA only."""

    where: str
    host: str
    uri: str | None = None


# -- our own -----------------------------------------------------------------------------------------------------------


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
    own_folder = _private_folder(folder / "own")
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


def _private_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # an older file would keep its mode
    path.touch(mode=0o600)
    path.write_bytes(content)


# -- whom we trust -----------------------------------------------------------------------------------------------------


class TrustFolder:
    """The certificates that are believed (`trusted/`), never believed (`distrusted/`), and those sent away (`refused/`).

    A trusted certificate is either the device's own or that of the authority that signed it directly.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def trusted(self) -> dict[Path, x509.Certificate]:
        """Give what is trusted, by file."""
        return _all_in(self._folder / "trusted")

    def refused(self) -> dict[Path, x509.Certificate]:
        """Give what devices showed and nobody trusted yet, by file."""
        return _all_in(self._folder / "refused")

    def trust(self, certificate: x509.Certificate) -> Path:
        """Believe a certificate from now on."""
        self._forget(certificate, "refused", "distrusted")
        return self._keep(certificate, "trusted")

    def distrust(self, certificate: x509.Certificate) -> Path:
        """Believe a certificate no longer, not even if a trusted authority signed it."""
        self._forget(certificate, "trusted", "refused")
        return self._keep(certificate, "distrusted")

    def note_refused(self, certificate: x509.Certificate) -> Path | None:
        """Keep a refused certificate for whoever wants to look at it and trust it; not more than 50."""
        before = self.refused()
        if certificate not in before.values() and len(before) >= MOST_REFUSED:
            return None
        return self._keep(certificate, "refused")

    def vouches_for(self, certificate: x509.Certificate) -> x509.Certificate | None:
        """Give the trusted certificate by which this one is believed: itself, or its issuer."""
        if any(other == certificate for other in _all_in(self._folder / "distrusted").values()):
            return None
        trusted = list(self.trusted().values())
        return next((one for one in trusted if one == certificate or _has_signed(one, certificate)), None)

    def _keep(self, certificate: x509.Certificate, part: str) -> Path:
        path = _private_folder(self._folder) / part / f"{_file_name(certificate)}.pem"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _forget(self, certificate: x509.Certificate, *parts: str) -> None:
        for part in parts:
            for path, other in _all_in(self._folder / part).items():
                if other == certificate:
                    path.unlink()


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
    """Read what a device showed; raises LinkBarred 1014."""
    try:
        return x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise LinkBarred(1014, where=where, seen="something that is no certificate", expected="X.509") from error


def _all_in(folder: Path) -> dict[Path, x509.Certificate]:
    if not folder.is_dir():
        return {}
    return {path: read_file(path) for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES}


def _has_signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    limits, usage = _extension(authority, x509.BasicConstraints), _extension(authority, x509.KeyUsage)
    if limits is None or not limits.ca or (usage is not None and not usage.key_cert_sign):
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _file_name(certificate: x509.Certificate) -> str:
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", common_name(certificate)).strip("-.")[:40] or "certificate"
    return f"{name}-{fingerprint(certificate)[:8]}"


# -- judging -----------------------------------------------------------------------------------------------------------


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
    usage, purpose = _extension(certificate, x509.KeyUsage), _extension(certificate, x509.ExtendedKeyUsage)
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


# -- reading -----------------------------------------------------------------------------------------------------------


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
    names = _extension(certificate, x509.SubjectAlternativeName)
    return names.get_values_for_type(x509.UniformResourceIdentifier) if names else []


def hosts(certificate: x509.Certificate) -> list[str]:
    """Give the host names and IP addresses that it stands for."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    if not names:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):  # ValueError: extensions that cannot be read count as none
        return None
