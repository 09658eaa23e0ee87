"""What an integrator types wrong: each is told with its place and a remedy, in text and as JSON, and nothing hangs or breaks."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from controller.__main__ import _outside, main

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
HEAD = "Tag Name,Address,Data Type\n"
SEALER = """
[machine]
model = "sealer"
title = "Bag sealer"
source = "manual BS-7"
protocol = "modbus"
address_base = 0

[handshake]
kind = "none"

[tags]
model_no = { address = 0, area = "input", type = "u16" }
sealed = { address = 1, area = "input", type = "u16" }
serial = { address = 2, area = "input", type = "string", length = 2 }
seal_now = { address = 0, area = "coil", type = "bool", access = "rw" }

[expect]
model = { tag = "model_no", equals = 7 }

[jobs.seal]
write = [{ tag = "seal_now", value = true }]
done = { tag = "sealed", rises = 1 }
reset = [{ tag = "seal_now", value = false }]
timeout_s = 5
"""


SEES = """
[tags.carton]
address = 0
area = "discrete"
type = "bool"

[tags.full]
address = 1
area = "discrete"
type = "bool"

[capability]
carton_present = "carton"
outfeed_full = "full"
"""
"""What a packing station looks at."""


@pytest.fixture
def sealer(tmp_path: Path) -> Path:
    path = tmp_path / "sealer.toml"
    path.write_text(SEALER)
    return path


def told(words, capsys) -> dict:
    """Give the one fault that a command ends with, read from the last line as a program would."""
    assert main([*map(str, words), "--json"]) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["ok"] is False
    (fault,) = said["faults"]
    assert all(fault[part] for part in ("code", "name", "where", "seen", "expected", "remedy"))
    return fault


# -- addresses and ports -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1", ":502", "here", "127.0.0.1:5o2"])
@pytest.mark.parametrize("verb", [["probe"], ["watch"], ["machine", "try"]])
def test_an_address_that_is_none_is_told_before_anything_is_asked(sealer, verb, address, capsys):
    job = ["seal", "--yes-move"] if verb[-1] == "try" else []
    fault = told([*verb, sealer, address, *job], capsys)
    assert (fault["code"], fault["seen"]) == (4201, address)
    assert "host:port" in fault["expected"]


def test_the_address_of_another_protocol_is_told_as_that(sealer, capsys):
    fault = told(["probe", sealer, "opc.tcp://127.0.0.1:4840"], capsys)
    assert "protocol" in fault["remedy"]


@pytest.mark.wire
def test_a_machine_that_is_not_there_is_told_as_json_too(sealer, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert told(["probe", sealer, f"127.0.0.1:{port}"], capsys)["code"] == 1001


@pytest.mark.wire
@pytest.mark.parametrize("verb", ["twin", "chaos"])
def test_a_port_that_is_taken_is_told_and_not_a_crash(sealer, verb, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ["twin", sealer, "--at", address] if verb == "twin" else ["chaos", address, "127.0.0.1:1"]
        fault = told(words, capsys)
    assert "in use" in fault["seen"]
    assert "listens" in fault["remedy"]


@pytest.mark.parametrize("words", [["--at", "127.0.0.1:70000"], ["--at", "banana"]])
def test_a_twin_at_no_address_is_told(sealer, words, capsys):
    assert told(["twin", sealer, *words], capsys)["where"] == "--at"


def test_a_twin_of_an_unknown_behaviour_is_told_with_a_suggestion(sealer, capsys):
    sealer.write_text(SEALER + '\n[simulation]\nbehaviour = "bag_sealr"\n')
    assert told(["twin", sealer, "--at", "127.0.0.1:0"], capsys)["remedy"] == "Did you mean 'bag_sealer'?"


@pytest.mark.parametrize("rule", ["dance", "drop p=7", "delay s=-1", "drop sideways"])
def test_a_rule_that_is_none_is_told(rule, capsys):
    fault = told(["chaos", "127.0.0.1:0", "127.0.0.1:1", "--rule", rule], capsys)
    assert "raises" not in fault["expected"]


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verb, words",
    [
        ("probe", ["--rounds", "0"]),
        ("probe", ["--rounds", "100000000"]),
        ("watch", ["--count", "0"]),
        ("watch", ["--count", "-5"]),
        ("watch", ["--every", "0"]),
        ("watch", ["--every", "nan"]),
        ("watch", ["--every", "inf"]),
    ],
)
def test_a_number_out_of_its_range_is_refused_by_the_command_line(sealer, verb, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([verb, str(sealer), "127.0.0.1:1", *words])
    assert ended.value.code == 2
    assert "is not a" in capsys.readouterr().err


def test_parameters_that_a_job_does_not_take_are_told_before_the_machine_is_touched(sealer, capsys):
    fault = told(["machine", "try", sealer, "127.0.0.1:1", "seal", "--yes-move", "--param", "speed=1"], capsys)
    assert fault["seen"] == "speed"
    assert "--param" in fault["remedy"]


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old, new, where",
    [
        ("equals = 7", 'equals = "seven"', "expect.model"),
        ("equals = 7", "equals = 70000", "expect.model"),
        ("equals = 7", "min = 9, max = 8", "expect.model"),
        ('"model_no", equals = 7', '"serial", min = 1', "expect.model"),
        ("rises = 1", "equals = -1", "jobs.seal.done"),
    ],
)
def test_what_a_tag_can_never_show_is_a_mistake_of_the_file(sealer, old, new, where, capsys):
    sealer.write_text(SEALER.replace(old, new))
    assert told(["check", sealer], capsys)["where"] == f"{sealer} [{where}]"


def test_the_lean_client_of_an_opc_ua_machine_is_a_mistake_of_the_file(sealer, capsys):
    text = SEALER.replace('"modbus"\naddress_base = 0', '"opcua"\nnamespace = "urn:x"\ntransport = "lean"')
    for place in ("address = 0", "address = 1", "address = 2"):
        text = text.replace(place, 'node = "s=N"', 1)
    sealer.write_text(text)
    assert main(["check", str(sealer), "--json"]) == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    (fault,) = [one for one in faults if one["seen"] == "lean"]
    assert fault["where"] == f"{sealer} [machine.transport]"
    assert "Leave the line out" in fault["remedy"]


def test_the_lean_client_of_a_machine_under_tls_is_a_mistake_of_the_site(site, capsys):
    text = SEALER.replace("address_base = 0", 'address_base = 0\ntransport = "lean"')
    site.with_name("sealer.toml").write_text(text + SEES)
    head, behind = site.read_text().split("[machines.pack-machine]")
    words = 'security = "none: twins on this computer, loopback only"'
    secured = behind.replace(words, 'security = { policy = "TLS1.2" }', 1)
    site.write_text(f"{head}[machines.pack-machine]{secured}")
    assert main(["pki", "init", str(site)]) == 0
    capsys.readouterr()
    assert told(["check", site], capsys)["where"] == f"{site} [machines.pack-machine.security]"


def test_a_mark_in_front_of_utf_8_does_no_harm(sealer):
    sealer.write_text(SEALER, "utf-8-sig")
    assert main(["check", str(sealer)]) == 0


def test_a_misspelt_boot_part_is_seen(sealer, capsys):
    sealer.write_text(SEALER + '\n[capability]\nbot = "sealed"\n')
    assert main(["check", str(sealer)]) == 0
    assert "Is 'bot' meant?" in capsys.readouterr().out


@pytest.mark.parametrize("verb", [["check"], ["export"], ["machine", "st"]])
def test_what_ships_is_found_by_its_name_alone(verb, capsys):
    assert main([*verb, "checkweigher"]) == 0


def test_a_bare_name_that_nothing_has_names_the_machines_that_ship(capsys):
    assert main(["export", "aplicator"]) == 1
    said = capsys.readouterr().err
    assert "turntable" in said and "demo.toml" not in said and "Did you mean 'applicator'?" in said


def test_a_kind_that_cannot_be_imported_is_told_with_where_to_look(sealer, capsys):
    sealer.write_text(SEALER.replace("address_base = 0", 'address_base = 0\nkind = "nothere:Nope"'))
    assert "PYTHONPATH" in told(["check", sealer], capsys)["remedy"]


@pytest.mark.parametrize(
    "content, where, seen",
    [
        (b"", "", "nothing"),
        (HEAD.encode(), "", "a head and no tags"),
        ((HEAD + "Temp\xe9rature,400001,Word\n").encode("latin-1"), " line 2", "0xE9"),
        ((HEAD + "\u6e29\u5ea6,400001,Word\n").encode("gb18030"), " line 2", "no UTF-8"),
        ((HEAD + ",400001,Word\n").encode(), " line 2", "no name"),
        ((HEAD + "t,400001,Word,more,and more\n").encode(), " line 2", "t"),
        ((HEAD + "t\n").encode(), " line 2", "t"),
        ((HEAD + "t,400001,Boolean\n").encode(), " line 2", "t"),
    ],
)
def test_a_list_that_is_none_is_told_with_its_line(tmp_path, content, where, seen, capsys):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    fault = told(["import", path], capsys)
    assert fault["where"] == f"{path}{where}"
    assert seen in fault["seen"]


def test_a_list_with_semicolons_is_read(tmp_path, capsys):
    path = tmp_path / "list.csv"
    path.write_bytes(b"Tag Name;Address;Data Type;Scaling;Raw High;Scaled High\nt;400001;Word;Linear;1000;100\n")
    assert main(["import", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tags"]["t"]["scale"] == 0.1


@pytest.mark.parametrize(
    "words",
    [
        ["site", "show", str(DEMO), "--out", "{gone}/line.svg"],
        ["export", "checkweigher", "--out", "{gone}/list.csv"],
        ["machine", "new", "{gone}/m.toml", "--yes", "--handshake", "packline", "--jobs", "seal=17"],
    ],
)
def test_a_place_that_cannot_be_written_is_told(tmp_path, words, capsys):
    gone = str(tmp_path / "gone")
    assert gone in told([word.format(gone=gone) for word in words], capsys)["where"]


@pytest.mark.parametrize(
    "words",
    [["machine", "new", "{file}", "--yes", "--unit", "999"], ["machine", "new", "{file}", "--yes"],
     ["site", "new", "{file}", "--yes", "--port", "99999"], ["site", "new", "{file}", "--yes", "--time-zone", "Mars"]],
)  # fmt: skip
def test_answers_that_make_no_good_file_leave_none(tmp_path, words):
    path = tmp_path / "new.toml"
    assert main([word.format(file=path) for word in words]) == 1
    assert not path.exists()


@pytest.mark.parametrize("noun", ["machine", "site"])
def test_an_answer_to_what_nobody_asks_is_told(tmp_path, noun, capsys):
    (tmp_path / "answers.toml").write_text('titel = "x"\n')
    fault = told([noun, "new", tmp_path / "new.toml", "--answers", tmp_path / "answers.toml"], capsys)
    assert fault["remedy"] == "Did you mean 'title'?"


# -- sites -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, sealer: Path) -> Path:
    path = tmp_path / "site.toml"
    sealer.write_text(SEALER + SEES)
    assert main(["site", "new", str(path), "--yes"]) == 0
    text = path.read_text().replace('file = "packer"', 'file = "sealer.toml"')
    path.write_text(text.replace("opc.tcp://127.0.0.1:15121", "127.0.0.1:15121"))
    return path


def test_a_site_shows_what_lint_finds_in_its_machine_files(site, capsys):
    capsys.readouterr()
    assert main(["check", str(site)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{site}: in order",
        f"hint: pack-machine: 2 hints in its machine file. See: packline check {site.with_name('sealer.toml')}",
    ]
    assert main(["check", str(site), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["machines"]["pack-machine"]["findings"]
    assert [finding["level"] for finding in findings] == ["hint", "hint"]


def test_a_site_is_not_in_order_while_a_machine_file_cannot_work(site, capsys):
    path = site.with_name("sealer.toml")
    text = SEALER.replace("value = true", 'from = "on"').replace("timeout_s = 5", "timeout_s = 5\nparams.on = {}")
    text = (
        text.replace('type = "bool"', 'type = "u16"')
        .replace('"coil"', '"holding"')
        .replace('access = "rw"', 'access = "rw", range = [0, 1]')
    )
    path.write_text(
        text.replace("params.on = {}", "params.on = { min = 0, max = 9 }").replace("value = false", "value = 0") + SEES
    )
    assert main(["check", str(path)]) == 1
    capsys.readouterr()
    fault = told(["check", site], capsys)
    assert fault["where"] == "sealer.toml [jobs.seal.params.on]"


def test_a_device_that_a_site_lacks_is_told_with_those_it_has(site, capsys):
    assert "pack-machine" in told(["probe", site, "nobody"], capsys)["expected"]


@pytest.mark.parametrize("file", ["gone.pem", "site.toml"])
def test_a_certificate_that_is_none_is_told_in_plain_words(site, file, capsys):
    fault = told(["pki", "trust", site, site.with_name(file)], capsys)
    assert "Error" not in fault["seen"]


def test_our_own_certificate_is_neither_trusted_nor_distrusted(site, capsys):
    assert main(["pki", "init", str(site)]) == 0
    own = site.with_name("data") / "pki" / "own" / "certificate.pem"
    capsys.readouterr()
    for action in ("trust", "distrust"):
        assert told(["pki", action, site, own], capsys)["seen"] == "our own certificate"


def test_only_an_opc_ua_machine_of_a_site_can_be_browsed(site, capsys):
    fault = told(["import", "induct-machine", "--site", site], capsys)
    assert "OPC UA" in fault["expected"]


@pytest.mark.parametrize("words", [["check"], ["sim", "run", "--orders", "1"]])
def test_an_item_file_that_is_missing_is_told_at_the_key_that_names_it(words, tmp_path, capsys):
    path = tmp_path / "hall.toml"
    path.write_text(DEMO.read_text("utf-8"), "utf-8")
    fault = told([*words, path], capsys)
    assert fault["where"].endswith("[site.items]")
    assert str(tmp_path / "demo-items.csv") in fault["seen"]
    assert fault["expected"] == "a CSV file that can be read"


def test_a_file_that_cannot_be_read_is_not_told_as_one_that_cannot_be_written(tmp_path):
    gone = FileNotFoundError(2, "No such file or directory", str(tmp_path / "gone.csv"))
    assert _outside(gone).expected == "a file that is there, or a place to write to"
    nowhere = FileNotFoundError(2, "No such file or directory", str(tmp_path / "no" / "page.html"))
    assert _outside(nowhere).expected == "a place that can be used"


@pytest.mark.parametrize(
    "words",
    [["sim", "run", "--orders", "1", "--data"], ["demo", "--data"], ["sim", "qa", "--seeds", "0:1", "--out"]],
    ids=" ".join,
)
def test_a_folder_that_cannot_be_is_told_before_anything_is_played(words, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    fault = told([*words, tmp_path / "taken" / "below"], capsys)
    assert (fault["code"], fault["expected"]) == (4201, "a folder that can be written")
    assert "in which you may write" in fault["remedy"]


@pytest.mark.parametrize(
    "words, seen, remedy",
    [
        (["machine", "try", DEMO, "gate-1", "dance"], "dance", "one of these jobs"),
        (["machine", "try", DEMO, "gate-1", "relase"], "relase", "'release'"),
        (["machine", "try", DEMO, "gate-1", "release", "--param", "x"], "x", "--param lane=1"),
        (["probe", "applicator", "127.0.0.1:9", "--write", "x"], "x", "--write setpoint=450"),
        (["chaos", "127.0.0.1:9", "127.0.0.1:8", "--rule", "dance"], "dance", "--rule 'drop answer p=0.05'"),
        (["machine", "new", "nowhere.toml", "--yes"], "nothing", "--tags"),
    ],
    ids=lambda part: " ".join(map(str, part)) if isinstance(part, list) else "",
)
def test_what_was_typed_wrong_is_told_with_what_to_type(words, seen, remedy, capsys):
    fault = told(words, capsys)
    assert fault["seen"] == seen and remedy in fault["remedy"]


@pytest.mark.parametrize("words", [["probe", "applicator"], ["import"]], ids=lambda words: words[0])
def test_nobody_at_an_address_is_told_without_promising_a_second_try(words, capsys):
    with socket.create_server(("127.0.0.1", 0)) as lent:
        port = lent.getsockname()[1]
    where = f"opc.tcp://127.0.0.1:{port}" if words == ["import"] else f"127.0.0.1:{port}"
    fault = told([*words, where], capsys)
    assert (fault["code"], fault["seen"]) == (1001, "nobody answers there")
    assert where in fault["where"] and "by itself" not in fault["remedy"] and "type the same again" in fault["remedy"]


def test_a_site_file_that_is_wrong_is_told_by_the_doctor_too(tmp_path, capsys):
    (tmp_path / "hall.toml").write_text("no table")
    assert main(["doctor", str(tmp_path / "hall.toml"), "--json"]) == 1
    assert "4201" in json.loads(capsys.readouterr().out)["wrong"][0]


def test_a_log_level_that_no_process_would_take_is_told_before_one_is_started(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PACKLINE_LOG", "LOUD")
    monkeypatch.setenv("PACKLINE_DATA", str(tmp_path))
    assert main(["up", str(DEMO)]) == 1
    assert "PACKLINE_LOG, saw LOUD" in capsys.readouterr().err


def test_a_disk_without_room_is_not_taken_for_a_network_that_is_busy():
    with pytest.raises(OSError) as full, Path("/dev/full").open("w", encoding="utf-8") as device:
        device.write("a page")

    fault = _outside(full.value)

    assert (fault.code, fault.where, fault.expected) == (4201, "what is written", "a disk with room for it")
    assert "disk space" in fault.remedy


@pytest.mark.parametrize(
    "words",
    [
        ("probe", DEMO, "arm-1"),
        ("watch", DEMO, "arm-1", "--count", "1"),
        ("machine", "try", DEMO, "arm-1", "apply"),
        ("import", "packer-1", "--site", DEMO),
    ],
    ids=lambda words: str(words[0]),
)
def test_words_about_protection_that_nobody_would_read_are_refused(
    words: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A site file says how its devices are reached; the option was taken, and changed nothing."""
    assert main([*map(str, words), "--unprotected", "closed network"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("4301") and "--unprotected" in said and "site file" in said
