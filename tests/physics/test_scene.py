"""From a photograph back to light: published curve, kept grays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rawfix.color.transfer import decode
from rawfix.physics import scene

AMOUNTS = st.lists(st.floats(-0.4, 0.4), min_size=6, max_size=6)


def test_linearize_is_the_srgb_curve() -> None:
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_allclose(
        scene.linearize(values), decode("srgb", (values / 255).astype(np.float32)), rtol=2e-6
    )
    assert scene.linearize(values)[[0, 255]].tolist() == [0, 1]
    assert scene.linearize(values).dtype == np.float32


@given(AMOUNTS, st.floats(0.1, 3), st.floats(0, 1))
def test_a_gray_stays_gray_and_scales_with_exposure(
    amounts: list[float], exposure: float, gray: float
) -> None:
    light = scene.Light(exposure, (2.0, 1.0, 1.5), scene.saturation_matrix(np.array(amounts)))
    camera = scene.to_camera(np.full((2, 3, 3), gray, np.float32), light)
    np.testing.assert_allclose(camera, gray * exposure, atol=1e-5)


def test_crosstalk_amounts_are_the_off_diagonals_in_order() -> None:
    matrix = scene.saturation_matrix(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    expected = [[0.7, 0.1, 0.2], [0.3, 0.3, 0.4], [0.5, 0.6, -0.1]]
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


def test_to_camera_applies_the_matrix_to_column_vectors() -> None:
    matrix = scene.saturation_matrix(np.array([0.1, 0, 0, 0, 0, 0]))
    green = np.array([[[0, 1, 0]]], np.float32)
    camera = scene.to_camera(green, scene.Light(2.0, (1.0, 1.0, 1.0), matrix))
    np.testing.assert_allclose(camera[0, 0], [0.2, 2, 0], atol=1e-6)


def test_camera_light_is_not_clipped() -> None:
    light = scene.Light(4.0, (2.0, 1.0, 1.5), np.eye(3, dtype=np.float32))
    assert scene.to_camera(np.ones((1, 1, 3), np.float32), light).max() == pytest.approx(4)
