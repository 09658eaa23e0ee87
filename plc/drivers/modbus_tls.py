"""Makes the pymodbus client of one machine: its frames guarded, and over TLS where the site file says so."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType
from pymodbus.transport import CommParams, CommType

from packline.core.clock import WallClock
from plc.certificate_rules import Wanted, judge
from plc.certificates import read_der
from plc.drivers.guard import FrameGuard
from plc.own_certificate import read_own
from plc.security import TLS_POLICIES, LinkBarred, Reach, Secured, require_words
from plc.trust import TrustFolder

_LEAST = {"TLS1.2": ssl.TLSVersion.TLSv1_2, "TLS1.3": ssl.TLSVersion.TLSv1_3}
_CIPHERS_12 = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""With TLS 1.2: forward secrecy and authenticated encryption only."""


class ModbusDoor:
    """Opens one client at a time; `explain` tells afterwards why a protected connection was refused."""

    def __init__(self, host: str, port: int, *, request_s: float, reach: Reach, guard: FrameGuard) -> None:
        self._host, self._port, self._request_s = host, port, request_s
        self._reach, self._guard, self._now = reach, guard, WallClock().now
        self._refusal: Exception | None = None
        self._is_agreed = self._is_open = self._is_heard = False

    def client(self) -> AsyncModbusTcpClient:
        """Make a client that is not connected yet; raises LinkBarred."""
        require_words(self._reach, self._host, self._where)
        secured = self._reach.protection
        if isinstance(secured, Secured):
            return self._over_tls(secured)
        return AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=self._request_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._guard.trace,
        )

    def judge(self, client: AsyncModbusTcpClient) -> None:
        """Look at the certificate of the machine that was reached, before anything is asked of it; raises LinkBarred."""
        secured = self._reach.protection
        if not isinstance(secured, Secured):
            return
        shown = _shown(client)
        if not shown:
            self._refusal = self._refusal or ConnectionError("closed right after the handshake")
            self.explain()
        wanted = Wanted(where=self._where, host=secured.server_name or self._host)
        judge(read_der(shown, self._where), wanted, TrustFolder(secured.pki), self._now())

    def explain(self) -> None:
        """Raise LinkBarred if the protection failed: 1015 nothing in common, 1016 the machine does not let us in."""
        refusal, self._refusal = self._refusal, None
        if refusal is None:
            return
        reason = refusal.reason if isinstance(refusal, ssl.SSLError) else None
        seen = (reason or str(refusal) or "closed within the handshake").lower().replace("_", " ")
        is_silent = not reason and self._is_agreed  # it took our cipher, then hung up: Node.js does with TLS 1.2
        is_about_us = (
            self._is_open
            or is_silent
            or any(word in seen for word in ("alert unknown ca", "certificate", "access denied"))
        )
        raise LinkBarred(1016 if is_about_us else 1015, where=self._where, seen=seen, expected="a TLS session")

    @property
    def _where(self) -> str:
        return f"{self._host}:{self._port}"

    def _over_tls(self, secured: Secured) -> AsyncModbusTcpClient:
        client = _TlsClient(
            CommParams(
                comm_type=CommType.TLS,
                comm_name="comm",
                host=self._host,
                port=self._port,
                sslctx=self._context(secured),
                reconnect_delay=0,
                reconnect_delay_max=0,
                timeout_connect=self._request_s,
            ),
            trace_packet=self._trace,
        )
        self._listen(client)
        return client

    def _context(self, secured: Secured) -> ssl.SSLContext:
        if secured.policy not in TLS_POLICIES:
            raise LinkBarred(1015, where=self._where, seen=secured.policy, expected=" or ".join(TLS_POLICIES))
        own = read_own(secured.pki, self._now())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # OpenSSL's own verdict would neither say what is wrong nor show the certificate: `judge` gives it before any request.
        # The handshake still proves that the machine holds the key of the certificate that it shows.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = _LEAST[secured.policy]
        context.set_ciphers(_CIPHERS_12)
        context.sslobject_class = _telling(self._agreed)
        context.load_cert_chain(own.certificate_file, own.key_file)
        return context

    def _listen(self, client: AsyncModbusTcpClient) -> None:
        """Keep what pymodbus only logs: why TLS failed. With TLS 1.3 a machine refuses us after the handshake, or just hangs up."""
        create, lost = client.ctx.call_create, client.ctx.callback_disconnected
        self._refusal, self._is_agreed, self._is_open, self._is_heard = None, False, False, False

        async def creating() -> Any:
            try:
                made = await create()
            except ConnectionRefusedError:
                raise  # nobody is there
            except (ssl.SSLError, ConnectionError) as error:
                self._refusal = error
                raise
            self._is_open = True
            return made

        def losing(exc: Exception | None) -> None:
            if not self._is_heard:
                self._refusal = exc or ConnectionError("closed before the first answer")
            lost(exc)

        client.ctx.call_create = creating
        client.ctx.callback_disconnected = losing  # type: ignore[method-assign]  # pymodbus has no other place to hear why

    def _agreed(self) -> None:
        self._is_agreed = True

    def _trace(self, is_sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - as pymodbus calls it
        self._is_heard = self._is_heard or not is_sending
        return self._guard.trace(is_sending, data)


def _telling(agreed: Callable[[], None]) -> type[ssl.SSLObject]:
    """Give a session that tells when the machine has chosen version and cipher: what fails afterwards is about certificates."""

    class Session(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            finally:
                if self.cipher() is not None:
                    agreed()

    return Session


def _shown(client: AsyncModbusTcpClient) -> bytes:
    """Give the certificate of the machine at the other end; nothing if it has hung up already."""
    session: ssl.SSLObject | None = client.ctx.transport.get_extra_info("ssl_object") if client.connected else None
    try:
        return (session.getpeercert(binary_form=True) if session else None) or b""
    except ValueError:  # the session is torn down, its connection not yet
        return b""


class _TlsClient(AsyncModbusTcpClient):
    """pymodbus' TLS client with the framer of TCP: its own one takes each piece of a stream for a whole frame."""

    def __init__(self, params: CommParams, *, trace_packet: Callable[[bool, bytes], bytes]) -> None:
        self.comm_params = params
        super().__init__("", framer=FramerType.SOCKET, retries=0, trace_packet=trace_packet)
