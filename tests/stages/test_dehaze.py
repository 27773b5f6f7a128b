"""Haze that is put in comes out; clear pictures, and those that tell nothing, stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.frame import Image, Place
from rawfix.physics.haze import Haze, estimate_haze, transmission
from rawfix.physics.psf import blur, gaussian
from rawfix.stages.dehaze import haze_map
from rawfix.stages.restore import Component, Drawn, combine
from tests.leaves import dead_leaves

SIZE = (448, 640)
WHOLE = Place(*SIZE)
CLIP = (2.0, 1.0, 1.5)
AIRLIGHT = np.array((0.7, 0.75, 0.8), np.float32)


def found_in(picture: Image) -> Haze | None:
    height, width = picture.shape[:2]
    return estimate_haze(lambda start, end: picture[start:end], (height, width), CLIP)


def depth(nearest: float = 0.95, farthest: float = 0.1) -> Image:
    """A plain that reaches from the camera's feet to the horizon, as transmission ``(H, W, 1)``."""
    rows = np.linspace(farthest, nearest, SIZE[0], dtype=np.float32)
    return np.repeat(rows[:, None, None], SIZE[1], 1)


@pytest.fixture(scope="module")
def clear() -> Image:
    return dead_leaves(*SIZE, seed=3)


@pytest.fixture(scope="module")
def hazy(clear: Image) -> Image:
    return np.asarray(clear * depth() + AIRLIGHT * (1 - depth()), np.float32)


def test_a_planted_haze_is_found(hazy: Image) -> None:
    haze = found_in(hazy)
    assert haze is not None
    np.testing.assert_allclose(haze.airlight, AIRLIGHT, atol=0.1)
    assert np.abs(transmission(hazy, WHOLE, haze) - depth()[..., 0]).mean() < 0.06


def test_a_planted_haze_is_taken_away(clear: Image, hazy: Image) -> None:
    haze = found_in(hazy)
    assert haze is not None
    mended = hazy - haze_map(hazy, WHOLE, haze)
    before, after = (float(np.sqrt(((p - clear) ** 2).mean())) for p in (hazy, mended))
    assert after < 0.4 * before
    assert mended.min() >= 0


def test_a_clear_picture_has_no_haze(clear: Image) -> None:
    assert found_in(clear) is None


@pytest.mark.parametrize("level", [0.02, 0.18, 0.7, 3.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_flat_gray_has_no_haze(level: float, noise: float) -> None:
    gray = np.full((*SIZE, 3), level, np.float32)
    gray += np.float32(noise) * np.random.default_rng(0).standard_normal(gray.shape, np.float32)
    assert found_in(gray) is None


def test_what_outshines_the_airlight_stays(hazy: Image) -> None:
    haze = found_in(hazy)
    assert haze is not None
    picture = hazy.copy()
    picture[100:120, 100:120] = 0.9
    assert not haze_map(picture, WHOLE, haze)[100:120, 100:120].any()


def test_a_window_is_cleared_as_the_whole(hazy: Image) -> None:
    haze = found_in(hazy)
    assert haze is not None
    whole = haze_map(hazy, WHOLE, haze)
    part = haze_map(hazy[90:150, 70:300], WHOLE.window(90, 70), haze)
    np.testing.assert_array_equal(part, whole[90:150, 70:300])


def combined(picture: Image, components: list[Component], shot: float) -> Image:
    return combine(picture, components, np.full(3, shot, np.float32), np.full(3, 1e-7, np.float32))


def flat_haze(t: float) -> Haze:
    grid = np.zeros((2, 2, 2), np.float32)
    grid[..., 1] = t
    red, green, blue = map(float, AIRLIGHT)
    return Haze((red, green, blue), grid, 400)


def test_blur_found_in_haze_grows_with_the_scene_it_hid(clear: Image) -> None:
    kernel = gaussian(1.2)
    soft = blur(clear, (kernel, kernel, kernel))
    t = np.float32(0.4)
    seen = soft * t + AIRLIGHT * (1 - t)
    components = [
        Component("blur", (soft - clear) * t, 1, "signal"),
        Component(
            "haze", Drawn(lambda light, y: haze_map(light, WHOLE.window(y), flat_haze(0.4))), 1, "signal"
        ),
    ]
    np.testing.assert_allclose(combined(seen, components, 1e-4), clear, atol=2e-5)


def test_noise_on_cleared_light_is_what_a_camera_would_have_recorded() -> None:
    rng, t, shot = np.random.default_rng(0), 0.4, 1e-3
    scene = np.full((*SIZE, 3), 0.15, np.float32)
    signal = np.asarray(scene * t + AIRLIGHT * (1 - t), np.float32)
    noise = np.sqrt(np.float32(shot) * signal) * rng.standard_normal(signal.shape, np.float32)

    def left(denoise: float, told: bool = True) -> Image:
        haze = Drawn(lambda light, y: haze_map(light, WHOLE.window(y), flat_haze(t)))
        components = [Component("haze", haze, 1, "signal")]
        if told:
            components.append(Component("noise", noise, denoise, "noise"))
        return combined(signal + noise, components, shot)

    expected = float(np.sqrt(shot * 0.15))
    assert left(0).mean() == pytest.approx(0.15, abs=1e-3)
    assert left(0).std() == pytest.approx(expected, rel=0.03)
    assert left(1).std() < 1e-5
    assert left(0, told=False).std() > 3 * expected


def test_a_frame_that_is_nearly_all_blown_is_looked_at() -> None:
    picture = np.tile(np.array(CLIP, np.float32), (200, 200, 1))
    picture[60:65, 60:65] = 0.2
    assert estimate_haze(lambda start, end: picture[start:end], (200, 200), CLIP) is None
