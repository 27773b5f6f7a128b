"""A rendered picture into its file, with the profile it needs."""

from __future__ import annotations

from pathlib import Path

from rawfix.color.spaces import space_named
from rawfix.finish import Developed
from rawfix.io.icc import profile
from rawfix.io.provenance import Origin
from rawfix.io.writers import writer_for
from rawfix.settings import Settings


def write_picture(
    path: Path, developed: Developed, settings: Settings, origin: Origin, *, overwrite: bool
) -> tuple[str, ...]:
    """Write a picture, whole or not at all; returns notes, raises `OutputError`."""
    unknown = settings.space == "camera" or settings.ocio
    icc = None if unknown else profile(space_named(settings.space), settings.linear)
    write = writer_for(settings)
    return write(path, developed.display, icc=icc, overwrite=overwrite, metadata_from=origin)
