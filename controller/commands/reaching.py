"""Says of a machine that a command could not reach what whoever typed it can do: nothing here tries again by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from packline.core.faults import Fault
from plc.links import LinkDown, LinkSilent, LinkTrouble

DOWN, SILENT, BARE = LinkDown.code, LinkSilent.code, 1019
_SEEN = {DOWN: "nobody answers there", SILENT: "connected, but no answer in time"}
REMEDY = {
    DOWN: "See that it is switched on, that its cable is in and that address and port are right; then type the same again.",
    SILENT: "See that this is the machine that is meant, and its unit id; then type the same again.",
    BARE: "Type the same with --unprotected and, in words, why it needs no protection: --unprotected 'closed machine "
    "network'; or name it in a site file that protects it.",
}
"""What to do at a keyboard; the catalogue's remedies are those of a line that runs."""


@contextmanager
def reaching(where: str) -> Iterator[None]:
    """Raise the fault of a link as one for the keyboard; `where` names the machine and its address."""
    try:
        yield
    except Fault as fault:
        if fault.code not in REMEDY:
            raise
        seen = _SEEN.get(fault.code, fault.seen)
        expected = "protection, or why it needs none" if fault.code == BARE else "an answer"
        raise Fault(fault.code, where=where, seen=seen, expected=expected, remedy=REMEDY[fault.code]) from fault
    except LinkTrouble as trouble:
        seen = _SEEN.get(trouble.code, str(trouble))
        remedy = REMEDY.get(trouble.code, "")
        raise Fault(trouble.code, where=where, seen=seen, expected="an answer", remedy=remedy) from trouble
