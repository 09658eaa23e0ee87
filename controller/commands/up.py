"""`packline up SITE`: the controller, the dashboard and the video server, kept alive."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from controller.site import load_site
from controller.sites import find_site
from controller.starting import only_one, secret_of
from controller.supervisor import Child, Supervisor, answers_http, answers_locally


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file, for example sites/demo.toml")


def run(chosen: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C."""
    path = find_site(chosen.site)
    site = load_site(path)
    data = site.data_dir()
    secret_of(data)
    web = site.web
    probes = {
        "controller": answers_locally(data),
        "web": answers_http(web.host, web.port, "/api/health"),
        "video": answers_http(web.host, web.video_port, "/health"),
    }
    children = [
        Child(name=name, command=[sys.executable, "-m", "controller", "process", name, str(path)], probe=probe)
        for name, probe in probes.items()
    ]
    env = {**os.environ, "PACKLINE_SUPERVISED": "1"}
    supervisor = Supervisor(children, logs=data / "logs", env=env, say=_say, each_look=lambda: _greet(data))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    _say(f"{site.site.title}: dashboard at {web.base_url}  (logs and books in {data})")
    with only_one(data, "up"):
        return supervisor.run()


def _greet(data: Path) -> None:
    """Show the first administrator's password once."""
    note = data / "first-admin"
    if note.exists() and (password := note.read_text()):
        note.unlink()
        _say(f"first administrator: user admin, password {password}  (shown once: sign in and change it)")


def _say(text: str) -> None:
    print(text, flush=True)
