"""Infrared is taken out of the visible channels, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.errors import SettingsError
from rawfix.stages.infrared import crosstalk_matrix, remove_infrared

WB = (2.0, 1.0, 1.5)


def visible(height: int = 300, width: int = 20) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.0, 0.4, (height, width, 3)).astype(np.float32)


def with_leak(light: np.ndarray, infrared: np.ndarray, shares: tuple[float, float, float]) -> np.ndarray:
    """White-balanced channels of a sensor whose visible photosites see some infrared, too."""
    return np.concatenate((light + infrared * np.multiply(shares, WB), infrared), 2).astype(np.float32)


def test_the_light_comes_back_free_of_infrared() -> None:
    light, shares = visible(), (0.3, 0.15, 0.2)
    infrared = np.random.default_rng(1).uniform(0, 0.8, (*light.shape[:2], 1)).astype(np.float32)
    camera = with_leak(light, infrared, shares)
    before = camera.copy()
    assert np.abs(camera[..., :3] - light).max() > 0.2
    found = remove_infrared(camera, WB, crosstalk_matrix("0.3,0.15,0.2"))
    np.testing.assert_allclose(found, light, atol=1e-6)
    np.testing.assert_array_equal(camera, before)
    assert found.dtype == np.float32


def test_a_whole_matrix_works_in_the_units_of_the_sensor() -> None:
    mix = np.array([[1.1, -0.1, 0.0, -0.2], [0.05, 1.0, -0.05, -0.1], [0.0, -0.2, 1.2, -0.3]])
    sensor = np.random.default_rng(2).uniform(0, 0.4, (5, 6, 4)).astype(np.float32)
    text = ",".join(str(number) for number in mix.ravel())
    found = remove_infrared(sensor * np.float32((*WB, 1.0)), WB, crosstalk_matrix(text))
    np.testing.assert_allclose(found, sensor @ mix.T * WB, atol=1e-6)


def test_nothing_told_drops_the_channel_bit_for_bit() -> None:
    camera = np.random.default_rng(3).random((4, 5, 4), np.float32)
    for matrix in (None, crosstalk_matrix(""), crosstalk_matrix("0,0,0")):
        np.testing.assert_array_equal(remove_infrared(camera, WB, matrix), camera[..., :3])


def test_what_is_clipped_stays_clipped() -> None:
    camera = np.array([[[2.0, 1.0, 1.5, 0.9], [2.5, 0.99, 1.6, 0.1]]], np.float32)
    found = remove_infrared(camera, WB, crosstalk_matrix("0.5,0.5,0.5"))
    np.testing.assert_array_equal(found, camera[..., :3])


def test_the_way_to_the_clipping_point_is_monotonic() -> None:
    ramp = np.linspace(0.8, 1.0, 200, dtype=np.float32)
    camera = np.repeat(ramp[None, :, None], 4, 2)
    camera[..., 3] = 0.5
    green = remove_infrared(camera, WB, crosstalk_matrix("0,0.2,0"))[0, :, 1]
    assert (np.diff(green) > 0).all()


@pytest.mark.parametrize(
    "text", ["1", "1,2", "a,b,c", "nan,0,0", "11,0,0", "1,2,3,4", "inf,0,0", ",".join("0" * 12)]
)
def test_what_is_no_matrix_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--ir-crosstalk"):
        crosstalk_matrix(text)
