"""Temporary files and folders: their names, and removing those whose process is gone; the only user of psutil."""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_NAME = re.compile(r"^\..*\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.partial(\.\w+)?$", re.DOTALL)
_FOLDER = re.compile(r"^rawfix-([a-z]+)-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}$")
_STEM_BYTES = 100
"""Kept of a file's own name."""
_FORGOTTEN_SECONDS = 7 * 24 * 3600.0
"""After this, a temporary file of another machine is nobody's."""


def temporary_name(path: Path) -> Path:
    """A name beside ``path`` with its suffix, that tells which process of which machine made it.

    It is valid UTF-8, whatever the name of ``path``, and never longer than a file system allows.
    """
    token = f"{_HOST}-{os.getpid()}-{secrets.token_hex(4)}"
    stem = os.fsencode(path.stem)[:_STEM_BYTES].decode("utf-8", "ignore")
    return path.with_name(f".{stem}.{token}.partial{path.suffix}")


def remove_stale(folders: Iterable[Path]) -> list[Path]:
    """Delete the temporary files and folders that dead processes left in these folders.

    Only names made by `temporary_name` are touched, and of those only files whose process has ended (or whose
    number now belongs to a younger one). What another machine wrote, over a network file system say, is
    left alone for a week.

    Returns
    -------
    list of Path
        What was deleted.
    """
    removed = []
    for folder in folders:
        with suppress(OSError):
            for path in list(folder.iterdir()):
                with suppress(OSError):
                    if (match := _NAME.match(path.name)) and _is_stale(path, match[1], int(match[2])):
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
                        removed.append(path)
    return removed


def temporary_folder(parent: Path, purpose: str) -> Path:
    """Make a folder that only this user may enter and whose name tells which process of which machine made it."""
    path = parent / f"rawfix-{purpose}-{_HOST}-{os.getpid()}-{secrets.token_hex(4)}"
    path.mkdir(mode=0o700)
    return path


def remove_stale_folders(parent: Path, purpose: str) -> None:
    """Delete the folders of `temporary_folder` that dead processes of this machine left, and all that is in them."""
    with suppress(OSError):
        for path in list(parent.iterdir()):
            match = _FOLDER.match(path.name)
            if match and match[1] == purpose and match[2] == _HOST and not path.is_symlink():
                with suppress(OSError):
                    if _is_own(path) and _is_stale(path, _HOST, int(match[3])):
                        shutil.rmtree(path, ignore_errors=True)


def _is_stale(path: Path, host: str, process: int) -> bool:
    written = path.stat().st_mtime
    if host != _HOST:
        return time.time() - written > _FORGOTTEN_SECONDS
    if process == os.getpid():
        return False
    try:
        found = psutil.Process(process)
        return bool(found.status() == psutil.STATUS_ZOMBIE or found.create_time() > written + 1)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _is_own(path: Path) -> bool:
    """Whether this user made it; where users have no numbers, whose folder it is in decides."""
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()
