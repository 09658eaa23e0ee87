"""The rows of the fault table for the process (3xxx), orders and data (4xxx) and software (5xxx)."""

from __future__ import annotations

from packline.core.fault_kinds import FaultKind, Severity

W, H, C = Severity.WARNING, Severity.HIGH, Severity.CRITICAL

WORK_FAULTS: tuple[FaultKind, ...] = (
    # 3xxx process
    FaultKind(
        3001,
        "no-read",
        "Nothing readable on the parcel.",
        "Turn the parcel so that its code faces the reader, then scan again.",
        W,
    ),
    FaultKind(
        3002,
        "wrong label",
        "The label in the picture does not belong to this parcel.",
        "Take the parcel off; void the label and reprint.",
        C,
    ),
    FaultKind(
        3003,
        "label already on parcel",
        "A parcel that the books call unlabelled carries a label.",
        "Compare the label with the books, then say which is right.",
        C,
    ),
    FaultKind(
        3004, "unexpected parcel", "This parcel is not expected here.", "Take it to the place that the screen names.", W
    ),
    FaultKind(3005, "not ready for the courier", "The parcel may not leave yet.", "Take it back to the hold place.", W),
    FaultKind(
        3006,
        "old label scanned",
        "The label was voided: by a reprint, or because the order has another address.",
        "Take the parcel back and remove that label; a new one is printed at labelling.",
        C,
    ),
    FaultKind(
        3007, "parcel missing", "The parcel is not where the books have it.", "Search it and scan it wherever it is.", H
    ),
    FaultKind(
        3008,
        "recovered after an unclean stop",
        "The controller was stopped in mid-work and compared its books with the machines.",
        "Read what was found; nothing to do unless a row below asks.",
        W,
    ),
    FaultKind(
        3009,
        "books older than the machines",
        "A backup was restored: machines know work that the books do not.",
        "Scan the parcels on the floor; serial numbers were advanced.",
        C,
    ),
    FaultKind(
        3010,
        "buyer rejected",
        "The buyer refused what the picture shows.",
        "Void the label and return the items to the shelf.",
        W,
    ),
    FaultKind(
        3011,
        "no answer from the buyer",
        "The approval time has run out.",
        "Follow the site's policy or decide here.",
        W,
    ),
    FaultKind(
        3012,
        "not paid in time",
        "The payment time has run out; the parcel goes back.",
        "Unpack and return the items to the shelf.",
        W,
    ),
    FaultKind(
        3013,
        "item short",
        "An item of the order is not at its place.",
        "Ship without it, try again once the item is there, or void the parcel.",
        W,
    ),
    FaultKind(
        3014,
        "gate saw nobody pass",
        "The parcel was let go, and the gate's light barrier saw nothing.",
        "Look whether the parcel left and say so.",
        H,
    ),
    FaultKind(
        3015,
        "delivered before shipped",
        "The courier reports a delivery; the books have the parcel in the house.",
        "Look whether the parcel left. If so, answer 'It has left' where it is missed, then 'Try again' here. One that the books "
        "have in the hold rack is missed only after its plate was typed in there, as if it were fetched; if it waits for its "
        "buyer or is held, end that on its page before. Still there: 'Dismiss'.",
        W,
    ),
    FaultKind(
        3016,
        "order worked in lost books",
        "A backup was restored: the host saw more happen to this order than the books have.",
        "Search its parcels on the floor and with the courier: press 'It has left', or 'Release' to have it worked.",
        C,
    ),
    FaultKind(
        3017,
        "seal not proved",
        "The books do not have this carton as sealed, and the machine cannot tell.",
        "Look at the carton and say whether it is sealed; open what is only folded shut.",
        H,
    ),
    FaultKind(
        3018,
        "left against a newer word",
        "While the gate was open the order or the parcel changed: it went out as it was before.",
        "Tell courier and host what is on that label; the order's page has what is true now.",
        C,
    ),
    # 4xxx order or data
    FaultKind(
        4001, "malformed message", "The message cannot be read.", "Correct it at the sender and send it again.", W
    ),
    FaultKind(
        4002, "signature wrong", "The message is not from who it says.", "Check the shared secret at both ends.", W
    ),
    FaultKind(
        4003,
        "message too old or from the future",
        "Timestamps more than five minutes off are refused.",
        "Check the sender's clock.",
        W,
    ),
    FaultKind(4004, "message too large", "Messages are limited to 1 MiB.", "Send fewer lines per order.", W),
    FaultKind(
        4005,
        "order contradicts itself",
        "The order is kept in quarantine.",
        "Correct the order at the sender, or replay it after correction.",
        W,
    ),
    FaultKind(
        4006,
        "unknown SKU",
        "The item master has no such item; the order is kept in quarantine.",
        "Import the item, then replay the order.",
        W,
    ),
    FaultKind(4101, "not a carton plate", "The scanned text is no carton plate.", "Scan the carton's PL number.", W),
    FaultKind(4102, "not an SSCC", "The text is no SSCC.", "Scan the label's (00) code.", W),
    FaultKind(
        4103,
        "unknown item barcode",
        "No item of the master carries this barcode.",
        "Scan the item's own barcode, or import the alias.",
        W,
    ),
    FaultKind(4104, "item not wanted", "No open order waits for this item.", "Put the item back to its shelf.", W),
    FaultKind(4105, "carton already used", "This plate belongs to another order.", "Take a fresh carton.", W),
    FaultKind(4106, "unknown carton", "The books do not know this plate.", "Take it to clarification.", W),
    FaultKind(4201, "file wrong", "The file does not say what it must.", "Mend the line that is named.", H),
    FaultKind(4202, "unknown key", "The file has a key that nobody reads.", "Mend or remove the key that is named.", H),
    FaultKind(
        4301,
        "not allowed",
        "This action is not open to you here.",
        "Ask a supervisor, or choose one of the offered actions.",
        W,
    ),
    FaultKind(4302, "order cancelled", "The host cancelled the order.", "Return the items to the shelf.", W),
    FaultKind(
        4303,
        "answer about an older picture",
        "The parcel has another picture now than the one that was answered.",
        "Look at the newest picture, then answer again.",
        W,
    ),
    FaultKind(
        4304,
        "nothing here waits for this answer",
        "The station has no step now that this word answers.",
        "Do what the screen shows.",
        W,
    ),
    # 5xxx software
    FaultKind(
        5001,
        "software fault",
        "Something unforeseen happened; the station holds.",
        "Note the text, press 'Release station'; send the log to the maker.",
        C,
    ),
    FaultKind(
        5002,
        "database not usable",
        "The books cannot be written; the line holds.",
        "Free disk space or restore; see docs.",
        C,
    ),
    FaultKind(
        5003,
        "process restarted too often",
        "The supervisor gave up on a process.",
        "Read its log, then start again.",
        C,
    ),
    FaultKind(
        5004,
        "no copy of the books",
        "The daily copy of the books could not be made; work goes on.",
        "Free disk space, or see to the folder `backups` in the data folder; it is tried again each hour.",
        H,
    ),
    FaultKind(
        5005,
        "little room on the disk",
        "The disk of the books is nearly full; once it is full the line holds.",
        "Free disk space, keep pictures for fewer days (policy.keep_pictures_days), or move the data to a larger disk.",
        H,
    ),
    FaultKind(
        5101,
        "impossible step",
        "A state machine got an event that its table does not know; nothing was changed.",
        "Send the log to the maker.",
        C,
    ),
    FaultKind(
        5102, "request expired", "A click made during an outage was dropped; no machine moved.", "Click again.", W
    ),
)
