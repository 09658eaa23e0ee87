"""Everything by which the controller touches the outside, in one place that a harness may wrap or replace."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from controller.site import ScannerPart
from labeling.printer import Typeset, whole_job
from labeling.transport import OpenPort, tcp_ports
from packline.core.clock import Clock
from packline.core.pictures import Camera
from packline.core.scans import Scanner
from packline.feeds.http import Carry, Http, carry_over, open_http
from plc.drivers.opening import OpenLink, open_link
from plc.links import NodeLink, RegisterLink
from plc.machine_file import MachineFile
from plc.plain_machine import PlainMachine
from plc.security import UNSAID, Reach
from plc.tag_scanner import TagScanner
from scanning.cameras.client import VideoStill
from scanning.scanners.link import OpenLink as OpenLine
from scanning.scanners.link import tcp_links
from scanning.scanners.tcp import LineScanner
from scanning.sight import PixelSight, Sight

OpenReader = Callable[[str, str, Clock, random.Random, Reach], Scanner]
"""Makes the fixed reader called so at an address."""


def open_autoid(name: str, url: str, clock: Clock, rng: random.Random, reach: Reach) -> Scanner:
    """Make a reader over OPC UA."""
    # asyncua costs a second to import: only a line that has such a reader pays for it
    from plc.drivers.autoid import AutoIdReader

    return AutoIdReader(name=name, url=url, clock=clock, rng=rng, reach=reach)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Factories of links; nothing is opened before it is used."""

    open_block: OpenLink
    open_port: OpenPort
    open_line: OpenLine
    camera: Callable[[str], Camera]
    http: Http
    carry: Carry
    video: Http
    clock: Clock
    rng: random.Random
    open_reader: OpenReader = open_autoid
    sight: Sight = field(default_factory=PixelSight)
    typeset: Typeset = whole_job

    def onlooker(self, name: str) -> Camera:
        """Make a second way to a camera, for who only looks whether it answers."""
        return self.camera(name)

    def scanner(
        self, name: str, part: ScannerPart, reach: Reach = UNSAID, *, file: MachineFile | None = None
    ) -> Scanner:
        """Make the scanner that the site file declares; one behind tags has a machine file."""
        if file is not None:
            link = self.open_block(file, part.address, reach)
            assert isinstance(link, RegisterLink | NodeLink)  # noqa: S101 - every driver carries tags
            return TagScanner(PlainMachine(name=name, file=file, link=link, clock=self.clock, rng=self.rng), self.clock)
        if part.driver == "autoid":
            return self.open_reader(name, part.address, self.clock, self.rng, reach)
        return LineScanner(name=name, address=part.address, open_link=self.open_line, clock=self.clock, rng=self.rng)


def real_links(clock: Clock, rng: random.Random, video_url: str, trust: ssl.SSLContext | bool = True) -> Links:
    """Give links over real sockets; stills come from the video process at `video_url`, believed by `trust`."""
    http, video = open_http(), open_http(trust)
    return Links(
        open_block=open_link,
        open_port=tcp_ports(clock),
        open_line=tcp_links(clock),
        camera=lambda name: VideoStill(name, video_url, clock, http=video),
        http=http,
        carry=carry_over(http),
        video=video,
        clock=clock,
        rng=rng,
    )
