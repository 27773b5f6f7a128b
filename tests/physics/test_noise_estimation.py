"""Noise figures measured from a frame agree with those the frame was made with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rawfix.cfa import CANONICAL, Cfa
from rawfix.frame import LensFacts, RawFrame
from rawfix.physics.noise_estimation import estimate_noise, most_shot

STEP = 1 / 15000
SPEEDS = {100: (2.0e-5, 4e-8), 800: (1.6e-4, 6e-7), 6400: (1.3e-3, 2e-5), 25600: (5.0e-3, 3e-4)}
"""ISO → shot and read variance of a 50,000 electron sensor, roughly."""


def photo(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A scene of soft-edged disks under uneven light, with patches of fine texture."""
    y, x = np.mgrid[:height, :width]
    scene = 0.15 + 0.25 * x / width
    for _ in range(60):
        center, radius = rng.uniform(0, (height, width)), rng.uniform(10, 120)
        edge = 0.5 - 0.5 * np.tanh((np.hypot(y - center[0], x - center[1]) - radius) / 2.4)
        scene = scene * (1 - edge) + edge * 10 ** rng.uniform(-2.2, -0.1)
    texture = 1 + 0.2 * np.sin(0.9 * x + 0.3 * y) * (np.sin(y / 60) > 0.4)
    return np.clip(scene * texture, 0, 0.92)


