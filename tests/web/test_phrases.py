"""What faults say of themselves is said in the reader's language, and never as a program would say it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.drivers.replies import Condition
from packline.core import file_words, wire_words
from packline.core.faults import Fault
from packline.feeds import reading
from tests.house import fault_texts
from tests.house.fault_texts import HOLE, RAW
from tests.web.stage import READY, run
from tests.web.test_words import FOLDER, WORDS
from web.phrases import Phrases, load

BOOKS = {code: load(code, FOLDER / "words") for code in ("en", "zh")}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
HOLES = re.compile(r"\{(\w+)(?:\|([\w,]+))?\}")
KINDS = ("int_type", "float_type", "bool_type", "string_type", "list_type", "dict_type")
FROM_TABLES = [
    *(words for _, words in wire_words.WORDS),
    *(file_words.KINDS[kind] for kind in KINDS),
    *(re.sub(r"\{\w+\}", "3", words) for words in file_words.LENGTHS.values()),
    *reading.PATTERNS.values(),
    *(Condition(**{name: True}).words() for name in ("offline", "cover_open", "paper_out", "error")),
    "0 to 200 characters",
    "no control characters and no half characters",
    "a year from 2000 to 2100",
    "a number 1 to 9999",
    "a number at least 1",
    "one of reserved, bought, cancelled",
    "a value: this key must be there",
    "a key that stands twice in one object",
    "NaN, which is no number",
    "data.currency: nothing",
    "message msg-7",
    "order marketplace-HM-1 version 2",
    "version 2 was taken",
    "dismissed by lin: sent twice",
    "Settle it with the host by hand.",
    "Fetch what is due first.",
]
"""What is put together where a reader of the program cannot follow it."""


def written():
    """Give every text that stands in the program, once."""
    return sorted({text.template for text in fault_texts.texts() if RAW not in text.template})


def test_the_texts_of_faults_are_found():
    """A reader of the program that finds nothing would find nothing wrong."""
    found = written()

    for known in ("nothing within {} s", "total_minor {}", "a carton without label", "no fresh frame", "an old status"):
        assert known in found
    assert len(found) > 120


def test_every_text_of_a_fault_is_said_in_chinese():
    """The program is read for this test alone, and not by each process that only makes a list of tests."""
    in_book = {HOLES.sub(HOLE, english) for english in BOOKS["zh"]}
    texts = [text for text in [*written(), *FROM_TABLES] if re.search("[A-Za-z]{3}", text)]

    def is_said(text):
        return text.replace(2 * HOLE, HOLE) in in_book or CHINESE.search(WORDS.phrase("zh", text.replace(HOLE, "7")))

    assert [text for text in texts if not is_said(text)] == []


def test_no_fault_carries_a_text_of_python_or_of_a_library():
    raw = [f"{text.where} {text.part}" for text in fault_texts.texts() if RAW in text.template]

    assert raw == []


@pytest.mark.parametrize("code", BOOKS)
def test_a_phrase_fills_only_the_holes_that_it_has_and_with_words_that_there_are(code):
    for english, said in BOOKS[code].items():
        holes = dict(HOLES.findall(english))
        assert {name for name, _ in HOLES.findall(said)} <= set(holes), english
        for family in ",".join(filter(None, holes.values())).split(","):
            assert not family or any(key.startswith(f"{family}.") for key in WORDS._texts[code]), family


@pytest.mark.parametrize(
    "english, chinese",
    [
        ("state Execute", "机器状态：运行中"),
        ("unknown by label counter", "结果不明（依据：标签计数器）"),
        ("unknown by printer status, it says cover open, no paper", "结果不明（依据：打印机状态）：盖子打开，没有纸"),
        ("PL0000010016, booked as shipped", "PL0000010016，账目记为“已交快递”"),
        ("cover open, no paper", "盖子打开，没有纸"),
        ('data.currency: "yuan"', 'data.currency："yuan"'),
        ("data.lines: nothing", "data.lines：空"),
        ("ParcelShipped in state open", "在“装箱中”状态下发生“已交快递”"),
        ("LAMP-9", "LAMP-9"),
        ("", ""),
    ],
)
def test_words_stand_where_the_phrase_has_them(english, chinese):
    assert WORDS.phrase("zh", english) == chinese


def test_a_machine_that_runs_and_reports_a_fault_is_told_in_one_true_sentence():
    fault = {"code": 2002, "seen": "state Execute, its own fault 2"}
    said = {language: WORDS.fault(language, fault) for language in ("en", "zh")}

    assert said["en"]["seen"] == "the machine is running and reports its own fault 2"
    assert said["zh"]["seen"] == "机器状态：运行中，并报告自身故障号 2"
    assert not any("stopped" in part["meaning"] or "停止" in part["meaning"] for part in said.values())


@pytest.mark.parametrize(
    "text, said",
    [
        ("state Execute", "the machine is running"),
        ("unknown by label counter", "not known (label counter)"),
        (
            "unknown by printer status, it says cover open, no paper",
            "not known (printer's status): cover open, no paper",
        ),
        ("nothing within 3 s", "nothing within 3 s"),
    ],
)
def test_english_has_words_for_the_trades_shorthand(text, said):
    assert WORDS.phrase("en", text) == said


@given(st.text(max_size=300))
def test_any_text_is_said_somehow_and_soon(text):
    for code in BOOKS:
        assert isinstance(WORDS.phrase(code, text), str)


def test_the_surest_phrase_is_taken():
    book = Phrases(
        {"{a}: {b}": "1 {a}{b}", "no {a}: {b}": "2 {a}{b}", "plain": "3", "very {c|colour}: {b}": "4"},
        lambda family, name: None,
    )

    assert [book.say(text) for text in ("x: y", "no x: y", "plain", "x: plain", "very x: y")] == [
        "1 xy",
        "2 xy",
        "3",
        "1 x3",
        "1 very xy",
    ]


def test_pages_say_what_was_seen_in_the_readers_language(stage):
    faults = {
        2101: Fault(2101, where="label-1", seen="cover open, no paper", expected="a ready printer"),
        1003: Fault(1003, where="arm-1", seen="a damaged status", expected="a good status"),
        2002: Fault(2002, where="arm-1", seen="state Execute"),
    }
    for code, fault in faults.items():
        run(stage.store.books.open_exception(fault, station=f"s-{code}", subject=READY, actions=()))
    client = stage.client("operator")
    english = client.get("/exceptions").text
    client.set_cookie("lang", "zh")
    chinese = client.get("/exceptions").text

    for one, other in (
        ("cover open, no paper", "盖子打开，没有纸"),
        ("a good status", "正常的状态"),
        ("the machine is running", "机器状态：运行中"),
    ):
        assert one in english and other in chinese and one not in chinese


def test_evidence_is_shown_without_python(stage):
    from web.speech import plain

    with stage.app.test_request_context(headers={"Accept-Language": "zh"}):
        said = plain({"before": 41, "after": None, "sensor": True, "seen": "silence", "labels": ["a", 2]})

    assert said == "before 41, after –, sensor ✓, seen 没有应答, labels a 2"
