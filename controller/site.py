"""The site file: which machines stand where, who may talk to us, and by which rules."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from packline.core.faults import Fault
from packline.core.file_part import FilePart
from plc.security import Allow, Security
from stations.slots import slot_names

NAME_PATTERN, PREFIX_PATTERN = r"^[a-z][a-z0-9-]{0,39}$", r"^\d{7,10}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Millimetres = Annotated[int, Field(ge=1, le=10_000)]
MOST_S = 366 * 86400
"""No deadline lies further off: what is added to a date must still be one."""
Mount = Literal["twin", "real"]
StationKind = Literal["turntable", "pack", "print_apply", "hold", "bench", "courier_gate", "clarification"]


class SiteHead(FilePart):
    """Who and where. `company_prefix` is the GS1 company prefix of the SSCCs, 7 to 10 digits."""

    name: Name
    title: str
    time_zone: str = "UTC"
    data: str
    company_prefix: Annotated[str, StringConstraints(pattern=PREFIX_PATTERN)]
    languages: Annotated[list[Literal["en", "zh"]], Field(min_length=1)] = ["en", "zh"]
    items: str = ""
    """A CSV file beside the site file with the item master; taken in at start when it changed."""


class Web(FilePart):
    """Where the dashboard listens; `public_url` is what buyers see in links."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    video_port: Annotated[int, Field(ge=1, le=65535)] = 8081
    public_url: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def is_https(self) -> bool:
        """Tell whether dashboard and video server speak TLS themselves."""
        return bool(self.certificate and self.key)

    @property
    def base_url(self) -> str:
        """Give the address that links carry."""
        return self.public_url.rstrip("/") or self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """Give the address of one of our servers; an IPv6 address stands in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_https else 'http'}://{host}:{port}"


class Policy(FilePart):
    """The site's own numbers; seconds are wall time."""

    wip_limit: Annotated[int, Field(ge=1, le=1000)] = 12
    reserve_s: Annotated[float, Field(gt=0, le=MOST_S)] = 3600
    pay_s: Annotated[float, Field(gt=0, le=MOST_S)] = 86400
    inspect_live_s: Annotated[float, Field(ge=0, le=600)] = 30
    approve_s: Annotated[float, Field(gt=0, le=MOST_S)] = 3600
    no_answer: Literal["ship", "ask", "return"] = "ask"
    missing_s: Annotated[float, Field(ge=30, le=MOST_S)] = 900
    machine_most_mm: tuple[Millimetres, Millimetres, Millimetres] = (400, 300, 250)
    stills: Annotated[int, Field(ge=1, le=72)] = 4
    keep_pictures_days: Annotated[int, Field(ge=0, le=3650)] = 180


class MachinePart(FilePart):
    """A machine: its file under plc/machines (or a path), its address, how it is protected, and whether it is real."""

    file: str
    address: str
    mount: Mount = "real"
    security: Security | None = None
    allow: Allow = Allow()


class PrinterPart(FilePart):
    address: str
    driver: Literal["escpos"] = "escpos"
    mount: Mount = "real"


class CameraPart(FilePart):
    """A camera. `delay_s`: how old a frame of its stream may be when it arrives; more than 2 s is no witness."""

    url: str
    delay_s: Annotated[float, Field(ge=0, le=2)] | None = None
    mount: Mount = "real"


class ScannerPart(FilePart):
    address: str
    driver: Literal["tcp", "autoid", "modbus"] = "tcp"
    file: str = "modbus_scanner"
    fixed: bool = False
    mount: Mount = "real"
    security: Security | None = None

    @property
    def allow(self) -> Allow:
        """Say that its driver asks for its scans alone."""
        return Allow()


class StationPart(FilePart):
    """One place of the line. `lanes` says which lane of the applicator leads where; `feeds` the next station."""

    kind: StationKind
    run_by: Literal["machine", "person"] = "machine"
    machine: Name | None = None
    printer: Name | None = None
    camera: Name | None = None
    scanners: list[Name] = []
    lanes: dict[Literal["gate", "hold", "clarify"], Annotated[int, Field(ge=1, le=8)]] = {}
    feeds: Name | None = None
    slots: Annotated[int, Field(ge=1, le=999)] = 40


class FeedPart(FilePart):
    """Signing secrets (whsec_...; several while one is being replaced), as text or by the name of a variable."""

    secrets: list[str] = []
    secrets_env: str = ""
    reconcile_url: str = ""

    def keys(self) -> list[str]:
        """Give the secrets, from the file and from the environment variable (separated by blanks)."""
        return [*self.secrets, *os.environ.get(self.secrets_env or "-", "").split()]


class SubscriberPart(FilePart):
    role: str
    url: str
    secret: str = ""
    secret_env: str = ""

    def key(self) -> str:
        """Give the signing secret."""
        return self.secret or os.environ.get(self.secret_env or "-", "")


class TwinPart(FilePart):
    """What only the twin reads. `speed` multiplies motion, nothing else."""

    speed: Annotated[float, Field(gt=0, le=1000)] = 20
    seed: int = 1
    host: str = "127.0.0.1:18090"
    truth: str = "127.0.0.1:18099"
    people_password: str = ""


class Site(FilePart):
    """A whole site file."""

    site: SiteHead
    web: Web = Web()
    policy: Policy = Policy()
    machines: dict[Name, MachinePart] = {}
    printers: dict[Name, PrinterPart] = {}
    cameras: dict[Name, CameraPart] = {}
    scanners: dict[Name, ScannerPart] = {}
    stations: dict[Name, StationPart]
    feeds: dict[Name, FeedPart] = {}
    couriers: dict[Name, FeedPart] = {}
    subscribers: dict[Name, SubscriberPart] = {}
    twin: TwinPart | None = None

    def station_of_kind(self, kind: str) -> str | None:
        """Give the first station of `kind`, in the file's order."""
        return next((name for name, part in self.stations.items() if part.kind == kind), None)


def twin_part(site: Site) -> TwinPart:
    """Give the [twin] part; raises Fault 4201 without one."""
    if site.twin is None:
        raise Fault(4201, where="site file", seen="no [twin]", expected="a [twin] part: speed, host, truth")
    return site.twin


def fixed_scanner(site: Site, part: StationPart) -> str | None:
    """Give the mounted scanner of a station, which alone says what stands before its machine; None without exactly one."""
    fixed = [name for name in part.scanners if name in site.scanners and site.scanners[name].fixed]
    return fixed[0] if len(fixed) == 1 else None


SERVES: dict[str, tuple[str, ...]] = {
    "turntable": ("collect",),
    "pack": ("pack",),
    "print_apply": ("label",),
    "bench": ("bench",),
    "hold": ("hold",),
    "courier_gate": ("gate",),
    "clarification": ("clarify", "shelf"),
}
"""Which destinations of `packline.orders.routing` a kind of station is."""


def standing_places(site: Site) -> frozenset[str]:
    """Give every place where the books may have a parcel stand: the stations, and the slots of the racks."""
    racks = [part for part in site.stations.values() if part.kind == "hold"]
    return frozenset({*site.stations, *(slot for rack in racks for slot in slot_names(rack.slots))})


def places_of(site: Site) -> dict[str, str]:
    """Say which station serves which destination; the first of a kind in the file wins, a bench stands in for what is missing."""
    places: dict[str, str] = {}
    for name, part in site.stations.items():
        for kind in SERVES[part.kind]:
            places.setdefault(kind, name)
    for kind in ("pack", "label"):
        if kind not in places and "bench" in places:
            places[kind] = places["bench"]
    return places
