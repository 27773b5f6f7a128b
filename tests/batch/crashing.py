"""Workers in which certain files do what no refusal describes."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from rawfix.batch import patience, run, worker


def main(connection: Connection) -> None:
    """A worker that meets its end at files called ``segfault``, ``killed``, ``endless`` and ``bug``."""
    genuine = run.read

    def read(job: Any, *more: Any) -> Any:
        if job.source.stem == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if job.source.stem == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        while job.source.stem == "endless":
            pass
        if job.source.stem == "bug":
            raise ZeroDivisionError
        if job.source.stem == "hungry":
            raise MemoryError
        return genuine(job, *more)

    patience.READING_SECONDS = 1.0
    run.read = read  # type: ignore[assignment]
    worker.main(connection)
