"""How a machine of the twin is protected: its own certificate, the one client that it believes, and who may sign in."""

from __future__ import annotations

import hmac
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.server import Server
from asyncua.ua.uaprotocol_auto import AnonymousIdentityToken, UserNameIdentityToken
from asyncua.ua.uatypes import SecurityPolicyType
from cryptography.hazmat.primitives.serialization import Encoding

from plc.certificates import Own

_UA = {
    "Basic256Sha256": SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    "Aes128Sha256RsaOaep": SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    "Aes256Sha256RsaPss": SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
}
_LEAST = {"TLS1.2": ssl.TLSVersion.TLSv1_2, "TLS1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shield:
    """A protected machine of the twin; `clients` is a folder that holds certificates of controllers and nothing else."""

    policy: str
    own: Own
    clients: Path
    user: str = ""
    password: str = field(default="", repr=False)

    def context(self) -> ssl.SSLContext:
        """Give TLS as a Modbus machine speaks it: nobody without a known certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _LEAST[self.policy]
        context.load_cert_chain(self.own.certificate_file, self.own.key_file)
        context.verify_mode = ssl.CERT_REQUIRED
        for file in sorted(self.clients.glob("*.pem")):
            context.load_verify_locations(file)
        return context

    async def protect(self, server: Server) -> None:
        """Shut what an asyncua server leaves open: policy None, any certificate, any name and password."""
        server.set_security_policy([_UA[self.policy]])
        server.set_identity_tokens([UserNameIdentityToken if self.user else AnonymousIdentityToken])
        await server.set_application_uri(self.own.uri)
        await server.load_certificate(self.own.certificate.public_bytes(Encoding.DER), "der")
        await server.load_private_key(self.own.key_file)
        store = TrustStore([self.clients], [])
        await store.load()
        logging.getLogger("asyncuagds.validate").setLevel(logging.CRITICAL)  # a traceback for every stranger
        options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
        server.set_certificate_validator(CertificateValidator(options, store))
        server.iserver.set_user_manager(self)  # type: ignore[arg-type, unused-ignore]  # asyncua wants its class, not the one method

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """Let in who came by a protected channel and knows the password; asyncua asks this of every session."""
        del iserver
        if not certificate:  # asyncua opens sessions without protection too, whatever policies it was given
            return None
        knows = hmac.compare_digest((username or "").encode(), self.user.encode()) and hmac.compare_digest(
            (password or "").encode(), self.password.encode()
        )
        return User(role=UserRole.User) if knows else None
