"""The picture formats by name: a closed table, one signature."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Protocol

from rawfix.color.spaces import space_named
from rawfix.color.transfer import Display
from rawfix.io.exr import write_exr
from rawfix.io.jpeg import write_jpeg
from rawfix.io.png import write_png
from rawfix.io.provenance import Origin
from rawfix.io.tiff import write_tiff
from rawfix.settings import LOSSY, Settings


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


WRITERS: dict[str, Writer] = {"tiff": write_tiff, "png": write_png, "jpeg": write_jpeg, "exr": write_exr}

SUFFIXES: dict[str, str] = {
    "tiff": ".tif", "png": ".png", "jpeg": ".jpg", "exr": ".exr", "dng": ".dng", "dng-cfa": ".dng",
}  # fmt: skip
"""What a file of the format is called. Negatives are written by `rawfix.io.dng_negative`."""


def writer_for(settings: Settings) -> Writer:
    """The format's writer, told what else the settings say about the file."""
    if settings.format == "exr":
        aces = settings.exr == "aces2065-1"
        return partial(
            write_exr,
            space=None if settings.space == "camera" else space_named(settings.space),
            half=settings.bits == 16,
            compression=settings.exr_compression or ("none" if aces else "zip"),
            aces_container=aces,
        )
    if settings.format == "jpeg":
        return partial(write_jpeg, quality=settings.picture_quality or LOSSY["jpeg"])
    return WRITERS[settings.format]
