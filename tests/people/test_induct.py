"""The induct operator does what the screen says, and nothing twice."""

import asyncio

import pytest

from packline.core.clock import ManualClock
from simulation.people.induct import InductOperator
from simulation.people.strays import STRAY_S, Strays
from tests.people.rig import BARCODES, say

AT = "induct-1"


class Table:
    """An induct station as small as can be: one order, its pieces one after the other into one carton."""

    def __init__(self, floor, skus, *, to="pack-1"):
        self.floor, self.wanted, self.to = floor, list(skus), to
        self.unit, self.lpn, self.boxed, self.short = "", "", [], []
        floor.desk.on_scan[AT] = self.scanned
        floor.world.on_arrival(AT, lambda carton: self.show())
        self.show()

    def show(self):
        tasks = [say("pick", sku=sku, unit=f"u-{sku}") for sku in self.wanted]
        if not self.unit:
            self.floor.desk.show(AT, tasks[0] if tasks else say("idle"), tasks)
        elif self.floor.world.tables[AT] is None:
            self.floor.desk.show(
                AT, say("place_on_table", sku=self.unit, unit=f"u.{self.unit}.{len(self.boxed)}"), tasks
            )
        else:
            self.floor.desk.show(AT, say("box", unit=f"u.{self.unit}.{len(self.boxed)}", lpn=self.lpn), tasks)

    def scanned(self, text):
        told = self._answer(text)
        self.show()
        return told

    def _answer(self, text):
        if text == "DO:SHORT":
            self.short.append(self.wanted.pop(0))
            return say("done")
        if text.startswith("PL"):
            return self._plate(text)
        sku = next(sku for sku, code in BARCODES.items() if code == text)
        if self.unit or sku not in self.wanted:
            return say("place_on_table", sku=self.unit) if sku == self.unit else say("refused", code=4104)
        self.wanted.remove(sku)
        self.unit = sku
        return say("place_on_table", sku=sku, unit=f"u.{sku}.{len(self.boxed)}")

    def _plate(self, lpn):
        if self.unit:
            self.boxed.append((self.unit, lpn))
            self.unit, self.lpn = "", lpn
        elif lpn != self.lpn:
            return say("refused", code=4106)
        return say("carton_ok", lpn=lpn) if self.wanted else say("send_on", lpn=lpn, to=self.to)

    async def watch(self):
        """Notice what lies on the table, as its sensor would."""
        while True:
            if self.unit:
                self.show()
            await asyncio.sleep(0.001)  # the sensor's cycle


async def run(floor, table, done):
    watch = asyncio.create_task(table.watch())
    await floor.work(InductOperator(floor.crew, AT).run, done)
    watch.cancel()


async def test_every_piece_goes_into_the_carton_and_the_carton_goes_on(stage):
    table = Table(stage, ["TEA", "CUP", "TEA"])
    await run(stage, table, lambda: stage.floor.cartons_at("infeed:pack-1"))

    carton = stage.floor.cartons_at("infeed:pack-1")[0]
    assert [piece.sku for piece in carton.pieces] == ["TEA", "CUP", "TEA"]
    assert stage.truth.summary()["cartons"] == 1
    assert stage.floor.held_pieces() == []


@pytest.mark.parametrize("deaf", [1, 2, 3])
async def test_lost_answers_are_scanned_again_and_nothing_is_put_into_two_cartons(stage, deaf):
    table = Table(stage, ["TEA", "CUP"])
    stage.desk.deaf = deaf
    await run(stage, table, lambda: stage.floor.cartons_at("infeed:pack-1"))

    carton = stage.floor.cartons_at("infeed:pack-1")[0]
    assert [piece.sku for piece in carton.pieces] == ["TEA", "CUP"]
    assert [sku for sku, _ in table.boxed] == ["TEA", "CUP"]


async def test_empty_shelf_is_said_short_for_that_item_only(stage):
    stage.world.shelf["CUP"] = 0
    table = Table(stage, ["CUP", "TEA"])
    await run(stage, table, lambda: stage.floor.cartons_at("infeed:pack-1"))

    assert table.short == ["CUP"]


async def test_carton_for_the_hold_place_is_put_on_its_table(stage):
    table = Table(stage, ["TEA"], to="hold-1")
    await run(stage, table, lambda: stage.floor.cartons_at("hold-1"))

    assert [p.sku for p in stage.floor.cartons_at("hold-1")[0].pieces] == ["TEA"]


async def test_item_that_nobody_wants_goes_back_to_its_shelf(stage):
    stage.desk.on_scan[AT] = lambda text: say("refused", code=4104)
    stage.desk.show(AT, say("pick", sku="TEA", unit="u"))
    await stage.work(InductOperator(stage.crew, AT).run, lambda: len(stage.desk.texts) > 1)

    assert stage.truth.summary()["pieces_taken"] == stage.truth._counts["piece_put_back"] + len(
        stage.floor.held_pieces()
    )


