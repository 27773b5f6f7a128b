"""Appending an Exif directory to a TIFF file that was written without one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

_EXIF_IFD = 34665
_PHOTOMETRIC = 262
ExifValue = str | int | Fraction | bytes
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7


def append_exif(path: Path, values: dict[int, ExifValue], photometric: int) -> None:
    """Add an Exif directory with ``values`` (tag → value) to a classic little-endian TIFF.

    The Exif directory and a copy of the first directory that points to it go to the end of the file.
    tifffile writes no Exif directory itself, and no LinearRaw picture of one channel: hence also
    ``photometric``, the PhotometricInterpretation to state. Text becomes ASCII, bytes UNDEFINED, fractions RATIONAL,
    integers SHORT, or LONG beyond 65535.

    Raises
    ------
    ValueError
        The file is no classic little-endian TIFF.
    """
    with path.open("r+b") as file:
        data = file.read()
        if data[:4] != b"II*\0":
            raise ValueError("not a classic little-endian TIFF")
        (first,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, first)
        entries = [data[first + 2 + 12 * index :][:12] for index in range(count)]
        following = data[first + 2 + 12 * count :][:4]
        start = len(data) + len(data) % 2
        directory = _directory(sorted(values.items()), start)
        interpretation = struct.pack("<HHIHH", _PHOTOMETRIC, _SHORT, 1, photometric, 0)
        entries = [interpretation if entry[:2] == interpretation[:2] else entry for entry in entries]
        entries.append(struct.pack("<HHII", _EXIF_IFD, _LONG, 1, start))
        entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
        file.seek(start)
        file.write(directory + struct.pack("<H", len(entries)) + b"".join(entries) + following)
        file.seek(4)
        file.write(struct.pack("<I", start + len(directory)))


def _directory(values: Sequence[tuple[int, ExifValue]], start: int) -> bytes:
    """One image file directory that begins at byte ``start``, its longer values behind it."""
    head = struct.pack("<H", len(values))
    behind = b""
    base = start + 2 + 12 * len(values) + 4
    for tag, value in values:
        kind, count, payload = _encode(value)
        if len(payload) > 4:
            field = struct.pack("<I", base + len(behind))
            behind += payload + b"\0" * (len(payload) % 2)
        else:
            field = payload.ljust(4, b"\0")
        head += struct.pack("<HHI", tag, kind, count) + field
    return head + struct.pack("<I", 0) + behind


def _encode(value: ExifValue) -> tuple[int, int, bytes]:
    """TIFF type, count and bytes of one value."""
    if isinstance(value, str):
        text = value.encode("ascii", "replace") + b"\0"
        return _ASCII, len(text), text
    if isinstance(value, bytes):
        return _UNDEFINED, len(value), value
    if isinstance(value, Fraction):
        bounded = value.limit_denominator(1_000_000)
        return _RATIONAL, 1, struct.pack("<II", bounded.numerator, bounded.denominator)
    if value > 65535:
        return _LONG, 1, struct.pack("<I", value)
    return _SHORT, 1, struct.pack("<H", value)
