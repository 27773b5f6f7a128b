"""The queue: jobs wait in a line of bounded length and are served in the order in which they came."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rawfix.server import apart, child
from rawfix.server.apart import Entry
from rawfix.server.jobs import Job
from rawfix.server.limits import Limits
from rawfix.server.order import Order
from rawfix.server.refused import Refused

_SWEEP_SECONDS = 1.0
_KEPT = 4
"""Finished jobs that are kept, in lengths of the line; of more, the oldest go first."""


class Line:
    """The queue of one server.

    Parameters
    ----------
    limits
        Its length, and what each job may take.
    spool
        Folder for the jobs' own ones; exists and is this server's alone.
    entry
        What a job's process runs.
    """

    def __init__(self, limits: Limits, spool: Path, entry: Entry = child.main) -> None:
        self._limits = limits
        self._spool = spool
        self._entry = entry
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._arriving = 0
        self._more = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(limits.jobs, "rawfix job")
        self._closed = False

    @property
    def length(self) -> int:
        """Jobs that wait, and those that are being uploaded."""
        return len(self._waiting) + self._arriving

    def start(self) -> None:
        """Begin to serve."""
        serving = [self._serve() for _ in range(self._limits.jobs)]
        self._tasks = [asyncio.create_task(task) for task in (*serving, self._sweep())]

    def close(self) -> None:
        """Take no more, and end every job that is not over."""
        self._closed = True
        for job in list(self._jobs.values()):
            self.cancel(job, Refused("closing", f"{job.order.named}: the server is being stopped"))

    async def stop(self) -> None:
        """`close`, and wait until no process is left."""
        self.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown()
        for job in list(self._jobs.values()):
            self.forget(job)

    @contextmanager
    def arrival(self) -> Iterator[Path]:
        """A place in the line and an empty folder for an upload; both are gone where the body raises.

        Raises
        ------
        Refused
            No place is left.
        """
        self.check_room()
        self._arriving += 1
        folder = self._spool / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            self._arriving -= 1

    def check_room(self) -> None:
        """Raise `Refused` where no place is left."""
        if self._closed:
            raise Refused("closing", "the server is being stopped")
        if self.length >= self._limits.queue:
            raise Refused("busy", f"{self.length} jobs wait already; try again later")

    async def join(self, folder: Path, order: Order) -> Job:
        """Put a job at the end of the line."""
        job = Job(folder, order, position=len(self._waiting))
        self._jobs[job.id] = job
        self._waiting.append(job)
        async with self._more:
            self._more.notify()
        return job

    def find(self, id: str) -> Job:
        """The job of an id; raises `Refused`."""
        if (job := self._jobs.get(id)) is None:
            raise Refused(
                "unknown", "there is no such job; it was fetched, cancelled, or not fetched in time"
            )
        return job

    def cancel(self, job: Job, why: Refused) -> None:
        """End a job that is not over."""
        if job in self._waiting:
            self._waiting.remove(job)
            job.finish(why)
            self._count()
        job.cancelled.set()

    def forget(self, job: Job) -> None:
        """End a job and delete all that is left of it."""
        self.cancel(job, Refused("cancelled", f"{job.order.named}: was cancelled"))
        if job.is_over:
            self._jobs.pop(job.id, None)
            shutil.rmtree(job.folder, ignore_errors=True)

    async def _serve(self) -> None:
        while True:
            async with self._more:
                await self._more.wait_for(lambda: self._waiting)
                job = self._waiting.popleft()
            job.state = "running"
            job.tell()
            self._count()
            await self._carry_out(job)

    async def _carry_out(self, job: Job) -> None:
        loop = asyncio.get_running_loop()

        def tile(done: int, total: int) -> None:
            loop.call_soon_threadsafe(progress, done, total)

        def progress(done: int, total: int) -> None:
            job.done, job.total = done, total
            job.tell()

        running = loop.run_in_executor(
            self._threads, apart.carry_out,
            job.folder, job.order, self._limits, tile, job.cancelled, self._entry,
        )  # fmt: skip
        try:
            outcome: dict[str, Any] | Refused = await asyncio.shield(running)
        except Refused as refused:
            outcome = refused
        except OSError as error:
            outcome = Refused("storage", f"{job.order.named}: no process could be started: {error.strerror}")
        except asyncio.CancelledError:
            job.cancelled.set()
            await asyncio.wait([running])
            running.exception()
            job.finish(Refused("closing", f"{job.order.named}: the server was stopped"))
            raise
        job.finish(outcome)
        if job.cancelled.is_set():  # even where it was done before it learnt of that
            self.forget(job)

    def _count(self) -> None:
        """Tell those who wait where they stand."""
        for position, job in enumerate(self._waiting):
            if job.position != position:
                job.position = position
                job.tell()

    async def _sweep(self) -> None:
        """Delete what nobody fetched in time."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            over = sorted((job for job in self._jobs.values() if job.is_over), key=lambda job: job.finished)
            excess = max(0, len(over) - _KEPT * self._limits.queue)
            late = time.monotonic() - self._limits.keep
            for number, job in enumerate(over):
                if number < excess or job.finished < late:
                    self.forget(job)
