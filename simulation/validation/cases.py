"""All textbook cases: a model, what the book says of its figures, and which book. All mean service times are 1 s or near."""

from __future__ import annotations

from simulation.validation.case import Case
from simulation.validation.cases_batches import batches
from simulation.validation.cases_blocks import blocks
from simulation.validation.cases_customers import customers
from simulation.validation.cases_finite import finite
from simulation.validation.cases_joined import joined
from simulation.validation.cases_lines import lines
from simulation.validation.cases_networks import networks
from simulation.validation.cases_priorities import disciplines, priorities
from simulation.validation.cases_queues import exponential, general
from simulation.validation.cases_stocks import stocks
from simulation.validation.cases_unreliable import interrupted, unreliable


def cases() -> list[Case]:
    """Give all cases."""
    return [
        *exponential(),
        *general(),
        *finite(),
        *disciplines(),
        *priorities(),
        *interrupted(),
        *networks(),
        *lines(),
        *unreliable(),
        *blocks(),
        *batches(),
        *joined(),
        *customers(),
        *stocks(),
    ]
