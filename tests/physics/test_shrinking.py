"""Pictures are made small in two ways, and a correction that is spread comes back as it was."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Picture

from rawfix.physics.detail_noise import detail_noise
from rawfix.physics.light import draw_light
from rawfix.physics.shrinking import shrinking

NOISE_OF_SEED_0 = np.array(
    [[0xBF54A1AB, 0x3F26878B, 0xBF44E21A], [0x3F0A4CD6, 0x3F90D18F, 0x3F5E5682]], np.uint32
)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("method", ["area", "bicubic"])
def test_shrinking_keeps_flats_and_ramps_and_undoes_spreading(method: str, scale: int) -> None:
    way = shrinking(method, scale)  # type: ignore[arg-type]
    flat = np.full((16 * scale, 20 * scale), 0.3, np.float32)
    np.testing.assert_allclose(way.shrink(flat), 0.3, atol=1e-6)
    np.testing.assert_allclose(way.spread(flat[:16, :20]), 0.3, atol=1e-6)
    ramp = np.tile(np.arange(40 * scale, dtype=np.float32), (40 * scale, 1))
    wanted = np.arange(40) * scale + (scale - 1) / 2
    np.testing.assert_allclose(way.shrink(ramp)[20, 3:-3], wanted[3:-3], atol=1e-3)
    small = np.random.default_rng(0).standard_normal((40, 50)).astype(np.float32)
    back = way.shrink(way.spread(small))
    np.testing.assert_allclose(back[8:-8, 8:-8], small[8:-8, 8:-8], atol=0.01)


@pytest.mark.parametrize("scale", [2, 4])
def test_bicubic_shrinking_is_pillows_inside_the_border(scale: int) -> None:
    plane = draw_light(40 * scale, 48 * scale, np.random.default_rng(1), 1)[..., 0]
    ours = shrinking("bicubic", scale).shrink(plane)
    theirs = np.asarray(Picture.fromarray(plane).resize((48, 40), Picture.Resampling.BICUBIC))
    np.testing.assert_allclose(ours[3:-3, 3:-3], theirs[3:-3, 3:-3], atol=1e-5)


def test_a_part_shrinks_to_the_bits_of_the_whole() -> None:
    plane = draw_light(120, 140, np.random.default_rng(2), 1)[..., 0]
    way = shrinking("bicubic", 2)
    whole, part = way.shrink(plane), way.shrink(np.ascontiguousarray(plane[20:100, 40:120]))
    np.testing.assert_array_equal(part[2:-2, 2:-2], whole[12:48, 22:58])


def test_noise_is_a_function_of_seed_and_pixel() -> None:
    whole = detail_noise(7, 0, 200, 0, 300)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(detail_noise(7, 40, 90, 100, 101), whole[40:90, 100:101])
    assert (detail_noise(8, 0, 200, 0, 300) != whole).mean() > 0.99


def test_noise_is_normal_and_its_pixels_know_nothing_of_each_other() -> None:
    noise = detail_noise(0, 1000, 1600, 0, 700).astype(np.float64)
    assert abs(noise.mean()) < 0.005
    assert abs(noise.std() - 1) < 0.005
    assert abs((noise**4).mean() - 3) < 0.05
    for shifted in (np.roll(noise, 1, 0), np.roll(noise, 1, 1), np.roll(noise, (1, 1), (0, 1)), noise[::-1]):
        assert abs((shifted * noise).mean()) < 0.008
    other = detail_noise(1, 1000, 1600, 0, 700)
    assert abs((other * noise).mean()) < 0.008


def test_noise_has_the_bits_it_always_had() -> None:
    found = detail_noise(0, 0, 2, 0, 3)
    np.testing.assert_array_equal(found.view(np.uint32), NOISE_OF_SEED_0)
