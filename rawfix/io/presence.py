"""Whether something is there: ``Path.exists`` says no, or raises, where it cannot be told, as the Python may be."""

from __future__ import annotations

from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether a path leads to anything; raises `OSError` where that cannot be told: no access, a name too long."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
