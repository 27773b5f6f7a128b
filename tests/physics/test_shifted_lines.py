"""Lines that read too much or too little by one amount; and lines of a scene, which do not."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import Image, with_infrared
from rawfix.physics.bad_lines import BadLines
from rawfix.physics.noise import draw_white
from rawfix.physics.psf import blur, gaussian
from rawfix.physics.shifted_lines import find_shifted

SHAPE = (480, 720)
WB = (2.0, 1.0, 1.5)
NONE = BadLines((), ())


def waves(low: float = 0.1, high: float = 0.5) -> Image:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    light = (low + high) / 2 + (high - low) / 2 * np.sin(x / 40 + y / 60) * np.cos(y / 80)
    return np.asarray(light, np.float32)


def noisy(signal: Image, gain: float = 1.0) -> Image:
    return signal + draw_white(signal, gain / 9000, (2.5 / 9000) ** 2, np.random.default_rng(0))


def found(mosaic: Image, family: str = "bayer", cfa: Cfa | None = None) -> BadLines:
    cfa = cfa or CANONICAL[family]
    balanced = np.clip(mosaic, 0, 1) * with_infrared(WB)[cfa.channels(SHAPE)]
    return find_shifted(balanced.astype(np.float32), cfa, WB)


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans", "rgbir2", "rgbir4"])
@pytest.mark.parametrize("shift", [-0.1, -0.03, 0.03, 0.1])
def test_shifted_lines_are_found_in_every_array(family: str, shift: float) -> None:
    mosaic = noisy(waves())
    mosaic[:, 100] += shift
    mosaic[:, 501] += shift
    mosaic[333] -= shift
    assert found(mosaic, family) == BadLines((333,), (100, 501))


@pytest.mark.parametrize("family", ["bayer", "quad", "nona", "xtrans", "rgbir2", "rgbir4"])
@pytest.mark.parametrize("factor", [0.5, 0.8, 1.2, 1.5])
def test_lines_of_another_gain_are_found_in_every_array(family: str, factor: float) -> None:
    mosaic = noisy(waves(0.02, 0.5))
    mosaic[:, 100] *= factor
    mosaic[:, 501] *= factor
    mosaic[333] /= factor
    assert found(mosaic, family) == BadLines((333,), (100, 501))


def test_white_balance_and_phase_do_not_matter() -> None:
    mosaic = noisy(waves())
    mosaic[:, 100] += 0.05
    for rows in (("RG", "GB"), ("BG", "GR"), ("GR", "BG"), ("GB", "RG")):
        assert found(mosaic, cfa=Cfa.from_rows(*rows)) == BadLines((), (100,))


@pytest.mark.parametrize("shift", [-0.2, 0.2])
def test_parts_cut_at_black_or_white_do_not_hide_a_line(shift: float) -> None:
    mosaic = noisy(waves(-0.2, 0.5) if shift < 0 else waves(0.5, 1.2)).clip(0, 1)
    mosaic[:, 200] += shift
    assert found(mosaic) == BadLines((), (200,))


def test_a_line_of_the_scene_changes_with_the_light_or_reaches_its_neighbors() -> None:
    light, line = waves(), np.zeros(SHAPE, np.float32)
    line[:, 200] = -0.15
    fading = line * np.linspace(0.1, 1, SHAPE[0], dtype=np.float32)[:, None]
    soft = blur(line[..., None], (gaussian(0.6),))[..., 0]
    ends = line.copy()
    ends[300:] = 0
    steps = np.where(np.arange(SHAPE[1]) < 200, np.float32(0), np.float32(0.1))
    for bar in (fading, soft, ends, steps, line + np.roll(line, 1, 1)):
        assert found(noisy(light + bar)) == NONE


@pytest.mark.parametrize("amount", [-0.15, 0.15])
@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_a_thin_line_that_is_not_quite_upright_is_the_scenes(amount: float, slope: float) -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    center = 199.9 + slope * y / SHAPE[0]
    line = amount * np.exp(-((x - center) ** 2) / (2 * 0.5**2))
    assert found(noisy(waves() + line.astype(np.float32))) == NONE


def test_stripes_of_the_scene_are_none() -> None:
    line = np.zeros(SHAPE, np.float32)
    line[:, ::12] = -0.2
    assert found(noisy(waves() + blur(line[..., None], (gaussian(0.5),))[..., 0])) == NONE


def test_a_line_that_is_cut_off_nearly_everywhere_is_not_steady() -> None:
    light = waves(0.1, 0.5)
    light[:450, 300] = 0
    assert found(noisy(light)) == NONE


def test_row_noise_is_no_line() -> None:
    rng = np.random.default_rng(1)
    offsets = rng.normal(0, 0.01, (SHAPE[0], 1)).astype(np.float32)
    assert found(noisy(waves() + offsets)) == NONE


@pytest.mark.parametrize("light", [0.0, 0.2, 1.5])
@pytest.mark.parametrize("gain", [1.0, 64.0])
def test_even_frames_have_none(light: float, gain: float) -> None:
    assert found(noisy(np.full(SHAPE, light, np.float32), gain)) == NONE


def test_a_frame_too_small_to_tell_has_none() -> None:
    small = np.zeros((64, 64), np.float32)
    small[:, 20] = 0.1
    assert find_shifted(small, CANONICAL["bayer"], WB) == NONE
