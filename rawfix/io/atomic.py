"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rawfix.errors import OutputError


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
    OutputError
        ``path`` exists and ``overwrite`` is false, is a folder, its folder is missing or not writable, or
        the disk refuses (any `OSError` of the body or of the rename).
    """
    check_target(path, overwrite)
    temporary = path.with_name(f".{path.stem[:100]}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        if overwrite:
            temporary.replace(path)
        else:
            _rename_onto_nothing(temporary, path)
        if os.name == "posix":
            _sync(path.parent, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"{path.name}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_target(path: Path, overwrite: bool) -> None:
    """Raise `OutputError` where ``path`` cannot be written, or must not be."""
    if path.is_dir():
        raise OutputError(f"{path.name}: is a folder; name a file to write")
    if path.exists() and not overwrite:
        raise OutputError(f"{path.name}: exists already; use --overwrite to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path.name}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path.name}: the folder {path.parent} is not writable; choose another")


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
