"""Tags from an OPC UA NodeSet2 file: its variables of plain types. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from controller.integrator.tag_list import TagList
from packline.core.faults import Fault
from plc.tags.model import TagType

NS = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
UA = "http://opcfoundation.org/UA/"
TYPES = {
    "i=1": TagType.BOOL, "i=4": TagType.I16, "i=5": TagType.U16, "i=6": TagType.I32, "i=7": TagType.U32, "i=8": TagType.I64,
    "i=9": TagType.U64, "i=10": TagType.F32, "i=11": TagType.F64, "i=12": TagType.STRING,
}  # fmt: skip
"""OPC 10000-6, annex A: the numbers of the built-in types that a tag can have."""
CAN_READ, CAN_WRITE = 1, 2
MOST_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of a server: its node id whole, its path of names, data type, access bits, and what people call it."""

    node: str
    path: str
    data_type: str
    is_scalar: bool
    access: int
    description: str = ""


def read_nodeset(data: bytes, where: str) -> TagList:
    """Read the variables of a NodeSet2 file."""
    if len(data) > MOST_BYTES or b"<!DOCTYPE" in data[:4096].upper():
        # a document type may name entities that grow without end; no NodeSet has one
        return TagList(faults=[Fault(4201, where=where, seen="a document type, or 64 MB", expected="a NodeSet2 file")])
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 - no document type, so no entities
    except ElementTree.ParseError as error:
        return TagList(faults=[Fault(4201, where=where, seen=str(error), expected="XML")])
    if root.tag != f"{NS}UANodeSet":
        return TagList(faults=[Fault(4201, where=where, seen=root.tag, expected="a UANodeSet")])
    return tags_of(list(_variables(root)), where)


def tags_of(variables: list[Variable], where: str) -> TagList:
    """Make tags of variables, and notes of those that no tag can be."""
    found = TagList()
    for variable in variables:
        kind = TYPES.get(variable.data_type)
        if kind is None or not variable.is_scalar:
            what = variable.data_type if variable.is_scalar else "an array"
            found.notes.append(f"{variable.path}: left out, {what} is no type of a tag")
            continue
        access = {CAN_READ: "r", CAN_WRITE: "w", CAN_READ | CAN_WRITE: "rw"}.get(variable.access & 3)
        if access is None:
            found.notes.append(f"{variable.path}: left out, nobody may read or write it")
            continue
        raw = {"node": variable.node, "type": kind, "access": access, "description": variable.description}
        found.add(variable.path, raw, f"{where} {variable.node}")
    return found


def _variables(root: ElementTree.Element) -> Iterator[Variable]:
    uris = [UA, *(uri.text or "" for uri in root.iterfind(f"{NS}NamespaceUris/{NS}Uri"))]
    aliases = {alias.get("Alias", ""): alias.text or "" for alias in root.iterfind(f"{NS}Aliases/{NS}Alias")}
    nodes = {element.get("NodeId", ""): element for element in root if element.get("NodeId")}
    for node, element in nodes.items():
        if element.tag != f"{NS}UAVariable":
            continue
        said = element.get("DataType", "i=24")
        yield Variable(
            node=_whole(node, uris),
            path=_path(element, nodes),
            data_type=aliases.get(said, said),
            is_scalar=int(element.get("ValueRank", "-1")) == -1,
            access=int(element.get("AccessLevel", "1")),
            description=(element.findtext(f"{NS}Description") or "").strip(),
        )


def _whole(node: str, uris: list[str]) -> str:
    found = re.match(r"^ns=(\d+);(.*)$", node)
    index, rest = (int(found[1]), found[2]) if found else (0, node)
    return f"nsu={uris[index]};{rest}" if index < len(uris) else node


def _path(element: ElementTree.Element, nodes: dict[str, ElementTree.Element]) -> str:
    """Give the browse names from the outermost node of the file down, at most 20 deep."""
    names: list[str] = []
    inner: ElementTree.Element | None = element
    while inner is not None and len(names) < 20:
        names.append(inner.get("BrowseName", "").partition(":")[2] or inner.get("BrowseName", ""))
        parent = inner.get("ParentNodeId")
        inner = nodes.get(parent) if parent else None
    return ".".join(reversed(names))
