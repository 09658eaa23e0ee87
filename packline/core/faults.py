"""Everything that can be wrong, by number; reactions to it live in `packline.orders.policy`.

Families: 1xxx link, 2xxx machine, 3xxx process, 4xxx order or data, 5xxx software.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How loud a fault is on the screen."""

    INFO = "info"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One row of the fault table: number, name, what it means for the line, what to do."""

    code: int
    name: str
    meaning: str
    remedy: str
    severity: Severity = Severity.HIGH


W, H, C = Severity.WARNING, Severity.HIGH, Severity.CRITICAL

_ROWS = (
    # 1xxx link
    FaultKind(
        1001,
        "machine not reachable",
        "The station waits; the line's image is kept.",
        "Check power and cable; it reconnects by itself.",
        H,
    ),
    FaultKind(
        1002,
        "status stale",
        "No valid status for 1 s; the station takes no new job.",
        "Check the machine's network; it recovers by itself.",
        H,
    ),
    FaultKind(
        1003,
        "status corrupt",
        "Frames arrive with a wrong checksum or magic.",
        "Call the integrator: map version, address base and word order of the machine file do not fit the machine.",
        H,
    ),
    FaultKind(
        1004,
        "machine answers with an exception",
        "The machine refuses the request.",
        "Check unit id and register map against the machine file.",
        H,
    ),
    FaultKind(
        1005,
        "camera gives no fresh frame",
        "No frame newer than the question; nothing is judged from an old picture.",
        "Check the camera and its network.",
        H,
    ),
    FaultKind(
        1006,
        "scanner not reachable",
        "Scans from this device do not arrive.",
        "Check the scanner's network; use the keyboard wedge meanwhile.",
        W,
    ),
    FaultKind(
        1007,
        "subscriber not reachable",
        "Tracking events wait in the outbox.",
        "Check the subscriber's address; events are kept and sent later.",
        W,
    ),
    FaultKind(
        1008,
        "events not delivered",
        "Events for this subscriber were given up; the others go on.",
        "Find out why the subscriber did not take them, then retry to send them again.",
        W,
    ),
    FaultKind(
        1009,
        "sensor value not good",
        "A value that the station stands on is stale or bad; the station takes no new job.",
        "Check the sensor; packline watch shows each tag with its quality and the reason.",
        H,
    ),
    FaultKind(
        1010,
        "machine is not what its file says",
        "A tag does not show what the machine file expects; nothing is written to this machine.",
        "Check address, unit id, model and firmware; then the [expect] part of the machine file.",
        H,
    ),
    FaultKind(
        1011,
        "certificate not trusted",
        "Nobody here said that the device's certificate is to be believed; nothing was sent to it.",
        "Compare its fingerprint with the device's own panel, then packline pki trust.",
        H,
    ),
    FaultKind(
        1012,
        "certificate out of date",
        "The device's certificate has run out, or is not valid yet; nothing was sent to it.",
        "Check both clocks; renew the certificate at the device and trust the new one.",
        H,
    ),
    FaultKind(
        1013,
        "certificate of another device",
        "The certificate names another host or application; nothing was sent.",
        "Check address and cable; if the device is right, say server_name or server_uri in the site file.",
        H,
    ),
    FaultKind(
        1014,
        "certificate not fit for this",
        "The device's certificate is not made for this use, or its key is too weak; nothing was sent.",
        "Make a new certificate at the device: server authentication, RSA of 2048 bits or more, SHA-256.",
        H,
    ),
    FaultKind(
        1015,
        "device does not offer this security",
        "The device cannot be reached in the way that the site file demands; nothing weaker is tried.",
        "Switch the policy on at the device and let it trust our certificate, or name in the site file what it offers.",
        H,
    ),
    FaultKind(
        1016,
        "device refuses us",
        "The device does not believe our certificate, or not our name and password.",
        "Trust our certificate at the device (packline pki show), check user and password file.",
        H,
    ),
    FaultKind(
        1017,
        "own certificate or secret not usable",
        "Our certificate, its key or a password file is missing, readable by others, or run out.",
        "Mend the file that is named; a certificate is made by packline pki init.",
        H,
    ),
    FaultKind(
        1018,
        "request outside the allow-list",
        "Something asked the device for what its files do not allow; the request was not sent.",
        "Send the log to the maker; if the request is right, widen the machine file or the site file's allow.",
        C,
    ),
    FaultKind(
        1019,
        "connection not protected",
        "The site file does not say how this device is protected, and it is not on this computer; nothing was sent.",
        'Give it a [security] part, or say in words why not: security = "none: closed machine network".',
        H,
    ),
    FaultKind(
        1020,
        "certificate runs out soon",
        "The connection will be refused when it has run out.",
        "Renew it while the line stands still, and trust the new one at the other end.",
        W,
    ),
    FaultKind(
        1021,
        "host not reachable",
        "The host's list of open orders could not be read; what it posts still comes in.",
        "Check the host and its reconcile address in the site file; it is asked again within the hour.",
        W,
    ),
    FaultKind(
        1022,
        "certificate has run out",
        "Connections that stand go on; the next one by this certificate is refused.",
        "Renew it now: our own by packline pki init --renew, a device's at the device; then trust the new one at the other end.",
        H,
    ),
    FaultKind(
        1101,
        "machine owned by another controller",
        "Somebody else claimed this machine; this controller stopped acting on it.",
        "Stop the other controller, then press 'Take the machine back' on the station's page.",
        C,
    ),
    # 2xxx machine
    FaultKind(
        2001,
        "machine stopped",
        "The machine is not in Execute.",
        "Clear the cause at the machine, then press 'Release station'.",
        H,
    ),
    FaultKind(
        2002,
        "machine reports a fault",
        "The machine stopped itself.",
        "Clear it at the machine's own panel, then press 'Release station'.",
        H,
    ),
    FaultKind(
        2003, "job refused", "The machine refused the job.", "See the refusal's reason; retry when it is gone.", H
    ),
    FaultKind(
        2004,
        "job interrupted by a reboot",
        "It is not known how far the machine got.",
        "Look at the parcel and say what happened.",
        H,
    ),
    FaultKind(
        2005,
        "outcome unknown",
        "It is not known whether the machine did it.",
        "Look at the parcel and say what happened.",
        H,
    ),
    FaultKind(
        2006, "job failed", "The machine tried and failed.", "Look at the parcel; retry or send it to clarification.", H
    ),
    FaultKind(
        2007,
        "interlock or e-stop",
        "The safety circuit is open.",
        "Clear the danger, reset the safety circuit at the machine, then press 'Release station'.",
        C,
    ),
    FaultKind(
        2101,
        "printer out of paper",
        "No label can be printed.",
        "Load labels and close the cover; printing resumes.",
        H,
    ),
    FaultKind(2102, "printer cover open", "No label can be printed.", "Close the cover; printing resumes.", H),
    FaultKind(
        2103,
        "printer silent",
        "The printer takes data but does not answer; whether it printed is unknown.",
        "Look for a label at the printer's exit and say what you see.",
        H,
    ),
    FaultKind(
        2104,
        "label not on parcel",
        "The camera saw no label after the arm reported it applied.",
        "Look at the parcel and the arm's pad and say where the label is.",
        H,
    ),
    FaultKind(
        2105, "label half printed", "A label left the printer incomplete.", "Discard the half label, then reprint.", H
    ),
    FaultKind(
        2106, "printer error", "The printer reports an error.", "Read the printer's panel, clear it, then retry.", H
    ),
    FaultKind(
        2107,
        "label waiting at the printer",
        "A label that no open job owns is on the peel bar.",
        "Discard the label, then retry.",
        H,
    ),
    FaultKind(
        2201,
        "light is out",
        "The camera sees nothing but darkness; nothing is judged from it.",
        "Switch the light at the camera on, or clear its lens; it goes on by itself.",
        H,
    ),
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
        "The label was voided by a reprint.",
        "Remove the old label; only the newest may stay.",
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
        "Ship without it, wait, or cancel the order.",
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
        "Look whether the parcel left: call it shipped, then retry the message; dismiss it if the parcel is here.",
        W,
    ),
    FaultKind(
        3016,
        "order worked in lost books",
        "A backup was restored: the host saw more happen to this order than the books have.",
        "Search its parcels on the floor and with the courier: call it shipped, or release it to be worked.",
        C,
    ),
    FaultKind(
        3017,
        "seal not proved",
        "The books do not have this carton as sealed, and the machine cannot tell.",
        "Look at the carton and say whether it is sealed; open what is only folded shut.",
        H,
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
    FaultKind(4101, "not an LPN", "The scanned text is no licence plate.", "Scan the carton's PL number.", W),
    FaultKind(4102, "not an SSCC", "The text is no SSCC.", "Scan the label's (00) code.", W),
    FaultKind(
        4103,
        "unknown item barcode",
        "No item of the master carries this barcode.",
        "Scan the item's own barcode, or import the alias.",
        W,
    ),
    FaultKind(4104, "item not wanted", "No open order waits for this item.", "Put the item back to its shelf.", W),
    FaultKind(4105, "carton already used", "This LPN belongs to another order.", "Take a fresh carton.", W),
    FaultKind(4106, "unknown carton", "The books do not know this LPN.", "Take it to clarification.", W),
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

FAULTS: dict[int, FaultKind] = {row.code: row for row in _ROWS}


class Fault(Exception):  # noqa: N818 - the trade's word
    """A fault with code, place, what was seen, what was expected and what to do."""

    def __init__(self, code: int, *, where: str, seen: str = "", expected: str = "", remedy: str = "") -> None:
        self.kind = FAULTS[code]
        self.code = code
        self.where = where
        self.seen = seen
        self.expected = expected
        self.remedy = remedy or self.kind.remedy
        super().__init__(self.text())

    def text(self) -> str:
        """Give the one-line form: `2104 label not on parcel: where, saw X, expected Y. Remedy`."""
        parts = [self.where]
        if self.seen:
            parts.append(f"saw {self.seen}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        return f"{self.code} {self.kind.name}: {', '.join(parts)}. {self.remedy}"

    def as_dict(self) -> dict[str, str | int]:
        """Give the five parts, for JSON."""
        return {
            "code": self.code,
            "name": self.kind.name,
            "where": self.where,
            "seen": self.seen,
            "expected": self.expected,
            "remedy": self.remedy,
        }
