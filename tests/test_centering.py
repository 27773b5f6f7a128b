"""A noise map shifts no exposure: it has no mean over a wide area."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.centering import SIDE, center

SHOT, READ = np.full(3, 1e-3, np.float32), np.full(3, 1e-5, np.float32)
WHITE = np.array((2.0, 1.0, 1.5), np.float32)


def maps(shape: tuple[int, int], level: float = 0.2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    noise = np.random.default_rng(0).normal(0, 0.01, (*shape, 3)).astype(np.float32)
    return noise, (level + noise).astype(np.float32), noise.astype(np.float16)


@pytest.mark.parametrize("shape", [(1, 1), (40, 700), (SIDE, SIDE), (SIDE + 1, 3 * SIDE - 7)])
def test_a_bias_goes_and_the_noise_stays(shape: tuple[int, int]) -> None:
    noise, camera, found = maps(shape)
    found += np.float16(0.003)
    center(found, camera, SHOT, READ, WHITE)
    left = found.astype(np.float32)
    assert np.abs(left.mean((0, 1))).max() < 1e-4
    if noise.size > 1000:
        np.testing.assert_allclose(left, noise - noise.mean((0, 1)), atol=2.5e-3)
        assert left.std() == pytest.approx(noise.std(), rel=0.01)


def test_a_bias_that_follows_the_light_goes_without_seams() -> None:
    noise, camera, _ = maps((4 * SIDE, 4 * SIDE))
    bias = np.linspace(-0.004, 0.004, 4 * SIDE, dtype=np.float32)[None, :, None]
    found = (0 * noise + bias).astype(np.float16)
    center(found, camera, SHOT, READ, WHITE)
    left = found.astype(np.float32)
    inner = left[:, SIDE // 2 : -SIDE // 2]
    assert np.abs(inner).max() < 2e-4
    steps = np.abs(np.diff(left[0, :, 0]))
    assert steps.max() < 5e-5


def test_saturated_light_does_not_count_channel_by_channel() -> None:
    _, camera, found = maps((SIDE, SIDE))
    half = SIDE // 2
    camera[:, half:, 1] = WHITE[1]  # green is blown, its noise cut off above
    found[:, half:, 1] = -0.01
    before = found.copy()
    center(found, camera, SHOT, READ, WHITE)
    kept = before[:, :half, 1].astype(np.float32).mean()
    np.testing.assert_allclose(found[:, half:, 1].astype(np.float32), -0.01 - kept, atol=2e-5)
    assert abs(float(found[..., 0].astype(np.float32).mean())) < 1e-4


def test_where_all_is_saturated_nothing_changes() -> None:
    _, camera, found = maps((300, 300))
    camera[:] = WHITE
    found[:] = -0.01
    before = found.copy()
    center(found, camera, SHOT, READ, WHITE)
    np.testing.assert_array_equal(found, before)
