"""What a run says while it goes on: results on stdout, refusals and notes on stderr."""

from __future__ import annotations

from pathlib import Path

from rawfix.batch.events import file_event
from rawfix.batch.result import Result
from rawfix.cli.console import FileProgress, err, out, print_json, refuse
from rawfix.physics.bad_kinds import describe_kinds


class Telling:
    """A listener that prints; with ``as_json``, an event a file; with ``keep``, it remembers the results."""

    def __init__(self, progress: FileProgress, as_json: bool, keep: bool = False) -> None:
        self._progress = progress
        self._as_json = as_json
        self.written: list[Path] = []
        """Targets that are there as asked for, by this run or an earlier one."""
        self._keep = keep
        self.kept: list[Result] = []

    def tile(self, source: Path, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.tile(source.name, done, total)

    def result(self, result: Result) -> None:
        """Print what became of a file."""
        if self._keep:
            self.kept.append(result)
        if result.error is not None:
            refuse(result.error)
        if result.target is not None and result.status in ("done", "unchanged"):
            self.written.append(result.target)
        if self._as_json:
            print_json(file_event(result))
        else:
            _print(result)
        self._progress.finish()


def _print(result: Result) -> None:
    for note in result.notes:
        err.print(f"rawfix: {result.source.name}: note: {note}", soft_wrap=True)
    defects = "" if result.bad_pixels is None else f", {result.bad_pixels} bad pixels repaired"
    if kinds := describe_kinds(result.bad_kinds or {}):
        defects += f": {kinds}"
    how = {
        "done": f"{result.seconds:.1f} s{defects}",
        "unchanged": "up to date",
        "skipped": "exists, skipped",
    }
    if result.status in how:
        out.print(f"{result.source} → {result.target} ({how[result.status]})", soft_wrap=True)
