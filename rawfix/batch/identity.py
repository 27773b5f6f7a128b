"""What a file, and what a request, is recognised by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rawfix.settings import Settings

_WITHOUT_EFFECT = ("tile", "threads")
"""Settings that change how long a picture takes, not how it looks."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file held: size in bytes, time of its last change in nanoseconds, and digest."""

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of a file as it is; raises `OSError`."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, digest)

    def matches(self, path: Path) -> bool:
        """Whether the file still holds this; it is read only where its time differs and its size does not."""
        try:
            stat = path.stat()
            if stat.st_size != self.size:
                return False
            return stat.st_mtime_ns == self.mtime_ns or FileState.of(path).sha256 == self.sha256
        except OSError:
            return False


def digest(value: Any) -> str:
    """SHA-256 of plain values, whatever their order in dictionaries."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def settings_digest(settings: Settings) -> str:
    """The digest of all settings that have an effect on the picture."""
    return digest({k: v for k, v in settings.to_dict().items() if k not in _WITHOUT_EFFECT})
