"""Noise over speeds, from frames whose law is known."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel
from rawfix.physics.noise import Structure, draw_structure, draw_white
from rawfix.physics.noise_calibration import FrameNoise, NoiseCalibration, calibrate, measure_frame
from tests.conftest import scene

BAYER = Cfa.from_rows("RG", "GB")
SHOT = np.array((1.1e-5, 1.2e-5, 1.0e-5))
CONSTANT = np.array((4e-8, 5e-8, 3e-8))
GROWTH = np.array((1e-9, 2e-9, 1.5e-9))
ISOS = (100.0, 400.0, 1600.0, 6400.0)
LEVELS = (0.0, 0.0, 0.03, 0.2, 0.5, 0.8)


def truth(iso: float) -> NoiseModel:
    gain = iso / 100
    shot, read = SHOT * gain, CONSTANT + GROWTH * gain**2
    return NoiseModel((shot[0], shot[1], shot[2]), (read[0], read[1], read[2]))


def shoot(light: Image, iso: float, seed: int, structure: Structure | None = None) -> FrameNoise:
    rng = np.random.default_rng(seed)
    index = BAYER.channels((light.shape[0], light.shape[1]))
    model = truth(iso)
    signal = BAYER.mosaic(light)
    shot, read = np.array(model.shot, np.float32)[index], np.array(model.read, np.float32)[index]
    noisy = signal + draw_white(signal, shot, read, rng)
    noisy += draw_structure(noisy.shape, structure or Structure(), rng)
    counts = np.rint(np.clip(noisy, -0.05, 1) * 60000) / np.float32(60000)
    return measure_frame(counts.astype(np.float32), BAYER.unit(), step=1 / 60000)


def flats(iso: float, structure: Structure | None = None, side: int = 512) -> list[tuple[float, FrameNoise]]:
    """Dark frames, and walls of several brightnesses behind a lens that vignettes."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    wall = np.repeat((1 - 0.2 * (y**2 + x**2))[..., None], 3, 2)
    return [
        (iso, shoot((wall * level).astype(np.float32), iso, seed, structure))
        for seed, level in enumerate(LEVELS)
    ]


@pytest.fixture(scope="module")
def found() -> NoiseCalibration:
    return calibrate([frame for iso in ISOS for frame in flats(iso)])


def test_flat_fields_give_the_law_within_five_percent(found: NoiseCalibration) -> None:
    assert np.array(found.shot_per_gain) == pytest.approx(SHOT, rel=0.05)
    assert np.array(found.read_constant) == pytest.approx(CONSTANT, rel=0.05)
    assert np.array(found.read_per_gain) == pytest.approx(GROWTH, rel=0.05)
    assert found.residual < 0.05


def test_speeds_between_and_beyond_are_within_six_percent(found: NoiseCalibration) -> None:
    for iso in (50, 100, 1600, 12800):
        model = found.at(iso)
        assert model.source == "calibrated"
        assert model.shot == pytest.approx(truth(iso).shot, rel=0.06)
        assert model.read == pytest.approx(truth(iso).read, rel=0.06)
    # Half way between two speeds, straight in logarithms: the law's bend is not followed.
    assert found.at(200).read == pytest.approx(truth(200).read, rel=0.2)


def test_ordinary_frames_serve_too() -> None:
    light = np.repeat(scene(512, 512)[..., :1], 3, 2)
    frames = [
        (iso, shoot(np.roll(light, 60 * k, 1) * np.float32(0.02 + 0.5 * k), iso, k))
        for iso in (400.0, 3200.0)
        for k in range(3)
    ]
    calibration = calibrate(frames)
    assert np.array(calibration.shot_per_gain) == pytest.approx(SHOT, rel=0.1)
    assert calibration.at(3200).read == pytest.approx(truth(3200).read, rel=0.35)


@pytest.mark.parametrize("name", ["row", "column"])
def test_rows_and_columns_are_told_apart(name: str) -> None:
    structure = Structure(**{name: 3e-4})
    speed = calibrate(flats(400, structure, side=256)).speeds[0]
    other = "column" if name == "row" else "row"
    assert getattr(speed, name) == pytest.approx(3e-4, rel=0.15)
    assert getattr(speed, other) < 1e-4


def test_a_speed_of_one_brightness_takes_the_law() -> None:
    one = flats(800)[4:5]
    calibration = calibrate([*flats(400), *one])
    alone = calibration.speeds[1]
    assert not alone.is_measured and calibration.speeds[0].is_measured
    assert alone.shot == pytest.approx(truth(800).shot, rel=0.06)


def test_one_brightness_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="too little range"):
        calibrate(flats(400)[4:5])


def test_a_sensor_that_switches_its_gain_is_followed() -> None:
    speeds = [*flats(100, side=256), *flats(6400, side=256)]
    calibration = calibrate(speeds)
    for speed in calibration.speeds:
        assert calibration.at(speed.iso).read == pytest.approx(speed.read)
