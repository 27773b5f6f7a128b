"""A process that develops files: one thread reads ahead, the main one computes, one writes behind.

A decoder that crashes, or a system that kills for want of memory, costs this process and not the run. Tasks
come in and messages go out through one pipe; when the pipe breaks, the parent is dead, and so is the worker.
Imports of what computes are inside, so that the parent may name the function without loading it.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rawfix.batch.patience import limited_reading
from rawfix.errors import DiskFullError, InferenceError, ModelError, RawfixError
from rawfix.nn.threads import share_threads

if TYPE_CHECKING:
    from rawfix.batch.decide import Action
    from rawfix.batch.options import Options
    from rawfix.batch.plan import Job
    from rawfix.batch.recipe import Recipe
    from rawfix.batch.result import Result
    from rawfix.batch.work import Work


@dataclass(frozen=True, slots=True)
class Task:
    """One job, its number in the run, and what was decided about it; None: decide again."""

    number: int
    job: Job
    action: Action | None


@dataclass(frozen=True, slots=True)
class Brief:
    """What a worker needs to know of its run.

    Attributes
    ----------
    threads
        Its share of the CPUs.
    memory
        Bytes for the files that all workers have in hand; 0: any number.
    """

    recipe: Recipe
    options: Options
    threads: int
    memory: int = 0


class Stopped(BaseException):
    """The run ends: what is being computed is abandoned."""


class _Line:
    """The worker's end of the pipe. Messages are tuples: a word, a task's number, and more."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self.stopping = threading.Event()
        self._answers: dict[int, queue.SimpleQueue[Any]] = {}
        self._sending = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                word, *rest = self.connection.recv()
            except (EOFError, OSError):
                os._exit(1)
            if word == "task":
                self.tasks.put(rest[0])
            elif word == "answer":
                self._answers.setdefault(rest[0], queue.SimpleQueue()).put(rest[1])
            else:
                if word == "stop":
                    self.stopping.set()
                self.tasks.put(None)

    def send(self, word: str, number: int, *more: Any) -> None:
        with self._sending:
            try:
                self.connection.send((word, number, *more))
            except OSError:
                os._exit(1)

    def ask(self, word: str, number: int, question: Any) -> Any:
        """Send a question about a task and wait for its answer."""
        answers = self._answers.setdefault(number, queue.SimpleQueue())
        self.send(word, number, question)
        return answers.get()


class Steps(Protocol):
    """How one file is developed; `rawfix.batch.run` says what each step does and raises."""

    def read(
        self, job: Job, action: Action | None, recipe: Recipe, options: Options, claim: Callable[[Path], bool]
    ) -> Work | Result: ...

    def compute(self, work: Work, progress: Callable[[int, int], None] | None) -> None: ...

    def write(self, work: Work) -> Result: ...


def here(stopping: Callable[[], bool]) -> Steps:
    """The steps of a worker that develops by itself."""
    from rawfix.batch import run

    return run


