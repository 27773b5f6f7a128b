"""The parent of the workers: hands out tasks, collects results, and survives what kills a worker."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Protocol

from rawfix.batch import worker
from rawfix.batch.memory import Budget
from rawfix.batch.result import Result, cause_of_death
from rawfix.batch.worker import Brief, Task

_PATIENCE_SECONDS = 60.0
Entry = Callable[[Connection], None]


class Listener(Protocol):
    """Is told what happens; all calls come from the parent's one thread."""

    def result(self, result: Result) -> None:
        """A file is finished, well or not."""

    def tile(self, source: Path, done: int, total: int) -> None:
        """A tile more of a file."""


@dataclass(eq=False)
class _Slot:
    """One worker and what it was given: in order, tasks not yet computed, and all not yet answered for."""

    process: SpawnProcess
    line: Connection
    waiting: deque[Task] = field(default_factory=deque)
    held: dict[int, Task] = field(default_factory=dict)
    alone: bool = False
    ended: bool = False
    blamed: int | None = None


class Pool:
    """Workers for one run.

    Parameters
    ----------
    brief
        What the workers need to know; ``threads`` is for all of them together.
    size
        How many workers.
    claim
        Whether a target is free for the task of that number; takes it.
    budget
        Memory they share.
    listener
        Hears of results and tiles.
    entry
        What a worker process runs with its end of the pipe.
    """

    def __init__(
        self,
        brief: Brief,
        size: int,
        claim: Callable[[int, Path], bool],
        budget: Budget,
        listener: Listener,
        entry: Entry = worker.main,
    ) -> None:
        self._brief = replace(brief, threads=max(1, brief.threads // size))
        self._size = size
        self._claim = claim
        self._budget = budget
        self._listener = listener
        self._entry = entry
        self._slots: list[_Slot] = []
        self._suspects: deque[Task] = deque()
        self._again: deque[Task] = deque()
        self._stopping = False

    def run(self, tasks: Iterable[Task]) -> None:
        """Work off all tasks, or as many as make sense; every one begun is answered for by a result."""
        todo = iter(tasks)
        try:
            self._feed(todo)
            while self._slots:
                self._turn(todo)
        except BaseException:
            self._stop()
            raise
        finally:
            for slot in self._slots:
                self._kill(slot)

    def _turn(self, todo: Any) -> None:
        """Take every message there is, then hand out more."""
        ready = wait([s.line for s in self._slots] + [s.process.sentinel for s in self._slots])
        for slot in list(self._slots):
            if slot.line in ready or slot.process.sentinel in ready:
                self._receive(slot)
        for number in self._budget.grants():
            for slot in self._slots:
                if number in slot.held:
                    self._send(slot, "answer", number, True)
        self._feed(todo)

    def _feed(self, todo: Any) -> None:
        """Keep one task waiting at every worker; a suspect is alone in its worker."""
        for slot in self._slots:
            if slot.ended or slot.alone or slot.waiting:
                continue
            if self._suspects and not slot.held:
                slot.alone = True
                self._give(slot, self._suspects.popleft())
            elif not self._suspects and (task := self._next(todo)) is not None:
                self._give(slot, task)
            elif not slot.held:
                slot.ended = True
                self._send(slot, "end")
        while len(self._slots) < self._size and not self._stopping:
            task = self._suspects.popleft() if (alone := bool(self._suspects)) else self._next(todo)
            if task is None:
                break
            slot = self._start()
            slot.alone = alone
            self._give(slot, task)

    def _next(self, todo: Any) -> Task | None:
        if self._stopping:
            return None
        return self._again.popleft() if self._again else next(todo, None)

    def _start(self) -> _Slot:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=self._entry, args=(theirs,), daemon=True, name="rawfix worker")
        process.start()
        theirs.close()
        slot = _Slot(process, ours)
        self._slots.append(slot)
        with suppress(OSError):  # its end is noticed where its messages are received
            ours.send(self._brief)
        return slot

    def _give(self, slot: _Slot, task: Task) -> None:
        slot.waiting.append(task)
        slot.held[task.number] = task
        self._send(slot, "task", task)

    def _send(self, slot: _Slot, *message: Any) -> None:
        with suppress(OSError):
            slot.line.send(message)

    def _receive(self, slot: _Slot) -> None:
        while True:
            try:
                if not slot.line.poll():
                    return
                message = slot.line.recv()
            except (EOFError, OSError):
                self._bury(slot)
                return
            self._hear(slot, *message)

    def _hear(self, slot: _Slot, word: str, number: int, *more: Any) -> None:
        task = slot.held.get(number)
        if word == "tile" and task is not None:
            self._listener.tile(task.job.source, *more)
        elif word == "claim":
            self._send(slot, "answer", number, self._claim(number, more[0]))
        elif word == "memory":
            self._budget.ask(number, more[0])
        elif word == "computing" and slot.waiting:
            slot.waiting.popleft()
        elif word == "blame":
            slot.blamed = number
        elif word == "result" and task is not None:
            self._settle(slot, task, more[0])

    def _settle(self, slot: _Slot, task: Task, result: Result) -> None:
        del slot.held[task.number]
        if task in slot.waiting:
            slot.waiting.remove(task)
        slot.alone = False
        self._budget.release(task.number)
        if result.stops and not self._stopping:
            self._listener.result(result)
            self._begin_stop()
        elif not (result.stops and self._stopping):
            self._listener.result(result)

    def _bury(self, slot: _Slot) -> None:
        """A worker has ended: what it held is blamed on one file where it is clear which, or tried alone."""
        slot.process.join(_PATIENCE_SECONDS)
        slot.line.close()
        self._slots.remove(slot)
        held = list(slot.held.values())
        for task in held:
            self._budget.release(task.number)
        if self._stopping:
            return
        if slot.blamed is not None:
            culprits = [task for task in held if task.number == slot.blamed]
        else:
            culprits = held if len(held) == 1 else []
        for task in culprits:
            reason = cause_of_death(task.job.source.name, slot.process.exitcode, bug=slot.blamed is not None)
            self._listener.result(Result(task.job.source, None, "failed", error=reason))
        rest = [replace(task, action=None) for task in held if task not in culprits]
        (self._again if culprits else self._suspects).extend(rest)

    def _begin_stop(self) -> None:
        self._stopping = True
        for slot in self._slots:
            self._send(slot, "stop")
            for number in slot.held:
                self._send(slot, "answer", number, False)

    def _stop(self) -> None:
        """Have every worker finish what it writes, and take the results."""
        if not self._stopping:
            self._begin_stop()
        while self._slots:
            lines = [slot.line for slot in self._slots]
            if not (ready := wait(lines, timeout=_PATIENCE_SECONDS)):
                return
            for slot in list(self._slots):
                if slot.line in ready:
                    self._receive(slot)

    def _kill(self, slot: _Slot) -> None:
        slot.process.kill()
        slot.process.join()
        slot.line.close()
