"""What is added never contradicts what was seen: corrected pictures shrink to it, at any block size, within range."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.frame import Image
from rawfix.physics.light import draw_light
from rawfix.physics.shrinking import Method, shrinking
from rawfix.stages import back_project as guard
from rawfix.stages.back_project import back_project
from rawfix.stages.upscale import Window, upscale

SIZE = (90, 110)


def shrunk(fine: Image, method: Method, scale: int) -> Image:
    way = shrinking(method, scale)
    planes = [way.shrink(np.ascontiguousarray(fine[..., c])) for c in range(fine.shape[2])]
    return np.stack(planes, -1)


def consistency(fine: Image, seen: Image, method: Method) -> float:
    error = shrunk(fine, method, fine.shape[0] // seen.shape[0]) - seen
    return float(-10 * np.log10((error.astype(np.float64) ** 2).mean()))


def pair(method: Method, scale: int) -> tuple[Image, Image, Image]:
    """A truth, what was seen of it, and a guess at the truth that contradicts it."""
    rng = np.random.default_rng(scale)
    truth = draw_light(SIZE[0] * scale, SIZE[1] * scale, rng)
    if method == "bicubic":
        truth = np.clip(truth, 0, 1) ** np.float32(0.45)
    seen = shrunk(truth, method, scale)
    if method == "bicubic":
        seen = np.rint(np.clip(seen, 0, 1) * 255).astype(np.float32) / np.float32(255)
    else:
        seen += np.float32(0.01) * rng.standard_normal(seen.shape, np.float32) - np.float32(0.02)
    guess = seen.repeat(scale, 0).repeat(scale, 1) * np.float32(1.3)
    return truth, seen, guess + np.float32(0.05) * rng.standard_normal(guess.shape, np.float32)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize(("method", "least", "step"), [("area", 100, 0.0), ("bicubic", 50, 1 / 255)])
def test_a_corrected_picture_shrinks_to_what_was_seen_and_is_nearer_to_the_truth(
    method: Method, scale: int, least: float, step: float
) -> None:
    truth, seen, guess = pair(method, scale)
    assert consistency(guess, seen, method) < 32
    fine = back_project(guess.copy(), seen, method, step=step)
    assert consistency(fine, seen, method) > least
    assert ((fine - truth) ** 2).mean() < 0.97 * ((guess - truth) ** 2).mean()
    if method == "bicubic":
        assert fine.min() >= 0
        assert fine.max() <= 1
    else:
        np.testing.assert_allclose(fine.mean((0, 1)), seen.mean((0, 1)), atol=1e-5)
        assert fine.min() >= min(float(seen.min()), 0) - 1e-6


@pytest.mark.parametrize("method", ["area", "bicubic"])
def test_blocks_and_threads_make_no_difference(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen, guess = pair(method, 2)
    whole = back_project(guess.copy(), seen, method)
    np.testing.assert_array_equal(back_project(guess.copy(), seen, method, threads=3), whole)
    monkeypatch.setattr(guard, "_BLOCK", 32)
    parts = back_project(guess.copy(), seen, method, threads=3)
    np.testing.assert_allclose(parts, whole, rtol=0, atol=0 if method == "area" else 1e-6)


def test_light_above_zero_is_never_pushed_below() -> None:
    seen = np.zeros((40, 40, 1), np.float32)
    seen[20, 20] = 1.0
    fine = 0.3 * np.random.default_rng(0).standard_normal((80, 80, 1)).astype(np.float32)
    back_project(fine, seen, "area")
    assert fine.min() >= 0
    np.testing.assert_allclose(shrunk(fine, "area", 2), seen, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 4])
def test_what_is_black_or_white_keeps_its_mean_within_range(scale: int) -> None:
    rng = np.random.default_rng(0)
    seen = (rng.random((40, 50, 1)) < 0.5).astype(np.float32)
    seen[10:20] = rng.random((10, 50, 1))
    fine = seen.repeat(scale, 0).repeat(scale, 1)
    fine += 0.4 * rng.standard_normal(fine.shape).astype(np.float32)
    back_project(fine, seen, "area", white=(1.0,))
    assert fine.min() >= -1e-6
    assert fine.max() <= 1 + 1e-6
    assert consistency(fine, seen, "area") > 100


def test_nothing_is_brighter_than_saturated_light() -> None:
    white = (2.0, 1.0, 1.5)
    seen = np.full((40, 60, 3), 0.2, np.float32)
    seen[10:20, 10:20] = white
    seen[15, 40] = 0.6
    fine = seen.repeat(2, 0).repeat(2, 1)
    fine += np.float32(0.3) * np.random.default_rng(0).standard_normal(fine.shape).astype(np.float32)
    free = back_project(fine.copy(), seen, "area")
    back_project(fine, seen, "area", white=white)
    blown = np.s_[18:42, 18:42]
    assert (free[blown] > np.float32(1.05) * np.array(white, np.float32)).any()
    assert (fine[blown] <= np.array(white, np.float32) + 1e-6).all()
    assert fine[30:32, 80:82].max() > 0.65
    for each in (free, fine):
        assert consistency(each, seen, "area") > 100


def test_a_rounded_picture_is_not_corrected_within_its_rounding() -> None:
    seen = np.full((40, 40, 1), 100 / 255, np.float32)
    fine = np.full((80, 80, 1), 100.4 / 255, np.float32)
    np.testing.assert_array_equal(back_project(fine.copy(), seen, "bicubic", step=1 / 255), fine)
    assert (back_project(fine.copy(), seen, "bicubic") != fine).all()


def test_gray_goes_through_the_network_three_times_over_and_noise_begins_at_the_origin() -> None:
    asked: list[Image] = []

    def network(image: Image, noise: Window) -> Image:
        asked.append(noise(0, 2, 0, 3))
        return image.repeat(2, 0).repeat(2, 1) * np.array([0.9, 1.0, 1.1], np.float32)

    gray = np.random.default_rng(0).random((8, 9, 1), np.float32)
    fine = upscale(gray, network, 0.5, 4, origin=(10, 20))
    np.testing.assert_allclose(fine, gray.repeat(2, 0).repeat(2, 1), rtol=1e-6)
    upscale(gray, network, 1.0, 4, origin=(11, 20))
    np.testing.assert_array_equal(2 * asked[0][1], asked[1][0])
    upscale(gray, network, 0.0, 4)
    assert not asked[2].any()
