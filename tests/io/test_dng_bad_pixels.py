"""Bad pixels in DNG opcode lists, against bytes written out by hand after the specification."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import RawFrame
from rawfix.io.dng import write_cfa_dng
from rawfix.io.dng_bad_pixels import decode_bad_pixels, encode_bad_pixels, encode_constant
from rawfix.io.raw import read_raw

BAYER = Cfa.from_rows("RG", "GB")
MOSAIC = np.arange(30, dtype=np.uint16).reshape(5, 6)
BY_HAND = bytes.fromhex(
    "00000002"  # two opcodes
    "00000001 01030000 00000000 00000004 deadbeef".replace(" ", "")  # one that is none of ours
    + "00000005 01030000 00000001 0000002c".replace(" ", "")  # FixBadPixelsList, optional, 44 bytes
    + "00000000 00000002 00000001".replace(" ", "")  # phase RGGB, two points, one rectangle
    + "00000001 00000002  00000004 00000000".replace(" ", "")  # (1, 2), (4, 0)
    + "00000000 00000005 00000003 00000006".replace(" ", "")  # rows 0…2 of column 5
)


def test_points_and_rectangles_are_read() -> None:
    bad = decode_bad_pixels(BY_HAND, MOSAIC)
    assert np.argwhere(bad).tolist() == [[0, 5], [1, 2], [1, 5], [2, 5], [4, 0]]


def test_coordinates_are_those_of_the_stored_image() -> None:
    bad = decode_bad_pixels(BY_HAND, MOSAIC[1:, 2:], origin=(1, 2))
    assert np.argwhere(bad).tolist() == [[0, 0], [0, 3], [1, 3]]


def test_a_constant_names_pixels_by_their_stored_value() -> None:
    data = encode_constant(7, BAYER)
    assert (
        data.hex() == "00000001" + "00000004" + "01030000" + "00000001" + "00000008" + "00000007" + "00000000"
    )
    assert np.argwhere(decode_bad_pixels(data, MOSAIC)).tolist() == [[1, 1]]
    table = np.arange(0, 60, 2, dtype=np.uint16)
    assert np.argwhere(decode_bad_pixels(data, table[MOSAIC], linearization=table)).tolist() == [[1, 1]]


@pytest.mark.parametrize("cut", [2, 10, 25, 60, len(BY_HAND) - 1])
def test_a_list_that_ends_early_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|ends|middle"):
        decode_bad_pixels(BY_HAND[:cut], MOSAIC)


def test_a_count_beyond_the_bytes_is_refused() -> None:
    data = bytearray(encode_bad_pixels(MOSAIC == 3, BAYER))
    data[24:28] = struct.pack(">I", 2**31)
    with pytest.raises(ValueError, match="FixBadPixelsList"):
        decode_bad_pixels(bytes(data), MOSAIC)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from(["RG/GB", "GR/BG", "GB/RG", "BG/GR"]))
def test_encoding_then_decoding_gives_the_same_pixels(seed: int, share: float, letters: str) -> None:
    rng = np.random.default_rng(seed)
    bad = rng.random(MOSAIC.shape) < share
    bad[:, 2] |= rng.random() < 0.5
    bad[3] |= rng.random() < 0.5
    data = encode_bad_pixels(bad, Cfa.from_rows(*letters.split("/")))
    np.testing.assert_array_equal(decode_bad_pixels(data, MOSAIC), bad)
    assert struct.unpack(">I", data[20:24])[0] == ["RG/GB", "GR/BG", "GB/RG", "BG/GR"].index(letters)


def test_whole_columns_are_one_rectangle() -> None:
    bad = np.zeros((1000, 10), bool)
    bad[:, 3] = True
    assert len(encode_bad_pixels(bad, BAYER)) == 20 + 12 + 16


def test_other_filter_arrays_have_no_phase() -> None:
    with pytest.raises(ValueError, match="phase"):
        encode_bad_pixels(MOSAIC == 3, CANONICAL["xtrans"])


def test_a_dng_keeps_what_is_known_to_be_bad(tmp_path: Path, make_frame: Callable[..., RawFrame]) -> None:
    frame = make_frame()
    bad = np.random.default_rng(0).random(frame.mosaic.shape) < 1e-2
    write_cfa_dng(tmp_path / "a.dng", replace(frame, known_bad=bad))
    found = read_raw(tmp_path / "a.dng").known_bad
    assert found is not None
    np.testing.assert_array_equal(found, bad)
    write_cfa_dng(tmp_path / "b.dng", frame)
    assert read_raw(tmp_path / "b.dng").known_bad is None
