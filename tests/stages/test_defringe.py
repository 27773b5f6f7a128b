"""Lateral color that is put in comes out, purple around blown light too, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.frame import Image, Place
from rawfix.physics.lateral_color import LateralColor, estimate_lateral_color
from rawfix.physics.psf import blur, gaussian
from rawfix.stages.defringe import fringe_map, reach_of
from tests.leaves import dead_leaves

SIZE = (448, 640)
WHOLE = Place(*SIZE)
CLIP = (2.0, 1.0, 1.5)
RED, BLUE = (1.3, -0.6), (-0.4, -0.9)


def magnified(plane: Image, law: tuple[float, float]) -> Image:
    """A plane whose every point moved outwards by ``a·r + b·r³`` pixels: by its spectrum, row by row and iterated."""
    height, width = plane.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    half = np.hypot((height - 1) / 2, (width - 1) / 2)
    at_y, at_x = y.copy(), x.copy()
    for _ in range(4):
        scale = (law[0] + law[1] * (at_y**2 + at_x**2) / half**2) / half
        at_y, at_x = y - at_y * scale, x - at_x * scale
    return sampled(plane, at_y + (height - 1) / 2, at_x + (width - 1) / 2)


def sampled(plane: Image, y: np.ndarray, x: np.ndarray) -> Image:
    """A plane at places between its samples: Lanczos with eight taps, normalized."""
    total, weight = np.zeros(y.shape), np.zeros(y.shape)
    for row in range(-3, 5):
        for column in range(-3, 5):
            down, right = np.floor(y) + row, np.floor(x) + column
            part = np.sinc(y - down) * np.sinc((y - down) / 4) * np.sinc(x - right) * np.sinc((x - right) / 4)
            inside = [
                np.clip(at, 0, n - 1).astype(int) for at, n in zip((down, right), plane.shape, strict=True)
            ]
            total += part * plane[inside[0], inside[1]]
            weight += part
    return np.asarray(total / weight, np.float32)


@pytest.fixture(scope="module")
def sharp() -> Image:
    return dead_leaves(*SIZE)


@pytest.fixture(scope="module")
def fringed(sharp: Image) -> Image:
    planes = (magnified(sharp[..., 0], RED), sharp[..., 1], magnified(sharp[..., 2], BLUE))
    return np.stack(planes, -1)


def found_in(picture: Image) -> LateralColor:
    return estimate_lateral_color(lambda start, end: picture[start:end], picture.shape[:2], CLIP)  # type: ignore[arg-type]


def farthest(law: tuple[float, float], other: tuple[float, float] = (0, 0)) -> float:
    r = np.linspace(0, 1, 65)
    return float(np.abs((law[0] - other[0]) * r + (law[1] - other[1]) * r**3).max())


def test_a_planted_law_is_found(fringed: Image) -> None:
    found = found_in(fringed)
    assert farthest(found.red, RED) < 0.06
    assert farthest(found.blue, BLUE) < 0.06


def test_a_planted_law_is_found_in_noise(fringed: Image) -> None:
    rng = np.random.default_rng(1)
    noisy = fringed + np.sqrt(2e-4 * fringed + 1e-6) * rng.standard_normal(fringed.shape, np.float32)
    found = found_in(np.asarray(noisy, np.float32))
    assert farthest(found.red, RED) < 0.1
    assert farthest(found.blue, BLUE) < 0.1


def test_less_than_a_tenth_of_a_pixel_is_left(sharp: Image, fringed: Image) -> None:
    found = found_in(fringed)
    mended = fringed - fringe_map(fringed, WHOLE, found.red, found.blue, CLIP)
    left = found_in(mended)
    assert max(farthest(left.red), farthest(left.blue)) < 0.1
    inner = np.s_[8:-8, 8:-8]
    before, after = (float(((p - sharp)[inner] ** 2).mean()) for p in (fringed, mended))
    assert after < 0.02 * before
    assert abs(float((mended - fringed).mean())) < 1e-4


def test_in_registered_channels_nothing_is_found(sharp: Image) -> None:
    assert found_in(sharp) == LateralColor()
    assert not fringe_map(sharp, WHOLE, (0, 0), (0, 0), CLIP).any()


@pytest.mark.parametrize("level", [0.02, 0.5, 3.0])
def test_flat_gray_tells_nothing_and_keeps_every_bit(level: float) -> None:
    rng = np.random.default_rng(0)
    gray = np.full((*SIZE, 3), level, np.float32)
    assert found_in(gray) == LateralColor()
    noisy = gray + np.float32(0.01) * rng.standard_normal(gray.shape, np.float32)
    assert found_in(noisy) == LateralColor()
    np.testing.assert_array_equal(gray - fringe_map(gray, WHOLE, (0, 0), (0, 0), CLIP), gray)


def test_a_window_is_mended_as_the_whole(fringed: Image) -> None:
    whole = fringe_map(fringed, WHOLE, RED, BLUE, CLIP)
    reach = reach_of(RED, BLUE)
    y, x, side = 100, 200, 64
    window = fringed[y - reach : y + side + reach, x - reach : x + side + reach]
    part = fringe_map(window, WHOLE.window(y - reach, x - reach), RED, BLUE, CLIP)
    np.testing.assert_array_equal(part[reach:-reach, reach:-reach], whole[y : y + side, x : x + side])


def blown(purple: float) -> Image:
    """Dark branches before a blown sky; red and blue are less sharp than green by so much."""
    y, x = np.mgrid[:200, :240]
    light = np.where((x // 40 + y // 90) % 2, np.float32(4), np.float32(0.05))
    sky = np.repeat(light[..., None], 3, -1).astype(np.float32)
    kernels = (gaussian(0.8 + 0.7 * purple), gaussian(0.8), gaussian(0.8 + purple))
    return np.minimum(blur(sky, kernels), np.asarray(CLIP, np.float32))


def fringe_of(picture: Image) -> float:
    """Mean blue over green where nothing clips, a little away from it."""
    clipped = (picture >= 0.9 * np.asarray(CLIP)).any(-1)
    near = np.zeros_like(clipped)
    for step in range(-2, 3):
        near |= np.roll(clipped, step, 0) | np.roll(clipped, step, 1)
    return float(np.maximum(picture[..., 2] - picture[..., 1], 0)[~near].mean())


def test_purple_around_blown_light_is_taken_away() -> None:
    picture = blown(2.0)
    mended = picture - fringe_map(picture, Place(200, 240), (0, 0), (0, 0), CLIP)
    assert fringe_of(picture) > 0.01
    assert fringe_of(mended) < 0.35 * fringe_of(picture)
    np.testing.assert_array_equal(mended[..., 1], picture[..., 1])


def test_noise_beside_blown_light_is_no_fringe() -> None:
    rng = np.random.default_rng(0)
    shot, read = np.full(3, 3e-3, np.float32), np.full(3, 1e-6, np.float32)
    light = np.full((200, 240, 3), 0.6, np.float32)
    light[:, :60] = 3.0
    noisy = light + np.sqrt(shot * light) * rng.standard_normal(light.shape, np.float32)
    picture = np.minimum(noisy, np.asarray(CLIP, np.float32))
    found = fringe_map(picture, Place(200, 240), (0, 0), (0, 0), CLIP, (shot, read))
    assert np.abs(found.mean((0, 1))).max() < 1e-4
    assert np.abs(found[:, 62:72].mean((0, 1))).max() < 1e-3


def test_purple_things_beside_blown_light_stay() -> None:
    picture = blown(0.0)
    picture[:, 90:110] = (0.3, 0.1, 0.4)
    mended = picture - fringe_map(picture, Place(200, 240), (0, 0), (0, 0), CLIP)
    np.testing.assert_allclose(mended[20:-20, 93:107], picture[20:-20, 93:107], atol=1e-3)
