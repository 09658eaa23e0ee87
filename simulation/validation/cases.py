"""All textbook cases: a model, what the book says of its figures, and which book. All mean service times are 1 s or near."""

from __future__ import annotations

from simulation.validation.case import Case
from simulation.validation.cases_blocks import blocks
from simulation.validation.cases_lines import lines
from simulation.validation.cases_networks import networks
from simulation.validation.cases_priorities import disciplines, priorities
from simulation.validation.cases_queues import exponential, general
from simulation.validation.cases_together import cases_together
from simulation.validation.cases_unreliable import interrupted, unreliable


def cases() -> list[Case]:
    """Give all cases."""
    return [
        *exponential(),
        *general(),
        *disciplines(),
        *priorities(),
        *interrupted(),
        *networks(),
        *lines(),
        *unreliable(),
        *blocks(),
        *cases_together(),
    ]
