"""A person as a device: the screen gives the job, a scan or a button is the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from packline.core.clock import Clock
from packline.core.effects import Device, Effect, EffectState, Evidence, Ticket
from stations.screen import Instruction, Screen

PATIENCE_S = 12 * 3600.0
"""After this a person's job counts as unknown; a shift is shorter."""


class Held(Exception):  # noqa: N818 - the trade's word
    """The station was held while it waited for a person; what was asked stays asked and is shown again afterwards."""


class PersonDevice(Device):
    """Shows what to do and waits for `answer`; keeps nothing, so a restart simply shows the job again."""

    def __init__(self, *, station: str, screen: Screen, clock: Clock, words: Callable[[Effect], Instruction]) -> None:
        self._station = station
        self._screen = screen
        self._clock = clock
        self._words = words
        self._waiting: tuple[Effect, asyncio.Future[Evidence]] | None = None
        screen.on_hold = self._let_go

    @property
    def job(self) -> Effect | None:
        """Give the effect that a person is asked for now."""
        return self._waiting[0] if self._waiting else None

    async def prepare(self, effect: Effect, job: int) -> Ticket:
        """A person can always be asked."""
        return Ticket(machine=f"person:{self._station}", job=job)

    async def send(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Put the job on the screen."""
        self._show(effect)
        return Evidence(state=EffectState.SENT, source="screen")

    async def inquire(self, effect: Effect, ticket: Ticket) -> Evidence:
        """Wait for the person's answer, at most PATIENCE_S; raises Held when the station is held."""
        if self._screen.hold_by:
            raise Held
        self._show(effect)
        answer: asyncio.Future[Evidence] = asyncio.get_running_loop().create_future()
        self._waiting = (effect, answer)
        try:
            return await self._clock.within(PATIENCE_S, answer)
        except TimeoutError:
            return Evidence(state=EffectState.UNKNOWN, source="nobody answered")
        finally:
            self._waiting = None

    def answer(self, done: bool, actor: str, witness: str) -> bool:
        """Take a person's word for the job on the screen; False when none waits."""
        if self._waiting is None or self._waiting[1].done():
            return False
        state = EffectState.CONFIRMED if done else EffectState.NOT_EXECUTED
        self._waiting[1].set_result(Evidence(state=state, source=f"person {actor}", data={"witness": witness}))
        return True

    def _let_go(self) -> None:
        if self._waiting is not None and not self._waiting[1].done():
            self._waiting[1].set_exception(Held())

    def _show(self, effect: Effect) -> None:
        self._screen.state = "working"
        self._screen.next = self._words(effect)
