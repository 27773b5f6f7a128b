"""A run of many files: decide, develop, remember; the same run again goes on where it was stopped."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rawfix.batch.decide import Action, decide, installed_models
from rawfix.batch.far import FarWorkers
from rawfix.batch.identity import digest
from rawfix.batch.journal import Journal, append_end
from rawfix.batch.memory import Budget, shared
from rawfix.batch.options import Options
from rawfix.batch.plan import Job, check_sides, fill, target_key
from rawfix.batch.pool import Entry, Listener, Pool
from rawfix.batch.recipe import Recipe
from rawfix.batch.result import Result, settled
from rawfix.batch.tally import Tally
from rawfix.batch.worker import Brief, Task, main
from rawfix.errors import OutputError
from rawfix.io.stale import remove_stale
from rawfix.nn.threads import available_threads

if TYPE_CHECKING:
    from rawfix.batch.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is planned.

    Attributes
    ----------
    steps
        Every job with what was decided; None where that depends on the frame.
    """

    steps: list[tuple[Job, Action | None]]
    recipe: Recipe
    options: Options

    @property
    def has_work(self) -> bool:
        """Whether anything may have to be developed."""
        return any(action is None or action.kind in ("develop", "replace") for _, action in self.steps)


def prepare(
    jobs: list[Job],
    recipe: Recipe,
    options: Options,
    installed: Callable[[], dict[str, str]] = installed_models,
) -> Run:
    """Decide about every job, reading journals but no frame; ``installed``: id → sha256 of the networks used.

    Raises
    ------
    SettingsError
        Two inputs would share a side output: stages, a map of bad pixels.
    """
    check_sides(jobs, options)
    journals = {folder: Journal(folder) for folder in sorted({job.target.parent for job in jobs})}
    options = replace(options, run=_run_id(jobs, recipe, options, journals.values()))
    installed = cache(installed)
    steps: list[tuple[Job, Action | None]] = []
    for job in jobs:
        action = None
        if not job.needs_frame:
            target = fill(job, camera="", iso=0)
            journal = journals[job.target.parent]
            action = decide(job.source, target, options.sides(target), journal, recipe, options, installed)
        steps.append((job, action))
    return Run(steps, recipe, options)


def _run_id(jobs: list[Job], recipe: Recipe, options: Options, journals: Iterable[Journal]) -> str:
    """The id of the interrupted run of the same request; else a new one."""
    asked = [
        recipe.to_dict(),
        [str(job.source.absolute()) for job in jobs],
        [str(job.target) for job in jobs],
    ]
    key = digest([*asked, options.overwrite, options.update])[:16]
    earlier = {run for journal in journals for run in journal.runs() if run.startswith(f"{key}-")}
    ended = {run for journal in journals for run in journal.ended}
    return min(earlier - ended, default=f"{key}-{secrets.token_hex(4)}")


def execute(
    run: Run,
    listener: Listener,
    tally: Tally,
    *,
    jobs: int = 1,
    threads: int = 0,
    entry: Entry = main,
    cluster: Cluster | None = None,
) -> None:
    """Carry out a run; leaves no temporary file of a dead process behind.

    Parameters
    ----------
    run
        From `prepare`.
    listener
        Hears of every result.
    tally
        Counts them.
    jobs, threads
        Worker processes, fewer where memory allows no more; CPU threads for all of them together, 0: all
        this process may use.
    entry
        What a worker process runs.
    cluster
        Takes the place of this machine's workers; ``jobs`` then mean nothing, ``threads`` are each machine's.

    Raises
    ------
    ClusterError, ModelError, OutputError
        See `rawfix.batch.far.FarWorkers.run`.
    KeyboardInterrupt
        The user stopped it; what was finished is complete and known, the same command goes on.
    """
    telling = _Telling(listener, tally)
    claimed: dict[str, int] = {}
    folders = {job.target.parent for job, _ in run.steps}
    options = run.options
    folders |= {folder for folder in (options.save_stages, options.bad_map, options.previews) if folder}
    remove_stale(folders)

    def claim(number: int, target: Path) -> bool:
        return claimed.setdefault(target_key(target), number) == number

    def tasks() -> Iterator[Task]:
        for number, (job, action) in enumerate(run.steps):
            if action is None:
                yield Task(number, job, None)
                continue
            target = fill(job, camera="", iso=0)
            if action.kind == "refuse":
                telling.result(Result(job.source, target, "failed", error=action.reason))
            elif action.kind in ("skip", "unchanged"):
                telling.result(settled(job.source, target, action))
            else:
                yield Task(number, job, action)

    size, left = shared(options.max_memory, jobs) if options.max_memory else (jobs, 0)
    brief = Brief(run.recipe, options, threads or available_threads(), left)
    workers: Pool | FarWorkers
    if cluster is None:
        workers = Pool(brief, size, claim, Budget(left), telling, entry)
    else:
        far = replace(brief, threads=threads)
        workers = FarWorkers(cluster, far, claim, telling, run.steps[0][0].target.parent)
    try:
        workers.run(tasks())
    finally:
        remove_stale(folders)
    if not tally.stopped:
        for folder in {job.target.parent for job, _ in run.steps}:
            with suppress(OutputError):  # costs no picture: the next run with --overwrite goes on instead
                append_end(folder, options.run)


class _Telling:
    """Counts what the listener hears; one that has failed hears no more, while what is begun is finished."""

    def __init__(self, listener: Listener, tally: Tally) -> None:
        self._listener = listener
        self._tally = tally
        self._failed = False

    def result(self, result: Result) -> None:
        self._tally.counts[result.status] += 1
        self._tally.stopped = self._tally.stopped or result.stops
        self._tell(self._listener.result, result)

    def tile(self, source: Path, done: int, total: int) -> None:
        self._tell(self._listener.tile, source, done, total)

    def _tell(self, tell: Callable[..., None], *what: Any) -> None:
        if self._failed:
            return
        try:
            tell(*what)
        except Exception:
            self._failed = True
            raise
