"""The reference page of the faults of the twin, made of the catalogue."""

from __future__ import annotations

from controller.reference.markdown import code, codes, page, table
from simulation.faults.catalogue import CATALOGUE, NAMED, OF_SITE, UNSEEN, Kind, Seam, ids

INTRO = f"""
What can be made to go wrong on purpose while the twin runs: {len(ids())} kinds, {len(CATALOGUE)} with those that two sorts of devices do each in
their own way. A kind is named by its id and the device that has it, in a [scenario file](scenario-file.md), in a campaign of
[`packline sim qa`](command-line.md#sim-qa), at the prompt of [`packline sim serve`](command-line.md#sim-serve), and over the truth channel.
"""
HOW = """
*Ends*: what is *mended* lasts until then (`for_s`, or by hand); what *strikes* does so the next times (`times`), and is over then, after its
`for_s`, or when it is mended; what is over *at once* happens once. Seconds here are the line's: with `speed = 20` the machines move 20 times as much in them.
"""
NAMES = """
The names below stand for devices in every line; they are there in virtual time, `hall` and `floor` also when the twin runs on sockets:
"""
NAMED_WORDS = {
    "hall": "The emergency stop that goes through every machine and the belts.",
    "floor": "The people of the line, and whoever passes by.",
    "buyers": "Those who answer pictures of parcels.",
    "hosts": "Feeds and couriers that post to the house.",
    "subscribers": "Those who are told of tracking events.",
    "controller": "The controller's process and its computer's calendar.",
    "database": "The disk on which the books lie.",
}
SEAMS = {
    Seam.WIRE: "Wire",
    Seam.MACHINE: "Machine",
    Seam.LABEL: "Label and printer",
    Seam.SCANNER: "Scanner",
    Seam.CAMERA: "Camera",
    Seam.PEOPLE: "People",
    Seam.HOSTS: "Hosts and subscribers",
    Seam.CONTROLLER: "Controller",
    Seam.DATABASE: "Database",
}
CHANNEL = """
## The truth channel

How to see what really happened, and to switch faults while the twin runs on sockets. The twin's *truth channel* listens at `truth` of the site
file's `[twin]` (demo: `127.0.0.1:18099`). The controller never opens it.

| request | does |
| --- | --- |
| `GET /truth` | Everything physical now: `summary`, `parcels` (pieces, seals, labels applied and labels on it now), `places`, what lies on tables and at printers, faults that are on. |
| `GET /truth/facts?after=n` | The facts after number n, in order: each with a name, the simulated second, the time, and details. |
| `GET /faults` | Every device with the faults that it knows, and those that are on. |
| `POST /fault` | `{"device", "fault"}`, and `"for_s"` (wall seconds), `"until"` (a time with time zone) or `"times"` (how often it strikes) if it is to end by itself. |
| `POST /mend` | `{"device", "fault"}`, `{"device"}`, or `{}` for everything. |
| `POST /hands` | `{"do": verb, ...}`: moves something as a person does, see [hands](#hands). `GET /hands` lists the verbs and what is held. |
"""
NETWORK = """
## The network itself

[`packline chaos`](command-line.md#chaos) stands between a client and a real socket and does to its bytes what bad networks do: delay, drop, reset,
split, corrupt, duplicate. It knows bytes and frames, not devices, so it also serves for foreign clients and real machines.
"""


def fault_pages() -> dict[str, str]:
    """Give the page by its name under the reference folder."""
    parts = [_part(seam) for seam in Seam]
    unseen = f"No eye of the line sees {codes(sorted(UNSEEN))}: campaigns draw it only where `kinds` names it."
    named = table(["device", "is"], ((code(name.value), NAMED_WORDS[name.value]) for name in NAMED))
    return {
        "twin-faults.md": page(
            "Faults of the twin", INTRO, HOW, unseen, NAMES, named, *parts, NETWORK, CHANNEL, HANDS, FIGURES
        )
    }


def _part(seam: Seam) -> str:
    kinds = [kind for kind in CATALOGUE if kind.seam is seam]
    rows = ((code(kind.id), _by(kind), kind.ends.value, f"{kind.does} {kind.after}".strip()) for kind in kinds)
    return f"## {SEAMS[seam]}\n\n" + table(["fault", "of", "ends", "what happens; and when it ends"], rows)


def _by(kind: Kind) -> str:
    of_site = ", ".join(by.value for by in kind.by if by in OF_SITE)
    named = codes(by.value for by in kind.by if by in NAMED)
    return ", ".join(filter(None, (of_site, named)))


HANDS = """
## Hands

`packline twin --no-people` moves nothing. Whoever tests the line does it:

```sh
hand() { curl -s -d "$1" http://127.0.0.1:18099/hands; echo; }
hand '{"do": "take_piece", "sku": "TEA-LONGJING"}'
```

```text
{"held": {"pieces": ["TEA-LONGJING"], "cartons": [], "labels": []}}
```

Each takes its time, as a walk does, and answers with what is held then. 400: a wrong order; 409: what cannot be (a full place, an empty shelf,
a carton that has gone).

| `do` | with | does |
| --- | --- | --- |
| `take_piece` | `sku` | Fetches a piece from its shelf. |
| `put_back` | | Puts the held piece back. |
| `put_on_table`, `take_from_table` | `station` | The held piece onto the turntable; what lies there into the hands. |
| `take_carton` | | Takes a fresh carton; its plate is among the held `cartons`. |
| `box` | `lpn` | Puts the held piece into that carton. |
| `move` | `lpn`, `to` | Carries a carton, from wherever it is, to a place: a station (onto its belt, where it has one), `slot:H01`, `lane:label-1:2`, `hands`. |
| `close`, `unpack` | `lpn` | Tapes it shut; opens it, and everything goes back to the shelf. |
| `take_label` | `printer` | Takes the label at the peel bar. |
| `stick`, `peel_off` | `lpn` | The held label onto the carton; its newest label off. |
| `throw_label` | | Throws the held label away. |
| `load_paper` | `printer` | Puts a fresh roll in. |
| `scan` | `scanner`, `text` | Shows a code to a hand scanner: an article's bar code, a plate, `00` and an SSCC, `DO:DONE`, `SLOT:H01`. |

Where several things are held, the newest is meant. Virtual people have the same hands: use one or the other.
"""
FIGURES = """
## Figures of the summary

`double_labels` counts labels put on a carton that carries one already; `wrong_labels` those that name another carton. A label that was
taken off first is neither. `shared_codes`: cartons whose SSCC is on another carton too. `double_prints`: the same print twice.
`double_seals`. `shipped_unlabelled`, `shipped_unsealed`, `shipped_empty`: what left the door like that. All of these must be 0, always.

`packline demo --json` adds what its people saw:

| figure | counts |
| --- | --- |
| `orders`, `orders_over` | Orders that the house took; those that ended, by what left the door and by what every subscriber was told. |
| `parcels_shipped`, `labels_printed`, `labels_applied` | By the plant. |
| `double_labels` and the others above | By the plant, as above; the exit code is 0 only if all are 0. |
| `lost_orders` | Orders that were taken and are not over. 0 at the end of a good run. |
| `lost_events` | Events that one subscriber should have heard and did not, and parcels that left unsaid. Always 0. |
| `events_delivered` | Events that arrived at the receiver, repetitions not counted. |
| `exceptions` | Rows that the shift leader saw on *Exceptions*, also those that ended without an answer: an order with a wrong sum (4005) opens one, and its correction by the sender closes it. Not every one is a mistake of the line. |
| `seconds` | Wall time from the first sight of the dashboard until all was over. |
"""
