"""Where things are printed: results on stdout, progress and refusals on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

out = Console(highlight=False, emoji=False, markup=False)
err = Console(stderr=True, highlight=False, emoji=False, markup=False)


def refuse(error: BaseException | str) -> None:
    """One line on stderr."""
    text = " ".join(str(error).split())
    err.print(f"rawfix: {text}", soft_wrap=True)


def print_json(value: Any) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


class FileProgress:
    """A bar for the files and one for the tiles of the file at hand; silent off a terminal."""

    def __init__(self, bar: Progress, files: int) -> None:
        self.bar = bar
        self.files: TaskID | None = bar.add_task("files", total=files) if files > 1 else None
        self.tiles = bar.add_task("", total=1, visible=False)

    def tile(self, name: str, done: int, total: int) -> None:
        """A tile more of a file."""
        self.bar.update(self.tiles, description=name, completed=done, total=total, visible=True)

    def finish(self) -> None:
        """The file is done, well or not."""
        if self.files is not None:
            self.bar.advance(self.files)


@contextmanager
def file_progress(files: int) -> Iterator[FileProgress]:
    """Show progress on stderr while the body runs."""
    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=err, transient=True, disable=not err.is_terminal, redirect_stdout=False,
    )  # fmt: skip
    with bar:
        yield FileProgress(bar, files)
