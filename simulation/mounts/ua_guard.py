"""Shuts what an OPC UA server of asyncua leaves open."""

from __future__ import annotations

import hmac
import logging
from typing import Any

from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.server import Server
from asyncua.ua.uaprotocol_auto import AnonymousIdentityToken, UserNameIdentityToken
from asyncua.ua.uatypes import SecurityPolicyType
from cryptography.hazmat.primitives.serialization import Encoding

from simulation.mounts.shield import Shield

_UA = {
    "Basic256Sha256": SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    "Aes128Sha256RsaOaep": SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    "Aes256Sha256RsaPss": SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
}


async def protect(server: Server, shield: Shield) -> None:
    """Shut it: policy None, any certificate, any name and password."""
    server.set_security_policy([_UA[shield.policy]])
    server.set_identity_tokens([UserNameIdentityToken if shield.user else AnonymousIdentityToken])
    await server.set_application_uri(shield.own.uri)
    await server.load_certificate(shield.own.certificate.public_bytes(Encoding.DER), "der")
    await server.load_private_key(shield.own.key_file)
    store = TrustStore([shield.clients], [])
    await store.load()
    logging.getLogger("asyncuagds.validate").setLevel(logging.CRITICAL)  # a traceback for every stranger
    options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
    server.set_certificate_validator(CertificateValidator(options, store))
    server.iserver.set_user_manager(Guard(shield))  # type: ignore[arg-type, unused-ignore]  # asyncua wants its class, not the one method


class Guard:
    """Knows who may sign in."""

    def __init__(self, shield: Shield) -> None:
        self._shield = shield

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """Let in who came by a protected channel and knows the password; asyncua asks this of every session."""
        del iserver
        if not certificate:  # asyncua opens sessions without protection too, whatever policies it was given
            return None
        known = ((username, self._shield.user), (password, self._shield.password))
        knows = [hmac.compare_digest((said or "").encode(), right.encode()) for said, right in known]
        return User(role=UserRole.User) if all(knows) else None
