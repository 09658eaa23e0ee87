"""Writes a first site file from answers: stations of a line, the devices that stand there, who may talk to it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from controller.integrator.asking import Asker, Question
from controller.integrator.toml_text import table

TWIN_WORDS = "none: twins on this computer, loopback only"
REAL_WORDS = "none: closed machine network"
LOCAL = "127.0.0.1"
TWIN_HOST = f"{LOCAL}:18190"
HEARERS = ("merchant", "buyer", "archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A station that a line may have: where its devices listen when they are twins (ports from `port` on)."""

    name: str
    kind: str
    words: str
    port: int
    machine: str = ""
    printer: bool = False
    camera: bool = False
    is_fixed: bool = False
    run_by: str = "person"
    may_lack: bool = False
    more: dict[str, Any] = field(default_factory=dict)


PLACES = (
    Place(name="induct-1", kind="turntable", words="Collecting and taking pictures", port=15110, machine="turntable",
          camera=True, run_by="machine"),
    Place(name="pack-1", kind="pack", words="Packing", port=15120, machine="packer", is_fixed=True, run_by="machine",
          may_lack=True),
    Place(name="label-1", kind="print_apply", words="Labelling", port=15130, machine="applicator", printer=True, camera=True,
          run_by="machine", may_lack=True, more={"lanes": {"gate": 1, "hold": 2, "clarify": 3}}),
    Place(name="bench-1", kind="bench", words="Bench for what machines cannot pack", port=15140, printer=True, camera=True),
    Place(name="hold-1", kind="hold", words="Shelf for parcels that wait", port=15150, more={"slots": 40}),
    Place(name="gate-1", kind="courier_gate", words="Gate to the couriers", port=15160, machine="courier_gate",
          is_fixed=True, run_by="machine"),
    Place(name="clarify-1", kind="clarification", words="Clarification", port=15170),
)  # fmt: skip
"""In the order of the line. A bench does the work of a packing or labelling station that is not there."""

NOUNS = ("machine", "printer", "scanner", "camera")
HEAD = (
    Question(key="name", words="Name of the site, one word", default="my-line"),
    Question(key="title", words="Title", default="My line"),
    Question(key="time_zone", words="Its time zone", default="UTC"),
    Question(key="company_prefix", words="GS1 company prefix, 7 to 10 digits", default="9521321"),
    Question(
        key="run", words="What its devices are, unless said otherwise below", default="twin", choices=("twin", "real")
    ),
    Question(key="couriers", words="Couriers, blanks between", default="kd"),
    Question(key="feed", words="Where orders come from, one word", default="marketplace"),
    Question(key="port", words="Port of the dashboard", default="8080"),
)


KEYS = {question.key for question in HEAD} | {
    f"{place.kind}_{what}"
    for place in PLACES
    for what in ("by", "file", *(f"{noun}_run" for noun in NOUNS), *(f"{noun}_address" for noun in NOUNS), "camera_url")
}
"""Everything that may be asked."""


class SiteWriter:
    """Asks for one site and writes it."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._said = {question.key: asker.answer(question) for question in HEAD}
        self.twins = 0

    def text(self) -> str:
        """Give the file."""
        stations = "\n".join(part for place in PLACES for part in self._place(place))
        return "\n".join([*self._head(), stations, *self._others()])

    def _head(self) -> Iterator[str]:
        said = self._said
        yield "# Made by packline site new. Every key: docs/reference/site-file.md\n"
        yield table(
            "site",
            {
                "name": said["name"],
                "title": said["title"],
                "time_zone": said["time_zone"],
                "data": "data",
                "company_prefix": said["company_prefix"],
                "items": "items.csv",
            },
        )
        port = int(said["port"]) if said["port"].isdigit() else said["port"]
        video = port + 1 if isinstance(port, int) else 8081
        yield table("web", {"host": LOCAL, "port": port, "video_port": video})

    def _others(self) -> Iterator[str]:
        yield table(f"feeds.{self._said['feed']}", {"secrets": [_secret()]})
        for courier in self._said["couriers"].split():
            yield table(f"couriers.{courier}", {"secrets": [_secret()]})
        if self.twins:
            password = secrets.token_urlsafe(18)
            parts = {"speed": 20, "seed": 1, "host": TWIN_HOST, "truth": f"{LOCAL}:18199"}
            yield "# Who is told what happens: the twin's people, who wait for it. Give each your own address when they are real.\n"
            for role in HEARERS:
                told = {"role": role, "url": f"http://{TWIN_HOST}/events/{role}", "secret": _secret()}
                yield table(f"subscribers.{role}", told)
            yield "# What only the twin reads. A site with a [twin] must stay on loopback; take it out with the last twin.\n"
            yield table("twin", {**parts, "people_password": password})

    # -- one place -----------------------------------------------------------------------------------------------------

    def _place(self, place: Place) -> Iterator[str]:
        run_by = self._run_by(place)
        if run_by == "none":
            return
        station: dict[str, Any] = {"kind": place.kind, "run_by": run_by}
        bare = place.name.rpartition("-")[0]
        if place.machine and run_by == "machine":
            station["machine"] = f"{bare}-machine"
            yield self._machine(place, station["machine"])
        if place.printer:
            station["printer"] = f"{bare}-printer"
            yield self._device(place, "printers", station["printer"], {"address": f"{LOCAL}:{place.port + 3}"})
        if place.camera:
            station["camera"] = f"{bare}-camera"
            yield self._device(
                place, "cameras", station["camera"], {"url": f"http://{LOCAL}:{place.port + 4}/snapshot.jpg"}
            )
        station["scanners"] = [f"{bare}-scanner"]
        fixed = {"fixed": True} if place.is_fixed and run_by == "machine" else {}
        yield self._device(
            place, "scanners", f"{bare}-scanner", {"address": f"{LOCAL}:{place.port + 5}", "driver": "tcp", **fixed}
        )
        yield table(f"stations.{place.name}", {**station, **place.more})

    def _run_by(self, place: Place) -> str:
        if not place.machine:
            return "person"
        choices = ("machine", "person", *(["none"] if place.may_lack else []))
        key = f"{place.kind}_by"
        words = f"{place.words}: run by"
        return self._asker.answer(Question(key=key, words=words, default=place.run_by, choices=choices))

    def _machine(self, place: Place, name: str) -> str:
        file = self._asker.answer(
            Question(key=f"{place.kind}_file", words=f"{place.words}: machine file", default=place.machine)
        )
        scheme = "opc.tcp://" if file == "packer" else ""
        values = {"file": file, "address": f"{scheme}{LOCAL}:{place.port + 1}"}
        return self._device(place, "machines", name, values, is_secured=True)

    def _device(self, place: Place, pool: str, name: str, values: dict[str, Any], *, is_secured: bool = False) -> str:
        """Ask whether it is real; a real one has an address of its own."""
        key, noun = f"{place.kind}_{pool[:-1]}", pool[:-1]
        run = self._asker.answer(
            Question(
                key=f"{key}_run", words=f"{place.words}: {noun}", default=self._said["run"], choices=("twin", "real")
            )
        )
        place_key = "url" if "url" in values else "address"
        if run == "real":
            words = f"{place.words}: {noun}'s {place_key}"
            said = self._asker.answer(Question(key=f"{key}_{place_key}", words=words, default=str(values[place_key])))
            values = {**values, place_key: said}
        else:
            self.twins += 1
        security = {"security": TWIN_WORDS if run == "twin" else REAL_WORDS} if is_secured else {}
        return table(f"{pool}.{name}", {**values, "mount": run, **security})


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
