"""Leads one machine through its PackML states: what stopped it, and whether a person answers for going on."""

from __future__ import annotations

import asyncio

from packline.core.faults import Fault
from plc.job_device import Driven
from plc.machine_view import MachineView, condition
from plc.packml import TOWARDS_EXECUTE, Cmd, State, leads_on, name_of

COMMAND_S = 3.0
STATE_S = 15.0
READY_STEPS = 12
SAFETY_OPEN = 2007


class StateLead:
    """Gives a machine's PackML commands, one after the other; `note` must be told every picture of it."""

    def __init__(self, machine: Driven) -> None:
        self._machine = machine
        self._brain = machine.brain
        self._is_released = False
        self._was_stopped = False
        self._ordering = asyncio.Lock()

    def note(self, view: MachineView) -> None:
        """See an open safety circuit: it ends a release, and is remembered until the machine executes again."""
        is_stopped = SAFETY_OPEN in view.faults
        self._is_released = self._is_released and not is_stopped
        self._was_stopped = self._was_stopped or is_stopped

    async def command(self, command: Cmd) -> MachineView:
        """Give one command and wait until the machine has seen it; raises Fault when it does not obey or does not answer within 3 s.

        One that is given up is never carried out later: who gave it was told that nothing came of it.
        """
        machine = self._machine
        async with self._ordering:
            demand_owned(machine)
            epoch, seq = self._brain.epoch, self._brain.order_state(command)
            machine.poke()
            try:
                await machine.until(lambda: self._is_ordered(epoch, seq), COMMAND_S)
            finally:
                if not self._is_ordered(epoch, seq):
                    self._brain.give_up_state()
                    machine.poke()
            if self._brain.epoch != epoch or not self._is_ordered(epoch, seq):
                raise Fault(
                    1002, where=machine.name, seen=f"{command.name} not acknowledged", expected="an acknowledge"
                )
        return machine.view()

    async def make_ready(self) -> None:
        """Lead on to Execute; raises Fault 2001, 2002, 2007 for a stop that only a person ends, and link faults."""
        view = await self._owned_view()
        self._demand_startable(view)
        for _ in range(READY_STEPS):
            if view.state == name_of(State.EXECUTE):
                self._is_released = self._was_stopped = False
                return
            before, view = view, await self._step_on(view)
            self._is_released = self._is_released and leads_on(before.state, view.state)
            self._demand_startable(view)  # somebody may have stopped it on its way
        raise Fault(2001, where=self._machine.name, seen=view.state, expected=name_of(State.EXECUTE))

    def release(self) -> None:
        """Note that a person answers for going on; while the safety circuit is open nobody can."""
        self._is_released = SAFETY_OPEN not in self._machine.view().faults
        self._brain.release()
        self._machine.poke()

    def _is_ordered(self, epoch: int, seq: int) -> bool:
        status = self._brain.status
        return self._brain.epoch != epoch or (status is not None and status.state_ack >= seq)

    async def _owned_view(self) -> MachineView:
        machine = self._machine
        await machine.until(lambda: machine.view().is_good and self._brain.is_owner, STATE_S)
        demand_owned(machine)
        return machine.view()

    def _demand_startable(self, view: MachineView) -> None:
        where = self._machine.name
        if SAFETY_OPEN in view.faults:
            raise Fault(SAFETY_OPEN, where=where)
        if self._is_released or view.state == name_of(State.EXECUTE):
            return
        if view.faults:
            raise Fault(view.faults[0], where=where, seen=condition(view.state, view.own_faults))
        # one that lost its power while its safety circuit was open says after it only that it boots: somebody stopped it all the same
        if self._was_stopped or not (view.silence_only or view.power_up_only):
            raise Fault(2001, where=where, seen=f"state {view.state}", expected="a person's release")

    async def _step_on(self, view: MachineView) -> MachineView:
        """Give the one command that leads on, or wait for an acting state to end."""
        machine, status = self._machine, self._brain.status
        lead = TOWARDS_EXECUTE.get(status.state) if status else None
        if lead:
            await self.command(lead)
        if not await machine.until(lambda: machine.view().state != view.state, STATE_S):
            raise Fault(2001, where=machine.name, seen=f"stays in {view.state}", expected=name_of(State.EXECUTE))
        return machine.view()


def demand_owned(machine: Driven) -> None:
    """Raise Fault while the machine does not obey this controller."""
    view = machine.view()
    if not (view.is_good and view.owned):
        raise view.reason() or Fault(1002, where=machine.name)
    if machine.brain.must_fence_for_seq:
        machine.brain.want_fence()
        raise Fault(1002, where=machine.name, seen="epoch used up", expected="the next one in a moment")
