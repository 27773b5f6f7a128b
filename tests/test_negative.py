"""Negatives: restored, and nothing decided that a RAW developer decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rawfix.errors import SettingsError, UnsupportedRawError
from rawfix.frame import RawFrame
from rawfix.negative import develop_negative
from rawfix.physics.defects import Defects
from rawfix.physics.sensor import Sensor, expose
from rawfix.pipeline import develop, to_camera
from rawfix.settings import Settings
from tests.conftest import noise_at, scene

pytestmark = pytest.mark.models
MakeFrame = Callable[..., RawFrame]
LINEAR, MOSAIC = Settings(format="dng"), Settings(format="dng-cfa")


@pytest.mark.parametrize("pattern", ["RG/GB", "GB/RG"])
def test_without_strengths_a_mosaic_keeps_every_count_but_the_bad_ones(pattern: str) -> None:
    from rawfix.cfa import Cfa

    sensor = Sensor(cfa=Cfa.from_rows(*pattern.split("/")), noise_model=noise_at(100), defects=Defects(2e-3))
    frame, truth = expose(scene(160, 192), sensor, np.random.default_rng(3))
    negative = develop_negative(frame, MOSAIC)
    changed = negative.samples != frame.mosaic
    assert negative.bad is not None and negative.bad.sum() > 10
    assert not changed[~negative.bad].any()
    assert changed[negative.bad].mean() > 0.9
    clean, _ = expose(scene(160, 192), replace(sensor, defects=None), np.random.default_rng(3))
    found = negative.bad & truth
    assert np.abs(negative.samples[found].astype(float) - clean.mosaic[found]).mean() < 0.05 * 15871


def test_linear_light_is_the_sensors_before_its_balance(make_frame: MakeFrame) -> None:
    frame = make_frame()
    camera, _, _ = to_camera(frame, LINEAR)
    negative = develop_negative(frame, LINEAR)
    np.testing.assert_allclose(negative.samples, camera / np.array(frame.wb), atol=1e-6)
    assert negative.wb == frame.wb
    assert negative.models == ("demosaic-bayer-standard",)


def test_orientation_is_not_applied_and_the_preview_agrees_with_the_picture(make_frame: MakeFrame) -> None:
    frame = make_frame(orientation=6)
    negative = develop_negative(frame, LINEAR)
    display = develop(replace(frame, orientation=1), Settings(bits=8)).display
    assert negative.samples.shape[:2] == frame.mosaic.shape
    assert np.abs(negative.preview.astype(int) - display).max() <= 1


def test_a_large_picture_has_a_small_preview(make_frame: MakeFrame) -> None:
    frame = make_frame(pattern="G", wb=(1.0, 1.0, 1.0), size=(700, 1500))
    assert develop_negative(frame, LINEAR).preview.shape == (350, 750, 3)


def test_blown_highlights_rise_above_white_or_stay_recorded(make_frame: MakeFrame) -> None:
    light = np.full((96, 96, 3), 1.5, np.float32)
    rebuilt = develop_negative(make_frame(light), LINEAR).samples
    recorded = develop_negative(make_frame(light), replace(LINEAR, highlights="clip")).samples
    assert rebuilt[..., 1].mean() > 1.3
    assert recorded[..., 1].mean() == pytest.approx(1.0, abs=0.02)
    assert develop_negative(make_frame(light), MOSAIC).samples.max() == 16383


def test_another_balance_is_stated_and_leaves_the_samples(make_frame: MakeFrame) -> None:
    frame = make_frame()
    negative = develop_negative(frame, replace(LINEAR, wb="3,1,1.2"))
    assert negative.wb == (3.0, 1.0, 1.2)
    np.testing.assert_allclose(negative.samples, develop_negative(frame, LINEAR).samples, atol=1e-6)


def test_monochrome_stays_one_channel(make_frame: MakeFrame) -> None:
    frame = make_frame(pattern="G", wb=(1.0, 1.0, 1.0))
    assert develop_negative(frame, LINEAR).samples.shape == (160, 192, 1)
    np.testing.assert_array_equal(develop_negative(frame, MOSAIC).samples, frame.mosaic)


def test_oblong_pixels_become_square_in_full_color_only(make_frame: MakeFrame) -> None:
    frame = replace(make_frame(), pixel_aspect=1.5)
    assert develop_negative(frame, LINEAR).samples.shape == (160, 288, 3)
    assert develop_negative(frame, MOSAIC).samples.shape == (160, 192)


def test_full_color_makes_no_mosaic() -> None:
    frame = RawFrame(
        np.full((8, 8, 3), 100, np.uint16), None, np.zeros((1, 1), np.float32), (1000.0,) * 3, (2.0, 1.0, 1.5),
        np.eye(3), None, None, 1, "", "",
    )  # fmt: skip
    with pytest.raises(UnsupportedRawError, match="--format dng"):
        develop_negative(frame, MOSAIC)
    np.testing.assert_allclose(develop_negative(frame, LINEAR).samples, 0.1, atol=1e-6)


@pytest.mark.parametrize("change", [{"tone": "none"}, {"space": "rec2020"}, {"linear": True}, {"bits": 8}])
@pytest.mark.parametrize("format", ["dng", "dng-cfa"])
def test_what_a_negative_cannot_say_is_refused(format: str, change: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(change))):
        Settings(format=format, **change)  # type: ignore[arg-type]
