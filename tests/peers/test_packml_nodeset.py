"""Our PackML table against the one that the OPC Foundation publishes: the NodeSet of OPC 30050, its composites flattened.

A state of the NodeSet may hold a whole state machine (Cleared the machine's states, Running those of execution). A way out of
such a composite is one out of every state in it; a way into it leads to where its sub-machine begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import pytest

from plc.packml import STATE_COMPLETE, Cmd, Edition, State, name_of, transitions

pytestmark = pytest.mark.wire
UA = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
VALUE = "{http://opcfoundation.org/UA/2008/02/Types.xsd}UInt32"


@dataclass
class Node:
    """One node of the set: its name, and what it points at and is pointed at by, by kind of reference."""

    name: str
    number: int | None = None
    to: dict[str, list[Node]] = field(default_factory=dict)
    by: dict[str, list[Node]] = field(default_factory=dict)
    STATE: ClassVar[str] = "i=2307"
    TRANSITION: ClassVar[str] = "i=2310"
    kind: str = ""

    def one(self, reference: str) -> Node:
        (only,) = self.to[reference]
        return only


def read(path: Path) -> list[Node]:
    """Read the NodeSet into nodes that know each other."""
    root = ElementTree.parse(path).getroot()
    nodes = {
        element.get("NodeId", ""): Node(
            element.get("BrowseName", "").partition(":")[2] or element.get("BrowseName", "")
        )
        for element in root
        if element.get("NodeId")
    }
    for element in root:
        node = nodes.get(element.get("NodeId", ""))
        for reference in element.iter(f"{UA}Reference"):
            if node is not None:
                _link(node, reference, nodes)
    for element in root:
        value = element.find(f"{UA}Value/{VALUE}")
        if element.get("BrowseName") == "StateNumber" and value is not None:
            nodes[element.get("ParentNodeId", "")].number = int(value.text or 0)
    return list(nodes.values())


def _link(node: Node, reference: ElementTree.Element, nodes: dict[str, Node]) -> None:
    kind, target = reference.get("ReferenceType", ""), reference.text or ""
    if kind == "HasTypeDefinition" and target not in nodes:
        node.kind = target
    other = nodes.get(target)
    if other is None:
        return
    begin, end = (other, node) if reference.get("IsForward") == "false" else (node, other)
    if end not in begin.to.setdefault(kind, []):
        begin.to[kind].append(end)
        end.by.setdefault(kind, []).append(begin)


class Published:
    """The flattened state machine of the NodeSet: rows of (state, command) to state, and state-complete."""

    def __init__(self, nodes: list[Node]) -> None:
        self._transitions = [node for node in nodes if node.kind == Node.TRANSITION and "FromState" in node.to]
        self._states = [node for node in nodes if node.kind == Node.STATE]
        self.commands: dict[tuple[str, str], str] = {}
        self.completes: dict[str, str] = {}
        for transition in self._transitions:
            self._flatten(transition)

    @property
    def names(self) -> set[str]:
        return {state.name for state in self._states if not self._inside(state)}

    @property
    def numbers(self) -> dict[str, int | None]:
        return {state.name: state.number for state in self._states}

    def _flatten(self, transition: Node) -> None:
        causes = [method.name for method in transition.to.get("HasCause", [])]
        target = transition.one("ToState")
        for leaf in self._leaves(transition.one("FromState")):
            if not causes:
                self.completes[leaf.name] = target.name
            for cause in causes:
                self.commands[leaf.name, cause] = self._entry(target, cause).name

    def _leaves(self, state: Node) -> list[Node]:
        inside = self._inside(state)
        return [leaf for inner in inside for leaf in self._leaves(inner)] if inside else [state]

    def _inside(self, state: Node) -> list[Node]:
        """Give the states of the machine that a composite holds."""
        return [
            inner
            for machine in state.to.get("HasSubStateMachine", [])
            for kind in machine.to["HasTypeDefinition"]
            for inner in kind.to["HasComponent"]
            if inner.kind == Node.STATE
        ]

    def _entry(self, state: Node, cause: str) -> Node:
        """Give where a composite is entered by `cause`: where that cause leads inside it, else the state that nothing leads to."""
        inside = self._inside(state)
        if not inside:
            return state
        for transition in self._transitions:
            if transition.one("FromState") in inside and cause in [m.name for m in transition.to.get("HasCause", [])]:
                if transition.one("ToState") in inside:
                    return transition.one("ToState")
        (first,) = [inner for inner in inside if not inner.by.get("ToState")]
        return first


@pytest.fixture(scope="module")
def published(packages: Path) -> Published:
    return Published(read(packages / "node_modules/node-opcua-nodesets/nodesets/Opc.Ua.PackML.NodeSet2.xml"))


def test_states_and_their_numbers_are_those_of_the_nodeset(published: Published):
    assert published.names == {name_of(state) for state in State}
    composites = {"Running": 18, "Cleared": 19}
    assert published.numbers == {name_of(state): int(state) for state in State} | composites


def test_every_command_of_the_2015_edition_leads_where_the_nodeset_says(published: Published):
    words = {command: command.name.capitalize() for command in Cmd} | {Cmd.COMPLETE: "ToComplete"}
    ours = {(name_of(s), words[c]): name_of(t) for (s, c), t in transitions(Edition.Y2015).items()}
    assert ours == published.commands
    assert len(ours) == 41


def test_every_acting_state_ends_where_the_nodeset_says(published: Published):
    ours = {name_of(s): name_of(t) for s, t in STATE_COMPLETE.items() if s is not State.EXECUTE}
    assert ours == published.completes  # of Execute it knows only the command ToComplete
