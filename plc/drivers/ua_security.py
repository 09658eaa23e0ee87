"""OPC UA connections that are protected: the server judged before anything is told to it, requests guarded by their nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import urlsplit

from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.observer import Observer
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors._base import UaStatusCodeError
from asyncua.ua.uaprotocol_auto import EndpointDescription, MessageSecurityMode, UserTokenType
from asyncua.ua.uatypes import NodeId
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from packline.core.clock import WallClock
from plc.certificate_rules import Wanted, judge
from plc.certificates import read_der
from plc.drivers.guard import NodeGuard, NodeRules
from plc.own_certificate import read_own
from plc.security import UA_POLICIES, LinkBarred, Reach, Secured, password, require_words
from plc.trust import TrustFolder

_POLICIES: dict[str, type[security_policies.SecurityPolicy]] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128Sha256RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256Sha256RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_MODE = MessageSecurityMode.SignAndEncrypt
_REFUSALS = frozenset(
    {
        StatusCodes.BadUserAccessDenied,
        StatusCodes.BadIdentityTokenInvalid,
        StatusCodes.BadIdentityTokenRejected,
        StatusCodes.BadUserSignatureInvalid,
        StatusCodes.BadSecurityChecksFailed,
        StatusCodes.BadSecurityPolicyRejected,
        StatusCodes.BadSecurityModeRejected,
        StatusCodes.BadCertificateInvalid,
        StatusCodes.BadCertificateTimeInvalid,
        StatusCodes.BadCertificateHostNameInvalid,
        StatusCodes.BadCertificateUriInvalid,
        StatusCodes.BadCertificateUseNotAllowed,
        StatusCodes.BadCertificateUntrusted,
        StatusCodes.BadCertificateRevoked,
        StatusCodes.BadCertificateChainIncomplete,
    }
)
CHANNEL_REFUSED = "no secure channel for us"
_HARMLESS = frozenset(
    {
        "ActivateSessionRequest",
        "BrowseNextRequest",
        "BrowseRequest",
        "CloseSessionRequest",
        "CreateSessionRequest",
        "CreateSubscriptionRequest",
        "DeleteMonitoredItemsRequest",
        "DeleteSubscriptionsRequest",
        "GetEndpointsRequest",
        "ModifyMonitoredItemsRequest",
        "ModifySubscriptionRequest",
        "PublishRequest",
        "RepublishRequest",
        "SetMonitoringModeRequest",
        "SetPublishingModeRequest",
        "TranslateBrowsePathsToNodeIdsRequest",
    }
)
"""Services that change nothing in the machine and read no value of it."""


class UaDoor:
    """Prepares one client after another for one server."""

    def __init__(self, url: str, reach: Reach, rules: NodeRules | None) -> None:
        self._url, self._reach, self._now = url, reach, WallClock().now
        self._guard = NodeGuard(url, rules) if rules is not None else None

    async def secure(self, client: Client) -> None:
        """Ask the server for its endpoints, judge its certificate, and set the client up; raises LinkBarred."""
        require_words(self._reach, self._host, self._url)
        secured = self._reach.protection
        if not isinstance(secured, Secured):
            return
        policy = _POLICIES.get(secured.policy)
        if policy is None:
            raise LinkBarred(1015, where=self._url, seen=secured.policy, expected=" or ".join(UA_POLICIES))
        own, secret = read_own(secured.pki, self._now()), password(secured)
        client.name = "Packline"
        client.application_uri = own.uri
        endpoint = self._choose(await client.connect_and_get_server_endpoints(), policy.URI, secured)
        shown = read_der(bytes(endpoint.ServerCertificate or b""), self._url)
        self._judge(shown, str(endpoint.Server.ApplicationUri), secured)
        await client.set_security(
            policy,
            own.certificate_file,
            own.key_file,
            server_certificate=shown.public_bytes(Encoding.DER),
            mode=_MODE,
        )
        client.certificate_validator = self._validator(secured)
        if secured.user:
            client.set_user(secured.user)
            client.set_password(secret)

    async def connect(self, client: Client) -> None:
        """Connect and sign in, and guard what follows; raises LinkBarred if the server refuses us or cannot prove itself."""
        try:
            await client.connect()
        except UaStatusCodeError as error:
            if error.code in _REFUSALS:
                raise LinkBarred(1016, where=self._url, seen=type(error).__name__, expected=self._wish()) from error
            raise
        except (
            AssertionError
        ) as error:  # asyncua 2.1 asserts what a server that refuses by a service fault does not grant
            raise LinkBarred(1016, where=self._url, seen=CHANNEL_REFUSED, expected=self._wish()) from error
        except InvalidSignature as error:
            seen = "a signature that is not by the certificate's key"
            raise LinkBarred(1011, where=self._url, seen=seen, expected="proof of the key") from error
        if self._guard is not None:
            client.uaclient.observer = _Watcher(self._guard, await client.get_namespace_array())

    @property
    def _host(self) -> str:
        return urlsplit(self._url).hostname or ""

    def _wish(self) -> str:
        secured = self._reach.protection
        return f"user {secured.user or 'anonymous'} let in" if isinstance(secured, Secured) else "everybody let in"

    def _choose(self, endpoints: Sequence[EndpointDescription], policy: str, secured: Secured) -> EndpointDescription:
        found = next((e for e in endpoints if e.SecurityPolicyUri == policy and e.SecurityMode == _MODE), None)
        if found is None:
            seen = ", ".join(sorted({_short(e) for e in endpoints})) or "no endpoint"
            raise LinkBarred(1015, where=self._url, seen=seen, expected=f"{secured.policy} SignAndEncrypt")
        kind = UserTokenType.UserName if secured.user else UserTokenType.Anonymous
        if kind not in {token.TokenType for token in found.UserIdentityTokens or ()}:
            seen = ", ".join(sorted({token.TokenType.name for token in found.UserIdentityTokens or ()})) or "no way in"
            raise LinkBarred(1016, where=self._url, seen=f"sign-in by {seen}", expected=f"sign-in by {kind.name}")
        return found

    def _judge(self, shown: x509.Certificate, uri: str, secured: Secured) -> None:
        if secured.server_uri and uri != secured.server_uri:
            raise LinkBarred(1013, where=self._url, seen=uri, expected=f"application uri {secured.server_uri}")
        wanted = Wanted(where=self._url, host=secured.server_name or self._host, uri=uri)
        judge(shown, wanted, TrustFolder(secured.pki), self._now())

    def _validator(self, secured: Secured) -> Callable[[x509.Certificate, Any], Any]:
        async def validate(shown: x509.Certificate, server: Any) -> None:
            self._judge(shown, str(server.ApplicationUri), secured)

        return validate


class _Watcher(Observer):
    """Stands where asyncua tells an observer of each request before it is sent; what it raises keeps the request here."""

    def __init__(self, guard: NodeGuard, namespaces: Sequence[str]) -> None:
        self._guard, self._namespaces = guard, namespaces

    def observe_request(self, request: Any) -> AbstractContextManager[None]:
        service = type(request).__name__
        for verb, node in self._nodes(service, request):
            self._guard.check(verb, self._named(node), is_standard=node.NamespaceIndex == 0)
        return nullcontext()

    def _nodes(self, service: str, request: Any) -> Iterator[tuple[str, NodeId]]:
        asked: Any = getattr(request, "Parameters", None)
        if service == "ReadRequest":
            yield from (("read", one.NodeId) for one in asked.NodesToRead)
        elif service == "WriteRequest":
            yield from (("write", one.NodeId) for one in asked.NodesToWrite)
        elif service == "CallRequest":
            yield from (("call", one.MethodId) for one in asked.MethodsToCall)
        elif service == "CreateMonitoredItemsRequest":
            yield from (("read", one.ItemToMonitor.NodeId) for one in asked.ItemsToCreate)
        elif service not in _HARMLESS:
            raise self._guard.bar(service)

    def _named(self, node: NodeId) -> tuple[str, str]:
        index = int(node.NamespaceIndex)
        uri = self._namespaces[index] if index < len(self._namespaces) else f"namespace {index}"
        identifier: Any = node.Identifier
        return uri, f"{'i' if isinstance(identifier, int) else 's'}={identifier}"


def _short(endpoint: EndpointDescription) -> str:
    return f"{str(endpoint.SecurityPolicyUri).rpartition('#')[2]} {endpoint.SecurityMode.name.rstrip('_')}"
