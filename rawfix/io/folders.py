"""Where rawfix keeps what it learns on this machine; the only module that knows platformdirs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The user's folder for what cannot be made again.

    ``RAWFIX_DATA_DIR``, or the platform's own (``~/.local/share/rawfix`` on Linux). Nothing is created.
    """
    return _given("RAWFIX_DATA_DIR") or platformdirs.user_data_path("rawfix", appauthor=False)


def cache_folder() -> Path:
    """The user's folder for what can be made again, and may be deleted at any time.

    ``RAWFIX_CACHE_DIR``, or the platform's own (``~/.cache/rawfix`` on Linux). Nothing is created.
    """
    return _given("RAWFIX_CACHE_DIR") or platformdirs.user_cache_path("rawfix", appauthor=False)


def _given(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(text).expanduser() if text else None
