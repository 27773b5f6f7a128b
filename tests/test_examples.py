"""The example chart: what is committed is what the script makes, and reads back as it was written."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import RawFrame
from rawfix.io.raw import read_raw

EXAMPLES = Path(__file__).parents[1] / "examples"
CHART = EXAMPLES / "chart.dng"


@pytest.fixture(scope="module")
def exposed(script: ModuleType) -> tuple[RawFrame, NDArray[np.bool_]]:
    frame, bad = script.expose_chart()
    return frame, bad


@pytest.fixture(scope="module")
def committed() -> RawFrame:
    return read_raw(CHART)


def test_chart_is_what_the_script_makes(
    committed: RawFrame, exposed: tuple[RawFrame, NDArray[np.bool_]]
) -> None:
    """Within two counts nearly everywhere: transforms and letters may round otherwise in other releases."""
    made = exposed[0].mosaic
    assert committed.mosaic.shape == made.shape
    difference = np.abs(committed.mosaic.astype(np.int32) - made.astype(np.int32))
    assert np.mean(difference <= 2) >= 0.999


def test_chart_is_small_enough_to_ship() -> None:
    assert CHART.stat().st_size <= 6_000_000


def test_chart_reads_back_as_exposed(
    committed: RawFrame, exposed: tuple[RawFrame, NDArray[np.bool_]]
) -> None:
    made = exposed[0]
    assert committed.cfa == made.cfa == Cfa.from_rows("RG", "GB")
    assert np.unique(committed.black).tolist() == [512]
    assert committed.white == made.white == (16383, 16383, 16383)
    assert committed.wb == pytest.approx(made.wb, rel=1e-5)
    assert committed.iso == 400
    assert committed.camera == "rawfix Chart"
    np.testing.assert_allclose(committed.cam_to_xyz, made.cam_to_xyz, atol=1e-4)
    assert committed.noise is not None and made.noise is not None
    assert committed.noise.shot == pytest.approx(made.noise.shot)
    assert committed.noise.read == pytest.approx(made.noise.read)


def test_chart_camera_keeps_neutral_neutral(script: ModuleType) -> None:
    np.testing.assert_allclose(script.CAMERA_TO_SRGB.sum(1), 1, atol=1e-12)
    assert np.linalg.inv(script.CAMERA_TO_SRGB).min() > 0


def test_chart_defects_are_points_and_part_of_one_column(
    exposed: tuple[RawFrame, NDArray[np.bool_]],
) -> None:
    bad = exposed[1]
    column = int(bad.sum(0).argmax())
    assert 100 < bad[:, column].sum() < bad.shape[0]
    assert np.delete(bad, column, 1).mean() == pytest.approx(1e-3, rel=0.1)


def test_scene_is_light_of_the_size_asked_for(script: ModuleType) -> None:
    scene = script.render_scene(652, 980)
    assert scene.shape == (652, 980, 3)
    assert scene.dtype == np.float32
    assert scene.min() >= 0
    assert scene.max() > 4
