"""Chooses the driver that a machine file asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable

from plc.links import BlockLink
from plc.machine_file import MachineFile
from plc.security import UNSAID, Reach

OpenLink = Callable[[MachineFile, str, Reach], BlockLink]
"""Makes the link to the machine described by a file at an address ("127.0.0.1:5020", "opc.tcp://127.0.0.1:4840/"), protected as said.

It carries tags as well if it is a RegisterLink or a NodeLink.
"""


def open_link(file: MachineFile, address: str, reach: Reach = UNSAID) -> BlockLink:
    """Make the link to a machine ("host:port" or "opc.tcp://host:port/path"); it still wants `connect`.

    Each library is imported when the first machine needs it: asyncua takes about a second.
    """
    quiet_libraries()
    if file.machine.protocol == "modbus":
        from plc.drivers.modbus import ModbusLink  # noqa: PLC0415

        return ModbusLink(file, address, reach)
    from plc.drivers.opcua import OpcUaLink  # noqa: PLC0415

    return OpcUaLink(file, address, reach)


def quiet_libraries() -> None:
    """Keep both libraries from logging each failed try: the machine logs the first failure and the recovery."""
    for name in ("asyncua", "pymodbus"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
