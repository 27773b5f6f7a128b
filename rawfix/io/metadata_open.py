"""Opening a file to read its metadata, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import exiv2

from rawfix.io.utf8 import is_utf8


def open_metadata(path: Path) -> Any:
    """The file as exiv2 sees it, its metadata read; raises `exiv2.Exiv2Error`."""
    image = exiv2.ImageFactory.open(str(path) if is_utf8(path) else path.read_bytes())
    image.readMetadata()
    return image
