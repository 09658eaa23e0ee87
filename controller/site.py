"""The site file: which machines stand where, who may talk to us, and by which rules."""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controller.site_security import said_faults
from packline.core.faults import Fault
from packline.core.files import FileFaults, load_toml
from packline.orders.tracking import AUDIENCE
from plc.security import Allow, Security

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Mount = Literal["twin", "real"]
StationKind = Literal["turntable", "pack", "print_apply", "hold", "bench", "courier_gate", "clarification"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteHead(_Part):
    """Who and where. `company_prefix` is the GS1 company prefix of the SSCCs, 7 to 10 digits."""

    name: Name
    title: str
    time_zone: str = "UTC"
    data: str
    company_prefix: Annotated[str, StringConstraints(pattern=r"^\d{7,10}$")]
    languages: list[Literal["en", "zh"]] = ["en", "zh"]
    items: str = ""
    """A CSV file beside the site file with the item master; taken in at start when it changed."""


class Web(_Part):
    """Where the dashboard listens; `public_url` is what buyers see in links."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    video_port: Annotated[int, Field(ge=1, le=65535)] = 8081
    public_url: str = ""

    @property
    def base_url(self) -> str:
        """Give the address that links carry."""
        return self.public_url or f"http://{self.host}:{self.port}"


class Policy(_Part):
    """The site's own numbers; seconds are wall time."""

    wip_limit: Annotated[int, Field(ge=1, le=1000)] = 12
    reserve_s: Annotated[float, Field(gt=0)] = 3600
    pay_s: Annotated[float, Field(gt=0)] = 86400
    inspect_live_s: Annotated[float, Field(ge=0, le=600)] = 30
    approve_s: Annotated[float, Field(gt=0)] = 3600
    no_answer: Literal["ship", "ask", "return"] = "ask"
    machine_most_mm: tuple[int, int, int] = (400, 300, 250)
    stills: Annotated[int, Field(ge=1, le=72)] = 4


class MachinePart(_Part):
    """A machine: its file under plc/machines (or a path), its address, how it is protected, and whether it is real."""

    file: str
    address: str
    mount: Mount = "real"
    security: Security | None = None
    allow: Allow = Allow()


class PrinterPart(_Part):
    address: str
    driver: Literal["escpos"] = "escpos"
    mount: Mount = "real"


class CameraPart(_Part):
    url: str
    mount: Mount = "real"


class ScannerPart(_Part):
    address: str
    driver: Literal["tcp", "autoid"] = "tcp"
    fixed: bool = False
    mount: Mount = "real"
    security: Security | None = None

    @property
    def allow(self) -> Allow:
        """Say that its driver asks for its scans alone."""
        return Allow()


class StationPart(_Part):
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


class FeedPart(_Part):
    """Signing secrets (whsec_...; several while one is being replaced), as text or by the name of a variable."""

    secrets: list[str] = []
    secrets_env: str = ""
    reconcile_url: str = ""

    def keys(self) -> list[str]:
        """Give the secrets, from the file and from the environment variable (separated by blanks)."""
        return [*self.secrets, *os.environ.get(self.secrets_env or "-", "").split()]


class SubscriberPart(_Part):
    role: str
    url: str
    secret: str = ""
    secret_env: str = ""

    def key(self) -> str:
        """Give the signing secret."""
        return self.secret or os.environ.get(self.secret_env or "-", "")


class TwinPart(_Part):
    """What only the twin reads. `speed` multiplies motion, nothing else."""

    speed: Annotated[float, Field(gt=0, le=1000)] = 20
    seed: int = 1
    host: str = "127.0.0.1:18090"
    truth: str = "127.0.0.1:18099"
    people_password: str = ""


class Site(_Part):
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

    def data_dir(self) -> Path:
        """Give the data folder; a relative one lies under the folder that `packline` was started in."""
        return Path(os.environ.get("PACKLINE_DATA") or self.site.data)


def twin_part(site: Site) -> TwinPart:
    """Give the [twin] part; raises Fault 4201 without one."""
    if site.twin is None:
        raise Fault(4201, where="site file", seen="no [twin]", expected="a [twin] part: speed, host, truth")
    return site.twin


def load_site(path: Path) -> Site:
    """Read and check a site file; raises FileFaults with every mistake that can be told at once."""
    site = load_toml(path, Site)
    faults = list(_cross_check(site, str(path)))
    if faults:
        raise FileFaults(faults)
    return site


NEEDS: dict[str, tuple[str, ...]] = {
    "turntable": ("camera", "scanners"),
    "pack": ("scanners",),
    "print_apply": ("printer", "camera"),
    "bench": ("printer", "camera", "scanners"),
    "hold": ("scanners",),
    "courier_gate": ("scanners",),
    "clarification": ("scanners",),
}
LANE_KINDS = ("gate", "hold", "clarify")
MACHINE_KINDS = {"turntable", "pack", "print_apply", "courier_gate"}


def _cross_check(site: Site, where: str) -> Iterator[Fault]:
    for name, part in site.stations.items():
        yield from _check_station(site, f"{where} [stations.{name}]", part)
    for name, sub in site.subscribers.items():
        if sub.role not in AUDIENCE:
            yield Fault(4201, where=f"{where} [subscribers.{name}.role]", seen=sub.role, expected=" | ".join(AUDIENCE))
        if not sub.key():
            yield Fault(4201, where=f"{where} [subscribers.{name}]", seen="no secret", expected="secret or secret_env")
    for kind in ("feeds", "couriers"):
        for name, feed in getattr(site, kind).items():
            if not feed.keys():
                yield Fault(4201, where=f"{where} [{kind}.{name}]", seen="no secret", expected="secrets or secrets_env")
    yield from said_faults(site.machines, f"{where} [machines")
    yield from said_faults({n: p for n, p in site.scanners.items() if p.driver == "autoid"}, f"{where} [scanners")
    yield from _check_owners(site, where)
    yield from _check_urls(site, where)
    yield from _check_addresses(site, where)
    yield from _check_zone(site, where)
    if site.twin and not _is_loopback(site.web.host):
        yield Fault(
            4201,
            where=f"{where} [web.host]",
            seen=site.web.host,
            expected="a loopback address: [twin] has known passwords",
        )


def _check_station(site: Site, where: str, part: StationPart) -> Iterator[Fault]:
    needs = NEEDS[part.kind]
    if part.kind in MACHINE_KINDS and part.run_by == "machine":
        needs = (*needs, "machine")
    for need in needs:
        if not getattr(part, need):
            yield Fault(
                4201, where=f"{where}.{need}", seen="nothing", expected=f"a {need.rstrip('s')} for kind {part.kind}"
            )
    if part.kind == "print_apply" and part.run_by == "machine":
        yield from _check_lanes(where, part)
    for field, pool in (("machine", site.machines), ("printer", site.printers), ("camera", site.cameras)):
        name = getattr(part, field)
        if name and name not in pool:
            yield _unknown(f"{where}.{field}", name, pool)
    for name in part.scanners:
        if name not in site.scanners:
            yield _unknown(f"{where}.scanners", name, site.scanners)
    if part.feeds and part.feeds not in site.stations:
        yield _unknown(f"{where}.feeds", part.feeds, site.stations)


def _check_lanes(where: str, part: StationPart) -> Iterator[Fault]:
    if missing := [kind for kind in LANE_KINDS if kind not in part.lanes]:
        yield Fault(
            4201, where=f"{where}.lanes", seen=f"no lane for {', '.join(missing)}", expected=f"{', '.join(LANE_KINDS)}"
        )
    if len(set(part.lanes.values())) < len(part.lanes):
        yield Fault(4201, where=f"{where}.lanes", seen="one lane for two places", expected="a lane of its own for each")


def _check_owners(site: Site, where: str) -> Iterator[Fault]:
    """A device has one station: two would take each other's parcels for their own."""
    owners: dict[str, str] = {}
    for station, part in site.stations.items():
        for device in filter(None, (part.machine, part.printer, *part.scanners)):
            if device in owners:
                seen, expected = device, f"a device of its own ({owners[device]} has it)"
                yield Fault(4201, where=f"{where} [stations.{station}]", seen=seen, expected=expected)
            owners.setdefault(device, station)


def _unknown(where: str, name: str, pool: object) -> Fault:
    names = sorted(pool)  # type: ignore[call-overload]  # a dict of any of the site's parts
    near = difflib.get_close_matches(name, names, 1)
    remedy = f"Did you mean {near[0]!r}?" if near else ""
    return Fault(4201, where=where, seen=name, expected=f"one of {', '.join(names) or 'none declared'}", remedy=remedy)


def _check_urls(site: Site, where: str) -> Iterator[Fault]:
    urls = {f"subscribers.{name}.url": part.url for name, part in site.subscribers.items()}
    urls |= {f"cameras.{name}.url": part.url for name, part in site.cameras.items()}
    urls |= {
        f"feeds.{name}.reconcile_url": part.reconcile_url for name, part in site.feeds.items() if part.reconcile_url
    }
    for place, url in urls.items():
        if not _is_url(url):
            yield Fault(
                4201,
                where=f"{where} [{place}]",
                seen=url,
                expected="http://host:port/path or https://... (cameras: rtsp:// too)",
            )


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https", "rtsp") and bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        return False


def _check_addresses(site: Site, where: str) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for kind in ("machines", "printers", "scanners"):
        for name, part in getattr(site, kind).items():
            place = f"{where} [{kind}.{name}.address]"
            if not _is_address(part.address):
                yield Fault(4201, where=place, seen=part.address, expected="host:port or opc.tcp://host:port")
            elif part.address in seen:
                yield Fault(
                    4201,
                    where=place,
                    seen=part.address,
                    expected=f"an address of its own ({seen[part.address]} has it)",
                )
            seen.setdefault(part.address, name)


def _check_zone(site: Site, where: str) -> Iterator[Fault]:
    try:
        ZoneInfo(site.site.time_zone)
    except (KeyError, ValueError, OSError):
        yield Fault(
            4201,
            where=f"{where} [site.time_zone]",
            seen=site.site.time_zone,
            expected="an IANA name such as Asia/Shanghai",
        )


def _is_address(text: str) -> bool:
    host, _, port = text.removeprefix("opc.tcp://").partition("/")[0].rpartition(":")
    return bool(host) and port.isdigit() and 0 < int(port) < 65536


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