async def test_item_of_a_cancelled_order_goes_from_the_table_to_the_shelf(stage):
    piece = stage.world.take_piece("LAMP")
    stage.world.put_on_table(AT, piece)

    def answer(text):
        stage.desk.show(AT, say("idle"))
        return say("done")

    stage.desk.on_scan[AT] = answer
    stage.desk.show(AT, say("put_back", sku="LAMP", unit="u"))
    await stage.work(InductOperator(stage.crew, AT).run, lambda: stage.desk.texts)

    assert stage.world.shelf["LAMP"] == 5
    assert stage.desk.texts[0] == (AT, "DO:DONE")


async def test_carton_that_the_older_books_do_not_know_goes_to_clarification(stage):
    carton = stage.carton(AT, ["TEA"])
    stage.desk.on_scan[AT] = lambda text: say("refused", code=4106)
    stage.desk.show(AT, say("idle"))
    stage.crew.recount.ordered += 1
    await stage.work(InductOperator(stage.crew, AT).run, lambda: carton.place == "clarify-1")


async def test_stale_screen_moves_nobody(stage):
    stage.desk.show(AT, say("pick", sku="TEA", unit="u"))
    stage.desk.is_fresh = False
    looks = iter(range(50))
    await stage.work(InductOperator(stage.crew, AT).run, lambda: next(looks, None) is None)

    assert stage.truth.facts == []


async def test_slow_screen_that_still_says_box_gets_no_second_piece(stage):
    """Seen in the demo under load: the piece fetched ahead for the next order went into the carton as well."""
    done, ahead = stage.world.take_piece("TEA"), stage.world.take_piece("CUP")
    stage.world.put_on_table(AT, done)
    stage.desk.on_scan[AT] = lambda text: say("send_on", lpn=text, to="pack-1")
    stage.desk.show(AT, say("box", unit="u-TEA", lpn=""))
    looks = iter(range(80))
    await stage.work(InductOperator(stage.crew, AT).run, lambda: next(looks, None) is None)

    carton = stage.floor.cartons_at("infeed:pack-1")[0]
    assert carton.pieces == [done]
    assert stage.floor.held_pieces() == [ahead]


async def test_slow_screen_that_still_says_pick_does_not_clear_the_table(stage):
    stage.desk.on_scan[AT] = lambda text: say("place_on_table", sku="TEA", unit="u")
    stage.desk.show(AT, say("pick", sku="TEA", unit="u"))
    looks = iter(range(80))
    await stage.work(InductOperator(stage.crew, AT).run, lambda: next(looks, None) is None)

    lying = stage.floor.table(AT)
    assert lying is not None
    assert lying.sku == "TEA"
    assert stage.truth.summary()["pieces_taken"] == 1


async def test_piece_that_forgetful_books_ask_for_again_comes_out_of_the_carton_on_the_packing_list(stage):
    """Books that were restored ask for a unit that lies sealed in a carton: nobody gets it twice."""
    before = stage.carton("clarify-1", ["TEA", "CUP"], closed=True)
    stage.label(before.lpn, on=before)
    stage.crew.recount.note("o-1.1.1", before.lpn)
    stage.world.put_on_table(AT, stage.world.take_piece("TEA"))
    stage.desk.on_scan[AT] = lambda text: say("send_on", lpn=text, to="pack-1")
    stage.desk.show(AT, say("box", unit="o-1.1.1", lpn=""))
    await stage.work(InductOperator(stage.crew, AT).run, lambda: bool(stage.floor.cartons_at("infeed:pack-1")))

    assert [piece.sku for piece in before.pieces] == ["CUP"]
    assert not before.closed
    assert not before.labels
    assert stage.truth.parcel(before.lpn).sealed == 0
    assert stage.truth.parcel(before.lpn).pieces == ["CUP"]


@pytest.mark.parametrize(
    "said, place", [(say("send_on", to="label-1"), "infeed:label-1"), (say("refused", code=4106), "clarify-1")]
)
async def test_a_carton_that_somebody_else_put_down_here_is_scanned_and_brought_where_the_answer_says(
    stage, said, place
):
    stray = stage.carton(AT, ["TEA"], closed=True)
    stage.desk.show(AT, say("idle"))
    stage.desk.on_scan[AT] = lambda text: said
    await stage.work(InductOperator(stage.crew, AT, stray_s=0.0).run, lambda: stray.place == place)

    assert stage.desk.texts == [(AT, stray.lpn)]


def test_a_carton_of_which_the_screen_speaks_or_that_is_ones_own_is_no_stray(stage):
    clock = ManualClock()
    strays = Strays(clock)
    own, told, stray = (stage.carton(AT, ["TEA"]) for _ in range(3))
    strays.is_mine(own)
    stage.desk.show(AT, say("idle"), [say("send_on", lpn=told.lpn, to="pack-1")])
    found = lambda: strays.found(stage.desk.station(AT), [own, told, stray])  # noqa: E731
    assert found() is None  # it has just come
    clock.advance(STRAY_S)
    assert found() is stray
    assert found() is None  # it was looked at
    clock.advance(STRAY_S)
    assert found() is stray
