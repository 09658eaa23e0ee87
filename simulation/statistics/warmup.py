"""Where a run stops to remember how it began: MSER-5."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BATCH = 5


def mser5(values: Sequence[float], batch: int = BATCH) -> int | None:
    """Give how many first values to leave out so that the mean of the rest is known best; None: the run is too short.

    The cut makes the squared standard error of the remaining batch means least (White 1997; White, Cobb, Spratt 2000).
    One in the second half says that the run has not settled. The last five batches are never cut at: few values may
    agree by chance. Fewer than ten batches are too short.
    """
    means = np.asarray(values, float)[: len(values) // batch * batch].reshape(-1, batch).mean(axis=1)
    n = len(means)
    if n < 10:
        return None
    means = means - means.mean()  # the sums of squares below lose no digits
    sums, squares = np.cumsum(means[::-1])[::-1], np.cumsum((means * means)[::-1])[::-1]
    left = np.arange(n, 0, -1)
    errors = (squares - sums * sums / left) / (left * left)
    cut = int(np.argmin(errors[: n - 5]))
    return None if cut > n // 2 else cut * batch
