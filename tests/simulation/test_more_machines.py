"""Behaviours of the twin's machines that belong to no station: what they do without a controller, and by themselves."""

from __future__ import annotations

from typing import Any

import pytest
import simpy

from packline.core.clock import ManualClock
from plc.machine_file import MachineFile, machines_folder, shipped_machine
from plc.tags.codec import put
from simulation.hall import Hall
from simulation.machines.conveyor import Conveyor
from simulation.machines.paddle_hub import PaddleHub
from simulation.machines.plain import PlainMachine
from simulation.machines.scan_registers import MOST_KEPT, ScanRegisters
from simulation.pacer import Pacer
from simulation.spec import MachineSpec, PlantSpec

SHIPPED = sorted(path.stem for path in machines_folder().glob("*.toml"))


def hall_of(file: MachineFile) -> Hall:
    clock = ManualClock()
    spec = PlantSpec(machines=(MachineSpec(name="m1", file=file, address="127.0.0.1:0", at=""),), first_plate=1)
    return Hall(spec, Pacer(simpy.Environment(), 1.0, clock), clock)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_machine_that_ships_has_a_twin_also_where_it_belongs_to_no_station(name):
    file = shipped_machine(name)
    machine = hall_of(file).machines["m1"]
    machine.power_on()
    values = machine.tag_values()
    assert values.keys() == file.tags.keys()
    for tag, wired in file.wired.items():
        if not wired.tag.is_part:
            put(wired, values[tag])  # every value fits its registers
    for expected in file.expect.values():
        assert expected.holds(values[expected.tag])


def conveyor(**figures: Any) -> tuple[simpy.Environment, Conveyor]:
    env = simpy.Environment()
    file = shipped_machine("conveyor")
    changed = {**file.simulation, "feed_s": 0.0, "zone_s": 1.0, **figures}
    return env, Conveyor(env, file.model_copy(update={"simulation": changed}))


def test_parcels_close_up_before_the_diverter_and_none_is_lost():
    env, belt = conveyor()
    env.process(belt.by_itself(lambda: True))
    for second in range(1, 30):
        belt.put()
        env.run(until=second + 0.5)
    assert belt.zones == [6, 5, 4, 3, 2, 1]
    assert belt.sense()["parcel_present"] == 1
    assert belt.tags()["zones_running"] == 0  # full, so nothing rolls
    assert belt.put() == 0


def test_belt_stands_while_the_machine_does_not_run():
    env, belt = conveyor()
    belt.put()
    env.process(belt.by_itself(lambda: False))
    env.run(until=20)
    assert belt.zones == [1, 0, 0, 0, 0, 0]
    assert belt.tags()["speed"] == 0.0


def test_belt_feeds_itself_and_fills():
    env, belt = conveyor(feed_s=2.0)
    env.process(belt.by_itself(lambda: True))
    env.run(until=60)
    assert all(belt.zones)


def test_hub_presses_itself_if_it_is_told_to():
    env = simpy.Environment()
    file = shipped_machine("paddle_hub")
    hub = PaddleHub(env, file.model_copy(update={"simulation": {"press_every_s": 1.0}}), seed="1")
    env.process(hub.by_itself(lambda: True))
    env.run(until=10.5)
    assert sum(int(hub.tags().get(f"presses_{paddle}", 0)) for paddle in range(1, 9)) == 10
    assert hub.tags()["clock_ms"] == 10_500
    hub.forget()
    assert hub.tags() == {"clock_ms": 0}
    with pytest.raises(ValueError, match="no paddle 9"):
        hub.press(9)


def test_scanner_shows_one_read_until_its_number_is_written_back():
    asked: list[int] = []
    shown = ScanRegisters(shipped_machine("modbus_scanner"), lambda: asked.append(1))
    shown.send("A")
    shown.send("B")
    assert (shown.tags()["scan_number"], shown.tags()["scan_text"]) == (1, "A")
    shown.written("taken", 7)  # some other number takes nothing
    assert shown.tags()["scan_text"] == "A"
    shown.written("taken", 1)
    assert (shown.tags()["scan_number"], shown.tags()["scan_text"]) == (2, "B")
    shown.written("trigger", 1)
    shown.written("trigger", 1)
    assert asked == [1]


def test_scanner_counts_the_reads_that_found_no_room():
    shown = ScanRegisters(shipped_machine("modbus_scanner"), lambda: None)
    for number in range(MOST_KEPT + 3):
        shown.send(str(number))
    assert shown.tags()["lost"] == 2  # one is shown, eight wait


def test_plain_twin_forgets_its_counters_of_presses_with_the_power():
    machine = hall_of(shipped_machine("paddle_hub")).machines["m1"]
    assert isinstance(machine, PlainMachine)
    machine.power_on()
    hub: Any = machine.mechanics
    hub.press(1)
    machine.power_off()
    machine.power_on()
    assert (machine.tag_values()["presses_1"], machine.tag_values()["starts"]) == (0, 2)