def main(connection: Connection, load: Callable[[Callable[[], bool]], Steps] = here) -> None:
    """Run a worker until it is told to end.

    ``load`` makes its steps, told how to ask whether the run is being stopped: a step that waits may raise `Stopped`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Decoders are listened to on file descriptor 2; what Python says must not be taken for theirs.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="replace")
    brief: Brief = connection.recv()
    os.environ["OMP_NUM_THREADS"] = str(brief.threads)
    share_threads(brief.threads)
    line = _Line(connection)
    steps = load(line.stopping.is_set)
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        readings: queue.SimpleQueue[tuple[Task, Future[Work | Result]] | None] = queue.SimpleQueue()
        feeder = threading.Thread(target=_feed, args=(line, steps, readings, reader, brief), daemon=True)
        feeder.start()
        writing: Future[None] | None = None
        while (reading := readings.get()) is not None and not line.stopping.is_set():
            task, future = reading
            try:
                with _blamed(line, task):
                    outcome = _compute(line, steps, task, future)
            except Stopped:
                break
            if writing is not None:
                writing.result()
            writing = writer.submit(_finish, line, steps, task, outcome)
        if writing is not None:
            writing.result()
    line.send("bye", 0)


def _feed(
    line: _Line, steps: Steps, readings: queue.SimpleQueue[Any], reader: ThreadPoolExecutor, brief: Brief
) -> None:
    """Turn tasks into readings, in order."""
    try:
        while (task := line.tasks.get()) is not None:
            readings.put((task, reader.submit(_read, line, steps, task, brief)))
    finally:
        readings.put(None)


def _read(line: _Line, steps: Steps, task: Task, brief: Brief) -> Work | Result:
    from rawfix.batch.work import Work

    def claim(target: Path) -> bool:
        return bool(line.ask("claim", task.number, target))

    with _blamed(line, task):
        try:
            tile = _await_memory(line, task, brief) if brief.memory else None
            with limited_reading(lambda: line.send("blame", task.number)):
                work = steps.read(task.job, task.action, brief.recipe, brief.options, claim)
        except (RawfixError, MemoryError) as error:
            return failure(task.job.source, error)
    if tile is not None and isinstance(work, Work):
        work.settings = replace(work.settings, tile=tile)
    return work


def _await_memory(line: _Line, task: Task, brief: Brief) -> int:
    """Wait until the file fits beside the others in hand; returns the tile with which it does."""
    from rawfix.batch.memory import TileCost, fit_tile
    from rawfix.io.read import count_pixels
    from rawfix.nn.manifest import might_run

    settings = brief.recipe.settings
    costs = [
        TileCost(
            model.manifest.tile,
            model.manifest.halo,
            model.manifest.gflop_per_mp * model.manifest.scale**2 / model.manifest.views,
        )
        for model in might_run(settings.quality)
        if model.manifest.scale in (1, settings.upscale)
    ]
    pixels = count_pixels(task.job.source) * settings.upscale**2
    tile, size = fit_tile(task.job.source.name, pixels, settings.tile, costs, brief.memory)
    if not line.ask("memory", task.number, size):
        raise Stopped
    return tile


def _compute(line: _Line, steps: Steps, task: Task, future: Future[Work | Result]) -> Work | Result:
    from rawfix.batch.work import Work

    def tile(done: int, total: int) -> None:
        if line.stopping.is_set():
            raise Stopped
        line.send("tile", task.number, done, total)

    work = future.result()
    line.send("computing", task.number)
    if isinstance(work, Work):
        try:
            steps.compute(work, tile)
        except (RawfixError, MemoryError) as error:
            return failure(task.job.source, error)
    return work


def _finish(line: _Line, steps: Steps, task: Task, outcome: Work | Result) -> None:
    from rawfix.batch.work import Work

    with _blamed(line, task):
        if isinstance(outcome, Work):
            try:
                outcome = steps.write(outcome)
            except (RawfixError, MemoryError) as error:
                outcome = failure(task.job.source, error)
        line.send("result", task.number, outcome)


@contextmanager
def _blamed(line: _Line, task: Task) -> Iterator[None]:
    """Tell the parent whose file it was that met a bug, which then takes its course."""
    try:
        yield
    except Stopped:
        raise
    except BaseException:
        line.send("blame", task.number)
        raise


def failure(source: Path, error: RawfixError | MemoryError) -> Result:
    """The result of a file that was refused."""
    from rawfix.batch.result import Result

    if isinstance(error, MemoryError):
        text = f"{source.name}: not enough memory; use fewer --jobs, --max-memory or a smaller --tile"
        return Result(source, None, "failed", error=text)
    named = source.name in str(error) or isinstance(error, DiskFullError)
    text = str(error) if named else f"{source.name}: {error}"
    broken = isinstance(error, ModelError) and not isinstance(error, InferenceError)
    stops = "disk" if isinstance(error, DiskFullError) else "model" if broken else ""
    return Result(source, None, "failed", error=text, stops=stops)  # type: ignore[arg-type]
