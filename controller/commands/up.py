"""`packline up SITE`: the controller, the dashboard and the video server, kept alive."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from controller.books import demand_own_books
from controller.commands.folders import make_folder
from controller.ports import hold_ports
from controller.site import Site
from controller.site_file import load_site
from controller.sites import find_site
from controller.starting import data_of, demand_log_level, ending_signals, only_one, secret_of
from controller.supervisor import Child, Supervisor, answers_http, answers_locally
from controller.whole_site import demand_whole


def arguments(options: argparse.ArgumentParser) -> None:
    """Declare the options."""
    options.add_argument("site", type=Path, help="site file, for example sites/demo.toml")


def run(chosen: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C; 1 if another controller has these books, or somebody else the ports."""
    path = find_site(chosen.site)
    site = load_site(path)
    demand_whole(path)
    data = data_of(site, path)
    make_folder(data, is_private=True)
    demand_log_level()
    ports = {"web.port": site.web.port, "web.video_port": site.web.video_port}
    # before anything is written or a machine is claimed: whose line is it?
    with only_one(data, "up"), hold_ports(str(path), site.web.host, ports, _say):
        _say(f"{site.site.title}: starting  (logs and books in {data})")
        demand_own_books(site, data)
        secret_of(data)
        return _supervise(site, path, data)


def _supervise(site: Site, path: Path, data: Path) -> int:
    web = site.web
    probes = {
        "controller": answers_locally(data),
        "web": answers_http(web.host, web.port, "/api/health", is_https=web.is_https),
        "video": answers_http(web.host, web.video_port, "/health", is_https=web.is_https),
    }
    children = {
        name: Child(name=name, command=[sys.executable, "-m", "controller", "process", name, str(path)], probe=probe)
        for name, probe in probes.items()
    }
    env = {**os.environ, "PACKLINE_SUPERVISED": "1"}
    greeter = Greeter(data, children["web"], f"{site.site.title}: dashboard at {web.base_url}", _say)
    supervisor = Supervisor(list(children.values()), logs=data / "logs", env=env, say=_say, each_look=greeter.look)
    for number in ending_signals():
        signal.signal(number, supervisor.stop)
    return supervisor.run()


class Greeter:
    """Says once where the dashboard is, when it answers; and the first administrator's password."""

    def __init__(self, data: Path, web: Child, welcome: str, say: Callable[[str], None]) -> None:
        self._note = data / "first-admin"
        self._web = web
        self._welcome = welcome
        self._say = say

    def look(self) -> None:
        """Say what is new."""
        if self._welcome and self._web.answered_at is not None:
            self._say(self._welcome)
            self._welcome = ""
        if self._note.exists() and (password := self._note.read_text()):
            self._note.unlink()
            self._say(f"first administrator: user admin, password {password}  (shown once: sign in and change it)")


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:
        # who listened is gone: that ends no line; what is left in the buffer must not fail at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
