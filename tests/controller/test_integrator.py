"""The integrator's verbs at a machine of the twin: checked, probed, watched, tried, and made from answers."""

from __future__ import annotations

import asyncio
import json
import re
import xml.etree.ElementTree as ET
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import cast

import pytest

from controller.__main__ import main
from controller.commands.machine import told
from controller.commands.twin.plant import lone_plant, plant_of
from controller.integrator.asking import Asker, Question
from controller.integrator.line_picture import line_picture
from controller.integrator.line_plan import line_plan
from controller.integrator.nodeset import Variable, tags_of
from controller.integrator.probing import probe
from controller.integrator.target import Target
from controller.integrator.trying import hear, try_job
from controller.integrator.watching import watch
from controller.site_file import load_site
from controller.whole_site import find_faults
from packline.core.clock import LoopClock
from packline.core.effects import EffectState, Evidence
from packline.core.faults import FAULTS, Fault
from plc.drivers.ua_browse import browse
from plc.kinds import LiveMachine
from plc.links import LinkTrouble
from plc.machine_file import load_machine, shipped_machine
from plc.machine_view import MachineView
from plc.security import Reach
from simulation.twin import Twin

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
LIST = """Tag Name,Address,Data Type,Client Access,Scan Rate,Eng Units
model_no,300001,Word,RO,1000,
sealed,300002,Word,RO,100,
weight,300003,Float,RO,100,kg
seal_now,000001,Boolean,R/W,100,
target,400001,Word,R/W,100,
"""


@pytest.fixture
def sealer(tmp_path: Path) -> Path:
    (tmp_path / "tags.csv").write_text(LIST)
    words = [
        "machine",
        "new",
        str(tmp_path / "sealer.toml"),
        "--yes",
        "--model",
        "sealer",
        "--tags",
        str(tmp_path / "tags.csv"),
    ]
    assert main([*words, "--expect", "model_no=7", "--jobs", "seal=seal_now:sealed"]) == 0
    return tmp_path / "sealer.toml"


