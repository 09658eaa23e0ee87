"""Makes the mounts that stand on a protocol's library, each imported when the first device needs it: asyncua takes half a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from plc.machine_file import MachineFile
from simulation.mounts.blocks import BlockDevice
from simulation.mounts.shield import Shield
from simulation.mounts.wire import Wire

if TYPE_CHECKING:
    from simulation.mounts.address_space import AddressSpace
    from simulation.mounts.autoid import AutoIdMount
    from simulation.mounts.modbus import ModbusMount
    from simulation.mounts.opcua import OpcUaMachineMount


def modbus_mount(
    address: str, file: MachineFile, device: BlockDevice, wire: Wire, shield: Shield | None = None
) -> ModbusMount:
    """Make the mount of a machine, or of a scanner behind registers, over Modbus TCP."""
    from simulation.mounts.modbus import ModbusMount  # noqa: PLC0415

    return ModbusMount(address, file, device, wire, shield)


def address_space(shield: Shield | None = None) -> AddressSpace:
    """Make an address space for devices over OPC UA."""
    from simulation.mounts.address_space import AddressSpace  # noqa: PLC0415

    return AddressSpace(shield)


def opcua_mount(
    address: str, file: MachineFile, device: BlockDevice, wire: Wire, space: AddressSpace
) -> OpcUaMachineMount:
    """Make the mount of a machine over OPC UA."""
    from simulation.mounts.opcua import OpcUaMachineMount  # noqa: PLC0415

    return OpcUaMachineMount(address, file, device, wire, space)


def autoid_mount(address: str, space: AddressSpace, trigger: Callable[[], None]) -> AutoIdMount:
    """Make the mount of a fixed reader over OPC UA."""
    from simulation.mounts.autoid import AutoIdMount  # noqa: PLC0415

    return AutoIdMount(address, space, trigger)
