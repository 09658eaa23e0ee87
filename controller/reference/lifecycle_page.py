"""The page of the state tables: orders, pieces, parcels, effects, PackML; and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controller.reference.diagram import Edge, draw, edges_of
from controller.reference.markdown import code, codes, page, table
from packline.core.effects import EFFECT_TABLE, KINDS, OPEN_STATES, EffectState
from packline.orders.lifecycle import CREATES, ORDER, PARCEL, RESUMABLE, UNIT
from packline.orders.model import OrderState, ParcelState, UnitState
from packline.orders.tracking import TRACKING
from plc.packml import MODE_CHANGE_STATES, STATE_COMPLETE, TOWARDS_EXECUTE, Cmd, Edition, State, name_of, transitions

Table = Mapping[tuple[Any, str], Any]
"""A state table: (state, event) -> state."""

MANY = 6
"""An event that leads from so many states to the same one is said in words, not drawn."""

INTRO = """
Each of these is a table in the code, and these pages and pictures are printed from it. An event that a table does not know in a state is
refused (fault 5101) and changes nothing. Every event is one row of the journal, in the same transaction as the change.
"""

O, U, P, E = OrderState, UnitState, ParcelState, EffectState  # noqa: E741 - tables below stay readable
ORDER_WORDS = {
    O.RECEIVED: "Taken from the host; waits for room on the floor.",
    O.RELEASED: "On the floor: its pieces are picked, its cartons walk the line.",
    O.SHIPPED: "Everything that was to leave has left.",
    O.CLOSED: "Every parcel is delivered or came back. The end.",
    O.RETURNED: "Nothing was shipped; all is back on the shelf. The end.",
    O.CANCELLED: "Nothing was begun, or nothing could be had. The end.",
    O.CLARIFY: "Books and host disagree (after a restored backup); nobody works it until a person says so.",
}
UNIT_WORDS = {
    U.WANTED: "To be picked.",
    U.INDUCTED: "Scanned at the camera table.",
    U.INSPECTED: "Its pictures are taken.",
    U.BOXED: "In a carton.",
    U.SHORT: "Not at its place.",
    U.RETURNED: "Back on the shelf.",
}
PARCEL_WORDS = {
    P.OPEN: "A carton with a plate; more goes in.",
    P.COLLECTED: "All that belongs in is in.",
    P.PACKED: "Sealed. Waits here until it is paid and addressed.",
    P.PRINTED: "Its label is printed, proved by the printer.",
    P.LABELLED: "The label is on the carton.",
    P.VERIFIED: "The camera has read plate and label, and they match the books. The buyer is asked.",
    P.APPROVED: "May leave.",
    P.SHIPPED: "The gate let it out, or a person said so.",
    P.DELIVERED: "The courier says so. The end.",
    P.RETURNING: "To be unpacked.",
    P.RETURNED: "Unpacked, its items on the shelf. The end.",
    P.CLARIFY: "A person must look at it.",
}
EFFECT_WORDS = {
    E.INTENDED: "Committed to the books. Nothing has left yet, as far as the books know.",
    E.SENT: "Handed over; the machine works on it, or a person does.",
    E.CONFIRMED: "Proved done.",
    E.FAILED: "The machine tried and failed.",
    E.NOT_EXECUTED: "Proved not done. Only from here may a once-effect be sent again, under a new ticket.",
    E.UNKNOWN: "Not known. A once-effect is never tried again from here; evidence or a person settles it.",
    E.VOIDED: "Given up by a person's word; what it made must not be used.",
}
KIND_WORDS = {
    "print": "Print one label. Witness: the printer's own report of the job, else its cut counter.",
    "apply": "Put the label on the parcel. Witness: the arm's memory, then the camera.",
    "seal": "Close the carton. Witness: the packaging machine's memory or its flap sensor, else the camera behind it; at a bench the person.",
    "eject": "Push the parcel to a lane. Witness: the arm's memory, else the photo-eye at the stop and the camera.",
    "release": "Let one parcel through the gate. Witness: the gate's memory (its light curtain), else a scan of the parcel still there.",
    "discard": "Throw away a label that no open job owns. Witness: the arm's memory.",
    "divert": "Send what stands at a conveyor's diverter to a lane. Witness: the conveyor's memory.",
    "turn": "Turn the table to an absolute angle. Witness: the table's memory.",
    "light": "Set a lamp or a light. Witness: the machine's memory.",
    "weigh": "Weigh what stands on the scale. Witness: the scale's count of weighings, which has risen by one.",
}


def lifecycle_page() -> str:
    """Give the page."""
    return page(
        "Lifecycles",
        INTRO,
        _life("Order", ORDER, ORDER_WORDS, "order"),
        _life("Unit", UNIT, UNIT_WORDS, "unit", "A unit is one piece of one order line."),
        _life("Parcel", PARCEL, PARCEL_WORDS, "parcel", _parcel_words()),
        _effects(),
        _packml(),
    )


def pictures() -> dict[str, str]:
    """Give the pictures by file name."""
    return {
        "pictures/order.svg": draw("Life of an order", list(O), _drawn(ORDER, list(O))),
        "pictures/unit.svg": draw("Life of a unit", list(U), _drawn(UNIT, list(U))),
        "pictures/parcel.svg": draw("Life of a parcel", list(P), _drawn(PARCEL, list(P))),
        "pictures/effect.svg": draw("Life of an effect", list(E), _effect_edges()),
        "pictures/packml.svg": draw("PackML states, edition 2022", _packml_states(), _packml_edges()),
    }


def _life(title: str, events: Table, words: Mapping[Any, str], picture: str, more: str = "") -> str:
    states = table(["state", "means"], ((code(state), words[state]) for state in words))
    first = next((kind for kind, target in CREATES.items() if target == picture), "")
    start = f"It begins with `{first}`.\n\n" if first else ""
    note = f"{more}\n\n" if more else ""
    image = f"![Life of the {picture}](pictures/{picture}.svg)"
    return f"## {title}\n\n{note}{start}{states}\n\n{image}\n\n{_unseen(events)}{_transitions(events)}"


def _transitions(events: Table) -> str:
    """Give one row an event: from where, to where, and the name under which the outside hears of it."""
    rows = []
    for kind in dict.fromkeys(event for _, event in events):
        ways: dict[str, list[Any]] = {}
        for (source, event), target in events.items():
            if event == kind:
                ways.setdefault("stays" if source == target else code(target), []).append(source)
        rows += [(code(kind), codes(sources), to, code(TRACKING.get(kind, ""))) for to, sources in ways.items()]
    return table(["event", "from", "to", "told outside as"], rows)


def _unseen(events: Table) -> str:
    crowded = _crowded(events)
    if not crowded:
        return ""
    said = ", ".join(f"{code(kind)} to {code(target)}" for kind, target in crowded)
    return f"Not drawn, because it leads there from nearly everywhere: {said}. The table has all.\n\n"


def _crowded(events: Table) -> list[tuple[str, str]]:
    ways: dict[tuple[str, str], int] = {}
    for (source, kind), target in events.items():
        ways[kind, target] = ways.get((kind, target), 0) + (source != target)
    return [way for way, number in ways.items() if number >= MANY]


def _drawn(events: Table, states: Sequence[str]) -> list[Edge]:
    crowded = _crowded(events)
    return edges_of({key: to for key, to in events.items() if (key[1], to) not in crowded}, states)


def _parcel_words() -> str:
    back = ", ".join(code(state) for state in P if state in RESUMABLE)
    return (
        "A parcel is a carton with a licence plate. `ParcelHeld` does not change its state: a held parcel goes to the hold rack and stays "
        f"until `ParcelUnheld`. `ParcelResumed` takes it from `clarify` back to where it was, or to a state that a person's choice names; "
        f"possible are {back}."
    )


def _effects() -> str:
    kinds = table(
        ["kind", "may be repeated", "what, and by which witness"],
        ((code(name), "no: once" if kind.once else "yes", KIND_WORDS[name]) for name, kind in KINDS.items()),
    )
    states = table(
        ["state", "settled", "means", "may become"],
        (
            (
                code(s),
                "no" if s in OPEN_STATES else "yes",
                EFFECT_WORDS[s],
                codes(t for t in E if t in EFFECT_TABLE[s]) or "-",
            )
            for s in E
        ),
    )
    image = "![Life of an effect](pictures/effect.svg)"
    intro = (
        "An effect is one wish to change the world outside. The row of an effect is unique by subject (plate, piece or station), kind and "
        "generation. Why it works so: [the effects ledger](../explanations/effects-ledger.md)."
    )
    return f"## Effects\n\n{intro}\n\n{kinds}\n\n{states}\n\n{image}"


def _effect_edges() -> list[Edge]:
    return [
        Edge(source=str(source), target=str(target), events=(_BY.get((source, target), ""),))
        for source in E
        for target in E
        if target in EFFECT_TABLE[source]
    ] + [Edge(source=E.NOT_EXECUTED, target=E.INTENDED, events=("again, under a new ticket",))]


_BY = {
    (E.INTENDED, E.SENT): "handed over",
    **{(s, to): "evidence" for s in OPEN_STATES for to in (E.CONFIRMED, E.FAILED, E.NOT_EXECUTED)},
    **dict.fromkeys(((E.INTENDED, E.UNKNOWN), (E.SENT, E.UNKNOWN)), "no evidence"),
    (E.UNKNOWN, E.CONFIRMED): "evidence or a person",
    (E.UNKNOWN, E.NOT_EXECUTED): "evidence or a person",
    (E.UNKNOWN, E.FAILED): "evidence or a person",
    (E.UNKNOWN, E.VOIDED): "a person",
    (E.CONFIRMED, E.VOIDED): "a person",
    (E.FAILED, E.VOIDED): "a person",
    (E.FAILED, E.NOT_EXECUTED): "a person",
    (E.NOT_EXECUTED, E.CONFIRMED): "a proof after all",
}


def _packml_states() -> list[str]:
    return [name_of(state) for state in _PACKML_ORDER]


_PACKML_ORDER = (
    State.ABORTED, State.CLEARING, State.STOPPED, State.RESETTING, State.IDLE, State.STARTING, State.EXECUTE, State.COMPLETING,
    State.COMPLETE, State.HOLDING, State.HELD, State.UNHOLDING, State.SUSPENDING, State.SUSPENDED, State.UNSUSPENDING,
    State.STOPPING, State.ABORTING,
)  # fmt: skip


def _packml_edges() -> list[Edge]:
    own = {
        (name_of(source), command.name.capitalize()): name_of(target)
        for (source, command), target in transitions(Edition.Y2022).items()
        if command not in (Cmd.ABORT, Cmd.STOP)
    }
    done = {(name_of(source), "(done)"): name_of(target) for source, target in STATE_COMPLETE.items()}
    return edges_of({**own, **done}, _packml_states())


def _packml() -> str:
    rows = (_packml_row(state) for state in sorted(State))
    heading = ["number", "state", "done leads to", *(command.name.capitalize() for command in Cmd)]
    lead = ", ".join(f"`{name_of(state)}` by {command.name.capitalize()}" for state, command in TOWARDS_EXECUTE.items())
    modes = ", ".join(code(name_of(state)) for state in sorted(MODE_CHANGE_STATES))
    text = (
        "Machines follow ISA-TR88.00.02. Each cell says where the command leads in edition 2022; *2015* marks what only edition 2015 (and "
        "OPC 30050) knows, *2022* what only edition 2022 knows. A command that a state does not know is rejected and changes nothing. "
        "Acting states that a machine file disables are passed over.\n\n"
        "A machine stays in Execute while production runs; a parcel is a job of the [handshake](handshake.md), never a cycle of states. "
        f"The controller leads a machine to Execute step by step: {lead}. Modes change in {modes} only."
    )
    image = "Not drawn: Abort leads to Aborting from everywhere else, Stop to Stopping from most.\n\n![PackML states](pictures/packml.svg)"
    return f"## PackML\n\n{text}\n\n{table(heading, rows)}\n\n{image}"


def _packml_row(state: State) -> list[object]:
    end = STATE_COMPLETE.get(state)
    return [int(state), name_of(state), name_of(end) if end else "", *(_packml_cell(state, command) for command in Cmd)]


def _packml_cell(state: State, command: Cmd) -> str:
    new, old = (transitions(edition).get((state, command)) for edition in (Edition.Y2022, Edition.Y2015))
    if new is None and old is None:
        return ""
    mark = "" if new == old else " *2022*" if new else " *2015*"
    return f"{name_of(new or old or 0)}{mark}"
