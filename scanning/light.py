"""Tells a picture that was taken in the dark from one on which only nothing can be read."""

from __future__ import annotations

import cv2
import numpy as np

DARK_BELOW = 40
"""Of 255. A black carton in the light has a plate, a label or an edge far brighter; a sensor's noise stays below 10."""
BRIGHTEST_PERCENT = 1.0
"""So much of a lit picture is bright at least; single hot pixels are less."""


def is_dark(jpeg: bytes) -> bool:
    """Tell whether there was no light; False for what is no picture at all, which is another trouble."""
    # an eighth of the size is enough, and averages the noise away
    small = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8) if jpeg else None
    return small is not None and float(np.percentile(small, 100.0 - BRIGHTEST_PERCENT)) < DARK_BELOW
