"""A world on the workbench: no sockets, no wall clock."""

import asyncio

import simpy
from PIL import Image

from packline.core.clock import ManualClock
from simulation.plant.papers import Legible
from simulation.plant.truth import Truth
from simulation.plant.world import World

STOCK = {"TEA": 4, "MUG": 2}


class InstantMotion:
    """Motion without a wall clock: sleeping steps SimPy."""

    def __init__(self):
        self.env = simpy.Environment()

    def now(self):
        return float(self.env.now)

    def do(self, act):
        result = act()
        while self.env.peek() <= self.env.now:
            self.env.step()
        return result

    async def sleep(self, sim_s):
        await asyncio.sleep(0)
        self.env.run(until=self.env.now + max(sim_s, 1e-9))

    async def until(self, event):
        happened = event()
        while not happened.triggered:
            await asyncio.sleep(0)
        return happened.value


def make_world(motion):
    legible = {"blank": Legible()}
    world = World(
        motion.env,
        Truth(ManualClock(), motion.now),
        stock=STOCK,
        first_plate=1,
        read_label=lambda bitmap: bitmap.info.get("says", legible["blank"]),
        seed=1,
    )
    world.add_place("pack-1", 1)
    world.add_place("infeed:pack-1", 2)
    world.add_place("slot:H01", 1)
    world.tables["induct-1"] = None
    world.papers.at_peel["printer-1"] = None
    return world


def label_for(lpn, number=1, sscc="095213210000000773"):
    bitmap = Image.new("1", (8, 8))
    bitmap.info["says"] = Legible(sscc=sscc, lpn=lpn, print_number=number)
    return bitmap
