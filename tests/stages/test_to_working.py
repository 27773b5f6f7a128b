"""Camera colors to the working space, in a new array or in the picture itself."""

from __future__ import annotations

import numpy as np

from rawfix.physics.sensor import SRGB_TO_XYZ
from rawfix.stages.to_working import camera_to_working, to_working

CAMERA = np.random.default_rng(0).normal(0.3, 0.5, (300, 41, 3)).astype(np.float32)


def test_the_matrix_is_applied_to_every_pixel() -> None:
    before = CAMERA.copy()
    matrix = camera_to_working(SRGB_TO_XYZ, (1.2, 1.0, 0.8), 0.5)
    working = to_working(CAMERA, SRGB_TO_XYZ, (1.2, 1.0, 0.8), 0.5)
    np.testing.assert_allclose(working, CAMERA.astype(np.float64) @ matrix.T, atol=1e-6)
    assert np.array_equal(CAMERA, before)


def test_in_place_gives_the_same_in_the_picture_itself() -> None:
    camera = CAMERA.copy()
    working = to_working(camera, SRGB_TO_XYZ, in_place=True)
    assert working is camera
    assert np.array_equal(working, to_working(CAMERA, SRGB_TO_XYZ))


def test_a_turned_view_is_left_alone() -> None:
    camera = CAMERA.copy()
    turned = camera.swapaxes(0, 1)
    working = to_working(turned, SRGB_TO_XYZ, in_place=True)
    assert np.array_equal(camera, CAMERA)
    np.testing.assert_allclose(working.swapaxes(0, 1), to_working(CAMERA, SRGB_TO_XYZ), atol=1e-6)
