"""Bench, rack, clarification and porter: things are moved once, and labels go where they name."""

from simulation.people.bench import BenchOperator
from simulation.people.clarify import ClarificationOperator
from simulation.people.hold import HoldOperator
from simulation.people.porter import Porter
from tests.people.rig import say

BENCH, HOLD, CLARIFY = "bench-1", "hold-1", "clarify-1"


class Job:
    """A bench that wants one carton closed and labelled; a scan of the label ends it."""

    def __init__(self, stage, lpn):
        self.stage, self.lpn = stage, lpn
        stage.desk.on_scan[BENCH] = self.scanned
        stage.desk.show(BENCH, say("wait_carton"))

    def scanned(self, text):
        steps = {
            self.lpn: (say("carton_ok"), say("close_by_hand", lpn=self.lpn)),
            "DO:DONE": (say("done"), say("stick_label", lpn=self.lpn)),
        }
        told, then = steps.get(text, (say("label_ok"), say("take_to", lpn=self.lpn, to="hold-1")))
        self.stage.desk.show(BENCH, then)
        return told


async def test_bench_closes_labels_and_hands_on_one_carton(stage):
    carton = stage.carton(BENCH, ["LAMP"])
    label = stage.label(carton.lpn)
    Job(stage, carton.lpn)
    await stage.work(BenchOperator(stage.crew, BENCH).run, lambda: carton.place == HOLD)

    assert carton.closed
    assert [text for _, text in stage.desk.texts] == [carton.lpn, "DO:DONE", f"00{label.sscc}"]
    assert stage.truth.summary()["labels_applied"] == 1


async def test_label_of_another_carton_goes_into_the_bin_and_never_onto_this_one(stage):
    carton = stage.carton(BENCH, ["LAMP"], closed=True)
    wrong = stage.label("PL0000009991", 9)
    stage.desk.on_scan[BENCH] = lambda text: say("done")
    stage.desk.show(BENCH, say("stick_label", lpn=carton.lpn))
    await stage.work(BenchOperator(stage.crew, BENCH).run, lambda: wrong.place == "bin")

    assert carton.labels == []


async def test_label_that_sticks_already_is_scanned_and_no_second_one_is_looked_for(stage):
    carton = stage.carton(BENCH, ["LAMP"], closed=True)
    label = stage.label(carton.lpn, on=carton)
    Job(stage, carton.lpn)
    stage.desk.show(BENCH, say("stick_label", lpn=carton.lpn))
    await stage.work(BenchOperator(stage.crew, BENCH).run, lambda: carton.place == HOLD)

    assert stage.desk.texts[0] == (BENCH, f"00{label.sscc}")
    assert stage.truth.summary()["double_labels"] == 0


async def test_second_label_that_the_screen_orders_is_stuck_on_and_the_truth_shows_it(stage):
    """People obey the screen: a controller that orders a label twice must not be covered up for."""
    carton = stage.carton(BENCH, ["LAMP"], closed=True)
    stage.label(carton.lpn, 1, on=carton)
    stage.label(carton.lpn, 2)
    Job(stage, carton.lpn)
    stage.desk.show(BENCH, say("stick_label", lpn=carton.lpn))
    await stage.work(BenchOperator(stage.crew, BENCH).run, lambda: carton.place == HOLD)

    assert stage.truth.summary()["double_labels"] == 1


async def test_old_label_that_the_bench_refuses_comes_off_again(stage):
    carton = stage.carton(BENCH, ["LAMP"], closed=True)
    old = stage.label(carton.lpn, 1, on=carton)
    stage.desk.on_scan[BENCH] = lambda text: say("refused", code=3006)
    stage.desk.show(BENCH, say("stick_label", lpn=carton.lpn))
    await stage.work(BenchOperator(stage.crew, BENCH).run, lambda: old.place == "bin")

    assert carton.labels == []


