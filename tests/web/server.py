"""Serves a furnished dashboard with the real server, for tests that stop it: `python -m tests.web.server FOLDER PORT [PEM [SECONDS]]`."""

import sys
from pathlib import Path

from packline.core.clock import WallClock
from tests.web.stage import Stage
from web.serve import serve
from web.settings import pause
from web.tls import Tls


class FreeClock(WallClock):
    """The wall clock, for a stage that would like to move it."""

    def advance(self, seconds: float) -> None:
        """Do nothing: time passes by itself."""


def main(folder: str, port: str, pem: str = "", patience_s: str = "60") -> None:
    stage = Stage(Path(folder), FreeClock(), pause=pause, most_streams=40, https=bool(pem))
    tls = Tls(certificate=Path(pem), key=Path(pem)) if pem else None
    wait_s = float(patience_s)
    serve(
        stage.app,
        "127.0.0.1",
        int(port),
        clock=stage.clock,
        threads=64,
        start=stage.hub.start,
        stop=stage.hub.stop,
        tls=tls,
        head_s=wait_s,
        body_s=wait_s,
    )
    stage.store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