@asynccontextmanager
async def served(path_or_name):
    file = shipped_machine(path_or_name) if isinstance(path_or_name, str) else load_machine(path_or_name)
    twin = Twin(lone_plant(file, "127.0.0.1:0", 20.0))
    (device,) = await twin.start()
    try:
        yield Target(name=file.model, file=file, address=device.address, reach=Reach())
    finally:
        await twin.stop()


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_of_a_machine_file_tells_mistakes_findings_and_what_reading_costs(sealer, capsys):
    capsys.readouterr()
    assert main(["check", str(sealer), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"]["fast"]["requests"][0] == {
        "area": "coil", "start": 0, "count": 1, "fill": 1.0, "tags": ["seal_now"],
    }  # fmt: skip
    assert "capability.boot" in {finding["where"] for finding in told["findings"]}
    assert {finding["level"] for finding in told["findings"]} == {"hint"}
    assert main(["check", str(sealer)]) == 0
    assert "input 1 +3  100%  sealed, weight" in capsys.readouterr().out


def test_check_of_a_wrong_machine_file_tells_every_mistake_in_one_run(sealer, capsys):
    text = sealer.read_text().replace("unit = 1", "unit = 300").replace('tag = "sealed"', 'tag = "sealt"')
    text = text.replace('area = "coil"', 'area = "input"') + '\n[tags.twin]\naddress = 300003\ntype = "u32"\n'
    sealer.write_text(text)
    capsys.readouterr()
    assert main(["check", str(sealer), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    places = " ".join(fault["where"] for fault in told["faults"])
    assert "[machine.unit]" in places
    assert "[tags.seal_now]" in places
    assert all(fault["remedy"] and fault["expected"] for fault in told["faults"])


# -- probe, watch, try -------------------------------------------------------------------------------------------------


@pytest.mark.wire
async def test_probe_shows_every_tag_in_every_order_with_times_and_expectations(sealer):
    async with served(sealer) as target:
        found = await probe(target, LoopClock(), rounds=3)
    assert [seen.name for seen in found.tags] == ["model_no", "sealed", "weight", "seal_now", "target"]
    assert found.is_well
    assert found.expect == {"model_no": ""}
    weight = next(seen for seen in found.tags if seen.name == "weight")
    assert weight.orders == {"ABCD": "0", "CDAB": "0", "BADC": "0", "DCBA": "0"}
    assert all(len(seen.ms) == 3 for seen in found.tags)
    assert found.latency_ms()["p50"] <= found.latency_ms()["p95"]


@pytest.mark.wire
async def test_probe_of_opc_ua_and_of_the_handshake():
    async with served("packer") as target:
        found = await probe(target, LoopClock(), rounds=1)
    assert found.handshake["believed"]
    assert found.handshake["state"] == "Stopped"


@pytest.mark.wire
async def test_probe_writes_what_it_is_told_and_reads_it_back_but_nothing_to_another_machine(sealer):
    async with served(sealer) as target:
        found = await probe(target, LoopClock(), rounds=1, writes={"target": "12"})
        assert found.written == ("target = 12, reads back 12",)
        sealer.write_text(sealer.read_text().replace("equals = 7", "equals = 8"))
        stranger = Target(name="x", file=load_machine(sealer), address=target.address, reach=Reach())
        with pytest.raises(Fault) as fault:
            await probe(stranger, LoopClock(), rounds=1, writes={"target": "13"})
        assert fault.value.code == 1010
        still = await probe(target, LoopClock(), rounds=1)
    assert next(seen.value for seen in still.tags if seen.name == "target") == 12


def test_probe_writes_nothing_when_asked_once(sealer, capsys):
    assert main(["probe", str(sealer), "127.0.0.1:1", "--write", "target=1"]) == 1
    assert "4301" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["target=70000", "target=much", "sealed=1", "none=1", "target"])
def test_probe_refuses_a_write_that_no_tag_takes(sealer, text, capsys):
    assert main(["probe", str(sealer), "127.0.0.1:1", "--write", text, "--yes-write"]) == 1
    said = capsys.readouterr().err
    assert "4201" in said
    assert "convert" not in said, "that is Python's own word"


@pytest.mark.wire
async def test_who_looks_is_barred_from_writing(sealer):
    async with served(sealer) as target:
        from plc.drivers.opening import open_link
        from plc.links import Area, RegisterLink

        looker = target.looked_at()
        link = open_link(looker.file, looker.address, looker.reach)
        assert isinstance(link, RegisterLink)
        await link.connect()
        with pytest.raises(LinkTrouble) as barred:
            await link.write_registers(0, [1], 6)
        assert barred.value.code == 1018
        assert await link.read_registers(Area.HOLDING, 0, 1) == [0]
        await link.close()


@pytest.mark.wire
async def test_watch_shows_values_that_turn_stale_when_the_machine_goes(sealer):
    async with served(sealer) as target:
        looks = watch(target, LoopClock(), every_s=0.2, count=None)
        first = await anext(looks)
        while first.trouble:
            first = await anext(looks)
        assert {value.quality for value in first.values.values()} == {"good"}
    async with asyncio.timeout(20):
        while not (look := await anext(looks)).trouble:
            pass
    assert {value.quality for value in look.values.values()} == {"stale"}
    await looks.aclose()


@pytest.mark.wire
async def test_one_job_is_tried_and_proved_by_evidence_or_by_the_machines_memory(sealer):
    told: list[str] = []
    async with served(sealer) as target:
        evidence = await try_job(target, "seal", {}, LoopClock(), told.append)
        assert (evidence.state, evidence.data) == (EffectState.CONFIRMED, {"sealed": 1})
    async with served("applicator") as target:
        evidence = await try_job(target, "discard", {}, LoopClock(), told.append)
        assert evidence.source
    assert told


class NoWaiting(LoopClock):
    """A clock that nobody may wait for."""

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


@pytest.mark.wire
async def test_a_job_at_a_machine_that_refuses_the_connection_is_given_up_without_a_wait(sealer):
    async with served(sealer) as target:
        pass
    told: list[str] = []
    with pytest.raises(LinkTrouble) as trouble:
        await try_job(target, "seal", {}, NoWaiting(), told.append)
    assert (trouble.value.code, len(told)) == (1001, 1)


class Quiet:
    """A machine as far as waiting for its first picture goes; `refusal` is why it is not the right one."""

    def __init__(self, file, refusal: Fault | None = None) -> None:
        self.file, self.refusal = file, refusal
        self.waited_s = 0.0

    def view(self) -> MachineView:
        codes = (self.refusal.code,) if self.refusal else ()
        return MachineView(name="x", age_s=0.0, faults=codes, refusal=self.refusal)

    async def until(self, predicate, timeout_s: float) -> bool:
        if not predicate():
            self.waited_s = timeout_s
        return predicate()


@pytest.mark.parametrize("request_ms, most_s", [(800, 5.0), (4000, 12.0)])
async def test_a_machine_that_is_silent_is_waited_for_as_long_as_the_help_says(sealer, request_ms, most_s):
    sealer.write_text(sealer.read_text().replace("unit = 1", f"unit = 1\nrequest_timeout_ms = {request_ms}"))
    machine = Quiet(load_machine(sealer))
    with pytest.raises(Fault) as fault:
        await hear(cast("LiveMachine", machine))
    assert (fault.value.code, machine.waited_s) == (1002, most_s)


async def test_a_machine_that_is_not_the_expected_one_is_told_at_once(sealer):
    machine = Quiet(load_machine(sealer), Fault(1010, where="x"))
    with pytest.raises(Fault) as fault:
        await hear(cast("LiveMachine", machine))
    assert (fault.value.code, machine.waited_s) == (1010, 0.0)


@pytest.mark.wire
async def test_probe_shows_whole_numbers_with_all_their_digits(sealer):
    head, tag, rest = sealer.read_text().partition("[tags.target]")
    sealer.write_text(head + tag + rest.replace('"u16"', '"u32"', 1))
    async with served(sealer) as target:
        await probe(target, LoopClock(), rounds=1, writes={"target": "1"})
        found = await probe(target, LoopClock(), rounds=1)
    orders = next(seen.orders for seen in found.tags if seen.name == "target")
    assert orders == {"ABCD": "1", "CDAB": "65536", "BADC": "256", "DCBA": "16777216"}


def test_a_job_moves_nothing_when_asked_once(sealer, capsys):
    assert main(["machine", "try", str(sealer), "127.0.0.1:1", "seal"]) == 1
    assert "--yes-move" in capsys.readouterr().err


def test_a_job_that_failed_is_told_with_the_machines_number_and_the_houses_fault_that_it_means():
    failed = Evidence(state=EffectState.FAILED, source="machine memory", data={"error": 7}, fault=2006)
    first, second = told("seal", failed).splitlines()
    assert first == "seal: failed by the machine memory: error 7"
    assert second.startswith("2006 ") and second.endswith(FAULTS[2006].remedy)
    done = Evidence(state=EffectState.CONFIRMED, source="machine memory")
    assert told("seal", done) == "seal: confirmed by the machine memory"


def test_a_device_that_a_site_does_not_have_is_named_with_a_suggestion(capsys):
    assert main(["probe", str(DEMO), "arm-11"]) == 1
    assert "Did you mean 'arm-1'?" in capsys.readouterr().err


# -- machine new, st ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, where",
    [
        (["--jobs", "dance=seal_now:sealed"], "--jobs"),
        (["--jobs", "seal=seal_now:sealt"], "--jobs"),
        (["--jobs", "seal=seal_now"], "after a colon"),
        (["--jobs", "seal"], "--jobs"),
        (["--expect", "model=7"], "--expect"),
        (["--unit", "one"], "Unit id"),
        (["--protocol", "profinet"], "Protocol"),
    ],
)
def test_a_wrong_answer_is_told_and_no_file_is_left(sealer, words, where, capsys):
    other = sealer.with_name("other.toml")
    assert main(["machine", "new", str(other), "--yes", "--tags", str(sealer.with_name("tags.csv")), *words]) == 1
    assert where in capsys.readouterr().err
    assert not other.exists()


def test_a_file_that_is_there_is_never_written_over(sealer, capsys):
    before = sealer.read_text()
    assert main(["machine", "new", str(sealer), "--yes"]) == 1
    assert sealer.read_text() == before


@pytest.mark.parametrize("words", [[], ["--base", "1"], ["--protocol", "opcua"]])
def test_a_machine_with_the_handshake_is_made_in_order(tmp_path, words, capsys):
    path = tmp_path / "arm.toml"
    assert (
        main(["machine", "new", str(path), "--yes", "--handshake", "packline", "--jobs", "apply=16 eject=17", *words])
        == 0
    )
    file = load_machine(path)
    assert {kind: job.code for kind, job in file.commands.items()} == {"apply": 16, "eject": 17}
    assert main(["machine", "st", str(path), "--out", str(tmp_path / "plc")]) == 0
    assert "FUNCTION_BLOCK FB_Packline_my_machine" in (tmp_path / "plc" / "my_machine.st").read_text()
    assert "| 2 |" in (tmp_path / "plc" / "my_machine.md").read_text()


def test_register_tables_count_as_the_file_does(capsys):
    assert main(["machine", "st", str(Path(__file__).parents[2] / "plc" / "machines" / "checkweigher.toml")]) == 0
    text = capsys.readouterr().out
    assert "input 5-6" in text
    assert "weighings rises by 1" in text


def test_the_twins_people_of_a_new_site_are_told_what_they_wait_for(tmp_path):
    assert main(["site", "new", str(tmp_path / "site.toml"), "--yes"]) == 0
    site = load_site(tmp_path / "site.toml")
    assert site.twin is not None
    told = {part.role: part.url for part in site.subscribers.values()}
    assert told.keys() >= {"merchant", "buyer"}, "virtual buyers approve pictures that they hear of"
    assert all(url == f"http://{site.twin.host}/events/{role}" for role, url in told.items())


# -- sites -------------------------------------------------------------------------------------------------------------


def test_a_new_site_is_in_order_and_each_device_is_twin_or_real_by_one_word(tmp_path, capsys):
    answers = tmp_path / "answers.toml"
    answers.write_text('title = "North"\ntime_zone = "Asia/Shanghai"\nprint_apply_machine_run = "real"\n'
                       'print_apply_machine_address = "10.20.0.31:502"\ncourier_gate_by = "person"\ncouriers = "kd sf"\n')  # fmt: skip
    path = tmp_path / "site.toml"
    assert main(["site", "new", str(path), "--answers", str(answers)]) == 0
    assert find_faults(path) == []
    site = load_site(path)
    assert (site.machines["label-machine"].mount, site.machines["label-machine"].address) == ("real", "10.20.0.31:502")
    assert {name: part.mount for name, part in site.machines.items() if name != "label-machine"} == {
        "induct-machine": "twin", "pack-machine": "twin",
    }  # fmt: skip
    assert set(site.couriers) == {"kd", "sf"}
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("words", [["--run", "real"], ["--title", "x"]])
def test_a_site_all_real_or_all_twins_is_in_order(tmp_path, words):
    path = tmp_path / "site.toml"
    assert main(["site", "new", str(path), "--yes", *words]) == 0
    assert (load_site(path).twin is None) == ("real" in words)


def test_a_line_with_benches_instead_of_machines_is_in_order(tmp_path):
    answers = tmp_path / "answers.toml"
    answers.write_text(
        'pack_by = "none"\nprint_apply_by = "none"\nturntable_by = "person"\ncourier_gate_by = "person"\n'
    )
    assert main(["site", "new", str(tmp_path / "site.toml"), "--answers", str(answers)]) == 0
    assert load_site(tmp_path / "site.toml").machines == {}


TWIN, REAL = 'mount = "twin"', 'mount = "real"'
KINDS = ("machines", "printers", "cameras", "scanners")


@pytest.mark.parametrize("kind", KINDS)
def test_every_device_may_be_real_and_the_twin_then_serves_all_others(tmp_path, kind, monkeypatch):
    text = DEMO.read_text("utf-8")
    (tmp_path / "demo-items.csv").write_bytes((DEMO.parent / "demo-items.csv").read_bytes())
    path = tmp_path / "site.toml"
    for name in getattr(load_site(DEMO), kind):
        head, _, tail = text.partition(f"[{kind}.{name}]")
        path.write_text(f"{head}[{kind}.{name}]{tail.replace(TWIN, REAL, 1)}", "utf-8")
        assert find_faults(path) == []
        plant = plant_of(load_site(path), path)
        served = {device.name for device in getattr(plant, kind)}
        assert name not in served
        assert served == set(getattr(load_site(DEMO), kind)) - {name}
        Twin(plant)  # the rest can be built without it


def test_a_line_is_drawn_with_every_station_device_and_lane():
    plan = line_plan(load_site(DEMO))
    picture = line_picture(plan)
    ET.fromstring(picture)
    for box in plan.boxes:
        assert f">{box.name}<" in picture
        for device in box.devices:
            assert f">{device.name}<" in picture
    assert re.findall(r'class="lane"[^>]*><circle r="10"/><text y="4.2">(\d)', picture) == ["1", "2", "3"]
    assert "prefers-color-scheme: dark" in picture


def test_a_name_in_a_picture_is_only_text(tmp_path):
    path = tmp_path / "site.toml"
    assert main(["site", "new", str(path), "--yes", "--title", "<script>&"]) == 0
    assert "<script>" not in line_picture(line_plan(load_site(path)))


# -- questions, and servers that list themselves -----------------------------------------------------------------------


def test_a_person_is_asked_again_until_the_answer_is_right():
    asked: list[str] = []
    answers = iter(["profinet", "", "opcua", ""])

    def ask(words: str) -> str:
        asked.append(words)
        return next(answers)

    asker = Asker(given={}, ask=ask)
    assert asker.answer(Question(key="p", words="Protocol", default="modbus", choices=("modbus", "opcua"))) == "opcua"
    assert asker.answer(Question(key="t", words="Title", default="A machine")) == "A machine"
    assert asked[0] == "Protocol (modbus | opcua) [modbus]: "
    assert "one of modbus, opcua" in asked[1]


def test_nobody_is_asked_for_ever():
    with pytest.raises(Fault):
        Asker(given={}, ask=lambda _: "").answer(Question(key="m", words="Model"))


@pytest.mark.wire
async def test_a_server_that_is_browsed_lists_its_variables():
    async with served("packer") as target:
        found = await browse(target.address)
        listed = tags_of([Variable(**asdict(one)) for one in found], target.address)
    assert {one.path.rpartition(".")[2] for one in found} >= {"CMD", "STATUS"}
    assert listed.faults == []
    assert any("an array" in note for note in listed.notes)