def gradient(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    scene = np.tile(np.linspace(0.0, 0.9, width), (height, 1))
    scene[height // 2 :] = rng.uniform(0.1, 0.3)
    return scene


def expose(
    scene: NDArray[np.float64], shot: float, read: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Poisson shot noise, Gaussian read noise, quantisation."""
    counts = rng.poisson(np.maximum(scene, 0) / shot) * shot + rng.normal(0, np.sqrt(read), scene.shape)
    return (np.round(counts / STEP) * STEP).astype(np.float32)


@pytest.mark.parametrize("iso", SPEEDS)
@pytest.mark.parametrize("make_scene", [photo, gradient])
@pytest.mark.parametrize("family", ["bayer", "xtrans"])
def test_known_noise_is_recovered(
    iso: int, make_scene: Callable[..., NDArray[np.float64]], family: str
) -> None:
    rng = np.random.default_rng(iso)
    shot, read = SPEEDS[iso]
    scene = make_scene(768, 1024, rng)
    model = estimate_noise(expose(scene, shot, read, rng), CANONICAL[family].unit(), step=STEP)
    assert model.source == "estimated"
    # Same-color neighbours of X-Trans are six pixels apart here: texture passes for noise more easily.
    tolerance = 0.6 if family == "xtrans" and make_scene is photo else 0.25
    assert model.shot == pytest.approx((shot,) * 3, rel=tolerance)
    for level in (0.02, 0.1, 0.5):
        sigma = [np.sqrt(s * level + r) for s, r in zip(model.shot, model.read, strict=True)]
        assert sigma == pytest.approx([np.sqrt(shot * level + read)] * 3, rel=tolerance * 0.6)
    if read > shot * 0.005:
        assert model.read == pytest.approx((read,) * 3, rel=0.5)
        assert np.median(model.read) == pytest.approx(read, rel=0.3)


def test_each_channel_keeps_its_own_noise() -> None:
    rng = np.random.default_rng(1)
    cfa = CANONICAL["bayer"]
    scene = photo(512, 768, rng)
    shots = np.array([4e-4, 2e-4, 8e-4])[cfa.channels(scene.shape)]
    noisy = scene + np.sqrt(shots * scene + 1e-6) * rng.standard_normal(scene.shape)
    model = estimate_noise(noisy.astype(np.float32), cfa.unit())
    assert model.shot == pytest.approx((4e-4, 2e-4, 8e-4), rel=0.25)


def test_a_dark_frame_has_read_noise_only() -> None:
    rng = np.random.default_rng(2)
    dark = rng.normal(0, 2e-3, (256, 256)).astype(np.float32)
    model = estimate_noise(dark, CANONICAL["bayer"].unit())
    assert model.read == pytest.approx((4e-6,) * 3, rel=0.15)


def test_a_flat_frame_has_its_measured_variance() -> None:
    rng = np.random.default_rng(3)
    flat = (0.4 + rng.normal(0, 0.01, (256, 256))).astype(np.float32)
    model = estimate_noise(flat, CANONICAL["bayer"].unit())
    assert [s * 0.4 + r for s, r in zip(model.shot, model.read, strict=True)] == pytest.approx(
        [1e-4] * 3, rel=0.1
    )


def test_saturated_areas_do_not_tilt_the_line() -> None:
    rng = np.random.default_rng(4)
    scene = np.minimum(expose(photo(768, 1024, rng) * 1.6, 1e-3, 1e-5, rng), np.float32(0.93))
    model = estimate_noise(scene, CANONICAL["bayer"].unit(), step=STEP)
    assert model.shot == pytest.approx((1e-3,) * 3, rel=0.25)


def test_full_color_images_are_measured_too() -> None:
    rng = np.random.default_rng(5)
    image = np.stack([expose(photo(512, 512, rng), 5e-4, 1e-5, rng) for _ in range(3)], axis=-1)
    assert estimate_noise(image, step=STEP).shot == pytest.approx((5e-4,) * 3, rel=0.25)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((64, 64), np.float32),
        np.full((64, 64), 0.5, np.float32),
        np.ones((64, 64), np.float32),
        np.zeros((3, 5), np.float32),
        np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1)),
    ],
    ids=["black", "gray", "white", "tiny", "ramp"],
)
@pytest.mark.parametrize("cfa", [CANONICAL["bayer"], CANONICAL["mono"], Cfa.from_rows("R")])
def test_figures_are_positive_even_without_noise(samples: NDArray[np.float32], cfa: Cfa) -> None:
    model = estimate_noise(samples, cfa.unit(), step=1 / 1000)
    assert np.isfinite(model.shot + model.read).all()
    assert min(model.shot) > 0
    assert min(model.read) >= 1e-6 / 12 * 0.999


def test_texture_everywhere_is_not_taken_for_noise() -> None:
    """Fine texture but for a tenth of the frame: its quiet places are believed, not the smoothest on average."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.1, 0.8, 512, dtype=np.float32)[:, None] * np.ones((1, 512), np.float32)
    texture = ramp * (1 + 0.05 * rng.standard_normal((512, 512)).astype(np.float32))
    texture[:, :48] = ramp[:, :48]
    shot, read = 1e-4, 1e-7
    seen = texture + np.sqrt(shot * np.maximum(texture, 0) + read) * rng.standard_normal(texture.shape)
    found = estimate_noise(seen.astype(np.float32))
    assert np.sqrt(found.shot[1] * 0.3 + found.read[1]) == pytest.approx(np.sqrt(shot * 0.3 + read), rel=0.5)


def frame_of(iso: float | None, crop_factor: float | None, side: int = 512) -> RawFrame:
    mosaic = np.zeros((side, side), np.uint16)
    black, white = np.zeros((2, 2), np.float32), (15000.0,) * 3
    facts = LensFacts(crop_factor=crop_factor)
    return RawFrame(mosaic, CANONICAL["bayer"], black, white, (1.0,) * 3, np.eye(3), None, iso, 1, "", "",
                    lens_facts=facts)  # fmt: skip


@pytest.mark.parametrize(
    ("iso", "crop_factor", "electrons"),
    [
        (200, None, 4000),
        (200, 8.46, 500 * 7.064**2),  # 43.27 mm / 8.46 over 724 pixels: 7.06 micrometers
        (200, 30.0, 4000),  # smaller than the smallest that is believed to hold so little
        (200, 0.5, 4000),  # photosites of 0.1 mm: a mistake
        (25, None, 8000),  # no sensor holds more below its base speed
    ],
)
def test_speed_and_size_bound_what_noise_can_be(
    iso: float, crop_factor: float | None, electrons: float
) -> None:
    assert most_shot(frame_of(iso, crop_factor)) == pytest.approx(2 / electrons, rel=0.01)


def test_without_a_speed_nothing_bounds_noise() -> None:
    assert most_shot(frame_of(None, 1.5)) == np.inf


def test_a_bound_holds_for_both_figures() -> None:
    rng = np.random.default_rng(0)
    ramp, grain = np.linspace(0.02, 0.9, 512)[None], rng.standard_normal((512, 512))
    free, bounded = (
        estimate_noise((ramp * (1 + 0.1 * grain)).astype(np.float32), most_shot=m) for m in (np.inf, 5e-4)
    )
    assert free.shot[1] > 1e-3
    assert bounded.shot[1] == pytest.approx(5e-4)
    assert bounded.read == free.read
    rough = (ramp + 0.05 * grain).astype(np.float32)
    assert estimate_noise(rough).read[1] > 1e-3
    assert estimate_noise(rough, most_shot=5e-4).read[1] == pytest.approx((40 * 5e-4) ** 2)


@pytest.mark.parametrize("iso", [25, 50, 100])
def test_a_small_photosite_is_believed_at_low_iso(iso: float) -> None:
    rng = np.random.default_rng(0)
    light = np.linspace(0.02, 0.9, 512)[None] * np.ones((512, 1))
    shot, read = 1 / 5000, 1e-6
    seen = (light + np.sqrt(shot * light + read) * rng.standard_normal(light.shape)).astype(np.float32)
    found = estimate_noise(seen, most_shot=most_shot(frame_of(iso, None)))
    assert found.shot[1] == pytest.approx(shot, rel=0.15)
