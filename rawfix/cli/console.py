"""Where things are printed: results on stdout, progress and refusals on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_BYTES = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}
"""How Python holds the bytes of a file name that are no UTF-8, and how they are spelled out."""
_JSON_BYTES = {code: f"\\{text}" for code, text in _BYTES.items()}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text in one line, with control characters spelled out: no name in it drives the terminal."""
    text = text.translate(_BYTES)
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class _Console(Console):
    """Prints text as `plain` has it; tables keep their shape."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Print, see `Console.print`."""
        super().print(*(plain(one) if isinstance(one, str) else one for one in objects), **how)


out = _Console(highlight=False, emoji=False, markup=False)
err = _Console(stderr=True, highlight=False, emoji=False, markup=False)


def refuse(error: BaseException | str) -> None:
    """One line on stderr."""
    err.print(f"rawfix: {str(error).strip()}", soft_wrap=True)


def print_json(value: Any) -> None:
    """One line of JSON on stdout; bytes of a name that are no UTF-8 are spelled out."""
    text = json.dumps(value, ensure_ascii=False).translate(_JSON_BYTES)
    sys.stdout.write(json.dumps(json.loads(text)) + "\n")
    sys.stdout.flush()


class FileProgress:
    """A bar for the files and one for the tiles of the file at hand; silent off a terminal."""

    def __init__(self, bar: Progress, files: int) -> None:
        self.bar = bar
        self.files: TaskID | None = bar.add_task("files", total=files) if files > 1 else None
        self.tiles = bar.add_task("", total=1, visible=False)

    def tile(self, name: str, done: int, total: int) -> None:
        """A tile more of a file."""
        self.bar.update(self.tiles, description=plain(name), completed=done, total=total, visible=True)

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
