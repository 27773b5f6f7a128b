"""The forward model and `normalize` are inverse, up to the converter's step."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.cfa import CANONICAL
from rawfix.frame import NoiseModel
from rawfix.physics.defects import Defects
from rawfix.physics.noise import Structure
from rawfix.physics.sensor import Sensor, expose
from rawfix.stages.normalize import normalize

WB = (2.0, 1.0, 1.5)


def light(height: int = 37, width: int = 45, greatest: float = 0.95) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32) * np.float32(greatest)


def generator() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_noiseless_light_comes_back_within_half_a_count(phase: tuple[int, int]) -> None:
    cfa, camera = CANONICAL["bayer"].shift(*phase), light()
    frame, bad = expose(camera, Sensor(cfa=cfa, wb=WB), generator())
    half = 0.5 / (16383 - 512) * np.asarray(WB, np.float32)[cfa.channels((37, 45))]
    assert (np.abs(normalize(frame) - cfa.mosaic(camera)) <= half * 1.001 + 1e-6).all()
    assert not bad.any()


@pytest.mark.parametrize("family", ["quad", "nona", "xtrans", "mono"])
def test_light_comes_back_from_other_arrays(family: str) -> None:
    cfa, camera = CANONICAL[family], light()
    frame, _ = expose(camera, Sensor(cfa=cfa, wb=WB), generator())
    np.testing.assert_allclose(normalize(frame), cfa.mosaic(camera), atol=2 / 15871)


def test_the_frame_is_as_the_sensor_is() -> None:
    noise_model = NoiseModel((1e-4,) * 3, (1e-6,) * 3)
    sensor = Sensor(
        black=64, white=1023, wb=WB, noise_model=noise_model, iso=800.0, orientation=6, name="Box"
    )
    frame, _ = expose(light(), sensor, generator())
    assert frame.mosaic.dtype == np.uint16
    assert not frame.mosaic.flags.writeable
    assert frame.noise is noise_model
    assert (frame.white, frame.wb, frame.iso, frame.orientation, frame.camera) == (
        (1023.0,) * 3,
        WB,
        800.0,
        6,
        "Box",
    )
    np.testing.assert_array_equal(frame.black, np.full((1, 1), 64, np.float32))


def test_each_channel_clips_at_its_own_multiplier() -> None:
    frame, _ = expose(np.full((8, 8, 3), 9.0, np.float32), Sensor(wb=WB), generator())
    assert (frame.mosaic == 16383).all()
    channels = CANONICAL["bayer"].channels((8, 8))
    np.testing.assert_allclose(normalize(frame), np.asarray(WB, np.float32)[channels], rtol=1e-6)


def test_darkness_is_the_black_level() -> None:
    frame, _ = expose(np.zeros((8, 8, 3), np.float32), Sensor(black=256), generator())
    assert (frame.mosaic == 256).all()
    assert (normalize(frame) == 0).all()


def test_noise_reaches_below_black_but_not_below_zero_counts() -> None:
    sensor = Sensor(black=16, white=1023, noise_model=NoiseModel((0.0,) * 3, (1e-3,) * 3))
    frame, _ = expose(np.zeros((64, 64, 3), np.float32), sensor, generator())
    assert (frame.mosaic < 16).mean() > 0.3
    assert (frame.mosaic == 0).any()
    assert normalize(frame).min() < 0


def test_noise_has_its_model_on_each_channel() -> None:
    noise_model = NoiseModel((1e-3, 2e-3, 4e-3), (1e-6, 2e-6, 4e-6))
    camera = np.full((300, 300, 3), 0.4, np.float32)
    frame, _ = expose(camera, Sensor(wb=WB, noise_model=noise_model), generator())
    channels = CANONICAL["bayer"].channels((300, 300))
    counts = frame.mosaic.astype(float) / (16383 - 512)
    for channel, gain in enumerate(WB):
        stated = noise_model.shot[channel] * 0.4 / gain + noise_model.read[channel]
        assert counts[channels == channel].var() == pytest.approx(stated, rel=0.05)


def test_structure_is_added() -> None:
    camera = np.full((40, 40, 3), 0.4, np.float32)
    frame, _ = expose(camera, Sensor(wb=(1.0,) * 3, structure=Structure(row=0.01)), generator())
    assert (frame.mosaic == frame.mosaic[:, :1]).all()
    assert len(np.unique(frame.mosaic)) > 30


def test_the_truth_of_planted_defects_is_told() -> None:
    clean, _ = expose(light(), Sensor(), generator())
    frame, bad = expose(light(), Sensor(defects=Defects(probability=0.05)), generator())
    assert bad.any()
    np.testing.assert_array_equal(frame.mosaic[~bad], clean.mosaic[~bad])
    assert (frame.mosaic != clean.mosaic)[bad].mean() > 0.9


def test_light_is_not_changed_in_place() -> None:
    camera = light()
    expose(camera, Sensor(defects=Defects(0.1)), generator())
    np.testing.assert_array_equal(camera, light())
