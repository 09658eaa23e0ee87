"""The page of faults: number, meaning, what the station does, what a person may choose."""

from __future__ import annotations

from controller.reference.markdown import code, page, table
from packline.core.faults import FAULTS, FaultKind
from packline.orders.policy import ACTION_ROLE, ROLES, Action, Reaction, rule_for

FAMILIES = {1: "Link", 2: "Machine", 3: "Process", 4: "Order or data", 5: "Software"}

INTRO = """
Everything that can be wrong has a number. A fault always says five things: code, where, what was seen, what was expected, what to do.
Words on the screens come from the same table, in the reader's language.

What a station does about a fault at once is its *reaction*; what a person may then choose in the exception queue are its *actions*.
An exception row offers at most these; some rows offer fewer.
"""
REACTIONS = {
    Reaction.NOTE: "An exception row is opened or the message is refused; the station works on.",
    Reaction.RETRY: "The step is tried again.",
    Reaction.ASK: "The station waits until a person has chosen. Where *tries* is given, it first tries again so many times.",
    Reaction.HOLD: "The station holds with one alarm. It goes on by itself when the cause is gone; where `release` is offered, after it.",
    Reaction.CLARIFY: "As `ask`; the parcel belongs to clarification.",
}
ACTIONS = {
    Action.RETRY: "Try again. For an effect in doubt this is a person's word that it did *not* happen.",
    Action.DONE: "A person's word that it happened.",
    Action.NOT_DONE: "A person's word that it did not happen; it may then be done.",
    Action.REPRINT: "Void the label; a new one gets a new SSCC and a new print number.",
    Action.HOLD: "Hold the parcel: it goes to the hold rack and stays.",
    Action.RELEASE: "Go on: end a hold, take a parcel up again, or ship without the buyer's answer, whichever it was.",
    Action.CLARIFY: "Send the parcel to clarification.",
    Action.VOID: "Give the parcel up: its items go back to the shelf.",
    Action.SHIP_SHORT: "Ship the order without the missing piece.",
    Action.WAIT: "Wait for the buyer as long again.",
    Action.SHIPPED: "A person's word that the parcel has left.",
    Action.DISMISS: "Read and done with.",
}


def fault_page() -> str:
    """Give the page."""
    reactions = table(["reaction", "means"], ((code(name), text) for name, text in REACTIONS.items()))
    actions = table(
        ["action", "means", "from role"],
        ((code(a), text, code(ACTION_ROLE.get(a, "operator"))) for a, text in ACTIONS.items()),
    )
    families = [_family(first, name) for first, name in FAMILIES.items()]
    roles = "Roles, each may do what those before it may: " + ", ".join(code(role) for role in ROLES) + "."
    return page(
        "Faults",
        INTRO,
        "## Reactions",
        reactions,
        "## Actions",
        actions,
        roles,
        *families,
    )


def _family(first: int, name: str) -> str:
    rows = (_row(kind) for number, kind in sorted(FAULTS.items()) if number // 1000 == first)
    heading = ["code", "name", "severity", "means", "do", "reaction", "actions"]
    return f"## {first}xxx {name}\n\n{table(heading, rows)}"


def _row(kind: FaultKind) -> tuple[object, ...]:
    rule = rule_for(kind.code)
    tries = f", tries {rule.tries}" if rule.tries else ""
    actions = " ".join(code(action) for action in rule.actions)
    reaction = f"{code(rule.reaction)}{tries}"
    return f"**{kind.code}**", kind.name, kind.severity, kind.meaning, kind.remedy, reaction, actions
