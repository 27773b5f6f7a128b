"""The fourth plane of a DNG whose filter array measures infrared.

The specification has no code for infrared: its plane takes the first one after red, green and blue (3, in
TIFF/EP cyan), and a ColorMatrix that answers to no visible light tells it from a coloured plane.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, CFAPlaneColor and chapter 6.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from rawfix.io.dng_color import COLOR_MATRIX_1, FORWARD_MATRIX_1, NEUTRAL
from rawfix.io.dng_ifd import Directory, Entry, byte
from rawfix.io.dng_raw import NOISE_PROFILE

CFA_PLANE_COLOR = 50710
_ZERO = struct.pack("<ii", 0, 1)
_RATIONAL_SIZE = 8


def with_infrared_plane(directory: Directory) -> Directory:
    """A directory that speaks of red, green and blue, with infrared as the fourth plane.

    Neutral and noise of infrared are green's, as `rawfix.frame.with_infrared` has it; it takes no part in
    the colour matrices.
    """
    planes = directory | {CFA_PLANE_COLOR: byte(b"\x00\x01\x02\x03")}
    if NEUTRAL in planes:
        planes[NEUTRAL] = _longer(planes[NEUTRAL], _nth(planes[NEUTRAL], 1))
    if NOISE_PROFILE in planes:
        pair = planes[NOISE_PROFILE].data[16:32]
        planes[NOISE_PROFILE] = replace(
            planes[NOISE_PROFILE], count=8, data=planes[NOISE_PROFILE].data + pair
        )
    if COLOR_MATRIX_1 in planes:
        planes[COLOR_MATRIX_1] = _longer(planes[COLOR_MATRIX_1], 3 * _ZERO)
    if FORWARD_MATRIX_1 in planes:
        forward = planes[FORWARD_MATRIX_1]
        rows = [b"".join(_nth(forward, 3 * row + column) for column in range(3)) for row in range(3)]
        planes[FORWARD_MATRIX_1] = replace(forward, count=12, data=b"".join(row + _ZERO for row in rows))
    return planes


def _nth(entry: Entry, index: int) -> bytes:
    """One rational of an entry."""
    return entry.data[_RATIONAL_SIZE * index :][:_RATIONAL_SIZE]


def _longer(entry: Entry, more: bytes) -> Entry:
    return replace(entry, count=entry.count + len(more) // _RATIONAL_SIZE, data=entry.data + more)
