"""Reads a site file and says every mistake in it at once: of a part, and of the parts with each other."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from controller.addresses import wrong_address, wrong_port
from controller.site import NAME_PATTERN, PREFIX_PATTERN, Site, StationPart, Web, fixed_scanner, places_of
from controller.site_security import said_faults
from packline.core.faults import Fault
from packline.core.files import FileFaults, near, read_toml, survey
from packline.feeds.signing import key_of
from packline.orders.tracking import AUDIENCE
from plc.security import RANGE_PATTERN, WORDS_PATTERN
from scanning.cameras.addresses import is_snapshot

PATTERN_WORDS: dict[str, str] = {
    NAME_PATTERN: "a small letter, then small letters, digits and dashes, 40 characters at most",
    PREFIX_PATTERN: "7 to 10 digits",
    WORDS_PATTERN: 'a [security] table, or why there is none: "none: closed machine network"',
    RANGE_PATTERN: "holding, input, coil or discrete with its addresses: holding 16-19",
}
STAND_INS: dict[str, Any] = {
    "site": {},
    "site.name": "site",
    "site.title": "site",
    "site.data": "data",
    "site.company_prefix": "0000000",
    "stations": {},
    "*.address": "unknown",
    "cameras.*.url": "http://unknown/snapshot.jpg",
    "subscribers.*.url": "http://unknown",
    "subscribers.*.role": next(iter(AUDIENCE)),
}
"""What stands for a wrong value while the rest of the file is checked; what is said of such a place then is not told."""


def load_site(path: Path) -> Site:
    """Read and check a site file; raises FileFaults with every mistake."""
    site, faults = read_site(path)
    if site is None or faults:
        raise FileFaults(faults)
    return site


def read_site(path: Path) -> tuple[Site | None, list[Fault]]:
    """Give every mistake of a site file, and the site as far as it is right; raises FileFaults for what is no TOML."""
    read = survey(read_toml(path), Site, str(path), stand_ins=STAND_INS, patterns=PATTERN_WORDS)
    if read.model is None:
        return None, read.faults
    told = {fault.where for fault in read.faults}
    further = [fault for fault in _cross_check(read.model, str(path), read.raw) if not is_told(fault.where, told)]
    return read.model, [*read.faults, *further]


def is_told(where: str, told: set[str]) -> bool:
    """Tell whether a mistake at this place was told, or one inside it: what is wrong there was taken out."""
    return where in told or any(place.startswith(f"{where[:-1]}.") for place in told)


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
NEEDED_PLACES: dict[str, str] = {
    "collect": "turntable",
    "pack": "pack or bench",
    "label": "print_apply or bench",
    "hold": "hold",
    "gate": "courier_gate",
    "clarify": "clarification",
}
"""Every destination that a parcel can be sent to, and the kinds of station that may be it."""
POOLS: dict[str, str] = {
    "machine": "machines",
    "printer": "printers",
    "camera": "cameras",
    "scanners": "scanners",
    "feeds": "stations",
}
"""Which part of the file declares what a station names."""
TAKEN_NAMES = frozenset({"desk", "line"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
HOW_TO_MAKE = "Make one as docs/explanations/security.md says, and give it to the other side as well."
LABEL_KINDS = ("print_apply", "bench")
READ_KINDS = ("pack", "courier_gate")
MACHINE_KINDS = {"turntable", "pack", "print_apply", "courier_gate"}


def _cross_check(site: Site, where: str, raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Compare the parts with each other. `raw` has the names of parts that are wrong in themselves: they are declared."""
    declared = {kind: set(found) if isinstance(found := raw.get(kind), dict) else set() for kind in POOLS.values()}
    for name, part in site.stations.items():
        yield from _check_station(site, f"{where} [stations.{name}", part, declared)
    for name, sub in site.subscribers.items():
        if sub.role not in AUDIENCE:
            yield Fault(4201, where=f"{where} [subscribers.{name}.role]", seen=sub.role, expected=" | ".join(AUDIENCE))
        if not sub.key():
            yield Fault(4201, where=f"{where} [subscribers.{name}]", seen="no secret", expected="secret or secret_env")
        else:
            yield from _check_secrets([sub.key()], f"{where} [subscribers.{name}.secret]")
    for kind in ("feeds", "couriers"):
        for name, feed in getattr(site, kind).items():
            if not feed.keys():
                yield Fault(4201, where=f"{where} [{kind}.{name}]", seen="no secret", expected="secrets or secrets_env")
            yield from _check_secrets(feed.keys(), f"{where} [{kind}.{name}.secrets]")
    yield from said_faults(site.machines, f"{where} [machines")
    yield from said_faults({n: p for n, p in site.scanners.items() if p.driver != "tcp"}, f"{where} [scanners")
    for name, scanner in site.scanners.items():
        if scanner.driver == "tcp" and scanner.security is not None:  # it would be taken for more than it is
            place = f"{where} [scanners.{name}.security]"
            yield Fault(4201, where=place, seen="security of driver tcp", expected="nothing: it is plain lines of text")
    yield from _check_owners(site, where)
    if declared["stations"] == site.stations.keys():
        yield from _check_places(site, where)
    yield from _check_witnesses(site, where)
    yield from _check_names(site, where)
    yield from _check_urls(site, where)
    yield from _check_addresses(site, where)
    yield from _check_zone(site, where)
    yield from _check_tls(site, where)
    if site.twin and not _is_loopback(site.web.host):
        yield Fault(
            4201,
            where=f"{where} [web.host]",
            seen=site.web.host,
            expected="a loopback address: [twin] has known passwords",
        )


