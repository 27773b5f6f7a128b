"""Non-local means on the mosaic: same colors, same light, less noise."""

from __future__ import annotations

import numpy as np
import pytest

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import Image, NoiseModel
from rawfix.metrics import psnr
from rawfix.physics.sensor import Sensor, expose
from rawfix.stages import nonlocal_means
from rawfix.stages.nonlocal_means import noise_map
from rawfix.stages.normalize import normalize
from tests.conftest import noise_at, scene

BAYER = Cfa.from_rows("RG", "GB")


def noisy(light: Image, cfa: Cfa, iso: float, wb: tuple[float, float, float] = (2.0, 1.0, 1.5)) -> Image:
    sensor = Sensor(cfa=cfa, noise_model=noise_at(iso), wb=wb, black=2048, white=65535)
    return normalize(expose(light, sensor, np.random.default_rng(1))[0])


def balanced(model: NoiseModel, wb: tuple[float, float, float] = (2.0, 1.0, 1.5)) -> tuple[Image, Image]:
    gain = np.array((*wb, 1.0), np.float32)
    shot, read = np.array((*model.shot, model.shot[1])), np.array((*model.read, model.read[1]))
    return (shot * gain).astype(np.float32), (read * gain**2).astype(np.float32)


@pytest.mark.parametrize("family", ["bayer", "quad", "xtrans", "rgbir4", "mono"])
def test_noise_falls_by_half_on_every_filter_array(family: str) -> None:
    cfa = CANONICAL[family]
    light = np.repeat(scene(96, 120)[..., :1], 4, 2)
    wb = (1.0, 1.0, 1.0)
    observed, ideal = noisy(light, cfa, 12800, wb), cfa.mosaic(light)
    left = observed - noise_map(observed, cfa.unit(), *balanced(noise_at(12800), wb))
    assert psnr(left, ideal, border=0) > psnr(observed, ideal, border=0) + 6


def test_a_flat_gray_keeps_its_mean() -> None:
    for level in (0.0, 0.02, 0.5):
        light = np.full((128, 128, 3), level, np.float32)
        observed = noisy(light, BAYER, 6400)
        found = noise_map(observed, BAYER.unit(), *balanced(noise_at(6400)))
        assert abs(float(found.mean())) < 2e-4
        assert (observed - found).std() < 0.35 * observed.std()


def test_colors_do_not_mix() -> None:
    """A red that is four times as bright as green lends nothing to green."""
    light = np.broadcast_to(np.array((0.8, 0.2, 0.4), np.float32), (64, 64, 3)).copy()
    observed = noisy(light, BAYER, 1600)
    left = observed - noise_map(observed, BAYER.unit(), *balanced(noise_at(1600)))
    index = BAYER.channels((64, 64))
    assert [float(left[index == c].mean()) for c in range(3)] == pytest.approx([0.8, 0.2, 0.4], abs=2e-3)


def test_stars_and_defects_stand_alone() -> None:
    light = np.full((64, 64, 3), 0.05, np.float32)
    observed = noisy(light, BAYER, 1600).copy()
    observed[32, 32], observed[20, 41] = 0.9, -0.2
    found = noise_map(observed, BAYER.unit(), *balanced(noise_at(1600)))
    assert found[32, 32] == 0 and found[20, 41] == 0
    around = (observed - found)[28:37, 28:37].copy()
    around[4, 4] = 0.05
    assert np.abs(around - 0.05).max() < 0.02


def test_known_defects_take_no_part() -> None:
    light = np.full((64, 64, 3), 0.2, np.float32)
    observed = noisy(light, BAYER, 1600).copy()
    bad = np.zeros((64, 64), bool)
    bad[30:34, 10:50] = True
    observed[bad] = 0.26
    found = noise_map(observed, BAYER.unit(), *balanced(noise_at(1600)), bad)
    assert not found[bad].any()
    assert abs(float((observed - found)[24:40][~bad[24:40]].mean()) - 0.2) < 1e-3


@pytest.mark.parametrize("family", ["bayer", "xtrans"])
def test_tile_equals_whole(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cfa = CANONICAL[family]
    observed = noisy(scene(96, 110), cfa, 3200)
    whole = noise_map(observed, cfa.unit(), *balanced(noise_at(3200)))
    monkeypatch.setattr(nonlocal_means, "_TILE", (37, 41))
    steps: list[tuple[int, int]] = []
    tiled = noise_map(
        observed, cfa.unit(), *balanced(noise_at(3200)), progress=lambda done, of: steps.append((done, of))
    )
    assert np.abs(whole - tiled).max() < 1e-5
    assert steps[-1] == (18, 18)


def test_full_color_is_served_too() -> None:
    light = scene(80, 80)
    model = noise_at(6400)
    rng = np.random.default_rng(0)
    noise = np.sqrt(light * model.shot[0] + model.read[0]) * rng.standard_normal(light.shape)
    observed = (light + noise).astype(np.float32)
    shot, read = np.array(model.shot, np.float32), np.array(model.read, np.float32)
    before = observed.copy()
    left = observed - noise_map(observed, None, shot, read)
    assert left.shape == light.shape and np.array_equal(before, observed)
    assert psnr(left, light, border=0) > psnr(observed, light, border=0) + 4


def test_a_sensor_without_shot_noise_is_no_special_case() -> None:
    light = np.full((48, 48), 0.3, np.float32)
    observed = light + np.float32(0.01) * np.random.default_rng(0).standard_normal((48, 48), np.float32)
    zero, read = np.zeros(4, np.float32), np.full(4, 1e-4, np.float32)
    found = noise_map(observed, CANONICAL["mono"].unit(), zero, read)
    assert (observed - found).std() < 0.004
