"""Reading files in a process of its own: a decoder that crashes on a damaged file costs that file, not the command."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from rawfix.batch.patience import limited_reading
from rawfix.batch.result import cause_of_death
from rawfix.errors import CorruptRawError, RawfixError

T = TypeVar("T")
_BUG = 1
"""Exit code of a Python process that ends by an exception."""


class Contained:
    """Calls functions in a child process, which is started when the first one is called, and again when it has died.

    Used as ``with Contained() as contained: frame = contained(read_frame, path)``; not by workers, which are such
    processes themselves.
    """

    def __init__(self) -> None:
        self._child: tuple[SpawnProcess, Connection] | None = None

    def __enter__(self) -> Contained:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def __call__(self, function: Callable[..., T], path: Path, **arguments: Any) -> T:
        """What ``function(path, **arguments)`` returns; function, arguments and result must be picklable.

        Raises
        ------
        RawfixError, MemoryError
            As the function does.
        CorruptRawError
            The process died, or computed for too long.
        """
        process, line = self._child = self._child or _start()
        try:
            line.send((function, path, arguments))
            word, value = line.recv()
        except (EOFError, OSError):
            process.join()
            self._end()
            text = cause_of_death(path.name, process.exitcode, bug=process.exitcode == _BUG)
            raise CorruptRawError(text) from None
        except BaseException:
            self._end()
            raise
        if word == "error":
            raise value
        result: T = value
        return result

    def _end(self) -> None:
        if self._child is not None:
            process, line = self._child
            self._child = None
            line.close()
            process.kill()
            process.join()


def _start() -> tuple[SpawnProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True, name="rawfix reader")
    process.start()
    theirs.close()
    return process, ours


def _serve(line: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Decoders are listened to on file descriptor 2; what Python says must not be taken for theirs.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="replace")
    with suppress(EOFError, OSError):
        while True:
            function, path, arguments = line.recv()
            try:
                with limited_reading():
                    answer = ("done", function(path, **arguments))
            except (RawfixError, MemoryError) as error:
                answer = ("error", error)
            line.send(answer)
