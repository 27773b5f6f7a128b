"""What a server lets a client take of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rawfix.errors import SettingsError

RATE = 16 << 10
"""Bytes a second that an upload must reach, on average, beyond its first pause: less is meant to hold a place."""
OVERHEAD = 300 << 20
"""Bytes of a process that has loaded its libraries and a network: less memory develops nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one server.

    Attributes
    ----------
    upload
        Bytes of a request, RAW file and everything else.
    pause
        Seconds for which a client may send nothing, or take nothing.
    seconds
        Of computing a job.
    memory
        Bytes that a job's process may take beyond its libraries.
    queue
        Jobs that may wait, those being uploaded included.
    jobs
        Developed at a time.
    keep
        Seconds for which a finished job's files wait to be fetched.
    threads
        CPU threads of each job.
    provider
        ONNX Runtime provider of every job.
    """

    upload: int = 1 << 30
    pause: float = 30.0
    seconds: float = 600.0
    memory: int = 4 << 30
    queue: int = 100
    jobs: int = 1
    keep: float = 600.0
    threads: int = 1
    provider: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("pause", 0.1), ("seconds", 0.1), ("keep", 0.0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise SettingsError(f"--max-{name} {value:g}: give seconds, {least:g} or more")
        if self.memory < OVERHEAD:
            raise SettingsError(f"--max-memory {self.memory >> 20}M: a job takes {OVERHEAD >> 20}M at least")
        if self.upload < 1:
            raise SettingsError("--max-upload 0: give a size such as 200M or 1G")
        if not 1 <= self.queue <= 100_000:
            raise SettingsError(f"--max-queue {self.queue}: give 1 to 100000 jobs")
        if not 1 <= self.jobs <= 256:
            raise SettingsError(f"--jobs {self.jobs}: give 1 to 256")
