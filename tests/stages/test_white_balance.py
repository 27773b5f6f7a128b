"""White balance choices, and the matrix they end in."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.color.matrices import D65, rgb_to_xyz, xy_to_xyz
from rawfix.color.spaces import SPACES
from rawfix.color.temperature import kelvin_to_xy
from rawfix.errors import SettingsError
from rawfix.stages.to_working import to_working
from rawfix.stages.white_balance import wb_multipliers, wb_ratio, wb_to_kelvin

# A made-up sensor: XYZ → unbalanced camera, and what RawFrame keeps of it.
NATIVE = np.array([[0.70, -0.14, -0.10], [-0.44, 1.24, 0.22], [-0.10, 0.22, 0.66]])
DAYLIGHT = 1.0 / (NATIVE @ xy_to_xyz(D65))
CAM_TO_XYZ = np.linalg.inv(DAYLIGHT[:, None] * NATIVE)
AS_SHOT = (2.1, 1.0, 1.4)


def test_as_shot_is_kept_and_its_ratio_is_exactly_one() -> None:
    assert wb_multipliers("as-shot", AS_SHOT, CAM_TO_XYZ) == AS_SHOT
    assert wb_ratio(AS_SHOT, AS_SHOT) == (1.0, 1.0, 1.0)


def test_explicit_multipliers_are_scaled_to_green() -> None:
    assert wb_multipliers("4,2,3", AS_SHOT, CAM_TO_XYZ) == (2.0, 1.0, 1.5)


def test_a_temperature_makes_its_own_light_neutral() -> None:
    wb = wb_multipliers("3200,10", AS_SHOT, CAM_TO_XYZ, xyz_to_native=NATIVE)
    balanced = NATIVE @ xy_to_xyz(kelvin_to_xy(3200, 10)) * wb
    np.testing.assert_allclose(balanced, balanced[1], rtol=1e-9)
    assert wb_to_kelvin(wb, AS_SHOT, CAM_TO_XYZ, NATIVE) == pytest.approx((3200, 10), abs=0.5)


def test_daylight_follows_the_native_matrix_or_else_as_shot() -> None:
    known = wb_multipliers("daylight", AS_SHOT, CAM_TO_XYZ, xyz_to_native=NATIVE)
    np.testing.assert_allclose(known, DAYLIGHT / DAYLIGHT[1], rtol=1e-9)
    np.testing.assert_allclose(wb_multipliers("daylight", AS_SHOT, CAM_TO_XYZ), AS_SHOT, rtol=1e-9)


def test_warmer_light_asks_for_more_blue() -> None:
    warm, cold = (wb_multipliers(k, AS_SHOT, CAM_TO_XYZ) for k in ("3000", "9000"))
    assert warm[2] > cold[2]
    assert warm[0] < cold[0]


def test_auto_finds_a_cast_and_ignores_clipped_light() -> None:
    rng = np.random.default_rng(5)
    gray = rng.uniform(0.05, 0.5, (64, 96, 1)).astype(np.float32)
    camera = gray * np.float32([1.25, 1.0, 0.8])
    camera[:16] = np.float32(AS_SHOT)
    wb = wb_multipliers("auto", AS_SHOT, CAM_TO_XYZ, camera)
    np.testing.assert_allclose(wb, (2.1 / 1.25, 1.0, 1.4 / 0.8), rtol=1e-3)


def test_auto_on_a_black_picture_is_as_shot() -> None:
    black = np.zeros((32, 32, 3), np.float32)
    assert wb_multipliers("auto", AS_SHOT, CAM_TO_XYZ, black) == pytest.approx(AS_SHOT)


@pytest.mark.parametrize("choice", ["", "sunny", "1,2", "1,0,1", "1,2,3,4", "nan", "-1,1,1", "5000,999"])
def test_nonsense_is_refused(choice: str) -> None:
    with pytest.raises(SettingsError):
        wb_multipliers(choice, AS_SHOT, CAM_TO_XYZ)


def test_white_maps_to_white_and_exposure_doubles() -> None:
    camera = np.ones((200, 3, 3), np.float32)
    np.testing.assert_allclose(to_working(camera, CAM_TO_XYZ), 1.0, atol=1e-6)
    np.testing.assert_allclose(to_working(camera, CAM_TO_XYZ, exposure=1.0), 2.0, atol=2e-6)


def test_working_space_agrees_with_the_plain_matrices() -> None:
    camera = np.random.default_rng(2).normal(0.3, 0.4, (131, 7, 3)).astype(np.float32)
    working = to_working(camera, CAM_TO_XYZ, (1.1, 1.0, 0.9))
    xyz = camera.astype(np.float64) * (1.1, 1.0, 0.9) @ CAM_TO_XYZ.T
    np.testing.assert_allclose(working @ rgb_to_xyz(SPACES["rec2020"]).T, xyz, atol=3e-6)
