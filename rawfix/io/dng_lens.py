"""A DNG's lens corrections as what they do: WarpRectilinear, WarpFisheye, FixVignetteRadial, GainMap.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapter 7.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import numpy as np

from rawfix.cfa import Cfa
from rawfix.io.dng_opcodes import (
    GAIN_MAP,
    VIGNETTE,
    WARP_FISHEYE,
    WARP_RECTILINEAR,
    WARP_RECTILINEAR_2,
    Opcode,
    onto_planes,
    parse,
)
from rawfix.physics.lens import GainMap, RadialGain, Warp

Step = RadialGain | GainMap | Warp
NAMES = {
    WARP_RECTILINEAR: "WarpRectilinear",
    WARP_FISHEYE: "WarpFisheye",
    VIGNETTE: "FixVignetteRadial",
    GAIN_MAP: "GainMap",
}
"""What can be applied."""
_NAMES_OF_OTHERS = {WARP_RECTILINEAR_2: "WarpRectilinear2"}
_SANE = 1e4
"""No lens has coefficients, nor a map gains, beyond it."""
_MAP_HEAD = struct.Struct(">8I2I4dI")


def lens_steps(list_2: bytes, list_3: bytes, cfa: Cfa | None) -> tuple[list[tuple[int, Step]], list[str]]:
    """The lens corrections of a file, in their order.

    Parameters
    ----------
    list_2, list_3
        OpcodeList2 and OpcodeList3 as stored; empty for none. Those of the first are for the mosaic: gain maps of
        photosites become maps of colors.
    cfa
        Filter array in the phase in which the lists see it, or None.

    Returns
    -------
    list of (opcode number, step), list of str
        What there is to do, and the names of lens corrections that are not understood.

    Raises
    ------
    ValueError
        A list is cut short, or a number in it makes no sense.
    """
    opcodes = parse(list_2) if list_2 else []
    there = {opcode.number for opcode in opcodes}
    if cfa is not None:
        opcodes = onto_planes(opcodes, cfa)
    lost = [NAMES[number] for number in NAMES if number in there - {o.number for o in opcodes}]
    opcodes += parse(list_3) if list_3 else []
    others = [_NAMES_OF_OTHERS[o.number] for o in opcodes if o.number in _NAMES_OF_OTHERS]
    steps = [(o.number, _step(o)) for o in opcodes if o.number in NAMES]
    if cfa is not None and cfa.period == (1, 1):
        # A monochrome sensor's one plane is all three channels here.
        steps = [(n, replace(s, channels=(0, 3)) if isinstance(s, GainMap) else s) for n, s in steps]
    return steps, lost + others


def _step(opcode: Opcode) -> Step:
    try:
        if opcode.number == VIGNETTE:
            *terms, x, y = _sane(struct.unpack(">7d", opcode.data))
            return RadialGain(tuple(terms), _center(y, x))
        if opcode.number == GAIN_MAP:
            return _gain_map(opcode.data)
        return _warp(opcode.data, 4 if opcode.number == WARP_FISHEYE else 6, opcode.number == WARP_FISHEYE)
    except struct.error as error:
        raise ValueError(f"{NAMES[opcode.number]} has another length than it states") from error


def _warp(data: bytes, size: int, is_fisheye: bool) -> Warp:
    (planes,) = struct.unpack_from(">I", data)
    if planes not in (1, 3):
        raise ValueError(f"a warp has coefficients for {planes} planes")
    *numbers, x, y = _sane(struct.unpack(f">{planes * size + 2}d", data[4:]))
    sets = [numbers[at * size : (at + 1) * size] for at in range(planes)]
    tangential = tuple((0.0, 0.0) if is_fisheye else (terms[4], terms[5]) for terms in sets)
    return Warp(tuple(tuple(terms[:4]) for terms in sets), tangential, _center(y, x), is_fisheye)


def _gain_map(data: bytes) -> GainMap:
    (
        top, left, bottom, right, plane, planes, row_pitch, column_pitch,
        down, across, *place, map_planes,
    ) = _MAP_HEAD.unpack_from(data)  # fmt: skip
    spacing, origin = _sane(place[:2]), _sane(place[2:])
    values = data[_MAP_HEAD.size :]
    if not (down and across and map_planes) or len(values) != 4 * down * across * map_planes:
        raise ValueError("GainMap has another length than it states")
    if min(row_pitch, column_pitch) < 1 or (down > 1 and spacing[0] <= 0) or (across > 1 and spacing[1] <= 0):
        raise ValueError("GainMap has no spacing")
    grid = np.frombuffer(values, ">f4").astype(np.float32).reshape(down, across, map_planes)
    if not (np.isfinite(grid).all() and float(np.abs(grid).max()) <= _SANE):
        raise ValueError("GainMap holds gains that make no sense")
    return GainMap(
        grid,
        (origin[0], origin[1]),
        (spacing[0] if spacing[0] > 0 else 1.0, spacing[1] if spacing[1] > 0 else 1.0),
        (top, left, bottom, right),
        (row_pitch, column_pitch),
        (plane, planes),
    )


def _sane(numbers: tuple[float, ...] | list[float]) -> list[float]:
    if not all(math.isfinite(number) and abs(number) <= _SANE for number in numbers):
        raise ValueError("a lens correction holds numbers that make no sense")
    return [float(number) for number in numbers]


def _center(y: float, x: float) -> tuple[float, float]:
    if not (0 <= y <= 1 and 0 <= x <= 1):
        raise ValueError("a lens correction has its center beyond the picture")
    return y, x
