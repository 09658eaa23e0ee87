"""Laws of the floor: things are neither made nor lost, whatever people do and whenever they are called away."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulation.plant.floor import Fittings, Floor, aim_prefix
from simulation.plant.papers import UNSEEN
from simulation.plant.things import BIN, GONE, HANDS, SHELF, CannotDo
from simulation.spec import MotionTimes
from tests.simulation.bench import STOCK, InstantMotion, label_for, make_world
from tests.waiting import let_run


def assert_conserved(world):
    gone = [piece for carton in world.cartons.values() for piece in carton.pieces if piece.place == GONE]
    assert not {id(piece) for piece in gone} & {id(piece) for piece in world.pieces.values()}
    assert all(piece.place not in (GONE, SHELF) for piece in world.pieces.values())
    individual = [*world.pieces.values(), *gone]
    for sku, count in STOCK.items():
        assert world.shelf[sku] + sum(piece.sku == sku for piece in individual) == count
    for piece in individual:
        in_cartons = [c for c in world.cartons.values() if piece in c.pieces]
        on_tables = [s for s, lies in world.tables.items() if lies is piece]
        gone_with = piece.place == GONE
        assert len(in_cartons) + len(on_tables) + (piece.place == HANDS) == 1
        assert not in_cartons or piece.place in (f"carton:{in_cartons[0].lpn}", GONE) or gone_with
    for carton in world.cartons.values():
        holders = [place.name for place in world.places.values() if carton in place.cartons]
        assert holders == [carton.place]
    for place in world.places.values():
        assert len(place.cartons) <= place.capacity
    for label in world.papers.visible.values():
        on = [c for c in world.cartons.values() if any(s.label is label for s in c.labels)]
        at_peel = [p for p, lies in world.papers.at_peel.items() if lies is label]
        assert len(on) + len(at_peel) + (label.place in (HANDS, BIN)) == 1


class FloorMachine(RuleBasedStateMachine):
    """Does anything in any order; refusals are fine, losses are not."""

    def __init__(self):
        super().__init__()
        self.motion = InstantMotion()
        self.world = make_world(self.motion)

    def attempt(self, act):
        try:
            return self.motion.do(act)
        except CannotDo:
            return None

    def pick(self, data, things):
        things = list(things)
        return data.draw(st.sampled_from(things)) if things else None

    @rule(sku=st.sampled_from(sorted(STOCK)))
    def take_piece(self, sku):
        self.attempt(lambda: self.world.take_piece(sku))

    @rule()
    def take_carton(self):
        self.attempt(self.world.take_carton)

    @rule(data=st.data())
    def put_on_table(self, data):
        if piece := self.pick(data, self.world.pieces.values()):
            self.attempt(lambda: self.world.put_on_table("induct-1", piece))

    @rule()
    def take_from_table(self):
        self.attempt(lambda: self.world.take_from_table("induct-1"))

    @rule(data=st.data())
    def shelve(self, data):
        if piece := self.pick(data, self.world.pieces.values()):
            self.attempt(lambda: self.world.shelve(piece))

    @precondition(lambda self: self.world.cartons)
    @rule(data=st.data())
    def box(self, data):
        carton = self.pick(data, self.world.cartons.values())
        if piece := self.pick(data, self.world.pieces.values()):
            self.attempt(lambda: self.world.box(piece, carton))

    @precondition(lambda self: self.world.cartons)
    @rule(data=st.data(), to=st.sampled_from(["hands", "pack-1", "infeed:pack-1", "slot:H01", "nowhere"]))
    def move(self, data, to):
        carton = self.pick(data, self.world.cartons.values())
        self.attempt(lambda: self.world.move(carton, to))

    @precondition(lambda self: self.world.cartons)
    @rule(data=st.data(), verb=st.sampled_from(["leave", "unpack", "peel_off", "seal"]))
    def act_on_carton(self, data, verb):
        carton = self.pick(data, self.world.cartons.values())
        arguments = ("person",) if verb == "seal" else ()
        of = self.world.papers if verb == "peel_off" else self.world
        self.attempt(lambda: getattr(of, verb)(carton, *arguments))

    @rule(complete=st.booleans())
    def print_label(self, complete):
        self.attempt(lambda: self.world.papers.come_out("printer-1", label_for("PLx"), complete=complete))

    @rule()
    def take_label(self):
        self.attempt(lambda: self.world.papers.take("printer-1"))

    @precondition(lambda self: self.world.cartons)
    @rule(data=st.data())
    def stick(self, data):
        carton = self.pick(data, self.world.cartons.values())
        if label := self.pick(data, self.world.papers.visible.values()):
            self.attempt(lambda: self.world.papers.stick(label, carton, by="person"))

    @rule(data=st.data())
    def discard(self, data):
        if label := self.pick(data, self.world.papers.visible.values()):
            self.attempt(lambda: self.world.papers.discard(label))

    @invariant()
    def nothing_is_made_or_lost(self):
        assert_conserved(self.world)

    @invariant()
    def counts_are_those_of_the_things(self):
        summary = self.world.truth.summary()
        assert summary["cartons"] == len(self.world.cartons)
        left = [stuck for c in self.world.cartons.values() if c.place == GONE for stuck in c.labels]
        thrown = summary["labels_discarded"] + summary["labels_lost"]
        assert summary["labels_printed"] == len(self.world.papers.visible) + len(left) + thrown
        assert all(stuck.label.bitmap is UNSEEN for stuck in left)  # the dots of what nobody can see are not kept
        stuck = sum(len(c.labels) for c in self.world.cartons.values())
        assert summary["labels_applied"] - summary["labels_removed"] == stuck


TestFloorMachine = FloorMachine.TestCase
TestFloorMachine.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


async def packs_and_labels(floor):
    """A person's whole turn."""
    piece = await floor.take_piece("TEA")
    await floor.put_on_table("induct-1", piece)
    piece = await floor.take_from_table("induct-1")
    carton = await floor.fresh_carton()
    await floor.put_in_carton(piece, carton)
    await floor.close_carton(carton)
    label = await floor.take_label("printer-1")
    if label is not None:
        await floor.stick(label, carton)
        await floor.peel_off(carton)
        await floor.discard(label)
    await floor.send(carton, "pack-1")
    await floor.pick_up(carton)
    await floor.unpack(carton)


