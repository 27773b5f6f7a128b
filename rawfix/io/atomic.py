"""Outputs appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from rawfix.errors import DiskFullError, OutputError
from rawfix.io.presence import is_there
from rawfix.io.stale import temporary_name
from rawfix.io.utf8 import is_utf8

Announce = Callable[[Path, Path], None]
"""``(temporary, target)``: called when a file is complete and synced, before it takes its target's name."""
_announce: ContextVar[Announce | None] = ContextVar("announce", default=None)
_finish: ContextVar[Announce | None] = ContextVar("finish", default=None)
_ROOM = 1 << 16
"""Bytes of metadata that a file is granted beyond its size."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def announcing(announce: Announce) -> Iterator[None]:
    """Announce every file that this thread writes in the body, before it appears."""
    token = _announce.set(announce)
    try:
        yield
    finally:
        _announce.reset(token)


@contextmanager
def finishing(finish: Announce) -> Iterator[None]:
    """Call ``finish(temporary, target)`` for every file that this thread writes in the body, once it is complete."""
    token = _finish.set(finish)
    try:
        yield
    finally:
        _finish.reset(token)


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on a clean exit it is fsynced and renamed onto ``path``.

    The temporary name keeps the target's suffix, because writers choose their format by it, and lies in
    the same folder, because a rename is atomic only inside one file system. When the body raises, the
    temporary file is removed and the target stays what it was.

    Parameters
    ----------
    path
        The file to write. Its folder must exist.
    overwrite
        Whether an existing ``path`` may be replaced.

    Yields
    ------
    Path
        Where the body writes. The body must create and close the file.

    Raises
    ------
    DiskFullError
        No space is left.
    OutputError
        ``path`` exists and ``overwrite`` is false, is a folder, its folder is missing or not writable, or
        the disk refuses (any other `OSError` of the body or of the rename).
    """
    check_target(path, overwrite)
    temporary = temporary_name(path)
    try:
        yield temporary
        if finish := _finish.get():
            finish(temporary, path)
        _sync(temporary, os.O_RDWR)
        if announce := _announce.get():
            announce(temporary, path)
        if overwrite:
            temporary.replace(path)
        else:
            _rename_onto_nothing(temporary, path)
        if os.name == "posix":
            _sync(path.parent, os.O_RDONLY)
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_target(path: Path, overwrite: bool) -> None:
    """Raise `OutputError` where ``path`` cannot be written, or must not be."""
    try:
        is_there(path)
    except OSError as error:
        raise write_failure(path, error) from error
    if path.is_dir():
        raise OutputError(f"{path.name}: is a folder; name a file to write")
    if path.exists() and not overwrite:
        raise OutputError(f"{path.name}: exists already; use --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path.name}: the folder {path.parent} does not exist; create it first")
    if not is_utf8(path.parent):
        raise OutputError(
            f"{path.name}: the name of its folder is not UTF-8; rename it, or choose another with -o"
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path.name}: the folder {path.parent} is not writable; choose another")


def check_space(path: Path) -> None:
    """Raise `OSError` where the disk of ``path`` has no room for a second copy of it.

    For libraries that rewrite a file and do not say why they could not.
    """
    if shutil.disk_usage(path.parent).free < path.stat().st_size + _ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def write_failure(path: Path, error: OSError) -> OutputError:
    """The refusal for what the system said while ``path`` was written."""
    if error.errno in _FULL:
        return DiskFullError(
            f"{path.name}: the disk of {path.parent} is full; free some space and run the same command again"
        )
    return OutputError(f"{path.name}: cannot be written: {error.strerror or error}")


def make_folder(folder: Path) -> None:
    """Create a folder and its parents; raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be created: {error.strerror}; choose another folder") from error


def _rename_onto_nothing(temporary: Path, path: Path) -> None:
    """Rename unless a target appeared meanwhile; file systems without hard links get a plain check."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise OutputError(f"{path.name}: exists already; use --overwrite to replace it") from None
    except OSError:
        check_target(path, overwrite=False)
        temporary.replace(path)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
