"""A limit on what reading one file may compute: on a damaged file a decoder can run without end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

READING_SECONDS = 40.0
"""Of computing by the thread that reads; the largest files of cameras take some ten."""
OVERLONG = 75
"""Exit code of a process that gave up a file."""
_LOOK_SECONDS = 0.5


@contextmanager
def limited_reading(tell: Callable[[], None] = lambda: None) -> Iterator[None]:
    """End this process, exit code `OVERLONG`, where the calling thread computes for too long; ``tell`` comes before.

    Waiting for a disk or for other programs does not count where the system keeps a clock for each thread, and
    counts elsewhere. Only for processes that are there to be lost: a decoder cannot be interrupted otherwise.
    """
    clock = _thread_clock()
    end = clock() + READING_SECONDS
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if clock() > end:
                tell()
                os._exit(OVERLONG)

    threading.Thread(target=watch, daemon=True, name="rawfix patience").start()
    try:
        yield
    finally:
        done.set()


def _thread_clock() -> Callable[[], float]:
    """Seconds computed by the calling thread, to be asked by any; seconds passed where the system cannot tell."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(clock)
