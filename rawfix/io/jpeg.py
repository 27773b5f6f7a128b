"""JPEG: 8 bits, without chroma subsampling."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image as Pillow

from rawfix import __version__
from rawfix.color.transfer import Display
from rawfix.errors import OutputError
from rawfix.io.atomic import replacing
from rawfix.io.metadata import copy_metadata
from rawfix.io.provenance import Origin
from rawfix.settings import LOSSY

QUALITY = LOSSY["jpeg"]
_LARGEST_SIDE = 65500


def write_jpeg(
    path: Path,
    display: Display,
    *,
    icc: bytes | None,
    overwrite: bool,
    metadata_from: Origin | None = None,
    quality: int = QUALITY,
) -> tuple[str, ...]:
    """Write a baseline JPEG, 4:4:4 or gray, whole or not at all.

    Parameters
    ----------
    path, icc, overwrite, metadata_from
        As for `rawfix.io.tiff.write_tiff`.
    display
        ``(H, W, 3)``, or ``(H, W)`` of gray, uint8.
    quality
        1 to 100, libjpeg's.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        The values are not 8 bit, or a side exceeds 65500 pixels; or see `rawfix.io.atomic.replacing`.
    """
    if display.dtype != "uint8":
        raise OutputError(f"{path.name}: JPEG holds 8 bits; choose 8 bits, or TIFF or PNG")
    height, width = display.shape[:2]
    if max(height, width) > _LARGEST_SIDE:
        raise OutputError(
            f"{path.name}: {width} x {height} pixels are more than JPEG holds; choose TIFF or PNG"
        )
    notes: tuple[str, ...] = ()
    with replacing(path, overwrite) as temporary:
        Pillow.fromarray(display).save(
            temporary, format="JPEG", quality=quality, subsampling=0, icc_profile=icc
        )
        if metadata_from is not None:
            notes = copy_metadata(
                metadata_from, temporary, software=f"rawfix {__version__}", width=width, height=height
            )
    return notes


def encode_jpeg(display: Display, quality: int) -> bytes:
    """``(H, W, 3)`` uint8 as a bare JPEG in memory, for a page."""
    buffer = BytesIO()
    Pillow.fromarray(display).save(buffer, format="JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
