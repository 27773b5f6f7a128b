"""Waiting for files that come into a folder, until each is complete; the only user of watchfiles."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch

from rawfix.batch.inputs import Source, find_sources

RESCAN_SECONDS = 30.0
"""How often the folder is looked through although nobody told of a change: network drives tell nothing."""
_State = tuple[int, int]


class Settling:
    """Which files have not changed for a while.

    Parameters
    ----------
    seconds
        How long a file's size and time must stay as they are.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._handled: dict[Path, _State] = {}
        self._growing: dict[Path, tuple[_State, float]] = {}

    def waiting(self) -> bool:
        """Whether some file may settle soon."""
        return bool(self._growing)

    def look(self, sources: list[Source], now: float) -> list[Source]:
        """Those of the files that have settled and were not given out as they are; empty ones never settle.

        Parameters
        ----------
        sources
            All files there are now.
        now
            Seconds of a clock that never goes back.
        """
        growing: dict[Path, tuple[_State, float]] = {}
        ready = []
        for source in sources:
            try:
                stat = source.path.stat()
            except OSError:
                continue
            state = (stat.st_size, stat.st_mtime_ns)
            if state[0] == 0 or self._handled.get(source.path) == state:
                continue
            before, since = self._growing.get(source.path, (state, now))
            if before == state and now - since >= self._seconds:
                self._handled[source.path] = state
                ready.append(source)
            else:
                growing[source.path] = (state, since if before == state else now)
        self._growing = growing
        return ready


def arrivals(folder: Path, *, recursive: bool, settle: float) -> Iterator[list[Source]]:
    """Files of the folder as they are complete, those that were there before first; ends when the folder is gone.

    Parameters
    ----------
    folder
        An existing folder.
    recursive
        Whether folders within it count.
    settle
        Seconds for which a file must not have changed.

    Raises
    ------
    KeyboardInterrupt
        The user has had enough.
    """
    settling = Settling(settle)
    tick = max(0.05, min(settle / 2, 1.0))
    looked = float("-inf")
    changes = watch(
        folder, recursive=recursive, yield_on_timeout=True, rust_timeout=int(1000 * tick), debounce=200,
        watch_filter=None,
    )  # fmt: skip
    for change in changes:
        if not folder.is_dir():
            return
        now = time.monotonic()
        if change or settling.waiting() or now - looked >= RESCAN_SECONDS:
            looked = now
            if ready := settling.look(find_sources([str(folder)], recursive=recursive), now):
                yield ready
