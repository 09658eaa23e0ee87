"""The gate remembers only its last job: what it knows of an earlier parcel is asked before the next one."""

from __future__ import annotations

from packline.core.effects import EffectState, Evidence
from packline.orders.model import ParcelState
from tests.stations.line import Life, trouble

PASSED = Evidence(state=EffectState.CONFIRMED, source="machine memory", data={"passed_count": 1})
OVERWRITTEN = Evidence(state=EffectState.UNKNOWN, source="machine memory", fault=2005)


async def test_a_parcel_that_left_while_the_link_was_lost_is_booked_before_the_next_one_is_served(life: Life) -> None:
    one, two = await life.approved(1, 1), await life.approved(2, 2)
    gate = life.floor.gate
    life.floor.hall.at_gate = one
    gate.misbehave["release"] = "mute"
    await trouble(life.gate.step())
    lost = max(gate.memory)
    gate.memory[lost] = PASSED
    acts = dict(gate.acts)

    def forget(name):
        def act(effect):
            gate.memory[lost] = OVERWRITTEN
            return acts[name](effect)

        return act

    gate.acts = {name: forget(name) for name in acts}
    life.floor.hall.at_gate = two
    for _ in range(3):
        await life.gate.step()
    assert [(await life.parcel(box.lpn)).state for box in (one, two)] == [ParcelState.SHIPPED, ParcelState.SHIPPED]
