"""The words that a machine file's [simulation] may say for how the twin moves that machine; light enough for whoever checks a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packline.core.faults import Fault
from packline.core.files import near

GENERIC = "generic"
BEHAVIOURS = frozenset(
    {
        "turntable", "packer", "applicator", "courier_gate", "conveyor", "checkweigher", "bag_sealer", "paddle_hub",
        "modbus_scanner", GENERIC,
    }
)  # fmt: skip


def behaviour_of(said: Mapping[str, Any], name: str) -> str:
    """Give the behaviour that [simulation] of the machine or file `name` says; raises Fault 4201 for a word that nobody knows."""
    word = str(said.get("behaviour", GENERIC))
    if word not in BEHAVIOURS:
        expected = f"one of {', '.join(sorted(BEHAVIOURS))}"
        remedy = near(word, set(BEHAVIOURS)) or "Leave it out: jobs then take their time and succeed."
        raise Fault(4201, where=f"{name} [simulation.behaviour]", seen=word, expected=expected, remedy=remedy)
    return word