async def test_carton_that_the_bench_refuses_goes_to_clarification(stage):
    carton = stage.carton(BENCH, ["TEA"])
    stage.desk.on_scan[BENCH] = lambda text: say("refused", code=4106)
    stage.desk.show(BENCH, say("wait_carton"))
    await stage.work(BenchOperator(stage.crew, BENCH).run, lambda: carton.place == CLARIFY)


async def test_carton_from_the_lane_is_stored_where_the_scanner_says(stage):
    carton = stage.carton("lane:label-1:2", ["TEA"], closed=True)
    stage.desk.on_scan[HOLD] = lambda text: say("store", lpn=text, slot="H02")
    stage.desk.show(HOLD, say("idle"))
    await stage.work(HoldOperator(stage.crew, HOLD).run, lambda: carton.place == "slot:H02")


async def test_recalled_carton_is_scanned_and_brought_to_the_gate_when_that_is_free(stage):
    before = stage.carton("gate-1", ["TEA"], closed=True)
    carton = stage.carton("slot:H01", ["TEA"], closed=True)
    stage.desk.on_scan[HOLD] = lambda text: say("take_to", lpn=text, to="gate-1")
    fetch = say("fetch", lpn=carton.lpn, slot="H01", to="gate-1")
    stage.desk.show(HOLD, fetch, [fetch])
    operator = HoldOperator(stage.crew, HOLD)
    looks = iter(range(50))
    await stage.work(operator.run, lambda: next(looks, None) is None)
    assert carton.place == "slot:H01"

    stage.world.leave(before)
    await stage.work(operator.run, lambda: carton.place == "gate-1")
    assert stage.desk.texts == [(HOLD, carton.lpn)]


async def test_carton_that_stands_in_a_slot_against_the_books_comes_out_and_is_scanned(stage):
    squatter = stage.carton("slot:H01", ["TEA"], closed=True)
    carton = stage.carton(HOLD, ["CUP"], closed=True)
    slots = {carton.lpn: "H01", squatter.lpn: "H02"}
    stage.desk.on_scan[HOLD] = lambda text: say("store", lpn=text, slot=slots[text])
    stage.desk.show(HOLD, say("idle"))
    await stage.work(HoldOperator(stage.crew, HOLD).run, lambda: squatter.place == "slot:H02")

    assert carton.place == "slot:H01"


async def test_whole_rack_is_scanned_when_the_books_are_older(stage):
    cartons = [stage.carton(f"slot:{slot}", ["TEA"], closed=True) for slot in ("H01", "H02")]
    stage.desk.on_scan[HOLD] = lambda text: say("refused", code=4106)
    stage.desk.show(HOLD, say("idle"))
    stage.crew.recount.ordered += 1
    await stage.work(HoldOperator(stage.crew, HOLD).run, lambda: all(c.place == CLARIFY for c in cartons))

    assert sorted(text for _, text in stage.desk.texts) == sorted(c.lpn for c in cartons)


async def test_carton_that_finds_no_room_is_put_down_and_tried_again(stage):
    for _ in range(4):
        stage.carton("infeed:pack-1", ["TEA"])
    carton = stage.carton(HOLD, ["CUP"])
    stage.desk.on_scan[HOLD] = lambda text: say("take_to", lpn=text, to="pack-1")
    stage.desk.show(HOLD, say("idle"))
    await stage.work(HoldOperator(stage.crew, HOLD).run, lambda: len(stage.desk.texts) == 1 and carton.place == HOLD)


