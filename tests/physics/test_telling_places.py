"""Noise shows in flat shadows, blur at strong edges."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.physics.telling_places import telling_places


def test_the_telling_places_are_the_flat_shadow_and_the_strongest_edge() -> None:
    rng = np.random.default_rng(0)
    light = np.full((400, 600), 0.4, np.float32)
    light[:, 300:] += 0.2 * rng.random((100, 75)).repeat(4, 0).repeat(4, 1)
    light[40:200, 40:200] = 0.03  # the shadow
    light[250:390, 30:160] = 0.02 + 0.1 * rng.random((140, 130))  # as dark, and busy
    light[330:, 500:] = 0.9  # the edge
    light[:60, 500:] = 1.0  # clipped
    light += 0.002 * rng.standard_normal(light.shape).astype(np.float32)
    (dark_y, dark_x), (edge_y, edge_x) = telling_places(light, 96)
    assert 36 <= dark_y <= 108
    assert 36 <= dark_x <= 108
    assert edge_y <= 330 <= edge_y + 96 or edge_x <= 500 <= edge_x + 96
    assert edge_y > 200
    assert edge_x + 96 > 460


@pytest.mark.parametrize("shape", [(8, 8), (9, 300), (512, 512)])
def test_squares_lie_within_the_picture(shape: tuple[int, int]) -> None:
    light = np.random.default_rng(0).random(shape).astype(np.float32)
    side = min(64, *shape)
    for y, x in telling_places(light, side):
        assert 0 <= y <= shape[0] - side
        assert 0 <= x <= shape[1] - side
