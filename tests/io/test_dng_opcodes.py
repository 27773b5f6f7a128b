"""Opcode lists survive where their meaning does."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from rawfix.cfa import CANONICAL, Cfa
from rawfix.io.dng_opcodes import (
    GAIN_MAP,
    MAP_POLYNOMIAL,
    VIGNETTE,
    WARP_RECTILINEAR,
    Opcode,
    at_any_size,
    build,
    onto_planes,
    parse,
    without_maps,
)

WARP = Opcode(WARP_RECTILINEAR, 0x01030000, 1, struct.pack(">I8d", 1, 1, 0, 0, 0, 0, 0, 0.5, 0.5))
FALLOFF = Opcode(VIGNETTE, 0x01030000, 1, struct.pack(">7d", 0.1, 0, 0, 0, 0, 0.5, 0.5))
CURVE = Opcode(MAP_POLYNOMIAL, 0x01030000, 0, b"\0" * 60)


def gain_map(top: int, left: int, pitch: int, gain: float) -> Opcode:
    grid = struct.pack(">2I4dI", 2, 3, 1.0, 0.5, 0.0, 0.0, 1)
    area = struct.pack(">8I", top, left, 100, 200, 0, 1, pitch, pitch)
    return Opcode(GAIN_MAP, 0x01030000, 0, area + grid + np.full(6, gain, ">f4").tobytes())


def gains(opcode: Opcode) -> np.ndarray:
    return np.frombuffer(opcode.data[76:], ">f4")


def test_a_list_is_read_and_built() -> None:
    data = build([WARP, gain_map(0, 0, 1, 2.0)])
    assert build(parse(data)) == data
    assert [opcode.number for opcode in parse(data)] == [WARP_RECTILINEAR, GAIN_MAP]


@pytest.mark.parametrize("length", [2, 10, 40])
def test_a_list_cut_short_is_told(length: int) -> None:
    with pytest.raises(ValueError, match="cut short"):
        parse(build([WARP])[:length])


def test_only_shares_of_the_picture_hold_at_any_size() -> None:
    assert at_any_size([WARP, gain_map(0, 0, 1, 2.0), FALLOFF, CURVE]) == [WARP, FALLOFF]


def test_curves_that_are_applied_go() -> None:
    assert without_maps([CURVE, WARP]) == [WARP]


def test_gain_maps_of_photosites_become_those_of_their_planes() -> None:
    """On GR/BG: green at (0, 0) and (1, 1), red at (0, 1), blue at (1, 0)."""
    maps = [gain_map(0, 0, 2, 1.0), gain_map(0, 1, 2, 3.0), gain_map(1, 0, 2, 4.0), gain_map(1, 1, 2, 1.5)]
    red, green, blue = onto_planes([*maps, CURVE, FALLOFF], Cfa.from_rows("GR", "BG"))[:3]
    for plane, (opcode, gain) in enumerate(((red, 3.0), (green, 1.25), (blue, 4.0))):
        assert struct.unpack_from(">8I", opcode.data) == (0, 0, 100, 200, plane, 1, 1, 1)
        np.testing.assert_allclose(gains(opcode), gain)
    assert onto_planes([*maps, CURVE, FALLOFF], Cfa.from_rows("GR", "BG"))[3:] == [FALLOFF]


def test_a_gain_map_of_all_photosites_holds_for_all_planes() -> None:
    (opcode,) = onto_planes([gain_map(0, 0, 1, 2.0)], CANONICAL["bayer"])
    assert struct.unpack_from(">8I", opcode.data) == (0, 0, 100, 200, 0, 3, 1, 1)


def test_a_monochrome_gain_map_stays_on_its_plane() -> None:
    kept = onto_planes([gain_map(0, 0, 1, 2.0)], CANONICAL["mono"])
    assert [struct.unpack_from(">8I", opcode.data)[4:6] for opcode in kept] == [(0, 1)]
