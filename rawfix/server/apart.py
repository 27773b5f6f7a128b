"""Carrying a job out in a process of its own, watched: its time, its memory, and how it ends."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from threading import Event
from typing import Any

from rawfix.batch.machine import memory_of
from rawfix.server import child
from rawfix.server.limits import OVERHEAD, Limits
from rawfix.server.order import Order
from rawfix.server.refused import Refused

Entry = Callable[[Connection, Path, Order, Limits], None]
"""What the process runs with its end of the pipe."""
_LOOK_SECONDS = 0.05


def get_ready() -> None:
    """Start what processes are forked from, with everything loaded that a job needs; call it once, early.

    On systems without fork each job loads its libraries anew.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["rawfix.server.child", "rawfix.batch.run"])
        ensure_running()


def _context() -> Any:
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if forks else "spawn")


def carry_out(
    folder: Path,
    order: Order,
    limits: Limits,
    tile: Callable[[int, int], None],
    cancelled: Event,
    entry: Entry = child.main,
) -> dict[str, Any]:
    """Carry a job out and wait for its end; the process is gone when this returns.

    Parameters
    ----------
    folder
        The job's own; the process writes nowhere else.
    order, limits
        The job.
    tile
        Told of tiles done and their number.
    cancelled
        Ends the job when it is set.
    entry
        What the process runs.

    Returns
    -------
    dict
        See `rawfix.server.child.carry_out`.

    Raises
    ------
    Refused
        The file was refused, took too long or too much, crashed its decoder, or was cancelled.
    """
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=entry, args=(theirs, folder, order, limits), daemon=True)
    process.start()
    theirs.close()
    started = time.monotonic()
    try:
        while True:
            ready = wait([ours, process.sentinel], timeout=_LOOK_SECONDS)
            with suppress(EOFError, OSError):
                while ours.poll():
                    word, *more = ours.recv()
                    if word == "tile":
                        tile(*more)
                    elif word == "refused":
                        raise Refused(*more)
                    else:
                        facts: dict[str, Any] = more[0]
                        return facts
            if process.sentinel in ready or not process.is_alive():
                process.join()
                raise _cause(order.named, process.exitcode)
            _check(order.named, process.pid, time.monotonic() - started, limits, cancelled)
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _check(named: str, pid: int, seconds: float, limits: Limits, cancelled: Event) -> None:
    """Refuse a job that goes beyond what it may take."""
    if cancelled.is_set():
        raise Refused("cancelled", f"{named}: was cancelled")
    if seconds > limits.seconds:
        raise Refused("time", f"{named}: takes longer than the {limits.seconds:g} s this server grants a job")
    if memory_of(pid) > limits.memory + OVERHEAD:
        raise Refused(
            "memory", f"{named}: takes more than the {limits.memory >> 20} MiB this server grants a job"
        )


def _cause(named: str, code: int | None) -> Refused:
    """Why a process ended that gave no answer."""
    if (code is not None and code < 0) or sys.platform == "win32":
        return Refused("crash", f"{named}: crashed its decoder ({code}); the file is likely damaged")
    return Refused("bug", f"{named}: met a bug in rawfix; the server's log holds the traceback")
