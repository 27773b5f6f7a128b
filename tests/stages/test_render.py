"""The last step to file values, and geometry."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.color.matrices import convert
from rawfix.color.spaces import SPACES, WORKING
from rawfix.color.transfer import encode
from rawfix.errors import SettingsError
from rawfix.stages.orient import orient, square_pixels
from rawfix.stages.render import render

WORKING_IMAGE = np.random.default_rng(4).normal(0.4, 0.5, (131, 9, 3)).astype(np.float32)


@pytest.mark.parametrize("bits", [8, 16])
def test_integers_are_the_rounded_curve(bits: int) -> None:
    space = SPACES["srgb"]
    linear = WORKING_IMAGE.astype(np.float64) @ convert(WORKING, space).T
    expected = encode("srgb", np.clip(linear, 0, 1)) * (2**bits - 1)
    display = render(WORKING_IMAGE, space, "none", False, bits)
    assert display.dtype == f"uint{bits}"
    assert np.abs(display - expected).max() < 0.53


def test_float_without_tone_is_never_touched() -> None:
    display = render(WORKING_IMAGE, SPACES["rec2020"], "none", True, 32)
    assert display is not WORKING_IMAGE
    assert (display == WORKING_IMAGE).all()
    assert render(WORKING_IMAGE * 9, SPACES["aces2065-1"], "none", False, 32).max() > 1


def test_gray_is_gray_in_every_space() -> None:
    gray = np.full((4, 4, 3), 0.18, np.float32)
    for space in SPACES.values():
        display = render(gray, space, "standard", False, 16).astype(int)
        assert np.ptp(display) <= 1


def test_spaces_agree_on_colors_both_can_hold() -> None:
    inside = np.random.default_rng(6).uniform(0.1, 0.4, (20, 20, 3)).astype(np.float32) + np.float32(0.3)
    srgb = render(inside, SPACES["srgb"], "standard", True, 32)
    p3 = render(inside, SPACES["display-p3"], "standard", True, 32)
    np.testing.assert_allclose(srgb @ convert(SPACES["srgb"], SPACES["display-p3"]).T, p3, atol=1e-6)


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_renders_the_same(threads: int) -> None:
    one = render(WORKING_IMAGE, SPACES["srgb"], "standard", False, 16)
    assert np.array_equal(render(WORKING_IMAGE, SPACES["srgb"], "standard", False, 16, threads), one)


def test_orientations_put_the_first_pixel_where_exif_says() -> None:
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = {
        1: [[0, 1, 2], [3, 4, 5]],
        2: [[2, 1, 0], [5, 4, 3]],
        3: [[5, 4, 3], [2, 1, 0]],
        4: [[3, 4, 5], [0, 1, 2]],
        5: [[0, 3], [1, 4], [2, 5]],
        6: [[3, 0], [4, 1], [5, 2]],
        7: [[5, 2], [4, 1], [3, 0]],
        8: [[2, 5], [1, 4], [0, 3]],
    }
    for orientation, picture in expected.items():
        assert orient(image, orientation).tolist() == picture
    with pytest.raises(SettingsError, match="orientation 9"):
        orient(image, 9)


def test_square_pixels_keep_size_mean_and_flats() -> None:
    image = np.random.default_rng(7).random((976, 64, 3), dtype=np.float32)
    for aspect, shape in ((1.5, (976, 96)), (0.75, (1301, 64)), (1.0, (976, 64))):
        square = square_pixels(image, aspect)
        assert square.shape[:2] == shape
        assert square.mean() == pytest.approx(image.mean(), rel=5e-3)
    flat = square_pixels(np.full((65, 40, 3), 0.3, np.float32), 1.37)
    np.testing.assert_allclose(flat, 0.3, atol=1e-6)
    assert square_pixels(image, 1.0) is image


def test_square_pixels_keep_a_ramp_a_ramp() -> None:
    ramp = np.repeat(np.arange(50, dtype=np.float32)[None, :, None], 8, axis=0)
    square = square_pixels(ramp, 1.6)[0, 5:-5, 0]
    np.testing.assert_allclose(np.diff(square), 50 / 80, atol=1e-4)