async def test_returned_carton_is_unpacked_once_even_if_the_word_is_lost(stage):
    carton = stage.carton(CLARIFY, ["TEA", "CUP"], closed=True)
    task = say("return_to_shelf", lpn=carton.lpn)

    def answer(text):
        if text == "DO:DONE" and not stage.desk.deaf:
            stage.desk.show(CLARIFY, say("idle"))
        return task if text == carton.lpn else say("done")

    stage.desk.on_scan[CLARIFY] = answer
    stage.desk.show(CLARIFY, task, [task])
    operator = ClarificationOperator(stage.crew, CLARIFY)

    def said_once():
        return [text for _, text in stage.desk.texts].count("DO:DONE") == 1

    await stage.work(operator.run, said_once)
    stage.desk.deaf = 0
    stage.desk.show(CLARIFY, task, [task])
    await stage.work(operator.run, lambda: stage.desk.screens[CLARIFY].next.key == "idle")

    assert stage.truth.summary()["parcels_returned"] == 1
    assert stage.world.shelf["TEA"] == 5


async def test_what_was_unpacked_is_said_again_when_a_controller_that_listed_nothing_at_first_lists_it(stage):
    """It was killed before it heard that the carton is unpacked; its successor's first screen is empty."""
    carton = stage.carton(CLARIFY, ["TEA"], closed=True)
    task = say("return_to_shelf", lpn=carton.lpn)
    words = []

    def answer(text):
        words.append(text)
        if text == carton.lpn:
            return task
        if words.count("DO:DONE") == 1:
            stage.desk.show(CLARIFY, say("idle"))  # the successor's
            return None
        stage.desk.show(CLARIFY, say("idle"))
        return say("done", lpn=carton.lpn)

    stage.desk.on_scan[CLARIFY] = answer
    stage.desk.show(CLARIFY, task, [task])
    operator = ClarificationOperator(stage.crew, CLARIFY)
    await stage.work(operator.run, lambda: carton.place == "gone" and words == [carton.lpn, "DO:DONE"])
    await operator.step(stage.desk.station(CLARIFY))
    stage.desk.show(CLARIFY, task, [task])
    await stage.work(operator.run, lambda: words.count("DO:DONE") == 2)

    assert stage.truth.summary()["parcels_returned"] == 1


async def test_carton_that_nobody_knows_is_unpacked_after_some_scans(stage):
    carton = stage.carton(CLARIFY, ["TEA"])
    stage.desk.on_scan[CLARIFY] = lambda text: say("refused", code=4106)
    stage.desk.show(CLARIFY, say("idle"))
    operator = ClarificationOperator(stage.crew, CLARIFY, again_s=0.01)
    await stage.work(operator.run, lambda: carton.place == "gone")

    assert stage.world.shelf["TEA"] == 5


async def test_carton_whose_parcel_was_decided_goes_on(stage):
    carton = stage.carton(CLARIFY, ["TEA"], closed=True)
    stage.desk.on_scan[CLARIFY] = lambda text: say("take_to", lpn=text, to="label-1")
    stage.desk.show(CLARIFY, say("idle"))
    await stage.work(ClarificationOperator(stage.crew, CLARIFY).run, lambda: carton.place == "infeed:label-1")


async def test_porter_brings_one_carton_at_a_time_to_the_gate(stage):
    first = stage.carton("lane:label-1:1", ["TEA"], closed=True)
    second = stage.carton("lane:label-1:1", ["TEA"], closed=True)
    porter = Porter(stage.crew)
    await stage.work(porter.run, lambda: first.place == "gate-1")
    assert second.place == "lane:label-1:1"

    stage.world.leave(first)
    await stage.work(porter.run, lambda: second.place == "gate-1")


async def test_porter_takes_back_what_the_gate_refuses_and_what_a_machine_sends_away(stage):
    refused = stage.carton("gate-1", ["TEA"], closed=True)
    stray = stage.carton("pack-1", ["TEA"])
    unclear = stage.carton("lane:label-1:3", ["TEA"])
    stage.desk.show("gate-1", say("take_back", lpn=refused.lpn))
    stage.desk.show("pack-1", say("take_to", lpn=stray.lpn, to="bench-1"))
    await stage.work(Porter(stage.crew).run, lambda: refused.place == HOLD and stray.place == "infeed:bench-1")

    assert unclear.place == CLARIFY
