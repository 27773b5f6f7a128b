"""JPEG XL: 8 and 16 bits, lossless or lossy. The only module that knows OpenImageIO."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from rawfix import __version__
from rawfix.color.transfer import Display
from rawfix.errors import OutputError
from rawfix.io.atomic import replacing
from rawfix.io.metadata import metadata_blocks
from rawfix.io.provenance import Origin
from rawfix.settings import LOSSY

_EFFORT = 3
"""Of 1 to 9. On a 16-bit photograph 7 is 4 % smaller and takes 13 times as long (3.6 s a megapixel)."""
_CODESTREAM = (b"jxll", b"jxlc", b"jxlp")


def write_jxl(
    path: Path,
    display: Display,
    *,
    icc: bytes | None,
    overwrite: bool,
    metadata_from: Origin | None = None,
    quality: int = LOSSY["jxl"],
) -> tuple[str, ...]:
    """Write a JPEG XL file, whole or not at all: profile in the codestream, EXIF and XMP in boxes.

    Parameters
    ----------
    path, icc, overwrite, metadata_from
        As for `rawfix.io.tiff.write_tiff`.
    display
        ``(H, W, 3)`` uint8 or uint16.
    quality
        100 keeps every value; below, libjxl's scale after JPEG's. A lossy file is coded in a space of its own;
        readers hand out the same colors, but often with another profile than ``icc``.

    Returns
    -------
    tuple of str
        Plain sentences about what could not be carried.

    Raises
    ------
    OutputError
        The values are floating point; or see `rawfix.io.atomic.replacing`.

    References
    ----------
    ISO/IEC 18181-2:2021, the container: boxes ``Exif`` (an offset of 4 bytes before the TIFF header), ``xml``.
    """
    import OpenImageIO as oiio

    if display.dtype.kind != "u":
        raise OutputError(f"{path.name}: JPEG XL is written with 8 or 16 bits, not floating point")
    height, width = display.shape[:2]
    spec = oiio.ImageSpec(width, height, 3, display.dtype.name)
    spec.attribute("compression", f"jpegxl:{quality}")
    spec.attribute("jpegxl:effort", _EFFORT)
    if icc:
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(icc)}]"), np.frombuffer(icc, np.uint8))
    boxes = b""
    notes: tuple[str, ...] = ()
    if metadata_from is not None:
        blocks = metadata_blocks(metadata_from, software=f"rawfix {__version__}", width=width, height=height)
        boxes = _box(b"Exif", bytes(4) + blocks.exif) + _box(b"xml ", blocks.xmp)
        notes = blocks.notes
    with replacing(path, overwrite) as temporary:
        output = oiio.ImageOutput.create(str(temporary))
        if output is None:
            raise OutputError(f"{path.name}: cannot be written: {_one_line(oiio.geterror())}")
        done = output.open(str(temporary), spec) and output.write_image(np.ascontiguousarray(display))
        if not (done and output.close()):
            raise OutputError(f"{path.name}: cannot be written: {_one_line(output.geterror())}")
        temporary.write_bytes(_with_boxes(temporary.read_bytes(), boxes))
    return notes


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _with_boxes(file: bytes, boxes: bytes) -> bytes:
    """A JPEG XL file with these metadata boxes and no others; a bare codestream gets a container."""
    if file[:2] == b"\xff\x0a":
        kept = _box(b"JXL ", b"\r\n\x87\n") + _box(b"ftyp", b"jxl \0\0\0\0jxl ") + _box(b"jxlc", file)
        return kept + boxes
    kept, position = b"", 0
    while position < len(file):
        size, kind = struct.unpack_from(">I4s", file, position)
        if size == 1:
            (size,) = struct.unpack_from(">Q", file, position + 8)
        size = size or len(file) - position
        if kind in (b"JXL ", b"ftyp", *_CODESTREAM):
            whole = file[position : position + size]
            # A size of zero means "to the end of the file", which it no longer is.
            unsized = whole[:4] == bytes(4)
            kept += _box(kind, whole[8:]) if unsized else whole
        position += size
    return kept + boxes


def _box(kind: bytes, data: bytes) -> bytes:
    if len(data) + 8 < 1 << 32:
        return struct.pack(">I4s", len(data) + 8, kind) + data
    return struct.pack(">I4sQ", 1, kind, len(data) + 16) + data