def _check_secrets(secrets: Sequence[str], place: str) -> Iterator[Fault]:
    """Say of each secret that is none where it stands, never what it is."""
    for secret in secrets:
        try:
            key_of(secret)
        except Fault as fault:
            yield Fault(4201, where=place, seen=fault.seen, expected=fault.expected, remedy=HOW_TO_MAKE)


def _check_station(site: Site, where: str, part: StationPart, declared: Mapping[str, set[str]]) -> Iterator[Fault]:
    """`where` lacks the bracket that closes the place."""
    needs = NEEDS[part.kind]
    if part.kind in MACHINE_KINDS and part.run_by == "machine":
        needs = (*needs, "machine")
    for need in needs:
        if not getattr(part, need):
            expected = f"a {need.rstrip('s')} for kind {part.kind}"
            yield Fault(4201, where=f"{where}.{need}]", seen="nothing", expected=expected)
    if part.kind == "print_apply" and part.run_by == "machine":
        yield from _check_lanes(where, part)
    if part.kind in READ_KINDS and part.run_by == "machine" and declared["scanners"].issuperset(part.scanners):
        yield from _check_fixed(site, where, part)
    for field, kind in POOLS.items():
        named = getattr(part, field) or ()
        for name in (named,) if isinstance(named, str) else named:
            if name not in declared[kind]:
                yield _unknown(f"{where}.{field}]", name, declared[kind])
    if part.feeds in site.stations and site.stations[part.feeds].kind not in LABEL_KINDS:
        seen = f"{part.feeds} of kind {site.stations[part.feeds].kind}"
        yield Fault(4201, where=f"{where}.feeds]", seen=seen, expected=f"a station of kind {' or '.join(LABEL_KINDS)}")


def _check_fixed(site: Site, where: str, part: StationPart) -> Iterator[Fault]:
    """A machine seals, or a gate opens, for what its mounted scanner reads; a hand scanner reads what is in a hand."""
    whole = all(name in site.scanners for name in part.scanners)  # what is wrong in itself is told there
    if whole and part.scanners and fixed_scanner(site, part) is None:
        fixed = [name for name in part.scanners if site.scanners[name].fixed]
        expected = "one scanner with fixed = true: the one that is mounted before the machine"
        yield Fault(4201, where=f"{where}.scanners]", seen=", ".join(fixed) or "no fixed scanner", expected=expected)


def _check_lanes(where: str, part: StationPart) -> Iterator[Fault]:
    if missing := [kind for kind in LANE_KINDS if kind not in part.lanes]:
        yield Fault(
            4201, where=f"{where}.lanes]", seen=f"no lane for {', '.join(missing)}", expected=f"{', '.join(LANE_KINDS)}"
        )
    if len(set(part.lanes.values())) < len(part.lanes):
        yield Fault(
            4201, where=f"{where}.lanes]", seen="one lane for two places", expected="a lane of its own for each"
        )


def _check_owners(site: Site, where: str) -> Iterator[Fault]:
    """A device has one station: two would take each other's parcels, or each other's pictures, for their own."""
    owners: dict[str, str] = {}
    for station, part in site.stations.items():
        for device in filter(None, (part.machine, part.printer, part.camera, *part.scanners)):
            if device in owners:
                seen, expected = device, f"a device of its own ({owners[device]} has it)"
                yield Fault(4201, where=f"{where} [stations.{station}]", seen=seen, expected=expected)
            owners.setdefault(device, station)


def _check_witnesses(site: Site, where: str) -> Iterator[Fault]:
    """A station's camera proves things: a stream that does not say what it holds back may show the time before."""
    for name in dict.fromkeys(part.camera for part in site.stations.values() if part.camera in site.cameras):
        camera = site.cameras[name or ""]
        if camera.delay_s is None and not is_snapshot(camera.url):
            yield Fault(
                4201,
                where=f"{where} [cameras.{name}.delay_s]",
                seen="a stream at a station without it",
                expected="the seconds that a frame may be on its way, or the address of a snapshot",
                remedy="Hold a clock before the camera and compare; write the longest delay seen.",
            )