@given(after=st.integers(0, 40), seed=st.integers(0, 3))
def test_person_called_away_at_any_moment_loses_nothing(after, seed):
    async def story():
        motion = InstantMotion()
        world = make_world(motion)
        if random.Random(seed).random() < 0.7:
            world.papers.come_out("printer-1", label_for("PL1"), complete=True)
        floor = Floor(world, motion, MotionTimes(), Fittings())
        person = asyncio.ensure_future(packs_and_labels(floor))
        await let_run(after)
        person.cancel()
        await asyncio.gather(person, return_exceptions=True)
        assert_conserved(world)

    asyncio.run(story())


async def test_sending_waits_while_the_infeed_is_full():
    motion = InstantMotion()
    world = make_world(motion)
    floor = Floor(world, motion, MotionTimes(), Fittings())
    cartons = [await floor.fresh_carton() for _ in range(3)]
    for carton in cartons[:2]:
        await floor.send(carton, "pack-1")
    third = asyncio.ensure_future(floor.send(cartons[2], "pack-1"))
    await let_run(50)
    assert not third.done()
    await floor.pick_up(cartons[0])
    await third
    assert floor.cartons_at("infeed:pack-1") == cartons[1:]
    with pytest.raises(CannotDo):
        await floor.put_down(cartons[0], "infeed:pack-1")


@pytest.mark.parametrize(
    "text,prefix",
    [
        ("00095213210000000773", "]C1"),
        ("6901234567892", "]E0"),
        ("96385074", "]E4"),
        ("PK1|095213210000000773|PL0000010005|7", "]d1"),
        ("PL0000010005", "]C0"),
        ("DO:DONE", "]C0"),
    ],
)
def test_hand_scanner_names_the_kind_of_code(text, prefix):
    assert aim_prefix(text) == prefix
