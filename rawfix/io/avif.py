"""AVIF: 8, 10 and 12 bits, without chroma subsampling. The only module that knows libvips."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rawfix import __version__
from rawfix.color.transfer import Display
from rawfix.errors import OutputError
from rawfix.io.atomic import replacing
from rawfix.io.metadata import metadata_blocks
from rawfix.io.provenance import Origin
from rawfix.settings import LOSSY

_EFFORT = 2
"""Of 0 to 9. At 10 bits 4 is 5 % smaller and 1.5 dB closer, and takes 9 times as long (9 s a megapixel)."""
_DOTS = 72 / 25.4
"""Dots a millimeter: libvips writes its resolution into EXIF, and 72 dpi is what "unknown" looks like there."""


def write_avif(
    path: Path,
    display: Display,
    *,
    icc: bytes | None,
    overwrite: bool,
    metadata_from: Origin | None = None,
    quality: int = LOSSY["avif"],
    bits: Literal[8, 10, 12] = 10,
) -> tuple[str, ...]:
    """Write an AVIF image, 4:4:4, whole or not at all, with profile, EXIF and XMP.

    Parameters
    ----------
    path, icc, overwrite, metadata_from
        As for `rawfix.io.tiff.write_tiff`.
    display
        ``(H, W, 3)``: uint8 for 8 bits; uint16 over its full range for 10 and 12, rounded to nearest here.
    quality
        1 to 100; 100 keeps every value.
    bits
        8, 10 or 12.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        The values' type does not fit ``bits``, or libvips refuses, as it does above 16384 pixels a side; or see
        `rawfix.io.atomic.replacing`.
    """
    import pyvips

    if display.dtype != (np.uint8 if bits == 8 else np.uint16):
        raise OutputError(
            f"{path.name}: {bits} bits cannot be made of {display.dtype}; AVIF holds 8, 10 or 12"
        )
    height, width = display.shape[:2]
    notes: tuple[str, ...] = ()
    values = display if bits == 8 else _quantized(display, bits)
    image = pyvips.Image.new_from_array(np.ascontiguousarray(values))
    image = image.copy(interpretation="srgb" if bits == 8 else "rgb16", xres=_DOTS, yres=_DOTS)
    attached: dict[str, bytes] = {} if icc is None else {"icc-profile-data": icc}
    if metadata_from is not None:
        blocks = metadata_blocks(metadata_from, software=f"rawfix {__version__}", width=width, height=height)
        attached |= {"exif-data": b"Exif\0\0" + blocks.exif, "xmp-data": blocks.xmp}
        notes = blocks.notes
    for name, data in attached.items():
        image.set_type(pyvips.GValue.blob_type, name, data)
    with replacing(path, overwrite) as temporary:
        try:
            image.heifsave(
                str(temporary),
                compression="av1",
                bitdepth=bits,
                Q=quality,
                lossless=quality == 100,
                effort=_EFFORT,
                subsample_mode="off",
            )
        except pyvips.Error as error:
            raise OutputError(f"{path.name}: cannot be written: {' '.join(str(error).split())}") from error
    return notes


def _quantized(display: NDArray[Any], bits: int) -> NDArray[np.uint16]:
    """Nearest value of so many bits, in the upper bits of 16: libvips cuts the lower ones off."""
    steps = (1 << bits) - 1
    rounded = (display.astype(np.uint32) * steps + 32767) // 65535
    return (rounded << (16 - bits)).astype(np.uint16)