def _check_places(site: Site, where: str) -> Iterator[Fault]:
    """Any parcel may have to go to any of these places: a line without one of them stops at its first such parcel."""
    places = places_of(site)
    for place, kinds in NEEDED_PLACES.items():
        if place not in places:
            yield Fault(
                4201, where=f"{where} [stations]", seen=f"no place to {place}", expected=f"a station of kind {kinds}"
            )
    racks = [name for name, part in site.stations.items() if part.kind == "hold"]
    for name in racks[1:]:
        # The books know a parcel's slot by its name alone, and every rack's slots are H01 and on.
        seen, expected = f"{name} beside {racks[0]}", "one station of kind hold: two racks would share the names H01.."
        yield Fault(4201, where=f"{where} [stations.{name}.kind]", seen=seen, expected=expected)


def _check_names(site: Site, where: str) -> Iterator[Fault]:
    for name in TAKEN_NAMES & site.stations.keys():
        place = f"{where} [stations.{name}]"
        yield Fault(
            4201, where=place, seen=name, expected="another name: questions of the office and of the line have this one"
        )


def _unknown(where: str, name: str, declared: set[str]) -> Fault:
    expected = f"one of {', '.join(sorted(declared)) or 'none declared'}"
    return Fault(4201, where=where, seen=name, expected=expected, remedy=near(name, declared))


def _check_urls(site: Site, where: str) -> Iterator[Fault]:
    urls = {f"subscribers.{name}.url": part.url for name, part in site.subscribers.items()}
    urls |= {"web.public_url": site.web.public_url} if site.web.public_url else {}
    urls |= {f"cameras.{name}.url": part.url for name, part in site.cameras.items()}
    urls |= {
        f"feeds.{name}.reconcile_url": part.reconcile_url for name, part in site.feeds.items() if part.reconcile_url
    }
    for place, url in urls.items():
        schemes = ("http", "https", "rtsp") if place.startswith("cameras.") else ("http", "https")
        if expected := _wrong_url(url, schemes):
            yield Fault(4201, where=f"{where} [{place}]", seen=url, expected=expected)
    has_buyers = any(part.role == "buyer" for part in site.subscribers.values())
    if has_buyers and site.web.host in EVERYWHERE and not site.web.public_url:
        expected = f"the address by which buyers come: their links would say {site.web.host}"
        yield Fault(4201, where=f"{where} [web.public_url]", seen="nothing", expected=expected)


def _wrong_url(text: str, schemes: tuple[str, ...]) -> str:
    """Say what a URL should be; "" when it is one."""
    good = " or ".join(f"{scheme}://host:port/path" for scheme in schemes)
    try:
        url = urlsplit(text)
    except ValueError:
        return good
    if url.scheme not in schemes or not url.hostname:
        return good
    port = url.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    return wrong_port(port) if port else ""


def _check_addresses(site: Site, where: str) -> Iterator[Fault]:
    """Every address is one, and nobody else's: two that listen, or two that are spoken to, at one port are a slip."""
    owners: dict[str, str] = {}
    for place, address in _addresses(site):
        if expected := wrong_address(address):
            yield Fault(4201, where=f"{where} [{place}]", seen=address, expected=expected)
            continue
        bare = address.removeprefix("opc.tcp://").partition("/")[0]
        if bare in owners:
            expected = f"an address of its own ({owners[bare]} has it)"
            yield Fault(4201, where=f"{where} [{place}]", seen=address, expected=expected)
        owners.setdefault(bare, place.removesuffix(".address").rpartition(".")[2] if ".address" in place else place)


def _addresses(site: Site) -> Iterator[tuple[str, str]]:
    """Give place and address of all that listens: ourselves, the twin, machines, printers, scanners."""
    yield "web.port", f"{site.web.host}:{site.web.port}"
    yield "web.video_port", f"{site.web.host}:{site.web.video_port}"
    if site.twin:
        yield "twin.host", site.twin.host
        yield "twin.truth", site.twin.truth
    for kind in ("machines", "printers", "scanners"):
        for name, part in getattr(site, kind).items():
            yield f"{kind}.{name}.address", part.address


def _check_tls(site: Site, where: str) -> Iterator[Fault]:
    web = site.web
    if not web.certificate and not web.key:
        return
    for name, file, other in (("certificate", web.certificate, "key"), ("key", web.key, "certificate")):
        if not file:
            yield Fault(4201, where=f"{where} [web.{name}]", seen="nothing", expected=f"a file: there is a {other}")
    if site.twin:
        expected = "plain HTTP on the loopback address: the [twin]'s people know no certificate"
        yield Fault(4201, where=f"{where} [web.certificate]", seen=web.certificate, expected=expected)
    if web.is_https:
        yield from _check_pair(web, where)


def _check_pair(web: Web, where: str) -> Iterator[Fault]:
    folder = Path(where).resolve().parent
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            folder / web.certificate, folder / web.key, password=b""
        )
    except (OSError, ValueError) as error:
        seen = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        expected = "a certificate (with its chain) and its key without a password, both in PEM and readable"
        yield Fault(4201, where=f"{where} [web.certificate]", seen=str(seen).lower(), expected=expected)


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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
