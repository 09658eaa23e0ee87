"""The catalogue of faults: each kind with its seam, what physically happens, how it ends, and what can do it. Data only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Seam(StrEnum):
    """Where the line and its surroundings meet, and a fault gets in."""

    WIRE = "wire"
    MACHINE = "machine"
    LABEL = "label"
    SCANNER = "scanner"
    CAMERA = "camera"
    PEOPLE = "people"
    HOSTS = "hosts"
    CONTROLLER = "controller"
    DATABASE = "database"


class Ends(StrEnum):
    """How a fault ends."""

    MENDED = "mended"
    STRIKES = "strikes"
    AT_ONCE = "at once"


ENDS = {
    Ends.MENDED: "It lasts until it is mended (`for_s`).",
    Ends.STRIKES: "It strikes the next so many times (`times`; without it until it is mended).",
    Ends.AT_ONCE: "It happens once, and is over.",
}


class By(StrEnum):
    """What can have a fault: a kind of device of the site, or one of the names that every line has."""

    MACHINE = "machine"
    BLOCKS = "machine with the handshake"
    ARM = "arm"
    STOP = "machine at a stop with a belt"
    PRINTER = "printer"
    FIXED = "fixed scanner"
    HAND = "hand scanner"
    REGISTERS = "modbus scanner"
    CAMERA = "camera"
    HALL = "hall"
    FLOOR = "floor"
    BUYERS = "buyers"
    HOSTS = "hosts"
    SUBSCRIBERS = "subscribers"
    CONTROLLER = "controller"
    DATABASE = "database"


NAMED = (By.HALL, By.FLOOR, By.BUYERS, By.HOSTS, By.SUBSCRIBERS, By.CONTROLLER, By.DATABASE)
"""These are devices by themselves: the word is the device's name in a scenario."""
OF_SITE = tuple(by for by in By if by not in NAMED)
CONTROLLER, DATABASE = By.CONTROLLER.value, By.DATABASE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault. `does` says what physically happens, `after` what is left when it ends, "" for nothing."""

    id: str
    seam: Seam
    by: tuple[By, ...]
    ends: Ends
    does: str
    after: str = ""


def _kinds(
    seam: Seam, *rows: tuple[str, tuple[By, ...], Ends, str] | tuple[str, tuple[By, ...], Ends, str, str]
) -> Iterable[Kind]:
    for row in rows:
        name, by, ends, does = row[:4]
        yield Kind(id=name, seam=seam, by=by, ends=ends, does=does, after=row[4] if len(row) == 5 else "")


_WIRED = (By.MACHINE, By.PRINTER, By.REGISTERS, By.CAMERA)
_ALL = (By.MACHINE, By.PRINTER, By.FIXED, By.HAND, By.CAMERA)
_BUS = (By.MACHINE,)
_LASTS, _STRIKES, _ONCE = Ends.MENDED, Ends.STRIKES, Ends.AT_ONCE

CATALOGUE: tuple[Kind, ...] = (
    *_kinds(
        Seam.WIRE,
        ("off", _ALL, _LASTS, "No power: connections drop and are refused.", "It boots."),
        ("unplugged", _WIRED, _LASTS, "The cable: connections drop and are refused; the device goes on."),
        ("dropped", _BUS, _ONCE, "Every connection drops at once; a new one is taken."),
        (
            "half_open",
            _BUS,
            _LASTS,
            "Connections stay and are made, and nothing that goes over them arrives or is answered.",
        ),
        ("slow", _WIRED, _LASTS, "A request takes 0.8 s longer to arrive."),
        ("late_answers", _WIRED, _LASTS, "The request is carried out; its answer comes 0.8 s late."),
        ("lost_request", _BUS, _STRIKES, "The request never arrives."),
        ("lost_answer", _BUS, _STRIKES, "The request is carried out; its answer never comes."),
        ("duplicated", _BUS, _STRIKES, "The request arrives again 0.3 s later, when others may have come between."),
        ("torn", _BUS, _STRIKES, "The answer is half of now and half of the one before."),
        ("word_order", _BUS, _STRIKES, "The words of the answer are swapped in pairs."),
        ("exception", _BUS, _STRIKES, "The device answers that it is busy (Modbus exception 6)."),
        ("garbage", (By.BLOCKS,), _LASTS, "STATUS is noise."),
        ("frozen", (By.MACHINE,), _LASTS, "What the machine shows never changes, its counter neither."),
        (
            "stale_heartbeat",
            (By.BLOCKS,),
            _LASTS,
            "The controller's heartbeats do not count any more: the machine holds or stops.",
        ),
        (
            "overwritten",
            (By.BLOCKS,),
            _STRIKES,
            "A second master writes its own words over the next command before the machine looks.",
        ),
        (
            "claimed",
            (By.BLOCKS,),
            _ONCE,
            "A second master claims the machine under a higher epoch.",
            "The machine obeys it until a person lets ours claim again.",
        ),
        ("reboot", (By.MACHINE,), _ONCE, "Power goes for 1 s and comes back; a running job is interrupted."),
        ("reboot_forgetting", (By.MACHINE,), _ONCE, "The same, and its memory is lost."),
    ),
    *_kinds(
        Seam.MACHINE,
        (
            "jam",
            (By.MACHINE,),
            _STRIKES,
            "A job fails and the machine holds with a fault.",
            "Mending clears the jam; a person leads on.",
        ),
        ("fail", (By.MACHINE,), _STRIKES, "A job fails before anything moved."),
        ("half_done", (By.MACHINE,), _STRIKES, "A job stops in the middle of its motion, and fails."),
        ("done_but_failed", (By.MACHINE,), _STRIKES, "A job is done, and the machine reports that it failed."),
        ("stuck_sensor", (By.MACHINE,), _LASTS, "Its inputs keep the values that they had."),
        ("drift", (By.MACHINE,), _LASTS, "Every motion takes 0.4 s longer than the one before, to 8 s."),
        ("slow_scan", (By.BLOCKS,), _LASTS, "The PLC runs one scan in 0.7 s."),
        (
            "brown_out",
            (By.BLOCKS,),
            _STRIKES,
            "The power goes in the middle of a motion or at its very end, for 1 s; the job is interrupted.",
        ),
        ("air_low", (By.ARM,), _LASTS, "No vacuum: the pad lifts no label; the job fails."),
        (
            "wrong_lane",
            (By.ARM,),
            _STRIKES,
            "The arm pushes the carton into the next lane, and reports the one that was meant.",
        ),
        ("double_feed", (By.STOP,), _LASTS, "A second carton rolls in behind the one at the stop."),
        (
            "estop",
            (By.MACHINE, By.HALL),
            _LASTS,
            "The safety circuit is open; motion ends at once.",
            "The circuit is closed; nothing moves before a person has reset it.",
        ),
    ),
    *_kinds(
        Seam.LABEL,
        ("label_dropped", (By.ARM,), _STRIKES, "The label is blown off the pad; the arm reports it applied."),
        ("folded", (By.ARM,), _STRIKES, "The label goes on folded: nothing on it can be read."),
        ("doubled", (By.ARM,), _STRIKES, "A second print of the same label hangs on the first, and goes on beside it."),
        ("faded", (By.PRINTER,), _STRIKES, "Half of the label is missing."),
        ("unreadable", (By.PRINTER,), _STRIKES, "The label is whole, and smudged: nothing on it can be read."),
        (
            "previous",
            (By.PRINTER,),
            _STRIKES,
            "The label of the job before comes out once more instead of the one that was sent.",
        ),
        ("printed_twice", (By.PRINTER,), _STRIKES, "A copy comes out when the label has been taken."),
        (
            "half_print",
            (By.PRINTER,),
            _STRIKES,
            "The printer stops in mid-label with an error.",
            "Mending clears the error.",
        ),
        ("ribbon_out", (By.PRINTER,), _LASTS, "Blank paper comes out, and the printer knows nothing of it."),
        ("paper_out", (By.PRINTER,), _LASTS, "No paper. Who loads some ends it.", "A roll is in."),
        ("cover_open", (By.PRINTER,), _LASTS, "The cover is open."),
        (
            "silent_accept",
            (By.PRINTER,),
            _LASTS,
            "It takes everything, prints nothing, and does not say that it printed; its counters still answer.",
        ),
        ("mute", (By.PRINTER,), _LASTS, "It prints and never answers."),
        ("unsaid", (By.PRINTER,), _STRIKES, "The label comes out; the printer's word that it did is lost."),
    ),
    *_kinds(
        Seam.SCANNER,
        ("no_read", (By.FIXED, By.HAND), _STRIKES, "Nothing is read."),
        ("multi_read", (By.FIXED, By.HAND), _STRIKES, "The code is sent three times."),
        ("fragment", (By.FIXED, By.HAND), _STRIKES, "Only the first half of the code is sent."),
        ("wrong_read", (By.FIXED, By.HAND), _STRIKES, "One digit of the code is read as another."),
        ("ghost", (By.FIXED, By.HAND), _STRIKES, "The code of the read before is sent once more after this one."),
    ),
    *_kinds(
        Seam.CAMERA,
        ("lost", (By.CAMERA,), _STRIKES, "The picture never comes."),
        ("late", (By.CAMERA,), _STRIKES, "The picture comes 2 s late."),
        ("dark", (By.CAMERA,), _LASTS, "The light is out."),
        ("blurred", (By.CAMERA,), _LASTS, "Out of focus: nothing can be read."),
        ("moved", (By.CAMERA,), _LASTS, "Somebody pushed it: it looks beside the place."),
        ("frozen", (By.CAMERA,), _LASTS, "The same old picture, with its old number and time."),
    ),
    *_kinds(
        Seam.PEOPLE,
        ("late_approval", (By.BUYERS,), _STRIKES, "A buyer answers a picture 300 s later than he would."),
        ("silent_buyer", (By.BUYERS,), _STRIKES, "A buyer never answers a picture."),
        ("rejects", (By.BUYERS,), _STRIKES, "A buyer says no to a picture that he would have approved."),
        (
            "wrong_item",
            (By.FLOOR,),
            _STRIKES,
            "Somebody takes a piece of another article off the shelf, and shows its code.",
        ),
        (
            "wrong_item_down",
            (By.FLOOR,),
            _STRIKES,
            "Somebody puts a piece of another article down than the one whose code was shown.",
        ),
        (
            "taken_off",
            (By.FLOOR,),
            _LASTS,
            "Somebody takes a carton off the line and stands it aside.",
            "It is put back where it stood, as soon as there is room.",
        ),
        (
            "put_elsewhere",
            (By.FLOOR,),
            _LASTS,
            "Somebody takes a carton off the line.",
            "It is put down at another station.",
        ),
        (
            "peeled",
            (By.FLOOR,),
            _STRIKES,
            "Somebody peels the label off a carton that has one and does not stand at the gate.",
        ),
        ("away", (By.FLOOR,), _LASTS, "Nobody at the stations looks at a screen or moves a hand."),
    ),
    *_kinds(
        Seam.HOSTS,
        ("duplicate", (By.HOSTS,), _STRIKES, "A message is sent twice, under the same number."),
        ("renumbered", (By.HOSTS,), _STRIKES, "A message is sent twice, the second time under another number."),
        ("reordered", (By.HOSTS,), _STRIKES, "A message is kept back and sent after the next one, or after 20 s."),
        ("outdated", (By.HOSTS,), _STRIKES, "After a message the one before it comes once more, under another number."),
        ("forged", (By.HOSTS,), _STRIKES, "A changed copy comes first, with a signature that is not the host's."),
        ("nonsense", (By.HOSTS,), _STRIKES, "A message of the host that nobody can read comes first, rightly signed."),
        (
            "unheard",
            (By.HOSTS,),
            _STRIKES,
            "The message is taken; the host does not hear that it was, and sends it again.",
        ),
        ("silent", (By.HOSTS,), _LASTS, "The host sends nothing and answers nothing.", "What it had to say follows."),
        (
            "cancelled",
            (By.HOSTS,),
            _ONCE,
            "The buyer of the oldest order that is not over has second thoughts: it is cancelled.",
        ),
        (
            "readdressed",
            (By.HOSTS,),
            _ONCE,
            "The buyer of the oldest order that is not over has moved: it gets another address.",
        ),
        ("slow", (By.SUBSCRIBERS,), _LASTS, "A subscriber answers after 4 s."),
        ("down", (By.SUBSCRIBERS,), _LASTS, "A subscriber answers 503 to everything."),
        ("unreachable", (By.SUBSCRIBERS,), _LASTS, "A subscriber takes no connection, and so no event."),
        ("deaf", (By.SUBSCRIBERS,), _STRIKES, "A subscriber takes an event, and its answer is lost."),
    ),
    *_kinds(
        Seam.CONTROLLER,
        (
            "kill",
            (By.CONTROLLER,),
            _ONCE,
            "It dies at once, at a time or at a fact of the plant.",
            "Another is started from the books after 1 s.",
        ),
        (
            "kill_before_commit",
            (By.CONTROLLER,),
            _ONCE,
            "It dies at a commit, which is not made.",
            "Another is started from the books after 1 s.",
        ),
        (
            "kill_after_commit",
            (By.CONTROLLER,),
            _ONCE,
            "It dies at a commit, which is made.",
            "Another is started from the books after 1 s.",
        ),
        ("clock_forward", (By.CONTROLLER,), _LASTS, "Its calendar jumps 90 s ahead.", "It is set right."),
        ("clock_back", (By.CONTROLLER,), _LASTS, "Its calendar jumps 90 s back.", "It is set right."),
    ),
    *_kinds(
        Seam.DATABASE,
        ("locked", (By.DATABASE,), _STRIKES, "A commit fails: the database is locked."),
        ("full", (By.DATABASE,), _LASTS, "Every commit fails: there is no room."),
    ),
)
"""Every kind. An id stands for different kinds where different things do it."""

COMMITS = frozenset({"kill_before_commit", "kill_after_commit"})
"""These have no time but a commit."""
UNSEEN = frozenset({"wrong_item_down"})
"""No eye of the line sees it: a campaign draws it only where it is named."""


def kinds_of(by: By) -> dict[str, Kind]:
    """Give the kinds that one sort of device can do, by id."""
    return {kind.id: kind for kind in CATALOGUE if by in kind.by}


def ids() -> frozenset[str]:
    """Give every id."""
    return frozenset(kind.id for kind in CATALOGUE)


def ends_of(device: str, fault: str) -> Ends:
    """Say how a fault of a device ends; MENDED for one that is not in the catalogue."""
    found = _kinds_called(device, fault)
    return found[0].ends if found else Ends.MENDED


def seams_of(device: str, fault: str) -> frozenset[str]:
    """Give the seams at which a fault of a device gets in: one, but for ids that several sorts of devices have."""
    return frozenset(kind.seam.value for kind in _kinds_called(device, fault))


def _kinds_called(device: str, fault: str) -> list[Kind]:
    """Find the kinds by a device's name: of a device of the site the name does not say what sort it is."""
    sorts = {By(device)} if device in NAMED else set(OF_SITE)
    return [kind for kind in CATALOGUE if kind.id == fault and sorts & set(kind.by)]
