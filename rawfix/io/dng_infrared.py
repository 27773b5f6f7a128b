"""The fourth plane of a DNG whose filter array measures infrared.

The specification has no code for infrared: its plane takes the first one after red, green and blue (3, in
TIFF/EP cyan), and a ColorMatrix that answers to no visible light tells it from a colored plane.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, CFAPlaneColor and chapter 6.
"""

from __future__ import annotations

import struct

from rawfix.io.dng_color import COLOR_MATRIX_1, FORWARD_MATRIX_1, NEUTRAL
from rawfix.io.dng_ifd import Directory, Entry, byte
from rawfix.io.dng_raw import NOISE_PROFILE

_CFA_PATTERN, _CFA_PLANE_COLOR, _ANALOG_BALANCE = 33422, 50710, 50727
_COLOR_MATRICES = (COLOR_MATRIX_1, COLOR_MATRIX_1 + 1)
_FORWARD_MATRICES = (FORWARD_MATRIX_1, FORWARD_MATRIX_1 + 1)
_PLANES_SQUARED = (50723, 50724, 50725, 50726)
"""CameraCalibration and ReductionMatrix, which follow the number of planes in both directions."""
_A_VALUE_A_PLANE = {NEUTRAL, _ANALOG_BALANCE, NOISE_PROFILE, *_COLOR_MATRICES, *_FORWARD_MATRICES}
_ZERO = struct.pack("<ii", 0, 1)


def with_infrared_plane(directory: Directory) -> Directory:
    """A directory that speaks of red, green and blue, with infrared as the fourth plane.

    Neutral and noise of infrared are green's, as `rawfix.frame.with_infrared` has it; it takes no part in
    the color matrices. What speaks of four planes already stays.
    """
    planes = dict(directory)
    if _CFA_PATTERN in planes:
        planes[_CFA_PLANE_COLOR] = byte(b"\x00\x01\x02\x03")
    for tag, entry in directory.items():
        values = _values(entry) if tag in _A_VALUE_A_PLANE else []
        if tag in (NEUTRAL, _ANALOG_BALANCE) and entry.count == 3:
            planes[tag] = _entry(entry, [*values, values[1]])
        elif tag == NOISE_PROFILE and entry.count == 6:
            planes[tag] = _entry(entry, [*values, *values[2:4]])
        elif tag in _COLOR_MATRICES and entry.count == 9:
            planes[tag] = _entry(entry, [*values, _ZERO, _ZERO, _ZERO])
        elif tag in _FORWARD_MATRICES and entry.count == 9:
            planes[tag] = _entry(entry, [v for row in (0, 3, 6) for v in (*values[row : row + 3], _ZERO)])
    return planes


def without_infrared_plane(directory: Directory) -> Directory:
    """A directory that speaks of four planes, with red, green and blue alone: for full color, developed."""
    planes = {tag: entry for tag, entry in directory.items() if tag not in _PLANES_SQUARED}
    for tag, entry in planes.items():
        values = _values(entry) if tag in _A_VALUE_A_PLANE else []
        if tag in (NEUTRAL, _ANALOG_BALANCE) and entry.count == 4:
            planes[tag] = _entry(entry, values[:3])
        elif tag in _COLOR_MATRICES and entry.count == 12:
            planes[tag] = _entry(entry, values[:9])
        elif tag in _FORWARD_MATRICES and entry.count == 12:
            planes[tag] = _entry(entry, [v for row in (0, 4, 8) for v in values[row : row + 3]])
    return planes


def _values(entry: Entry) -> list[bytes]:
    """The bytes of each value."""
    size = max(len(entry.data) // max(entry.count, 1), 1)
    return [entry.data[at : at + size] for at in range(0, len(entry.data), size)]


def _entry(like: Entry, values: list[bytes]) -> Entry:
    return Entry(like.kind, len(values), b"".join(values))
