"""Blown samples lifted to the light around them: dark detail before blown light keeps its color."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import RawFrame
from rawfix.physics.lift_blown import lifted
from rawfix.pipeline import to_camera
from rawfix.settings import Settings

WB = (2.0, 1.0, 1.5)
CLIP = np.array((*WB, 1.0), np.float32)
VISIBLE = [name for name in sorted(CANONICAL) if name != "mono"]


def recorded(light: np.ndarray, cfa: Cfa) -> np.ndarray:
    """What a sensor makes of ``(H, W)`` white light, balanced."""
    height, width = light.shape
    return np.minimum(light.astype(np.float32), CLIP[cfa.channels((height, width))])


def lift(mosaic: np.ndarray, cfa: Cfa) -> np.ndarray:
    window = lifted(mosaic, cfa, WB)
    assert window is not None
    return window(0, mosaic.shape[0], 0, mosaic.shape[1])


@pytest.mark.parametrize("family", VISIBLE)
def test_where_nothing_is_blown_nothing_is_done(family: str) -> None:
    mosaic = recorded(np.full((24, 30), 0.97), CANONICAL[family])
    assert lifted(mosaic, CANONICAL[family], WB) is None


@pytest.mark.parametrize("family", VISIBLE)
@pytest.mark.parametrize(("level", "expected"), [(1.3, 1.3), (1.8, 1.8), (5.0, 2.0)])
def test_white_light_is_white_again(family: str, level: float, expected: float) -> None:
    cfa = CANONICAL[family].shift(1, 0)
    raised = lift(recorded(np.full((24, 30), level), cfa), cfa)
    visible = (cfa.channels((24, 30)) < 3)[3:-3, 3:-3]  # the rim may lack a color
    np.testing.assert_allclose(raised[3:-3, 3:-3][visible], expected, rtol=1e-6)


def test_a_colored_lamp_keeps_its_color() -> None:
    cfa = CANONICAL["bayer"]
    lamp = np.minimum(np.array((5.0, 0.4, 0.1), np.float32), CLIP[:3])
    mosaic = cfa.mosaic(np.broadcast_to(lamp, (20, 20, 3)))
    np.testing.assert_array_equal(lift(mosaic, cfa), mosaic)


@pytest.mark.parametrize("family", VISIBLE)
def test_no_sample_is_lowered_and_what_measures_stays(family: str) -> None:
    cfa, rng = CANONICAL[family], np.random.default_rng(4)
    coarse = rng.uniform(0.2, 4, (6, 7)).repeat(8, 0).repeat(8, 1)
    mosaic = recorded(coarse, cfa)
    raised = lift(mosaic, cfa)
    measures = mosaic < 0.9 * CLIP[cfa.channels(mosaic.shape)]
    assert (raised >= mosaic).all() and (raised > mosaic).any()
    np.testing.assert_array_equal(raised[measures], mosaic[measures])
    assert raised.max() <= max(WB)


@pytest.mark.parametrize("family", VISIBLE)
def test_a_window_is_a_part_of_the_whole(family: str) -> None:
    cfa, rng = CANONICAL[family], np.random.default_rng(5)
    mosaic = recorded(rng.uniform(0.2, 4, (60, 70)), cfa)
    window, whole = lifted(mosaic, cfa, WB), lift(mosaic, cfa)
    assert window is not None
    for y0, y1, x0, x1 in ((0, 60, 0, 70), (13, 40, 7, 64), (59, 60, 0, 1), (0, 5, 66, 70)):
        np.testing.assert_array_equal(window(y0, y1, x0, x1), whole[y0:y1, x0:x1])


def bars(height: int = 96, width: int = 96) -> np.ndarray:
    """Dark bars of 1.5 pixels before a blown sky, a little oblique: ``(H, W, 3)``."""
    y, x = np.mgrid[: 4 * height, : 4 * width] / 4
    fine = np.where((x + 0.3 * y) % 9.37 < 1.5, 0.07, 2.5)
    light = fine.reshape(height, 4, width, 4).mean((1, 3))
    return np.repeat(light[..., None], 3, 2).astype(np.float32)


@pytest.mark.models
def test_dark_bars_before_a_blown_sky_are_gray(make_frame: Callable[..., RawFrame]) -> None:
    light = bars()
    frame = make_frame(light, wb=WB)
    camera, _, _ = to_camera(frame, Settings())
    shown = np.minimum(camera, 1)[12:-12, 12:-12]
    truth = np.minimum(light, 1)[12:-12, 12:-12, 0]
    dark = truth < 0.8
    chroma = np.abs(shown[dark] - shown[dark].mean(1, keepdims=True)).mean()
    assert chroma < 0.04  # 0.066 where the network sees the samples as they are
    assert np.abs(shown[dark].mean(1) - truth[dark]).mean() < 0.04


@pytest.mark.models
def test_what_was_measured_stays_and_nothing_exceeds_saturation(make_frame: Callable[..., RawFrame]) -> None:
    frame = make_frame(bars(), wb=WB)
    assert frame.cfa is not None
    camera, bad, _ = to_camera(frame, Settings())
    tiled, _, _ = to_camera(frame, Settings(tile=64))
    np.testing.assert_allclose(camera, tiled, atol=1e-4)
    assert (camera <= CLIP[:3]).all()
    black = float(frame.black.mean())
    index = frame.cfa.channels(frame.mosaic.shape)
    mosaic = (frame.mosaic - black) / (np.asarray(frame.white) - black)[0] * CLIP[index]
    assert bad is not None
    found = np.take_along_axis(camera, index[..., None].astype(int), 2)[..., 0]
    np.testing.assert_allclose(found[~bad], mosaic[~bad], atol=1e-5)
