"""File names that are no UTF-8, as old archives leave them; libraries written in C++ do not take them."""

from __future__ import annotations

import os
from pathlib import Path


def is_utf8(path: Path) -> bool:
    """Whether a path may be given to any library."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def legible(name: str) -> str:
    """The name as metadata may tell it: what is no UTF-8 in it is a replacement character."""
    return os.fsencode(name).decode("utf-8", "replace")
