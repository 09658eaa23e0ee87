"""The video process of `packline up`: grabs every camera of the site and serves frames on its own port."""

from __future__ import annotations

from pathlib import Path

from controller.starting import prepare, secret_of, site_and_data
from controller.tls import tls_of
from packline.core.clock import Clock, WallClock
from web.video import VideoSettings
from web.video import run as serve_video


def run_video(path: Path, clock: Clock | None = None) -> int:
    """Serve the cameras until SIGTERM; default: by the wall clock."""
    prepare()
    site, data = site_and_data(path)
    cameras = {name: part.url for name, part in site.cameras.items()}
    delays_s = {name: part.delay_s or 0.0 for name, part in site.cameras.items()}
    settings = VideoSettings(cameras=cameras, delays_s=delays_s, secret=secret_of(data), clock=clock or WallClock())
    serve_video(settings, site.web.host, site.web.video_port, tls=tls_of(site.web, path))
    return 0
