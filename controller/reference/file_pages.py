"""The pages of the declared files: site file and machine file, each with its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from controller.reference import words
from controller.reference.markdown import block, code, codes, page, table
from controller.reference.schema import Explained
from controller.site import Site
from controller.site_file import MACHINE_KINDS, NEEDED_PLACES, NEEDS
from packline.orders.tracking import AUDIENCE
from plc.handshake.frames import BLOCK_WORDS
from plc.machine_file import MachineFile

SITE_INTRO = """
One TOML file describes one line: its stations, the devices that stand there, who may talk to it, and the site's own numbers.
`packline check FILE` reads it with the very models that this page is made from and names each mistake with place, what was seen,
what was expected, and what to do; an unknown key is a mistake. [`sites/demo.toml`](../../sites/demo.toml) is a whole example.

An editor that knows TOML schemas helps while you type. Put this line first:
"""
MACHINE_INTRO = """
One TOML file describes one model of machine: where its blocks lie, which jobs it does, what its inputs and faults mean. It is written
once for a model and used by any number of machines. `packline check SITE` checks the machine files that a site names.

Most machines speak the [handshake](handshake.md): the file only says where, and with which figures. Plain coils and words are read and
written as [tags](#tagsname). A machine of a known kind takes no Python: the controller finds a job by the name of its effect. One of a
new kind takes [one class](../how-to/add-a-kind-of-machine.md).
"""
OWNERLESS = """
**A plain machine knows no owner.** A second controller that is started on it by mistake is not noticed: both write, the machine obeys the last
one, and neither shows an alarm. Let the machine accept one client only: [two
controllers](../how-to/two-controllers.md#machines-that-notice-nothing).
"""
SHIPPED = """
## Machines that ship

See [machines](machines.md).
"""
NEEDED = """
Which jobs and inputs a machine must have depends on the station where it stands. An input has its name in `[inputs]`, or a tag or an
input of another name plays it in `[capability]`; N is each of the station's lanes:
"""
REACHED = (
    (
        "security",
        "A key of a machine, or of a scanner with driver `autoid` or `modbus`. Both ends have a certificate; how to make and trust them: "
        "[certificates](../how-to/certificates.md).",
        "Protection",
    ),
    (
        "allow",
        "A key of a machine. Every request is compared with it before it leaves, and what it does not name is refused with fault 1018.",
        "Allow",
    ),
)
Needs = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Of each kind of station, the jobs and the inputs that its machine must have."""
NAMES = "Names of stations and devices: a small letter, then small letters, digits and dashes, 40 characters at most."


def site_page() -> str:
    """Give the page of the site file."""
    explained = site_schema()
    parts = [_part(explained, name) for name in explained.parts()]
    schema_line = block("#:schema docs/reference/site.schema.json", "toml")
    reached = [f"## {heading}\n\n{words_}\n\n{explained.rows(definition)}" for heading, words_, definition in REACHED]
    return page("Site file", SITE_INTRO, schema_line, NAMES, *parts, *reached, _needs(), _rules())


def machine_page(needs: Needs) -> str:
    """Give the page of the machine file."""
    explained = machine_schema()
    parts = [_part(explained, name) for name in explained.parts()]
    plain = (
        f"### A job of a plain machine\n{OWNERLESS}\n{explained.meaning('PlainJob')}\n\n{explained.rows('PlainJob')}"
    )
    parameter = f"### Parameters of a job\n\n{explained.meaning('Parameter')}\n\n{explained.rows('Parameter')}"
    return page(
        "Machine file",
        MACHINE_INTRO,
        *parts,
        parameter,
        plain,
        _blocks(),
        "## What a station needs",
        NEEDED,
        table(["station kind", "jobs", "inputs"], ((code(kind), *map(codes, both)) for kind, both in needs.items())),
        SHIPPED,
    )


def site_schema() -> Explained:
    """Give the site file's schema with words."""
    return Explained(Site, words.SITE)


def machine_schema() -> Explained:
    """Give the machine file's schema with words."""
    return Explained(MachineFile, words.MACHINE)


def _part(explained: Explained, name: str) -> str:
    definition = explained.parts()[name]
    heading = f"## [{name}.*name*]" if explained.is_named(name) else f"## [{name}]"
    rows = explained.rows(definition) if definition else ""
    return "\n\n".join(part for part in (heading, explained.meaning_of(name), rows) if part)


def _needs() -> str:
    rows = []
    for kind, needs in NEEDS.items():
        machine = 'a machine, or `run_by = "person"`' if kind in MACHINE_KINDS else "no machine"
        rows.append((code(kind), codes(needs), machine))
    return "## What a station needs\n\n" + table(["kind", "must be named", "machine"], rows)


def _rules() -> str:
    roles = ", ".join(f"`{role}` {len(heard)}" for role, heard in AUDIENCE.items())
    places = ", ".join(f"{place} (kind `{kinds}`)" for place, kinds in NEEDED_PLACES.items())
    rules = (
        "- Every device that a station names must be declared, and every address may be used once. A device has one station.",
        f"- Parcels may be sent to any of these places, so each needs a station: {places}. One rack only: slots are known by name.",
        "- A machine must have the jobs and inputs that its station needs, and an address of its protocol's kind: see "
        "[machine file](machine-file.md#what-a-station-needs).",
        "- Every machine, and every scanner with driver `autoid` or `modbus`, says its `security`; the policy is of its protocol's kind, and the "
        "own certificate and password file that it needs must be there.",
        "- An `allow` names only what the machine file has.",
        "- Certificates that run out within 30 days are told as advice.",
        "- Every feed, courier and subscriber needs a secret, in the file or in the environment.",
        f"- A subscriber's role is one of those that events go to; events heard by each: {roles}.",
        "- A station's camera is a witness: it gives snapshots, or it says its stream's `delay_s`.",
        "- The time zone must be known to the computer.",
        "- A site with a `[twin]` must listen on a loopback address: its people's passwords stand in the file.",
    )
    return "## What else is checked\n\n" + "\n".join(rules)


def _blocks() -> str:
    rows = ((code(name), words_) for name, words_ in BLOCK_WORDS.items())
    return (
        "### Blocks\n\nA block is read or written whole. Over Modbus it is that many holding registers; over OPC UA one variable of "
        "type UInt16[] with that many elements.\n\n" + table(["block", "words"], rows)
    )
