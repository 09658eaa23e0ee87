"""Finds the class that a machine file asks for: the handshake's, the plain one, or a kind of the integrator's own."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from packline.core.clock import Clock
from packline.core.effects import Device, Epochs
from packline.core.faults import Fault
from plc.links import BlockLink, TagLink, Value
from plc.machine import Machine
from plc.machine_file import MachineFile
from plc.machine_view import MachineView
from plc.plain_machine import PlainMachine

GROUP = "packline.machines"


class LiveMachine(Protocol):
    """What every kind of machine offers to stations, whatever it speaks."""

    name: str
    file: MachineFile

    def view(self) -> MachineView:
        """Give the picture of now."""
        ...

    def device(self) -> Device:
        """Give the machine's side of the effects ledger."""
        ...

    async def look(self) -> MachineView:
        """Give a picture that was taken after this call."""
        ...

    async def wait(self, predicate: Callable[[MachineView], bool], timeout_s: float) -> MachineView:
        """Wait until the view satisfies `predicate`; raises TimeoutError."""
        ...

    async def until(self, predicate: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `predicate` holds, looking whenever the machine was read; False when the time is out."""
        ...

    async def write(self, tag: str, value: Value, *, lease_s: float | None = None) -> None:
        """Write one tag, under a lease if it has a safe value."""
        ...

    async def make_ready(self) -> None:
        """Lead the machine to where it takes jobs; raises Fault if it will not go."""
        ...

    async def release(self) -> None:
        """Note that a person answers for going on."""
        ...

    async def run(self) -> None:
        """Serve the machine for ever."""
        ...


def machine_class(file: MachineFile) -> Callable[..., LiveMachine]:
    """Find the class of a machine; it is made with the keywords of `plc.machine.Machine`. Raises Fault 4201."""
    kind = file.machine.kind
    if not kind:
        return PlainMachine if file.is_plain else Machine
    found = (_from_module if ":" in kind else _from_entry_points)(kind, file.model)
    if not callable(found) or not all(hasattr(found, method) for method in ("view", "device", "run")):
        raise Fault(4201, where=f"{file.model} [machine.kind]", seen=kind, expected="a class of machines")
    return cast("Callable[..., LiveMachine]", found)


def make_machine(
    *,
    name: str,
    file: MachineFile,
    link: BlockLink | TagLink,
    epochs: Epochs,
    owner_id: int,
    clock: Clock,
    rng: random.Random,
    ticking: Callable[[], bool] = lambda: True,
) -> LiveMachine:
    """Make the machine that a file describes, on its link; raises Fault 4201 for a kind that is not there."""
    return machine_class(file)(
        name=name, file=file, link=link, epochs=epochs, owner_id=owner_id, clock=clock, rng=rng, ticking=ticking
    )


def _from_module(kind: str, model: str) -> Any:
    module, _, name = kind.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, SyntaxError) as error:
        remedy = "Is the module's folder in PYTHONPATH, or its package installed?"
        raise Fault(
            4201,
            where=f"{model} [machine.kind]",
            seen=str(error),
            expected=f"a class that can be imported, not {kind}",
            remedy=remedy,
        ) from error


def _from_entry_points(kind: str, model: str) -> Any:
    found = entry_points(group=GROUP, name=kind)
    if not found:
        known = ", ".join(sorted(entry_points(group=GROUP).names)) or "none"
        expected = f"a name in the entry-point group {GROUP} ({known}), or package.module:Class"
        raise Fault(4201, where=f"{model} [machine.kind]", seen=kind, expected=expected)
    return next(iter(found)).load()
