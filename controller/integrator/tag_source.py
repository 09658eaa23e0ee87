"""Gets tags from where they are listed: a CSV file, a NodeSet2 file, or a server that is browsed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from controller.integrator.nodeset import Variable, read_nodeset, tags_of
from controller.integrator.tag_list import TagList, read_list
from controller.integrator.target import demand_unsaid
from controller.site_file import load_site
from controller.site_security import reach
from controller.sites import find_site
from controller.starting import data_of
from packline.core.faults import Fault
from packline.core.files import near
from plc.links import LinkTrouble
from plc.security import Allow, Reach, Unprotected
from plc.tags.model import AddressBase

SERVER = "opc.tcp://"
BY_NAME = "Type the name of an OPC UA machine of this site, or a CSV or NodeSet2 file without --site."


def is_opcua(source: str) -> bool:
    """Tell whether a source gives nodes: a server, or a NodeSet2 file."""
    return source.startswith(SERVER) or source.lower().endswith(".xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How a server is reached: as a machine of the site file `site`, or in the clear, and why (`unprotected`)."""

    site: Path | None = None
    unprotected: str | None = None


def read_source(source: str, base: AddressBase | None, door: Door) -> TagList:
    """Read tags; `base` is how the machine file counts registers, `door` how a server is reached. Raises Fault, FileFaults."""
    if door.site is not None:
        demand_unsaid(door.unprotected)
        return _browsed(*_machine_of(door.site, source))
    if source.startswith(SERVER):
        said = Unprotected(why=door.unprotected) if door.unprotected else None
        return _browsed(source, Reach(protection=said))
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        seen = (error.strerror or type(error).__name__).lower()
        expected = "a CSV file, a NodeSet2 file, or opc.tcp://host:port"
        remedy = "Check the path, and from which folder you type."
        raise Fault(4201, where=source, seen=seen, expected=expected, remedy=remedy) from error
    if is_opcua(source):
        return read_nodeset(data, source)
    try:
        return read_list(data.decode("utf-8"), source, base)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        seen = f"a byte that is no UTF-8: 0x{data[error.start]:02X}"
        remedy = "Save it again as UTF-8 (in Excel: CSV UTF-8)."
        where = f"{source} line {line}"
        raise Fault(4201, where=where, seen=seen, expected="a CSV file in UTF-8", remedy=remedy) from error


def _machine_of(path: Path, name: str) -> tuple[str, Reach]:
    """Give the address of a machine of a site, and how it is reached; its machine file need not be there yet."""
    path = find_site(path)
    site = load_site(path)
    known = {machine for machine, part in site.machines.items() if part.address.startswith(SERVER)}
    if name not in known:
        expected = f"one of its OPC UA machines: {', '.join(sorted(known)) or 'none declared'}"
        raise Fault(4201, where=f"{path} [machines]", seen=name, expected=expected, remedy=near(name, known) or BY_NAME)
    part = site.machines[name]
    return part.address, reach(part, path.resolve().parent, data_of(site, path))


def _browsed(url: str, way: Reach) -> TagList:
    from plc.drivers.opening import quiet_libraries
    from plc.drivers.ua_browse import browse  # asyncua takes a second to import

    quiet_libraries()
    try:
        found = asyncio.run(browse(url, Reach(protection=way.protection, allow=Allow(read_only=True))))
    except LinkTrouble as trouble:
        if isinstance(trouble, Fault):
            raise
        raise Fault(trouble.code, where=url, seen=str(trouble), expected="an answer") from trouble
    variables = [
        Variable(
            node=one.node, path=one.path, data_type=one.data_type, is_scalar=one.is_scalar, access=one.access,
            description=one.description,
        )
        for one in found
    ]  # fmt: skip
    return tags_of(variables, url)
