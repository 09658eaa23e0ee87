"""What every way of serving a twin does alike: it keeps the libraries quiet, and leaves in order when told to."""

from __future__ import annotations

import asyncio
import logging
import signal


def quiet() -> None:
    """Log warnings of ours to standard error, and nothing of the protocol libraries: foreign clients come and go."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("asyncua", "pymodbus"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def leave_in_order() -> None:
    """Have SIGTERM and Ctrl-C cancel this task, so that every port is closed."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel if task else loop.stop)
