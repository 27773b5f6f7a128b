"""The picture formats by name: a closed table, one signature."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from rawfix.color.spaces import space_named
from rawfix.color.transfer import Display
from rawfix.errors import SettingsError
from rawfix.io.avif import write_avif
from rawfix.io.exr import write_exr
from rawfix.io.jpeg import write_jpeg
from rawfix.io.jxl import write_jxl
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


WRITERS: dict[str, Writer] = {
    "tiff": write_tiff,
    "png": write_png,
    "jpeg": write_jpeg,
    "exr": write_exr,
    "jxl": write_jxl,
    "avif": write_avif,
}

SUFFIXES: dict[str, str] = {
    "tiff": ".tif", "png": ".png", "jpeg": ".jpg", "exr": ".exr", "jxl": ".jxl", "avif": ".avif",
    "dng": ".dng", "dng-cfa": ".dng",
}  # fmt: skip
"""What a file of the format is called. Negatives are written by `rawfix.io.dng_negative`."""


_EXTRAS = {"jxl": "OpenImageIO", "avif": "pyvips"}
"""Formats whose library is an extra of the same name, and what it is imported as."""


def check_format(format: str) -> None:
    """Raise `SettingsError` where the library that writes a format is not installed."""
    if format in _EXTRAS and find_spec(_EXTRAS[format]) is None:
        raise SettingsError(f"--format {format} needs {_EXTRAS[format]}: pip install 'rawfix[{format}]'")


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
    quality = settings.picture_quality or LOSSY.get(settings.format, 0)
    if settings.format == "jpeg":
        return partial(write_jpeg, quality=quality)
    if settings.format == "jxl":
        return partial(write_jxl, quality=quality)
    if settings.format == "avif":
        assert settings.bits in (8, 10, 12)
        return partial(write_avif, quality=quality, bits=settings.bits)
    return WRITERS[settings.format]
