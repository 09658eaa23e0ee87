"""The kinds of breakage: each is a word that stands before the colon in what a shift shows, with what must be instead."""

from __future__ import annotations

from collections.abc import Mapping

from packline.core.figures import NEVER_ON_THE_FLOOR

CONSERVATION = "conservation"
LABEL = "label"
RECORD = "record"
RESTART = "restart"
EMERGENCY_STOP = "emergency stop"
SECOND_MASTER = "second master"
SHIP_EVENT = "ship event"
TERMINAL_STATE = "terminal state"
ORDER_OF_EVENTS = "order of events"
REPEATED_EVENT = "repeated event"
FORGED_MESSAGE = "forged message"
UNWANTED = "unwanted"
UNPAID = "unpaid"
UNAPPROVED = "unapproved"
ADDRESS = "address"
LIVENESS = "liveness"
CRASH = "crash"
CANARY = "canary"

BREAKAGES: Mapping[str, str] = {
    CONSERVATION: "In is out and scrap and work in progress, of cartons, pieces and labels, at every fact.",
    LABEL: "A carton leaves with one label, its own, and whole.",
    RECORD: "The label on it is the one that the books have recorded; it left only if that label was proved; verified is only what was on it.",
    RESTART: "A controller that was started again does not seal, print or apply again what was done.",
    EMERGENCY_STOP: "Nothing moves from the stop until a person has reset it.",
    SECOND_MASTER: "A machine that another master has claimed does not move for the one that lost it, until a person says so.",
    SHIP_EVENT: "A subscriber hears once that a parcel was handed over, and only if it left.",
    TERMINAL_STATE: "An order ends in one way.",
    ORDER_OF_EVENTS: "A subscriber hears the events of an order in the order in which they happened.",
    REPEATED_EVENT: "An event that comes again comes under the id that it had.",
    FORGED_MESSAGE: "The house takes no message that its host did not sign.",
    UNWANTED: "Nothing leaves that its buyer has rejected, or whose order was cancelled some seconds before.",
    UNPAID: "Nothing leaves before its host has said that it is bought and paid.",
    UNAPPROVED: "A parcel leaves when its buyer has said yes to its picture, or when his time to answer is up.",
    ADDRESS: "A carton leaves with the address that its host said last, but for the last seconds.",
    LIVENESS: "Before the horizon every order is over, and every subscriber was told all.",
    CRASH: "Neither the line nor its plant falls over.",
    CANARY: "The same seed gives the same journal.",
    **dict.fromkeys(
        NEVER_ON_THE_FLOOR, "Is 0 in the plant: see [figures of the summary](twin-faults.md#figures-of-the-summary)."
    ),
}
"""All of them; what a shift shows has no other word."""
