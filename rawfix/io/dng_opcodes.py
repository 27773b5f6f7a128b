"""Opcode lists: the corrections a DNG leaves to its reader, and which of them outlive demosaicing.

Reference: DNG specification 1.7.1.0, chapter 7. List 1 works on stored samples, list 2 on linear samples ahead
of demosaicing, list 3 on the demosaiced picture. All numbers in them are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from rawfix.cfa import Cfa

WARP_RECTILINEAR, WARP_FISHEYE, VIGNETTE, MAP_TABLE, MAP_POLYNOMIAL, GAIN_MAP = 1, 2, 3, 7, 8, 9
WARP_RECTILINEAR_2 = 14
_RELATIVE = frozenset((WARP_RECTILINEAR, WARP_FISHEYE, VIGNETTE, WARP_RECTILINEAR_2))
"""They speak of places as shares of the picture, so they hold at any size, and of all planes."""
_AREA = struct.Struct(">8I")
"""Top, left, bottom, right, first plane, planes, row pitch, column pitch."""
_GRID_BYTES = 44
"""Map points, spacing, origin and number of planes of a gain map."""


@dataclass(frozen=True, slots=True)
class Opcode:
    """One correction: its number, the DNG version that brought it, flags, parameters."""

    number: int
    version: int
    flags: int
    data: bytes


def parse(data: bytes) -> list[Opcode]:
    """The opcodes of a list; raises ValueError where it is cut short."""
    try:
        (count,) = struct.unpack_from(">I", data)
        opcodes, place = [], 4
        for _ in range(count):
            number, version, flags, size = struct.unpack_from(">4I", data, place)
            body = data[place + 16 : place + 16 + size]
            if len(body) != size:
                raise ValueError("an opcode is cut short")
            opcodes.append(Opcode(number, version, flags, body))
            place += 16 + size
    except struct.error as error:
        raise ValueError("an opcode list is cut short") from error
    return opcodes


def build(opcodes: Iterable[Opcode]) -> bytes:
    """Inverse of `parse`."""
    parts = [struct.pack(">4I", o.number, o.version, o.flags, len(o.data)) + o.data for o in opcodes]
    return struct.pack(">I", len(parts)) + b"".join(parts)


def without_maps(opcodes: list[Opcode]) -> list[Opcode]:
    """A list without the curves that reading has applied already, as it does for lossy JPEG."""
    return [opcode for opcode in opcodes if opcode.number not in (MAP_TABLE, MAP_POLYNOMIAL)]


def at_any_size(opcodes: list[Opcode]) -> list[Opcode]:
    """Those that hold for a picture of another size."""
    return [opcode for opcode in opcodes if opcode.number in _RELATIVE]


def onto_planes(opcodes: list[Opcode], cfa: Cfa) -> list[Opcode]:
    """A mosaic's list 2 as one for the demosaiced picture.

    A gain map of one photosite of the filter array becomes that of its color's plane; of several photosites
    of a color, the mean of their maps. What corrects all planes alike is kept; anything else is dropped. A
    monochrome sensor's list stays as it is.
    """
    if cfa.period == (1, 1):
        return opcodes
    kept: list[Opcode] = []
    for channel in range(3):
        maps = [o for o in opcodes if o.number == GAIN_MAP and _channel(o, cfa) == channel]
        if maps and len({o.data[32:76] for o in maps}) == 1:
            values = np.mean([np.frombuffer(o.data[32 + _GRID_BYTES :], ">f4") for o in maps], axis=0)
            top, left, bottom, right = _AREA.unpack_from(maps[0].data)[:4]
            top, left = top - top % cfa.period[0], left - left % cfa.period[1]
            area = _AREA.pack(top, left, bottom, right, channel, 1, 1, 1)
            data = area + maps[0].data[32 : 32 + _GRID_BYTES] + values.astype(">f4").tobytes()
            kept.append(replace(maps[0], data=data))
    whole = [o for o in opcodes if o.number == GAIN_MAP and len(o.data) > 32 and _pitch(o) == (1, 1)]
    for opcode in whole:
        top, left, bottom, right = _AREA.unpack_from(opcode.data)[:4]
        kept.append(replace(opcode, data=_AREA.pack(top, left, bottom, right, 0, 3, 1, 1) + opcode.data[32:]))
    return kept + [o for o in opcodes if o.number == VIGNETTE]


def _pitch(opcode: Opcode) -> tuple[int, int]:
    rows, columns = _AREA.unpack_from(opcode.data)[6:8]
    return rows, columns


def _channel(opcode: Opcode, cfa: Cfa) -> int | None:
    """The one color that a gain map's photosites have; None where they have several."""
    if len(opcode.data) < 32 + _GRID_BYTES:
        return None
    top, left = _AREA.unpack_from(opcode.data)[:2]
    rows, columns = _pitch(opcode)
    unit = cfa.shift(top, left).unit()
    if rows % unit.shape[0] or columns % unit.shape[1]:
        return None
    return int(unit[0, 0])
