"""The journal: what was written into a folder, from what, and how.

One append-only file of JSON lines beside the outputs. A line about an output is on the disk *before* the
output takes its name: so whatever moment a run is killed at, every file with its final name is known, and a
file that is known but absent, or not as its line says, is simply made again. Lines that cannot be read (the
last one of a run that was killed, say) are passed over.

    {"journal": 1, "event": "output", "run": …, "path": …, "state": {…}, "source": …, "source_state": {…}, …}
    {"journal": 1, "event": "side", "run": …, "path": …, "state": {…}, "source": …, "source_state": {…}, …}
    {"journal": 1, "event": "end", "run": …}

Paths inside the folder are relative to it, so that it may be moved.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rawfix.batch.identity import FileState
from rawfix.io.atomic import write_failure

NAME = ".rawfix-journal.ndjson"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One output, as it was written.

    Attributes
    ----------
    path, state
        The output.
    run
        Which run wrote it.
    source, source_state
        What it was made of.
    carried
        Digest of what its metadata was made of beyond the source: sidecars, and what was left out.
    settings
        Digest of the settings; "" for side outputs (maps, stages).
    models
        Id → sha256 of the networks that ran.
    sides
        Side outputs made along with it.
    camera, iso
        Of the frame: they decide which rules of a preset apply.
    """

    path: Path
    state: FileState
    run: str
    source: Path | None = None
    source_state: FileState | None = None
    carried: str = ""
    settings: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    sides: tuple[Path, ...] = ()
    camera: str = ""
    iso: float | None = None


class Journal:
    """What the journal of one folder says; nothing where it is not read.

    Attributes
    ----------
    outputs
        By absolute path, every entry in the order written.
    ended
        Runs that came to their end.
    """

    def __init__(self, folder: Path, read: bool = True) -> None:
        self.folder = folder.absolute()
        self.outputs: dict[Path, list[Entry]] = {}
        self.ended: set[str] = set()
        for record in _records(self.folder / NAME) if read else ():
            try:
                if record["event"] == "end":
                    self.ended.add(str(record["run"]))
                else:
                    entry = _entry(self.folder, record)
                    self.outputs.setdefault(entry.path, []).append(entry)
            except (KeyError, TypeError, ValueError):
                continue

    def knows(self, path: Path) -> bool:
        """Whether anything was ever written there."""
        return path.absolute() in self.outputs

    def find(self, path: Path) -> Entry | None:
        """The entry that describes the file as it is now; None where it is somebody else's, or altered."""
        for entry in reversed(self.outputs.get(path.absolute(), [])):
            if entry.state.matches(path):
                return entry
        return None

    def made_from(self, path: Path, source: Path, state: FileState | None) -> bool:
        """Whether the file as it is now was made of this source, even if that had another name or content then."""
        entry = self.find(path)
        if entry is None or entry.source == source.absolute():
            return entry is not None
        before = entry.source_state
        return before is not None and state is not None and before.sha256 == state.sha256

    def runs(self) -> set[str]:
        """All runs that wrote here."""
        return {entry.run for entries in self.outputs.values() for entry in entries}


def append_entry(folder: Path, entry: Entry) -> None:
    """Write an entry down, durably; raises `OutputError`."""
    folder = folder.absolute()
    values = asdict(entry)
    values["path"] = _relative(entry.path, folder)
    values["sides"] = [_relative(side, folder) for side in entry.sides]
    values["source"] = None if entry.source is None else str(entry.source.absolute())
    _append(folder / NAME, {"event": "output" if entry.settings else "side", **values})


def append_end(folder: Path, run: str) -> None:
    """Write down that a run came to its end; nothing where it wrote nothing there. Raises `OutputError`."""
    if (folder / NAME).exists():
        _append(folder / NAME, {"event": "end", "run": run})


def _append(path: Path, record: Mapping[str, Any]) -> None:
    line = json.dumps({"journal": VERSION, **record}) + "\n"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            size = os.fstat(descriptor).st_size
            if size:
                os.lseek(descriptor, size - 1, os.SEEK_SET)
                line = line if os.read(descriptor, 1) == b"\n" else "\n" + line
            data = line.encode("ascii")
            if os.write(descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise write_failure(path, error) from error


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """The readable lines of a journal."""
    try:
        with path.open("rb") as file:
            for line in file:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict) and record.get("journal") == VERSION:
                    yield record
    except OSError:
        return


def _entry(folder: Path, record: dict[str, Any]) -> Entry:
    source, source_state = record["source"], record["source_state"]
    return Entry(
        path=folder / record["path"],
        state=FileState(**record["state"]),
        run=record["run"],
        source=None if source is None else Path(source),
        source_state=None if source_state is None else FileState(**source_state),
        carried=record["carried"],
        settings=record["settings"],
        models=dict(record["models"]),
        sides=tuple(folder / side for side in record["sides"]),
        camera=record["camera"],
        iso=record["iso"],
    )


def _relative(path: Path, folder: Path) -> str:
    path = path.absolute()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
