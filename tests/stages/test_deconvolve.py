"""Richardson-Lucy: sharper where the blur is known, bounded where noise begins."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.frame import Image, NoiseModel, PsfModel
from rawfix.metrics import psnr
from rawfix.physics.noise import draw_white
from rawfix.physics.psf import blur, gaussian
from rawfix.stages import deconvolve
from rawfix.stages.deconvolve import blur_map, convolved, taps
from tests.conftest import noise_at, scene

NO_CLIP = np.full(3, 9.0, np.float32)


def psf(sigma: float, corner: float | None = None) -> PsfModel:
    return PsfModel((sigma,) * 3, (sigma if corner is None else corner,) * 3)


def blurred(sigma: float, model: NoiseModel, size: int = 160) -> tuple[Image, Image, Image, Image]:
    light = scene(size, size)
    shot, read = np.array(model.shot, np.float32), np.array(model.read, np.float32)
    soft = blur(light, (gaussian(sigma),) * 3)
    return light, soft + draw_white(soft, shot, read, np.random.default_rng(0)), shot, read


@pytest.mark.parametrize("sigma", [0.4, 0.7, 1.2, 2.0])
def test_taps_have_the_variance_asked_for(sigma: float) -> None:
    kernel = taps(sigma)
    at = np.arange(len(kernel)) - len(kernel) // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert float((kernel * at**2).sum()) == pytest.approx(sigma**2, rel=0.02)


def test_the_true_blur_gains_two_decibels() -> None:
    light, observed, shot, read = blurred(1.2, noise_at(100))
    # The kernel's integration over pixels adds a box's variance to it.
    found = blur_map(observed, psf(float(np.sqrt(1.2**2 + 1 / 12))), shot, read, NO_CLIP)
    assert psnr(observed - found, light, border=8) > psnr(observed, light, border=8) + 2


def test_damping_keeps_noise_down() -> None:
    light = np.full((96, 96, 3), 0.2, np.float32)
    model = noise_at(6400)
    shot, read = np.array(model.shot, np.float32), np.array(model.read, np.float32)
    observed = light + draw_white(light, shot, read, np.random.default_rng(0))
    damped = observed - blur_map(observed, psf(1.0), shot, read, NO_CLIP)
    free = observed - blur_map(observed, psf(1.0), shot, read, NO_CLIP, damping=0)
    assert free.std() > 1.8 * observed.std()
    assert damped.std() < 1.35 * observed.std()
    assert abs(float(damped.mean()) - 0.2) < 1e-3


def test_light_stays_where_it_was() -> None:
    """Values below black included: means are kept, and nothing is clipped."""
    _, observed, shot, read = blurred(1.0, noise_at(1600))
    dark = observed - 0.2
    found = blur_map(dark, psf(1.0), shot, read, NO_CLIP)
    assert (dark < 0).mean() > 0.05
    assert abs(float(found.mean())) < 2e-4
    assert np.isfinite(found).all()


def test_tiles_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    _, observed, shot, read = blurred(1.0, noise_at(100), size=300)
    whole = blur_map(observed, psf(1.0), shot, read, NO_CLIP)
    monkeypatch.setattr(deconvolve, "_TILE", 100)
    tiled = blur_map(observed, psf(1.0), shot, read, NO_CLIP)
    assert np.abs(whole).max() > 0.05
    assert np.abs(whole - tiled).max() < 1e-3


def test_wider_corners_are_sharpened_more() -> None:
    tile = blurred(1.0, noise_at(100), size=100)[1]
    observed = np.tile(tile, (9, 9, 1))
    noise = np.full(3, 1e-6, np.float32)
    found = np.abs(blur_map(observed, psf(0.6, 1.4), noise, noise, NO_CLIP, iterations=2))
    assert found[20:80, 20:80].mean() > 1.2 * found[420:480, 420:480].mean()


def test_saturated_places_are_left_alone() -> None:
    light = np.full((96, 96, 3), 0.1, np.float32)
    light[40:56, 40:56] = 1.0
    noise = np.full(3, 1e-6, np.float32)
    found = blur_map(light, psf(1.0), noise, noise, np.ones(3, np.float32))
    free = blur_map(light, psf(1.0), noise, noise, NO_CLIP)
    assert np.abs(free[36:60, 36:60]).max() > 0.05
    assert not found[36:60, 36:60].any()


def test_convolution_agrees_with_the_forward_model() -> None:
    image = scene(40, 50)
    kernel = taps(1.1)
    whole = blur(image, (np.outer(kernel, kernel),) * 3)
    assert np.abs(convolved(image[..., 0], kernel) - whole[..., 0])[6:-6, 6:-6].max() < 1e-6
