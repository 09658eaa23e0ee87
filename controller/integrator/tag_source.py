"""Gets tags from where they are listed: a CSV file, a NodeSet2 file, or a server that is browsed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from controller.integrator.nodeset import Variable, read_nodeset, tags_of
from controller.integrator.tag_list import TagList, read_list
from packline.core.faults import Fault
from plc.links import LinkTrouble
from plc.security import Allow, Reach, Unprotected
from plc.tags.model import AddressBase

SERVER = "opc.tcp://"


def is_opcua(source: str) -> bool:
    """Tell whether a source gives nodes: a server, or a NodeSet2 file."""
    return source.startswith(SERVER) or source.lower().endswith(".xml")


def read_source(source: str, base: AddressBase | None, unprotected: str | None = None) -> TagList:
    """Read tags; `base` is how the machine file counts registers, `unprotected` why a server needs no protection. Raises Fault."""
    if source.startswith(SERVER):
        return _browsed(source, unprotected)
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        seen = (error.strerror or type(error).__name__).lower()
        raise Fault(
            4201, where=source, seen=seen, expected="a CSV file, a NodeSet2 file, or opc.tcp://host:port"
        ) from error
    if is_opcua(source):
        return read_nodeset(data, source)
    try:
        return read_list(data.decode("utf-8"), source, base)
    except UnicodeDecodeError as error:
        raise Fault(4201, where=source, seen="bytes that are no UTF-8", expected="a CSV file in UTF-8") from error


def _browsed(url: str, unprotected: str | None) -> TagList:
    from plc.drivers.opening import quiet_libraries
    from plc.drivers.ua_browse import browse  # asyncua takes a second to import

    quiet_libraries()
    said = Unprotected(why=unprotected) if unprotected else None
    try:
        found = asyncio.run(browse(url, Reach(protection=said, allow=Allow(read_only=True))))
    except LinkTrouble as trouble:
        if isinstance(trouble, Fault):
            raise
        raise Fault(trouble.code, where=url, seen=str(trouble)) from trouble
    variables = [
        Variable(
            node=one.node, path=one.path, data_type=one.data_type, is_scalar=one.is_scalar, access=one.access,
            description=one.description,
        )
        for one in found
    ]  # fmt: skip
    return tags_of(variables, url)
