"""The picture formats by name: a closed table, one signature."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from rawfix.color.transfer import Display
from rawfix.io.jpeg import write_jpeg
from rawfix.io.png import write_png
from rawfix.io.provenance import Origin
from rawfix.io.tiff import write_tiff


class Writer(Protocol):
    """Writes a rendered picture to ``path``; returns sentences about what could not be carried."""

    def __call__(
        self,
        path: Path,
        display: Display,
        *,
        icc: bytes | None,
        overwrite: bool,
        metadata_from: Origin | None = None,
    ) -> tuple[str, ...]: ...


WRITERS: dict[str, Writer] = {"tiff": write_tiff, "png": write_png, "jpeg": write_jpeg}

SUFFIXES: dict[str, str] = {"tiff": ".tif", "png": ".png", "jpeg": ".jpg"}
"""What a file of the format is called."""
