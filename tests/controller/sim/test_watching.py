"""`packline sim watch`: what it opens, what it leaves alone, and what it shows."""

import socket
from pathlib import Path

import pytest

from controller.__main__ import main
from controller.commands.sim import watching
from controller.site_file import load_site
from packline.core.clock import ManualClock
from packline.core.faults import Fault
from tests.web.stage import READY, START, furnished_stage
from web.app import create_app, hub_of
from web.replay import Player, Recording

SITE = load_site(Path("sites/demo.toml"))


@pytest.fixture
def recorded(tmp_path):
    """Give the folder of a line that ran."""
    stage = furnished_stage(tmp_path)
    stage.close()
    (tmp_path / "books.db").rename(tmp_path / "packline.db")
    return tmp_path


def test_a_recording_is_shown_to_whoever_asks_and_its_books_stay_as_they_are(recorded):
    before = (recorded / "packline.db").read_bytes()
    with watching.opened(recorded) as (store, folder):
        player = Player(Recording(store.tape, watching.standing(SITE)), ManualClock(START), waits=False)
        app = create_app(watching.settings(SITE, store, folder, player))
        player.seek(1000)
        hub_of(app).poll()
        page = app.test_client().get("/plan").text

    assert f"/parcels/{READY}" in page and "Demo hall" in page
    assert (recorded / "packline.db").read_bytes() == before and not folder.exists()


def test_books_that_are_not_there_are_named(tmp_path):
    with pytest.raises(Fault) as fault, watching.opened(tmp_path / "nowhere"):
        pass

    assert (fault.value.code, fault.value.where) == (4201, str(tmp_path / "nowhere"))
    assert "sim run --data" in fault.value.remedy


def test_a_recording_stands_at_its_beginning_until_a_browser_asks_for_the_stream(recorded):
    with watching.opened(recorded) as (store, folder):
        recording = Recording(store.tape, watching.standing(SITE))
        player = Player(recording, ManualClock(START))
        client = create_app(watching.settings(SITE, store, folder, player)).test_client()
        client.get("/plan")
        assert not player.state()["playing"]
        client.get("/live/once?view=plan")
        assert player.state()["playing"]
        assert SITE.site.time_zone in watching.span(recording, SITE)


@pytest.mark.parametrize("port", ["99999", "-1", "eighty"])
def test_a_port_that_there_is_not_is_wrong_usage(port, recorded):
    with pytest.raises(SystemExit) as ended:
        main(["sim", "watch", str(recorded), "--port", port])
    assert ended.value.code == 2


def test_a_port_that_is_taken_is_named(recorded, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["sim", "watch", str(recorded), "--port", str(port)]) == 1
    assert f"--port {port}" in capsys.readouterr().err
