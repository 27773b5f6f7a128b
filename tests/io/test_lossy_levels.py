"""Lossy DNGs: black comes off before the polynomials, as the specification has it."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile

from rawfix.errors import UnsupportedRawError
from rawfix.io.dng_opcodes import Opcode, build, parse
from rawfix.io.dng_tags import RawTags, raw_page, read_tags
from rawfix.io.lossy_levels import apply_levels, needs_levels
from tests.io.test_raw import SAMPLES

CURVES = ((0.0, 0.01, 0.0, 0.99), (0.0, 0.1, 0.9), (0.0, 1.0))
PATH = Path("a.dng")


def polynomial(plane: int, coefficients: tuple[float, ...], planes: int = 1) -> Opcode:
    head = struct.pack(">9I", 0, 0, 100, 100, plane, planes, 1, 1, len(coefficients) - 1)
    return Opcode(8, 0x01030000, 0, head + struct.pack(f">{len(coefficients)}d", *coefficients))


def tags(
    black: tuple[float, ...] | None, white: tuple[float, ...] = (255.0,) * 3, opcodes: bytes = b""
) -> RawTags:
    return RawTags(
        bits=8, compression=34892, is_float=False, size=(16, 16), active_area=(0, 0, 16, 16), segments=(),
        pattern=None, planes=(0, 1, 2), layout=1, black=None if black is None else np.float32([[black]]),
        black_rows=None, black_columns=None, white=white, noise=(), linearization=None,
        opcodes=opcodes or build(polynomial(plane, curve) for plane, curve in enumerate(CURVES)),
    )  # fmt: skip


def codes() -> np.ndarray:
    return np.random.default_rng(0).permutation(np.arange(768) % 256).reshape(16, 16, 3)


def expand(light: np.ndarray) -> np.ndarray:
    """Each plane by its polynomial, to 16 bits."""
    planes = [sum(c * light[..., p] ** k for k, c in enumerate(CURVES[p])) for p in range(3)]
    return np.stack(planes, -1) * 65535


def by_libraw(stored: np.ndarray) -> np.ndarray:
    return expand(stored / 255).astype(np.uint16)


def test_black_and_white_are_applied_ahead_of_the_polynomials() -> None:
    raw = tags((51.0, 20.0, 0.0), (250.0, 255.0, 240.0))
    linear = np.clip((codes() - np.array([51, 20, 0])) / np.array([199, 235, 240]), 0, 1)
    found = apply_levels(PATH, by_libraw(codes()), raw)
    assert found.dtype == np.uint16
    # The darkest codes of a cubic share one 16-bit value.
    np.testing.assert_allclose(found, expand(linear), atol=4)
    assert np.abs(by_libraw(codes()) - expand(linear)).max() > 5000


def test_a_mosaic_has_one_plane() -> None:
    raw = tags((10.0,), (255.0,), build([polynomial(0, CURVES[2])]))
    stored = codes()[..., 0]
    found = apply_levels(PATH, np.uint16(stored / 255 * 65535), raw)
    assert found.shape == (16, 16)
    np.testing.assert_allclose(found, np.clip((stored - 10) / 245, 0, 1) * 65535, atol=1)


@pytest.mark.parametrize(("black", "white", "needed"), [
    (None, (), False), ((0.0,) * 3, (255.0,) * 3, False), ((0.0, 1.0, 0.0), (255.0,) * 3, True),
    (None, (250.0,), True),
])  # fmt: skip
def test_only_levels_that_matter_are_applied(
    black: tuple[float, ...] | None, white: tuple[float, ...], needed: bool
) -> None:
    assert needs_levels(tags(black, white)) == needed


def test_what_is_not_of_the_polynomials_is_refused() -> None:
    raw, samples = tags((51.0,) * 3), by_libraw(codes())
    table = Opcode(7, 0x01030000, 0, b"")
    twice = build([polynomial(0, CURVES[0], 3), polynomial(1, CURVES[1])])
    for odd in (
        replace(raw, opcodes=b""), replace(raw, opcodes=build([table])), replace(raw, opcodes=twice),
        replace(raw, opcodes=build([polynomial(0, CURVES[0])])), replace(raw, white=(40.0,) * 3),
        replace(raw, black=np.zeros((2, 2, 3), np.float32)),
    ):  # fmt: skip
        with pytest.raises(UnsupportedRawError, match=r"a\.dng: the black level"):
            apply_levels(PATH, samples, odd)
    samples[3, 4, 1] = 7
    with pytest.raises(UnsupportedRawError, match="lossless DNG"):
        apply_levels(PATH, samples, raw)


@pytest.mark.samples
@pytest.mark.parametrize("name", ["refuse/magicknet_dsc8695.dng", "good/canon_6d_linear_lossy.dng"])
def test_what_libraw_did_to_real_files_is_undone(name: str) -> None:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"{path.name} is not among the samples; set RAWFIX_SAMPLES to their folder")
    raw = read_tags(path).raw
    assert raw is not None
    with rawpy.imread(str(path)) as file:
        samples = np.array(file.raw_image_visible[..., :3])
    with tifffile.TiffFile(path) as file:
        stored = raw_page(file).asarray()
    assert np.array_equal(raw.white, (255, 255, 255))
    black = np.zeros(3) if raw.black is None else raw.black[0, 0]
    linear = np.clip((stored - black) / (255 - black), 0, 1)
    found = apply_levels(path, samples, raw)
    curves = [np.array(struct.unpack_from(">4d", opcode.data, 36)) for opcode in parse(raw.opcodes)]
    wanted = np.stack([np.polyval(curve[::-1], linear[..., p]) for p, curve in enumerate(curves)], -1) * 65535
    np.testing.assert_allclose(found, wanted, atol=4)
