"""Image file directories: the tables a TIFF, and so a DNG, is made of.

References: TIFF 6.0 (Adobe, 1992), section 2; DNG specification 1.7.1.0, chapter 2.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of one value of each TIFF type."""
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SRATIONAL, _FLOAT, _DOUBLE = (
    1,
    2,
    3,
    4,
    5,
    7,
    10,
    11,
    12,
)
_DENOMINATOR = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag's value: TIFF type, number of values, and their little-endian bytes."""

    kind: int
    count: int
    data: bytes


Directory = dict[int, Entry]
"""Tag → value. Written in ascending order of tags, as TIFF asks."""


def byte(values: bytes) -> Entry:
    """Type BYTE."""
    return Entry(_BYTE, len(values), values)


def undefined(values: bytes) -> Entry:
    """Type UNDEFINED."""
    return Entry(_UNDEFINED, len(values), values)


def ascii(text: str) -> Entry:
    """Type ASCII, with its closing zero; other characters become question marks."""
    data = text.encode("ascii", "replace") + b"\0"
    return Entry(_ASCII, len(data), data)


def utf8(text: str) -> Entry:
    """Type BYTE, zero-terminated: how DNG holds text that ASCII cannot."""
    return byte(text.encode() + b"\0")


def short(*values: int) -> Entry:
    """Type SHORT."""
    return Entry(_SHORT, len(values), struct.pack(f"<{len(values)}H", *values))


def long(*values: int) -> Entry:
    """Type LONG."""
    return Entry(_LONG, len(values), struct.pack(f"<{len(values)}I", *values))


def double(values: ArrayLike) -> Entry:
    """Type DOUBLE."""
    array = np.ravel(np.asarray(values, "<f8"))
    return Entry(_DOUBLE, array.size, array.tobytes())


def rational(values: ArrayLike, *, signed: bool = False) -> Entry:
    """Type RATIONAL or SRATIONAL: in millionths, coarser where a number is too great; whole numbers over 1."""
    flat = [float(value) for value in np.ravel(np.asarray(values, np.float64))]
    denominator = 1 if all(value.is_integer() for value in flat) else _DENOMINATOR
    limit = 2**31 if signed else 2**32
    while denominator > 1 and max(map(abs, flat)) * denominator >= limit:
        denominator //= 10
    pairs = [number for value in flat for number in (round(value * denominator), denominator)]
    letter = "i" if signed else "I"
    return Entry(
        _SRATIONAL if signed else _RATIONAL, len(flat), struct.pack(f"<{len(pairs)}{letter}", *pairs)
    )


def fraction(value: float | Fraction) -> Entry:
    """Type RATIONAL: the one number as the simplest fraction within a millionth."""
    bounded = Fraction(value).limit_denominator(_DENOMINATOR)
    return Entry(_RATIONAL, 1, struct.pack("<II", bounded.numerator, bounded.denominator))


def numbers(entry: Entry) -> list[float]:
    """An entry's values as floats; rationals divided out, x/0 as 0."""
    codes = {1: "u1", 3: "<u2", 4: "<u4", 6: "i1", 8: "<i2", 9: "<i4", 11: "<f4", 12: "<f8", 13: "<u4"}
    if entry.kind in (_RATIONAL, _SRATIONAL):
        pairs = np.frombuffer(entry.data, "<u4" if entry.kind == _RATIONAL else "<i4").astype(np.float64)
        over, under = pairs[0::2], pairs[1::2]
        return [float(v) for v in np.divide(over, under, out=np.zeros_like(over), where=under != 0)]
    return [float(value) for value in np.frombuffer(entry.data, codes.get(entry.kind, "u1"))]


def swapped(kind: int, data: bytes) -> bytes:
    """Big-endian values of a TIFF type as little-endian ones."""
    width = {5: 4, 10: 4}.get(kind, SIZES[kind])
    return data if width == 1 else np.frombuffer(data, f">u{width}").astype(f"<u{width}").tobytes()


def encode(directory: Directory, start: int, following: int = 0) -> bytes:
    """A directory's bytes.

    Parameters
    ----------
    directory
        What it holds.
    start
        Where in the file it will begin; even.
    following
        Offset of the next directory, 0 for none.

    Returns
    -------
    bytes
        The table, then the values longer than four bytes, each on an even offset; of even length.
    """
    table = struct.pack("<H", len(directory))
    behind = bytearray()
    base = start + 2 + 12 * len(directory) + 4
    for tag, entry in sorted(directory.items()):
        if len(entry.data) <= 4:
            field = entry.data.ljust(4, b"\0")
        else:
            field = struct.pack("<I", base + len(behind))
            behind += entry.data + b"\0" * (len(entry.data) % 2)
        table += struct.pack("<HHI", tag, entry.kind, entry.count) + field
    return table + struct.pack("<I", following) + bytes(behind)


def read_first(file: BinaryIO) -> Directory:
    """The first directory of a little-endian classic TIFF; raises ValueError for anything else."""
    file.seek(0)
    head = file.read(8)
    if head[:4] != b"II*\0":
        raise ValueError("not a classic little-endian TIFF")
    file.seek(struct.unpack_from("<I", head, 4)[0])
    (count,) = struct.unpack("<H", file.read(2))
    table = file.read(12 * count)
    directory: Directory = {}
    for index in range(count):
        tag, kind, number, offset = struct.unpack_from("<HHII", table, 12 * index)
        size = SIZES.get(kind, 1) * number
        data = table[12 * index + 8 : 12 * index + 8 + size]
        if size > 4:
            file.seek(offset)
            data = file.read(size)
        directory[tag] = Entry(kind, number, data)
    return directory


def append(file: BinaryIO, data: bytes) -> int:
    """Write at the end of a file, on an even offset as TIFF asks; returns the offset."""
    end = file.seek(0, 2)
    if end % 2:
        file.write(b"\0")
    file.write(data)
    return end + end % 2


def append_directories(file: BinaryIO, main: Directory, subdirectories: Sequence[Directory]) -> None:
    """Close a file: the sub-directories, then the main one that lists them, which becomes the first."""
    offsets = []
    for directory in subdirectories:
        start = append(file, b"")
        offsets.append(append(file, encode(directory, start)))
    if offsets:
        main = {**main, 330: long(*offsets)}
    start = append(file, b"")
    append(file, encode(main, start))
    file.seek(0)
    file.write(b"II*\0" + struct.pack("<I", start))
