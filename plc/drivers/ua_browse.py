"""Looks through an OPC UA server for its variables; reads what they are, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncua.common.node import Node
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaprotocol_auto import NodeClass
from asyncua.ua.uatypes import Int16, Int32, NodeId

from plc.drivers.ua_session import UaSession
from plc.security import UNSAID, Reach

REQUEST_S = 5.0
MOST_DEPTH = 20
MOST_NODES = 20_000
ATTRIBUTES = (AttributeIds.DataType, AttributeIds.ValueRank, AttributeIds.AccessLevel, AttributeIds.Description)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A variable: whole node id, browse path, data type as `i=...`, whether it is one value, access bits."""

    node: str
    path: str
    data_type: str
    is_scalar: bool
    access: int
    description: str


async def browse(url: str, reach: Reach = UNSAID) -> list[Found]:
    """Give every variable below Objects but those of the server itself; raises LinkTrouble."""
    session = UaSession(url, REQUEST_S, reach)
    await session.open()
    try:
        uris: Sequence[str] = await session.ask(session.client.get_namespace_array())
        return [await _variable(session, node, path, uris) for node, path in await _walk(session)]
    finally:
        await session.close()


async def _walk(session: UaSession) -> list[tuple[Node, str]]:
    found: list[tuple[Node, str]] = []
    seen: set[NodeId] = set()
    queue: list[tuple[Node, str, int]] = [
        (session.client.get_node(NodeId(Int32(ObjectIds.ObjectsFolder), Int16(0))), "", 0)
    ]
    while queue and len(seen) < MOST_NODES:
        node, path, depth = queue.pop(0)
        for child in await session.ask(node.get_children_descriptions()):
            if child.NodeId in seen or child.NodeId.NamespaceIndex == 0:  # the server's own, and standard properties
                continue
            seen.add(child.NodeId)
            inner = session.client.get_node(child.NodeId)
            name = f"{path}.{child.BrowseName.Name}".lstrip(".")
            if child.NodeClass == NodeClass.Variable:
                found.append((inner, name))
            if depth < MOST_DEPTH:
                queue.append((inner, name, depth + 1))
    return found


async def _variable(session: UaSession, node: Node, path: str, uris: Sequence[str]) -> Found:
    answers = await session.ask(node.read_attributes(ATTRIBUTES))
    kind, rank, access, text = (answer.Value.Value if answer.Value is not None else None for answer in answers)
    return Found(
        node=_named(node.nodeid, uris),
        path=path,
        data_type=_named(kind, uris) if isinstance(kind, NodeId) else "i=24",
        is_scalar=rank in (None, -1),
        access=int(access or 0),
        description=str(getattr(text, "Text", "") or ""),
    )


def _named(node: NodeId, uris: Sequence[str]) -> str:
    identifier: Any = node.Identifier
    bare = f"{'i' if isinstance(identifier, int) else 's'}={identifier}"
    index = int(node.NamespaceIndex)
    return bare if index == 0 else f"nsu={uris[index]};{bare}"
