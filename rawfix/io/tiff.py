"""TIFF: 8 and 16 bit integers, 32 bit float.

The file is built around a skeleton: a TIFF of one pixel, into which profile and metadata are written, to
which the true strips are appended, and whose few tags about size and place are then corrected. So the
metadata library never handles the pixels, and memory stays at one strip.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from rawfix import __version__
from rawfix.color.transfer import Display
from rawfix.io.atomic import replacing
from rawfix.io.metadata import copy_metadata, read_density
from rawfix.io.provenance import Origin

_STRIP_BYTES = 1 << 20
_CLASSIC_LIMIT = (1 << 32) - (1 << 26)
_LONG = 4


def write_tiff(
    path: Path,
    display: Display,
    *,
    icc: bytes | None,
    overwrite: bool,
    metadata_from: Origin | None = None,
    compress: bool = False,
) -> tuple[str, ...]:
    """Write a TIFF, RGB or gray, whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    display
        ``(H, W, 3)``, or ``(H, W)`` of gray, uint8, uint16 or float32; written as it is.
    icc
        Profile to embed.
    overwrite
        Whether an existing file may be replaced.
    metadata_from
        RAW file, sidecars and provenance whose EXIF, XMP and IPTC go along.
    compress
        Deflate with a predictor. Off by default: on a 16-bit photograph with its noise it saves a sixth of the
        size and costs 0.23 s of processor time a megapixel, against 0.004 s without.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        See `rawfix.io.atomic.replacing`.

    Notes
    -----
    From about 4 GB on the file is a BigTIFF, which Exiv2 does not write: it carries the profile only.
    """
    height, width = display.shape[:2]
    # Exiv2 leaves alone what it takes for the structure of a TIFF.
    density = None if metadata_from is None else read_density(metadata_from.source)
    options = {
        "photometric": "rgb" if display.ndim == 3 else "minisblack",
        "metadata": None,
        "software": f"rawfix {__version__}",
        "iccprofile": icc,
        "compression": "adobe_deflate" if compress else None,
        "predictor": compress,
        "byteorder": "<",
        **({} if density is None else {"resolution": density[0], "resolutionunit": density[1]}),
    }
    with replacing(path, overwrite) as temporary:
        if display.nbytes > _CLASSIC_LIMIT:
            tifffile.imwrite(temporary, display, bigtiff=True, **options)
            return ("the picture is beyond 4 GB: a BigTIFF, without the RAW file's metadata",)
        tifffile.imwrite(temporary, np.zeros((1, 1, *display.shape[2:]), display.dtype), **options)
        notes: tuple[str, ...] = ()
        if metadata_from is not None:
            notes = copy_metadata(
                metadata_from, temporary, software=f"rawfix {__version__}", width=width, height=height
            )
        with temporary.open("r+b") as file:
            _append_strips(file, display, compress)
        return notes


def _append_strips(file: BinaryIO, display: Display, compress: bool) -> None:
    height, width = display.shape[:2]
    rows = max(1, min(height, _STRIP_BYTES // max(1, display[:1].nbytes)))
    little = display.dtype.newbyteorder("<")
    offsets, sizes = [], []
    for y in range(0, height, rows):
        strip: NDArray[Any] = np.ascontiguousarray(display[y : y + rows], little)
        data = _deflate(strip) if compress else strip.tobytes()
        offsets.append(_append(file, data))
        sizes.append(len(data))
    _correct(file, {256: [width], 257: [height], 273: offsets, 278: [rows], 279: sizes})


def _deflate(strip: NDArray[Any]) -> bytes:
    if strip.dtype.kind == "f":
        predicted = imagecodecs.floatpred_encode(strip, axis=1 - strip.ndim)
    else:
        predicted = imagecodecs.delta_encode(strip, axis=1 - strip.ndim)
    return bytes(imagecodecs.zlib_encode(predicted.tobytes(), level=4))


def _append(file: BinaryIO, data: bytes) -> int:
    """Append on an even offset, as TIFF asks; returns the offset."""
    end = file.seek(0, 2)
    if end % 2:
        file.write(b"\0")
    file.write(data)
    return end + end % 2


def _correct(file: BinaryIO, tags: dict[int, list[int]]) -> None:
    """Give tags of the first directory of a little-endian classic TIFF new values of type LONG."""
    file.seek(0)
    magic, directory = struct.unpack("<4sI", file.read(8))
    if magic != b"II*\0":
        raise AssertionError(f"skeleton is no little-endian TIFF: {magic!r}")
    file.seek(directory)
    (count,) = struct.unpack("<H", file.read(2))
    entries = file.read(12 * count)
    places = {struct.unpack_from("<H", entries, 12 * i)[0]: directory + 2 + 12 * i for i in range(count)}
    for tag, values in tags.items():
        packed = struct.pack(f"<{len(values)}I", *values)
        inline = packed if len(values) == 1 else struct.pack("<I", _append(file, packed))
        file.seek(places[tag])
        file.write(struct.pack("<HHI", tag, _LONG, len(values)) + inline)
