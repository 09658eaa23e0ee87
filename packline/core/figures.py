"""The figures of a run that are 0 on a line that works: the twin counts them, and the demo's verdict is given by them."""

from __future__ import annotations

NEVER_ON_THE_FLOOR = (
    "double_labels",
    "wrong_labels",
    "shared_codes",
    "double_prints",
    "double_seals",
    "shipped_unlabelled",
    "shipped_unsealed",
    "shipped_empty",
)
"""What the plant's truth may not show."""
NEVER_IN_A_RUN = (*NEVER_ON_THE_FLOOR, "lost_orders", "lost_events")
"""And what the hosts may not find missing."""
