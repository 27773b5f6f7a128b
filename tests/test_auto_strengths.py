"""Strengths that the picture decides follow what one would see of its noise and of its blur."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rawfix.auto_strengths import deblur_for, decide_strengths, denoise_for, visible_noise
from rawfix.errors import SettingsError
from rawfix.frame import Image, NoiseModel
from rawfix.physics.edge_width import edge_width, rise
from rawfix.settings import Settings, Strengths
from tests.conftest import noise_at

WB = (2.0, 1.0, 1.5)


def bars(sigma: float, noise: float, slant: float = 0.07) -> Image:
    """``(400, 400)``: slanted bars of 0.1 and 0.6, blurred by a Gaussian and by the pixel's aperture, with noise."""
    erf = np.vectorize(math.erf)
    fine = np.arange(0, 64, 0.125) - 16
    rising, falling = (erf((fine - at) / (max(sigma, 1e-3) * math.sqrt(2))) for at in (0, 32))
    light = 0.1 + 0.25 * (rising - falling)
    light = np.convolve(np.tile(light, 3), np.full(8, 1 / 8), "same")[light.size : 2 * light.size]
    y, x = np.mgrid[:400, :400]
    image = light[np.mod(np.rint((x + slant * y) * 8).astype(int), light.size)]
    return np.asarray(image + noise * np.random.default_rng(0).standard_normal(image.shape), np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.01])
@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5, 2.0])
def test_edges_are_as_wide_as_they_were_blurred_whatever_the_noise(sigma: float, noise: float) -> None:
    width = edge_width(bars(sigma, noise), 0.0, max(noise, 1e-4) ** 2)
    assert width is not None
    assert width == pytest.approx(2.563 * math.hypot(sigma, 0.29), rel=0.12)


def test_a_slant_does_not_make_an_edge_wider() -> None:
    upright, slanted = (edge_width(bars(1.2, 0.0, slant), 0.0, 1e-8) for slant in (0.05, 0.4))
    across = edge_width(bars(1.2, 0.0, 0.05).T, 0.0, 1e-8)
    assert upright is not None
    assert slanted == pytest.approx(upright / math.hypot(1, 0.4), rel=0.06)
    assert across == upright


def test_noise_alone_and_clipped_edges_have_no_width() -> None:
    rng = np.random.default_rng(0)
    assert edge_width(np.full((300, 300), 0.3, np.float32), 0.0, 1e-6) is None
    noisy = np.asarray(0.3 + 0.05 * rng.standard_normal((300, 300)), np.float32)
    assert edge_width(noisy, 0.0, 0.05**2) is None
    assert edge_width(2 * bars(1.0, 0.0), 0.0, 1e-8) is None
    assert edge_width(bars(1.0, 0.0)[:5, :5], 0.0, 1e-8) is None


def test_a_rise_is_read_between_samples() -> None:
    ramp = np.clip((np.arange(12) - 3) / 5, 0, 1).astype(np.float32)[None]
    assert rise(ramp) == pytest.approx([4.0])
    assert np.isnan(rise(np.zeros((1, 12), np.float32)))


def test_noise_is_seen_in_steps_of_the_display() -> None:
    """By hand: at middle gray sRGB climbs 305 of 255 steps a unit, in the shadows at 0.02 it climbs 1098."""
    gray_only = NoiseModel((0.0,) * 3, (1e-4,) * 3)
    luma = math.sqrt(0.2126**2 + 0.7152**2 + 0.0722**2)
    assert visible_noise(gray_only, (1.0, 1.0, 1.0)) == pytest.approx(0.01 * luma * 1098, rel=2e-3)
    brighter = visible_noise(noise_at(800), WB, exposure=1.0)
    assert brighter > 1.2 * visible_noise(noise_at(800), WB)


def test_denoise_leaves_one_step_of_grain_and_grows_with_iso() -> None:
    chosen = [denoise_for(visible_noise(noise_at(iso), WB)) for iso in (100, 800, 3200, 25600)]
    assert chosen[0] == 0
    assert chosen == sorted(chosen)
    assert 0.4 < chosen[2] < 0.7 < chosen[3] < 0.95
    assert denoise_for(4.0) == 0.75
    assert denoise_for(0.0) == 0


def test_deblur_grows_with_the_width_of_edges() -> None:
    assert [deblur_for(width) for width in (None, 0.9, 1.5, 2.5, 3.5, 9.0)] == [0, 0, 0, 0.5, 1, 1]


def test_auto_becomes_numbers_and_says_why() -> None:
    camera = np.repeat(bars(1.2, 0.002)[..., None], 3, -1)
    noise = NoiseModel((0.0,) * 3, (4e-6,) * 3)
    asked = Strengths(denoise="auto", deblur="auto")
    decided, notes = decide_strengths(asked, camera, noise, WB)
    assert 0 < decided.blur < 1
    assert decided.noise[0] == denoise_for(visible_noise(noise, WB))
    assert [note.split(":")[0] for note in notes] == [
        f"--denoise auto is {decided.denoise:g}",
        f"--deblur auto is {decided.deblur:g}",
    ]
    assert decide_strengths(decided, camera, noise, WB) == (decided, ())


def test_auto_is_a_strength_until_it_is_decided() -> None:
    settings = Settings(strengths=Strengths(denoise="auto", denoise_chroma=1))
    assert settings.strengths.active
    assert Settings.from_dict(settings.to_dict()) == settings
    with pytest.raises(ValueError, match="not decided"):
        _ = settings.strengths.noise
    with pytest.raises(SettingsError, match="-1 to 2"):
        Strengths(denoise_luma="auto")  # type: ignore[arg-type]
