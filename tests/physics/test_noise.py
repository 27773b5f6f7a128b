"""Draws have the moments that the formulas state."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.frame import NoiseModel
from rawfix.physics import noise

SHAPE = (400, 500)


@pytest.mark.parametrize("level", [0.0, 0.05, 0.7])
def test_white_noise_has_the_stated_mean_and_variance(level: float) -> None:
    signal = np.full(SHAPE, level, np.float32)
    drawn = noise.draw_white(signal, 1e-3, 1e-5, np.random.default_rng(0))
    stated = 1e-3 * level + 1e-5
    assert drawn.dtype == np.float32
    assert drawn.mean() == pytest.approx(0, abs=5 * np.sqrt(stated / drawn.size))
    assert drawn.var() == pytest.approx(stated, rel=0.02)


def test_variance_below_black_is_that_of_the_dark() -> None:
    signal = np.array([-0.5, 0.0, 0.5], np.float32)
    np.testing.assert_allclose(noise.variance(signal, 0.02, 0.001), [0.001, 0.001, 0.011], rtol=1e-6)
    assert noise.variance(signal, 0.02, 0.001).dtype == np.float32


@pytest.mark.parametrize("iso", [100.0, 800.0])
def test_iso_form_is_shot_and_read(iso: float) -> None:
    k1, k0, black, white = 0.35, 6.0, 512.0, 16383.0
    shot, read = noise.from_iso_form(k1, k0, iso, white - black)
    counts = np.array([512.0, 900.0, 9000.0])
    in_counts = (k1 * (counts - black) + k0) * iso / 100
    signal = (counts - black) / (white - black)
    np.testing.assert_allclose((shot * signal + read) * (white - black) ** 2, in_counts)


def test_gain_scales_shot_once_and_read_twice() -> None:
    base = NoiseModel((1e-5, 2e-5, 3e-5), (1e-8, 2e-8, 3e-8), "file")
    pushed = noise.at_iso(base, 100, 400)
    assert pushed.shot == pytest.approx((4e-5, 8e-5, 12e-5))
    assert pushed.read == pytest.approx((16e-8, 32e-8, 48e-8))
    assert pushed.source == "file"
    assert noise.at_iso(pushed, 400, 100).read == pytest.approx(base.read)


def test_no_structure_is_no_noise() -> None:
    drawn = noise.draw_structure((5, 6), noise.Structure(), np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, np.zeros((5, 6), np.float32))


def test_row_noise_is_one_offset_a_row() -> None:
    drawn = noise.draw_structure((3000, 4), noise.Structure(row=0.02), np.random.default_rng(0))
    assert (drawn == drawn[:, :1]).all()
    assert drawn[:, 0].std() == pytest.approx(0.02, rel=0.05)


def test_column_noise_is_one_offset_a_column() -> None:
    drawn = noise.draw_structure((4, 3000), noise.Structure(column=0.02), np.random.default_rng(0))
    assert (drawn == drawn[:1]).all()
    assert drawn[0].std() == pytest.approx(0.02, rel=0.05)


def test_fixed_pattern_is_positive_with_the_stated_mean() -> None:
    drawn = noise.draw_structure(SHAPE, noise.Structure(fixed_pattern=0.01), np.random.default_rng(0))
    assert drawn.min() >= 0
    assert drawn.mean() == pytest.approx(0.01, rel=0.02)
    assert drawn.std() == pytest.approx(0.01, rel=0.03)


def test_telegraph_pixels_are_up_half_of_the_time() -> None:
    structure = noise.Structure(telegraph=0.1, telegraph_share=0.2)
    drawn = noise.draw_structure(SHAPE, structure, np.random.default_rng(0))
    np.testing.assert_array_equal(np.unique(drawn), np.array([0, 0.1], np.float32))
    assert (drawn > 0).mean() == pytest.approx(0.1, rel=0.05)


def test_quantizing_rounds_and_clips_like_a_converter() -> None:
    signal = np.array([-1.0, -0.04, -0.01, 0.26, 0.99, 3.0], np.float32)
    counts = noise.quantize(signal, 10, black=1) * 10
    np.testing.assert_allclose(counts, [-1, 0, 0, 3, 10, 10], atol=1e-6)


def test_quantizing_adds_a_twelfth_of_a_squared_step() -> None:
    signal = np.random.default_rng(0).random(200_000, np.float32)
    error = noise.quantize(signal, 255) - signal
    assert error.var() == pytest.approx(1 / 255**2 / 12, rel=0.02)


def test_the_same_generator_draws_the_same_noise() -> None:
    structure = noise.Structure(0.1, 0.1, 0.1, 0.1, 0.5)
    first, second = (noise.draw_structure((20, 30), structure, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_denoising_leaves_the_square_of_the_rest() -> None:
    model = NoiseModel((1e-4, 2e-4, 3e-4), (1e-6, 2e-6, 3e-6), "file")
    wb = (2.0, 1.0, 1.5)
    for strength in (0.0, 0.5, 1.5, -1.0):
        left = noise.residual(model, strength, strength, wb)
        stated = np.array((model.shot, model.read)) * (1 - strength) ** 2
        np.testing.assert_allclose((left.shot, left.read), stated)
    assert 0 < noise.residual(model, 1.0, 1.0).shot[0] < 0.05 * model.shot[0]


@pytest.mark.parametrize(("luma", "chroma"), [(0.4, 0.4), (0.3, 0.9), (1.0, 0.0), (-0.5, 1.0)])
def test_residual_noise_is_what_simulation_leaves(luma: float, chroma: float) -> None:
    """A gray under a colored light, darkened and rounded afterwards."""
    rng = np.random.default_rng(0)
    model, gain, step = NoiseModel((4e-3, 2e-3, 3e-3), (1e-3, 2e-4, 5e-4)), 4.0, 1 / 200
    wb = np.array((2.0, 1.0, 1.5))
    gray = np.broadcast_to(0.4 / wb, (300_000, 3)).astype(np.float32)
    balanced = wb * noise.draw_white(gray, np.float32(model.shot), np.float32(model.read), rng)
    brightness = (balanced @ noise.LUMA)[:, None]
    kept = balanced - luma * brightness - chroma * (balanced - brightness)
    stored = np.rint((gray + kept / wb) / gain / step) * step
    left = noise.residual(model, luma, chroma, (2.0, 1.0, 1.5), gain, step)
    stated = np.array(left.shot) * gray[0] / gain + np.array(left.read)
    np.testing.assert_allclose(stored.var(0), stated, rtol=0.03)
