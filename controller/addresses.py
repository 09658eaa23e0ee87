"""Says whether a text is the address of a device, and what it should have been."""

from __future__ import annotations

from packline.core.faults import Fault

LAST_PORT = 65535
_PORT = "host:port with a port from {} to 65535"


def wrong_address(text: str, *, least: int = 1) -> str:
    """Say what an address should be; "" when it is one. Who listens may leave the port to the system: `least` is 0 then."""
    host, colon, port = text.removeprefix("opc.tcp://").partition("/")[0].rpartition(":")
    return wrong_port(port, least=least) if host and colon else "host:port or opc.tcp://host:port"


def wrong_port(text: str, *, least: int = 1) -> str:
    """Say what a port should be; "" when it is one."""
    is_port = text.isascii() and text.isdigit() and len(text) <= 5 and least <= int(text) <= LAST_PORT
    return "" if is_port else _PORT.format(least)


def wrong_scheme(protocol: str, address: str) -> str:
    """Say what kind of address a protocol wants; "" when it is of that kind."""
    if (protocol == "opcua") == address.startswith("opc.tcp://"):
        return ""
    return "opc.tcp://host:port" if protocol == "opcua" else "host:port"


def demand_address(text: str, where: str, *, least: int = 1) -> str:
    """Give an address back; raises Fault 4201 for what is none."""
    if expected := wrong_address(text, least=least):
        raise Fault(4201, where=where, seen=text, expected=expected, remedy="Type it as in 10.20.0.31:502.")
    return text
