"""On a Chinese page nothing is said in the program's own words: neither who did something, nor why, nor by which proof."""

import html
import io
import re
from pathlib import Path

import pytest

import packline
from packline.core.effects import APPLY, PRINT, Effect, EffectState, Evidence, Ticket
from packline.core.faults import Fault
from packline.market.purchase import NOT_BOUGHT, NOT_PAID
from packline.orders.changes import ADDRESS_CHANGED
from packline.orders.model import Event
from packline.orders.tracking import TRACKING
from tests.web.stage import LOST, READY, WAITING, run
from web.speech import told_as
from web.words import load

ROOT = Path(packline.__file__).parents[1]
ROOMS = ("stations", "plc", "labeling", "packline", "controller")
PAID_LATE, ORDER = "marketplace-HM-10024", "marketplace-HM-10023"
NAMES = re.compile(
    r"Oolong tea 250 g|TEA-250|CUP-BL|Harbour Tea|Demo hall|CNY|SSCC|[a-z]+-\d|marketplace\b|SKU|b-771|\blin\b|\bmei\b|"
    r"\bkd\b|PL\d+|HM-\d+|admin\b|merchant\b"
)
"""Names that hosts, sites and people gave."""


class Said:
    """A machine that says how it went."""

    def __init__(self, state, source, **data):
        self.evidence = Evidence(state=state, source=source, data=data)

    async def prepare(self, effect, job):
        return Ticket(machine="person:bench-1", job=job)

    async def send(self, effect, ticket):
        return self.evidence

    async def inquire(self, effect, ticket):
        return self.evidence


def english(stage, path):
    """Give what of a page in Chinese is said in Latin letters, without names."""
    client = stage.client("supervisor")
    client.set_cookie("lang", "zh")
    main = client.get(path).text.partition('<main id="main" tabindex="-1">')[2].partition("</main>")[0]
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder|data-confirm)="([^"]*)"', main)
    quiet = re.sub(r"<pre.*?</pre>|<span class=\"mono quiet small\">[\w.]*</span>|<[^>]*>", "\n", main, flags=re.DOTALL)
    lines = [NAMES.sub("", html.unescape(line)).strip() for line in [*quiet.split("\n"), *spoken]]
    return sorted({line for line in lines if re.search("[A-Za-z]{3}", line)})


def effect(stage, kind, lpn, said):
    run(
        stage.store.ledger.perform(Effect(kind=kind, subject=lpn, generation=2, station="label-1", parameters={}), said)
    )


@pytest.fixture
def troubled(furnished):
    """Give a stage on which everybody did something and every proof was seen."""
    stage = furnished
    at = {"subject": READY, "order_id": ORDER, "station": "label-1"}
    stage.record(Event(kind="LabelVoided", actor="feed marketplace", data={"reason": ADDRESS_CHANGED}, **at))
    stage.record(Event(kind="ParcelClarify", actor="recovery", data={"reason": "left_behind"}, **at))
    stage.record(Event(kind="ParcelReturning", subject=WAITING, order_id=PAID_LATE, actor="policy", data={"reason": NOT_PAID}))  # fmt: skip
    effect(stage, PRINT, READY, Said(EffectState.CONFIRMED, "machine's tags", witness="DO:DONE"))
    effect(stage, APPLY, READY, Said(EffectState.CONFIRMED, "person mei", witness="scan of 095213210000000412"))
    effect(stage, APPLY, WAITING, Said(EffectState.UNKNOWN, "ledger"))
    for action, actor, note in (("retry", "feed marketplace", "taken"), ("superseded", "courier kd", "version 2 was taken"), ("hold", "buyer b-771", "")):  # fmt: skip
        case = stage.exception(3012, subject=READY, actions=("retry",))
        run(stage.store.books.close_exception(case, action=action, actor=actor, note=note))
    fault = Fault(3012, where=PAID_LATE, seen=NOT_PAID)
    run(stage.store.books.open_exception(fault, station="line", subject=WAITING, actions=("dismiss",)))
    stage.alarm(1021, "feed marketplace")
    return stage


@pytest.mark.parametrize(
    "path", [f"/parcels/{READY}", f"/parcels/{WAITING}", f"/parcels/{LOST}", f"/orders/{ORDER}", f"/orders/{PAID_LATE}", "/alarms"]
)  # fmt: skip
def test_a_page_in_chinese_has_no_word_of_the_program_on_it(troubled, path):
    found = [line for line in english(troubled, path) if line not in ("what the camera saw", "what the books say")]

    assert found == []


def test_an_import_says_its_mistakes_in_chinese(stage):
    client = stage.client("supervisor")
    client.set_cookie("lang", "zh")
    file = b"sku,merchant,name,weight_g\nA B,m,n,1\nC,,n,x\nC,m\n"
    page = client.post("/items", data={"file": (io.BytesIO(file), "a.csv"), "csrf": client.csrf}).text
    said = html.unescape(re.sub(r"<[^>]*>", " ", page.partition('role="status"')[2].partition("</div>")[0]))

    assert "不含空格的文本" in said and "整数（克）" in said and "4 个单元格" in said
    assert not re.search(r"blanks|whole number|cells|a text", said)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_proof_and_every_reason_of_the_house_has_a_word(lang):
    words = load(lang)
    source = "\n".join(path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    proofs = set(re.findall(r'Evidence\([^()]*source="([^"]+)"', source)) | set(re.findall(r'^WITNESS = "([^"]+)"', source, re.M))  # fmt: skip

    assert len(proofs) > 8 and {proof for proof in proofs if f"witness.{proof}" not in words} == set()
    reasons = {ADDRESS_CHANGED, NOT_BOUGHT, NOT_PAID, "books_older", "left_behind", "cancelled", "no_answer"}
    assert {reason for reason in reasons if f"reason.{reason}" not in words} == set()


def test_every_event_that_subscribers_hear_of_is_said_as_what_happened(stage):

    with stage.app.test_request_context(headers={"Accept-Language": "zh"}):
        assert all(re.search("[\u4e00-\u9fff]", told_as(name)) for name in TRACKING.values())
        assert told_as("of.another.release") == "of.another.release"
