"""Which certificates are believed, as a person put them into folders, and which devices were sent away."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from plc.certificates import common_name, extension, fingerprint, private_folder, read_file

MOST_REFUSED = 50
_SUFFIXES = (".pem", ".der", ".crt", ".cer")


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
        path = private_folder(self._folder) / part / f"{_file_name(certificate)}.pem"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _forget(self, certificate: x509.Certificate, *parts: str) -> None:
        for part in parts:
            for path, other in _all_in(self._folder / part).items():
                if other == certificate:
                    path.unlink()


def _all_in(folder: Path) -> dict[Path, x509.Certificate]:
    if not folder.is_dir():
        return {}
    return {path: read_file(path) for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES}


def _has_signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    limits, usage = extension(authority, x509.BasicConstraints), extension(authority, x509.KeyUsage)
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
