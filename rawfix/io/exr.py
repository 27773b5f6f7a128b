"""OpenEXR: half and float, and the ACES container. The only module that knows OpenEXR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from rawfix import __version__
from rawfix.color.matrices import Space
from rawfix.color.spaces import WORKING
from rawfix.color.transfer import Display
from rawfix.errors import OutputError
from rawfix.io.atomic import replacing
from rawfix.io.exr_attributes import attributes_of
from rawfix.io.metadata import metadata_blocks
from rawfix.io.provenance import Origin

LARGEST_HALF = 65504.0
_COMPRESSIONS = {
    "none": OpenEXR.NO_COMPRESSION,
    "rle": OpenEXR.RLE_COMPRESSION,
    "zips": OpenEXR.ZIPS_COMPRESSION,
    "zip": OpenEXR.ZIP_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
    "pxr24": OpenEXR.PXR24_COMPRESSION,
    "dwaa": OpenEXR.DWAA_COMPRESSION,
    "dwab": OpenEXR.DWAB_COMPRESSION,
}


def write_exr(
    path: Path,
    display: Display,
    *,
    icc: bytes | None,
    overwrite: bool,
    metadata_from: Origin | None = None,
    space: Space | None = WORKING,
    half: bool = True,
    compression: str = "zip",
    aces_container: bool = False,
) -> tuple[str, ...]:
    """Write scanlines of scene-linear light, whole or not at all.

    Values are written as they are: negative ones and those above 1 too. 1.0 is the green channel's white level
    at ``--exposure 0``; nothing is scaled to bring a gray card to 0.18.

    Parameters
    ----------
    path, overwrite, metadata_from
        As for `rawfix.io.tiff.write_tiff`. Exposure, camera and lens become OpenEXR's standard attributes, XMP
        the string attribute ``xmp``.
    display
        ``(H, W, 3)`` float32, linear.
    icc
        Not written: EXR tells its color by chromaticities.
    space
        Primaries and white of the values; None where they are the camera's own and unknown.
    half
        16 bits a value, rounded to nearest; else 32.
    compression
        One of none, rle, zips, zip, piz, pxr24, dwaa, dwab.
    aces_container
        Mark the file as an ACES image container. ``space`` must be ACES2065-1, ``half`` set and
        ``compression`` none.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        The values are no floats, or the container cannot hold what it is asked to; or see
        `rawfix.io.atomic.replacing`.

    References
    ----------
    OpenEXR, "Technical Introduction" and "Standard Attributes"; SMPTE ST 2065-4:2013 (ACES container: version 2,
    scanlines from top to bottom, half, uncompressed, AP0 chromaticities, ``acesImageContainerFlag`` 1).
    """
    if display.dtype != np.float32:
        raise OutputError(f"{path.name}: EXR holds scene-linear floating point, not {display.dtype}")
    if aces_container and (space is None or space.name != "aces2065-1" or not half or compression != "none"):
        raise OutputError(f"{path.name}: an ACES container holds uncompressed half ACES2065-1 only")
    height, width = display.shape[:2]
    notes: tuple[str, ...] = ()
    header: dict[str, Any] = {
        "compression": _COMPRESSIONS[compression],
        "type": OpenEXR.scanlineimage,
        "lineOrder": OpenEXR.INCREASING_Y,
        "software": f"rawfix {__version__}",
    }
    if space is not None:
        flat = [float(v) for point in (*space.primaries, space.white) for v in point]
        header["chromaticities"] = tuple(flat)
        header["adoptedNeutral"] = np.asarray(space.white, np.float32)
    if aces_container:
        header["acesImageContainerFlag"] = 1
    if metadata_from is not None:
        blocks = metadata_blocks(metadata_from, software=f"rawfix {__version__}", width=width, height=height)
        header |= attributes_of(blocks.texts, metadata_from.told)
        header["xmp"] = blocks.xmp.decode()
        notes = blocks.notes
    with replacing(path, overwrite) as temporary:
        values = np.ascontiguousarray(display)
        if half:
            beyond = int(np.count_nonzero(np.abs(values) > LARGEST_HALF))
            if beyond:
                notes += (f"{beyond} values beyond 65504 were cut; 32 bits would hold them",)
            values = np.clip(values, -LARGEST_HALF, LARGEST_HALF).astype(np.float16)
        try:
            with OpenEXR.File(header, {"RGB": values}) as file:
                file.write(str(temporary))
        except (RuntimeError, ValueError) as error:
            raise OutputError(f"{path.name}: cannot be written: {error}") from error
    return notes
