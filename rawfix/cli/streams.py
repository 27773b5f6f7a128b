"""Standard output and error, so that what cannot be printed ends the command in one line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, TypeVar

from rawfix.cli import exit_codes

T = TypeVar("T")


class StreamError(Exception):
    """A standard stream takes no more; no `OSError`, which others take for a file's or a worker's."""


class _Stream(io.TextIOWrapper):
    """A standard stream that says which one it is when it fails."""

    title = ""

    def write(self, text: str, /) -> int:
        return self._tried(lambda: super(_Stream, self).write(text))

    def flush(self) -> None:
        self._tried(super().flush)

    def _tried(self, do: Callable[[], T]) -> T:
        try:
            return do()
        except OSError as error:
            raise StreamError(
                f"{self.title}: cannot be written: {error.strerror or error}; read it to its end, or send it elsewhere"
            ) from None


@contextmanager
def streams() -> Iterator[None]:
    """Guard the standard streams while the body runs; the command ends where one of them fails.

    A name or an arrow that the console's encoding lacks is no failure.
    """
    sys.stdout, sys.stderr = _guarded(sys.stdout, "standard output"), _guarded(sys.stderr, "standard error")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except StreamError as error:
        with suppress(OSError, StreamError):
            sys.stderr.write(f"rawfix: {error}\n")
            sys.stderr.flush()
        _silence()
        sys.exit(exit_codes.SOME_FAILED)


def _guarded(stream: TextIO | None, title: str) -> TextIO:
    if stream is None:  # closed by who called
        return Path(os.devnull).open("w")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    encoding, buffered = stream.encoding, stream.line_buffering
    guarded = _Stream(stream.detach(), encoding, "replace", line_buffering=buffered)
    guarded.title = title
    return guarded


def _silence() -> None:
    """Let what is left in the streams go nowhere when Python closes them."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except StreamError:
            os.dup2(nowhere, stream.fileno())
