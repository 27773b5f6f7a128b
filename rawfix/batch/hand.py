"""A process that develops one file after the other for another process, on a machine of a cluster.

It is the worker of a local run, `rawfix.batch.worker.main`: it keeps its networks open, its decoders are listened to
undisturbed, and what kills it kills nothing else. It is started as a program of its own because the process that
needs it may be one that ``multiprocessing`` gives no children; and it ends with that process.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from rawfix.batch.options import Options
from rawfix.batch.parcel import Luggage, Order
from rawfix.batch.result import Result
from rawfix.batch.worker import Brief, Task, main
from rawfix.io.stale import remove_stale, temporary_name
from rawfix.nn.threads import available_threads


class HandLost(Exception):
    """The process ended while it held a file.

    Attributes
    ----------
    code
        Its exit code.
    bug
        Whether it had told of a bug before.
    """

    def __init__(self, code: int, bug: bool) -> None:
        super().__init__(code, bug)
        self.code = code
        self.bug = bug


class Hand:
    """The process, and the folders it works in.

    Parameters
    ----------
    luggage
        Of the run it is for.
    sharing
        How many such processes share the machine.

    Attributes
    ----------
    key
        Of the luggage.
    work
        Where the next file's outputs are made: ``out``, ``stages``, ``bad`` and ``report`` within it.
    """

    def __init__(self, luggage: Luggage, sharing: int) -> None:
        self.key = luggage.key
        remove_stale([Path(gettempdir())])
        self._own = temporary_name(Path(gettempdir(), "rawfix"))
        self._own.mkdir(mode=0o700)
        self.work = self._own / "work"
        if luggage.staging is not None:
            self.work = temporary_name(luggage.staging / "work")
        for name, data in luggage.known.items():
            _put(self._own / "data" / name, data)
        lists = {}
        for number, (name, data) in enumerate(luggage.lists.items()):
            lists[name] = self._own / "lists" / str(number) / Path(name).name
            _put(lists[name], data)
        self._copies: dict[Path, str] = {path: name for name, path in lists.items()}
        self._inputs = 0
        threads = max(1, (luggage.threads or available_threads()) // sharing)
        options = _within(replace(luggage.options, lists=lists, max_memory=0), self.work)
        self._start(Brief(luggage.recipe, options, threads))

    def _start(self, brief: Brief) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rawfix.batch.hand", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env={**os.environ, "RAWFIX_DATA_DIR": str(self._own / "data")},
            )  # fmt: skip
        self._line: Connection[Any, Any] = Connection(ours.detach())
        self._line.send(brief)

    def develop(self, order: Order) -> Result:
        """Develop a file into `work`; paths in the result are those of this machine. Raises `HandLost`."""
        job = order.job
        source = job.source
        self.work.mkdir()
        for folder in ("out", "stages", "bad", "report"):
            (self.work / folder).mkdir()
        if order.shipped is not None:
            self._inputs += 1  # a folder's listing is remembered, so each file gets one of its own
            source = self._own / f"in{self._inputs}" / source.name
            _receive(source.parent, order.shipped)
            os.utime(source, ns=(order.mtime_ns, order.mtime_ns))
        own = replace(job, source=source, target=self.work / "out" / job.target.name, known_as=job.source)
        try:
            return self._named_as_asked(
                self._converse(Task(order.number, own, None)), {source: str(job.source)}
            )
        except (EOFError, OSError):
            raise HandLost(self._process.wait(), self._blamed) from None
        finally:
            if order.shipped is not None:
                shutil.rmtree(source.parent, ignore_errors=True)

    def _converse(self, task: Task) -> Result:
        """Hand the task over, and grant what the process asks for, until there is a result."""
        self._blamed = False
        self._line.send(("task", task))
        while True:
            word, number, *more = self._line.recv()
            if word == "claim":  # names are given out where the outputs get theirs
                self._line.send(("answer", number, True))
            elif word == "blame":
                self._blamed = True
            elif word == "result":
                result: Result = more[0]
                return result

    def _named_as_asked(self, result: Result, copies: Mapping[Path, str]) -> Result:
        """The result, its words speaking of files as the user named them."""
        if result.error is None:
            return result
        error = result.error
        for path, name in {**self._copies, **copies}.items():
            error = error.replace(str(path), name)
        return replace(result, error=error)

    def end(self) -> None:
        """End the process, whatever it does, and delete its folders."""
        self._process.kill()
        self._process.wait()
        self._line.close()
        for folder in (self._own, self.work):
            shutil.rmtree(folder, ignore_errors=True)


def _within(options: Options, work: Path) -> Options:
    """The options, their folders in the work folder."""
    bad_map = options.bad_map
    return replace(
        options,
        save_stages=options.save_stages and work / "stages",
        bad_map=bad_map and work / "bad" / (bad_map.name if bad_map.suffix.lower() == ".png" else ""),
        previews=options.previews and work / "report",
    )


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _receive(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        _put(folder / Path(name).name, data)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
