"""Everything on the screen is said in both languages."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import web
from packline.core.effects import KINDS as EFFECTS
from packline.core.effects import EffectState
from packline.core.faults import FAULTS, Severity
from packline.orders import release
from packline.orders.lifecycle import TARGET
from packline.orders.model import OrderState, ParcelState, Purchase, UnitState
from packline.orders.policy import ROLES, Action
from packline.store.views import ORDER_GROUPS
from scanning.verify import VerdictKind
from tests.web.stage import say
from web.pages.station import BUTTONS
from web.words import Words, load

FOLDER = Path(web.__file__).parent
WORDS = Words(("en", "zh"))
EN, ZH = load("en"), load("zh")

INSTRUCTIONS = """pick place_on_table photographing buyer_inspects box send_on idle wait_carton sealing labelling close_by_hand
stick_label store fetch place_parcel releasing take_back decide return_to_shelf ask_person fault held offline take_to recorded stored carton_ok
label_ok done refused put_back hand_over finish_first place_first pictures_first coming lane_full""".split()

FAMILIES: dict[str, Iterable[Any]] = {
    "step": INSTRUCTIONS,
    "order_state": OrderState,
    "unit_state": UnitState,
    "parcel_state": ParcelState,
    "purchase": Purchase,
    "effect_kind": EFFECTS,
    "effect_state": EffectState,
    "action": Action,
    "role": ROLES,
    "severity": Severity,
    "event": TARGET,
    "button": {word for words in BUTTONS.values() for word in words},
    "kind": ["turntable", "pack", "print_apply", "hold", "bench", "courier_gate", "clarification"],
    "state": ["idle", "working", "waiting", "asking", "held", "stopped", "offline", "not_ready"],
    "line": ["running", "holding", "recovering"],
    "quality": ["good", "stale", "bad", "absent", "fault", "taken"],
    "approval": ["", "asked", "approved", "rejected", "expired"],
    "verdict": VerdictKind,
    "label_state": ["assigned", "printed", "applied", "verified", "voided"],
    "orders": [f"group_{name}" for name in ORDER_GROUPS],
}


def test_both_catalogues_have_the_same_keys():
    faults = {key for key in ZH if re.fullmatch(r"fault\.\d+\.\w+", key)}

    assert set(EN) == set(ZH) - faults


def test_every_text_takes_the_same_parameters_in_both_languages():
    assert {key: holes(EN[key]) for key in EN} == {key: holes(ZH[key]) for key in EN}


def test_every_fault_is_translated_in_all_its_parts():
    expected = {f"fault.{code}.{part}" for code in FAULTS for part in ("name", "meaning", "remedy")}

    assert {key for key in ZH if re.fullmatch(r"fault\.\d+\.\w+", key)} == expected


def test_chinese_is_chinese():
    """A text without a single Chinese character was forgotten, unless it is a sign or a name."""
    same = {key for key, text in ZH.items() if not re.search(r"[\u4e00-\u9fff]", text)}

    assert same <= {"items.sku", "order.sku", "overview.devices_of", "exceptions.sure"}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_of_the_house_has_a_text(family):
    assert [str(word) for word in FAMILIES[family] if f"{family}.{word}" not in EN] == []


def test_every_reason_to_wait_has_a_text():
    source = Path(release.__file__).read_text("utf-8")
    reasons = set(re.findall(r'"((?:not|no|wip|held|cancelled)[a-z_]*)"', source))

    assert reasons and {reason for reason in reasons if f"why.{reason}" not in EN} == set()


def test_templates_and_pages_use_only_known_keys():
    used = {
        key
        for path in sources()
        for key in re.findall(r"\b(?:t|say)\(\s*['\"]([a-z_]+\.[\w.]*[a-zA-Z0-9])['\"]", path.read_text("utf-8"))
    }

    assert len(used) > 100 and used - set(EN) == set()


def test_templates_hold_no_text_of_their_own():
    """What stands between tags is a call, a sign or nothing."""
    for path in (FOLDER / "templates").rglob("*.html"):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<script.*?</script>|<svg.*?</svg>",
            " ",
            path.read_text("utf-8"),
            flags=re.DOTALL,
        )
        between = " ".join(re.findall(r">([^<>]*)<", text))
        assert set(re.findall(r"[A-Za-z]{2,}", between)) <= {"SSCC"}, path.name


def test_a_missing_word_is_shown_as_its_key_and_fails_nothing():
    assert WORDS.say("en", "nothing.here") == "nothing.here"


@given(language=st.sampled_from(["en", "zh"]), key=st.sampled_from(INSTRUCTIONS) | st.text(max_size=10),
       params=st.dictionaries(st.sampled_from(["lpn", "to", "why", "code", "kind", "step", "unit"]), st.none() | st.text(max_size=5) | st.lists(st.text(max_size=5)) | st.integers(0, 6000)))  # fmt: skip
def test_any_instruction_whatever_becomes_a_sentence(language, key, params):
    assert isinstance(WORDS.step(language, {"key": key, "params": params}), str)


@pytest.mark.parametrize(
    "instruction, english, chinese",
    [
        (say("box", lpn=""), "Take a fresh carton, put the item in, and scan the carton's plate.", "取一个新箱子，放入商品，并扫描箱码。"),
        (say("take_back", lpn="PL1", to="hold-1", why=["not_approved", "held"]), "Take PL1 back to hold-1: Waits for the buyer, On hold.", "把 PL1 送回 hold-1：等待买家、人工暂停。"),
        (say("refused", code=4101), "Refused: Not a carton plate. Scan the carton's PL number.", "已拒绝：不是箱码。扫描箱子的 PL 编号。"),
        (say("held", by="lin"), "Put on hold by lin. Release the station to go on.", "由 lin 暂停。恢复工位后继续。"),
        (say("held", by="software"), "Stopped by a software fault. Release the station to go on.", "因软件故障停止。恢复工位后继续。"),
        (say("ask_person", code=2103), "Waiting for a decision: Printer silent.", "等待决定：打印机无应答。"),
        (say("ask_person", exception="X"), "Waiting for a decision. Open the exception.", "等待决定，请打开异常。"),
    ],
)  # fmt: skip
def test_instructions_read_as_sentences(instruction, english, chinese):
    assert (WORDS.step("en", instruction), WORDS.step("zh", instruction)) == (english, chinese)


def test_a_faults_own_remedy_is_kept_and_the_houses_is_translated():
    assert WORDS.fault("zh", {"code": 2102, "remedy": FAULTS[2102].remedy})["remedy"] == ZH["fault.2102.remedy"]
    assert WORDS.fault("zh", {"code": 2102, "remedy": "Did you mean 'x'?"})["remedy"] == "Did you mean 'x'?"


@pytest.mark.parametrize(
    "wanted, accepted, chosen",
    [("zh", ["en"], "zh"), (None, ["fr", "zh-CN", "en"], "zh"), ("xx", [], "en"), (None, ["de"], "en")],
)
def test_the_language_is_the_chosen_one_then_the_browsers_then_the_sites(wanted, accepted, chosen):
    assert WORDS.choose(wanted, accepted) == chosen


@pytest.mark.parametrize(
    "ago, zone, english, chinese",
    [
        (0, "UTC", "23:30:00", "23:30:00"),
        (0, "Asia/Shanghai", "07:30:00", "07:30:00"),
        (86400, "UTC", "20 Nov 23:30", "11月20日 23:30"),
    ],
)
def test_times_are_the_sites_and_said_shortly(ago, zone, english, chinese):
    now = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    at = now - timedelta(seconds=ago)

    assert [WORDS.moment(code, at, now, ZoneInfo(zone)) for code in ("en", "zh")] == [english, chinese]


@pytest.mark.parametrize(
    "path", ["/", "/orders", "/exceptions", "/alarms", "/quarantine", "/items", "/recovery", "/users", "/login"]
)
def test_pages_come_in_the_chosen_language(furnished, path):
    client = furnished.client("admin")
    client.post("/prefs", data={"lang": "zh", "back": path, "csrf": client.csrf})

    page = client.get(path).text
    assert '<html lang="zh-Hans"' in page and ">Orders<" not in page


def sources():
    return [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py")]


def holes(text):
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize(
    "place, said",
    [("hold", "把 PL1 送到暂存架。"), ("hold-1", "把 PL1 送到 hold-1。"), ("二号 架", "把 PL1 送到二号 架。")],
)
def test_no_blank_parts_chinese_from_chinese_and_a_name_stays_as_it_is(place, said):
    assert WORDS.step("zh", {"key": "take_to", "params": {"lpn": "PL1", "to": place}}) == said
