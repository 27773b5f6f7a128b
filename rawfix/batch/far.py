"""The workers of a cluster in place of this machine's processes.

The plan, the journal, the names and the results stay here. A worker gets one file at a time and gives back what it
made; only this process gives outputs their names. So a worker that is lost, or thought lost and still at work, costs
nothing but the time its files take again on another.
"""

from __future__ import annotations

import queue
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from rawfix.batch.cluster import Cluster, Promise
from rawfix.batch.commit import commit, known_already
from rawfix.batch.parcel import Luggage, Order, Shipment, pack, ship
from rawfix.batch.plan import Job, check_claim, fill
from rawfix.batch.pool import Listener
from rawfix.batch.result import Result, settled
from rawfix.batch.worker import Brief, Task, failure
from rawfix.errors import OutputError, RawfixError
from rawfix.io.atomic import check_target, write_failure
from rawfix.io.raw_checks import check_file
from rawfix.io.stale import temporary_name

_PATIENCE_SECONDS = 60
"""How long there may be no workers while a run goes on."""
_ATTEMPTS = 3
"""How often the process that develops a file may be killed before the file is given up."""


class FarWorkers:
    """Takes the place of `rawfix.batch.pool.Pool` for one run.

    Parameters
    ----------
    cluster
        Where the work is done.
    brief
        As for a pool; ``threads`` is for each machine, 0: all that it may use.
    claim
        As for a pool.
    listener
        Hears of results; tiles are not told.
    folder
        Where shared files wait for their names, in a folder of their own that is deleted in the end.
    """

    def __init__(
        self,
        cluster: Cluster,
        brief: Brief,
        claim: Callable[[int, Path], bool],
        listener: Listener,
        folder: Path,
    ) -> None:
        self._cluster = cluster
        self._brief = brief
        self._claim = claim
        self._listener = listener
        self._token = secrets.token_hex(4)
        self._shared = cluster.files == "shared"
        self._staging = temporary_name(folder / "cluster").absolute() if self._shared else None
        self._sent: dict[str, tuple[Task, int, Promise]] = {}
        self._finished: queue.SimpleQueue[Promise] = queue.SimpleQueue()
        self._stopping = False

    def run(self, tasks: Iterable[Task]) -> None:
        """Work off all tasks, or as many as make sense; every one begun is answered for by a result.

        Raises
        ------
        ClusterError
            The scheduler, or every worker, is gone.
        ModelError
            A worker that came later has other networks.
        OutputError
            The folder for what waits cannot be made.
        """
        if self._staging is not None:
            try:
                self._staging.mkdir()
            except OSError as error:
                raise write_failure(self._staging, error) from error
        brief, todo = self._brief, iter(tasks)
        luggage = pack(brief.recipe, brief.options, brief.threads, self._cluster.slots(), self._staging)
        try:
            self._fill(todo, luggage)
            while self._sent and not self._stopping:
                self._settle(self._next(), luggage)
                self._fill(todo, luggage)
        finally:
            self._cluster.end_run(luggage.key, [future for _, _, future in self._sent.values()])
            if self._staging is not None:
                shutil.rmtree(self._staging, ignore_errors=True)

    def _fill(self, todo: Iterator[Task], luggage: Luggage) -> None:
        """Keep every worker busy, and one file waiting for each."""
        most = 2 * max(1, sum(self._cluster.slots().values()))
        while len(self._sent) < most and not self._stopping and (task := next(todo, None)) is not None:
            try:
                if (known := self._known(task)) is None:
                    self._send(task, luggage, 1)
                else:
                    self._tell(known)
            except RawfixError as error:
                self._tell(failure(task.job.source, error))

    def _known(self, task: Task) -> Result | None:
        """The result where nothing is to be developed; raises `RawfixError` where that is refused."""
        job, options = task.job, self._brief.options
        check_file(job.source)
        if task.action is not None:
            check_target(fill(job, camera="", iso=0), overwrite=task.action.kind == "replace")
            return None
        if (known := known_already(job, self._brief.recipe, options)) is None:
            return None
        target, action = known
        check_claim(target, job.source, partial(self._claim, task.number))
        if action.kind == "refuse":
            raise OutputError(action.reason)
        return settled(job.source, target, action) if action.kind in ("skip", "unchanged") else None

    def _send(self, task: Task, luggage: Luggage, attempt: int) -> None:
        job = task.job
        shipment = Shipment() if self._shared else ship(job.source)
        order = Order(
            self._cluster.make, luggage, task.number, _absolute(job),
            None if self._shared else shipment.files, shipment.mtime_ns,
        )  # fmt: skip
        key = f"rawfix-{self._token}-{task.number}-{attempt}"
        future = self._cluster.send(order, key)
        self._sent[key] = task, attempt, future
        future.add_done_callback(self._finished.put)

    def _next(self) -> Promise:
        """The next file that is done; raises `ClusterError` where there will be none."""
        alone_since = None
        while True:
            try:
                return self._finished.get(timeout=2)
            except queue.Empty:
                now = time.monotonic()
                alone_since = None if self._cluster.slots() else alone_since or now
                if alone_since is not None and now - alone_since > _PATIENCE_SECONDS:
                    raise self._cluster.lost("every worker") from None

    def _settle(self, future: Promise, luggage: Luggage) -> None:
        """Put what was delivered in its place."""
        task, attempt, _ = self._sent.pop(future.key)
        job = task.job
        delivery = self._cluster.receive(future, job.source.name)
        if delivery.lost and attempt < _ATTEMPTS:
            self._send(task, luggage, attempt + 1)
            return
        result = replace(delivery.result, source=job.source)
        if result.error is not None:
            result = replace(result, error=result.error.replace(str(job.source.absolute()), str(job.source)))
        elif result.target is not None:
            result = replace(result, target=job.target.with_name(result.target.name))
            recipe, options = self._brief.recipe, self._brief.options
            try:
                result = commit(
                    replace(delivery, result=result), job, task.action, recipe, options,
                    partial(self._claim, task.number),
                )  # fmt: skip
            except RawfixError as error:
                result = failure(job.source, error)
        if delivery.folder is not None:
            shutil.rmtree(delivery.folder, ignore_errors=True)
        self._tell(result)

    def _tell(self, result: Result) -> None:
        self._stopping = self._stopping or bool(result.stops)
        self._listener.result(result)


def _absolute(job: Job) -> Job:
    return replace(job, source=job.source.absolute(), target=job.target.parent.absolute() / job.target.name)
