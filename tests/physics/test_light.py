"""Drawn light looks like a photograph's to whoever counts."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.physics.light import draw_light


def test_light_is_positive_bright_here_and_dark_there() -> None:
    light = draw_light(256, 320, np.random.default_rng(0))
    assert light.shape == (256, 320, 3) and light.dtype == np.float32
    assert light.min() > 0
    assert 0.08 < np.median(light) < 0.18
    assert 0.001 < (light > 1).any(-1).mean() < 0.1


def test_amplitude_falls_with_frequency_as_in_photographs() -> None:
    green = np.log(draw_light(512, 512, np.random.default_rng(1))[..., 1])
    power = np.abs(np.fft.fft2(green - green.mean())) ** 2
    radius = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.fftfreq(512))
    rings = [power[(radius >= low) & (radius < 2 * low)].mean() for low in (1 / 64, 1 / 32, 1 / 16, 1 / 8)]
    slope = np.polyfit(np.log2([1, 2, 4, 8]), np.log2(rings), 1)[0]
    assert -2.4 < slope < -1.6


def test_the_same_seed_draws_the_same() -> None:
    one, two = (draw_light(33, 47, np.random.default_rng(5), channels=4) for _ in range(2))
    assert one.shape == (33, 47, 4) and np.array_equal(one, two)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 1)])
def test_the_smallest_frames_are_finite(size: tuple[int, int]) -> None:
    assert np.isfinite(draw_light(*size, np.random.default_rng(0))).all()
