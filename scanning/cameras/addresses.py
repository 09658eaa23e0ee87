"""Says by its address how a camera is asked."""

from __future__ import annotations


def is_snapshot(url: str) -> bool:
    """Tell whether `url` gives one picture a question (.jpg, .jpeg, or `snapshot` in its path); the rest are streams."""
    path = url.split("?", 1)[0].lower()
    return path.endswith((".jpg", ".jpeg")) or "snapshot" in path
