"""Maps are found once and weighed by strengths, through the whole pipeline."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rawfix.centering import center
from rawfix.cfa import CANONICAL, Cfa
from rawfix.errors import ModelError
from rawfix.frame import Image, NoiseModel, RawFrame
from rawfix.maps import apply_maps
from rawfix.physics.noise import variance
from rawfix.pipeline import develop, to_camera
from rawfix.restoration import find_maps
from rawfix.settings import Settings, Strengths
from rawfix.symmetry import Symmetry

NOISE = NoiseModel((2e-4, 1e-4, 2e-4), (1e-6, 1e-6, 1e-6), "file")


def frame() -> RawFrame:
    rng = np.random.default_rng(0)
    light = 0.2 + 0.5 * rng.random((6, 9)).repeat(8, 0).repeat(8, 1)
    counts = np.clip(512 + light * 15000 + 40 * rng.standard_normal(light.shape), 0, 16383).astype(np.uint16)
    return RawFrame(
        mosaic=counts,
        cfa=CANONICAL["bayer"],
        black=np.full((2, 2), 512, np.float32),
        white=(16383.0,) * 3,
        wb=(2.0, 1.0, 1.5),
        cam_to_xyz=np.eye(3),
        noise=NOISE,
        iso=100.0,
        orientation=1,
        camera="",
        lens="",
    )


def settings(**strengths: Any) -> Settings:
    return Settings(strengths=Strengths(**strengths), bits=32, linear=True, tone="none", highlights="clip")


def camera_of(**strengths: Any) -> Image:
    return to_camera(frame(), settings(**strengths))[0]


def sigma_of(camera: Image) -> Image:
    wb = np.asarray(frame().wb, np.float32)
    return np.sqrt(variance(camera, np.asarray(NOISE.shot, np.float32) * wb, np.asarray(NOISE.read) * wb**2))


def noise_map_of(camera: Image) -> Image:
    """What the fixture's network finds, sigma, without its mean."""
    wb, found = np.asarray(frame().wb, np.float32), sigma_of(camera).astype(np.float16)
    center(found, camera, np.asarray(NOISE.shot, np.float32) * wb, np.asarray(NOISE.read) * wb**2, wb)
    assert abs(float(found.mean())) < 0.2 * float(sigma_of(camera).mean())
    return found.astype(np.float32)


def test_zero_strength_runs_no_network_and_is_bit_identical(models: Path) -> None:
    before = to_camera(frame(), settings())
    shutil.rmtree(models / "restore-camera-standard")
    after = to_camera(frame(), settings())
    assert before[2] == after[2] == ("demosaic-bayer-standard",)
    np.testing.assert_array_equal(before[0], after[0])


@pytest.mark.usefixtures("models")
def test_denoise_takes_the_noise_map_away() -> None:
    plain = camera_of()
    np.testing.assert_allclose(camera_of(denoise=0.5), plain - 0.5 * noise_map_of(plain), atol=2e-4)
    np.testing.assert_allclose(camera_of(denoise=-1), plain + noise_map_of(plain), atol=2e-4)


@pytest.mark.usefixtures("models")
def test_deblur_takes_the_blur_map_away_and_every_model_is_named() -> None:
    plain = camera_of()
    found, _, names = to_camera(frame(), settings(deblur=1))
    assert np.abs(found - 0.9 * plain).max() < 0.02
    assert names == ("demosaic-bayer-standard", "restore-camera-standard")


@pytest.mark.usefixtures("models")
def test_strengths_of_brightness_and_of_color_go_apart() -> None:
    both, luma, chroma, none = (
        camera_of(denoise=0, denoise_luma=a, denoise_chroma=b) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))
    )
    np.testing.assert_allclose(both, luma + chroma - none, atol=1e-5)
    assert np.abs(luma - none).max() > 1e-3
    assert np.abs(chroma - none).max() > 1e-4


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("tile", [64, 512])
def test_maps_do_not_depend_on_tiles(tile: int) -> None:
    camera = camera_of()
    chosen = replace(settings(denoise=1, deblur=1), tile=tile)
    maps = find_maps(camera, NOISE, frame(), chosen)
    whole = find_maps(camera, NOISE, frame(), replace(chosen, tile=1024))
    assert maps.blur is not None
    assert whole.blur is not None
    np.testing.assert_array_equal(maps.noise, whole.noise)
    np.testing.assert_array_equal(maps.blur, whole.blur)
    assert maps.noise.dtype == np.float16


@pytest.mark.usefixtures("models")
def test_a_cascade_finds_blur_in_the_denoised_image() -> None:
    camera, chosen = camera_of(), settings(denoise=1, deblur=1)
    maps = find_maps(camera, NOISE, frame(), chosen, method="cascade")
    assert maps.blur is not None
    np.testing.assert_allclose(maps.noise, noise_map_of(camera), rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(maps.blur, 0.1 * (camera - noise_map_of(camera)), atol=2e-4)
    assert apply_maps(camera, maps, Strengths()) is camera


@pytest.mark.usefixtures("models")
def test_strengths_change_the_picture() -> None:
    plain = develop(frame(), settings()).display
    for name in ("denoise", "deblur", "denoise_luma", "denoise_chroma"):
        assert (develop(frame(), settings(**{name: 1})).display != plain).any(), name


def test_without_a_restorer_strengths_are_refused(models: Path) -> None:
    shutil.rmtree(models / "restore-camera-standard")
    with pytest.raises(ModelError, match="restore network"):
        develop(frame(), settings(deblur=0.3))


@pytest.mark.usefixtures("models")
def test_for_a_tier_that_is_missing_the_nearest_stands_in() -> None:
    maps = find_maps(camera_of(), NOISE, frame(), replace(settings(denoise=1), quality="best"))
    assert maps.model == "restore-camera-standard"


@pytest.mark.usefixtures("models")
def test_a_monochrome_picture_stays_without_color() -> None:
    uneven = NoiseModel((1e-4, 4e-4, 9e-4), (1e-6, 1e-6, 1e-6), "file")
    gray = replace(
        frame(), cfa=CANONICAL["mono"], black=np.zeros((1, 1), np.float32), wb=(1.0, 1.0, 1.0), noise=uneven
    )
    plain, found = (to_camera(gray, settings(denoise=d, deblur=d))[0] for d in (0, 1))
    np.testing.assert_array_equal(np.ptp(found, -1), 0)
    assert np.abs(found - plain).mean() > 1e-3


@pytest.mark.usefixtures("models")
def test_light_beyond_16_bits_stays_finite() -> None:
    light = np.full((48, 64, 3), 0.3, np.float32)
    light[20:24, 20:24] = 1e6
    bright = replace(
        frame(), mosaic=light, cfa=None, black=np.zeros((1, 1), np.float32), white=(1.0, 1.0, 1.0)
    )
    found = to_camera(bright, settings(denoise=1, deblur=1))[0]
    assert np.isfinite(found).all()
    assert found[22, 22].min() > 5e5


@pytest.mark.models
@pytest.mark.parametrize("tier", ["fast", "standard"])
@pytest.mark.parametrize(
    ("family", "symmetry", "cut"),
    [
        ("bayer", Symmetry(), (7, 0)),
        ("bayer", Symmetry(), (8, 7)),
        ("rgbir2", Symmetry(True), (0, 0)),
    ],
)
def test_noise_is_looked_at_in_the_phase_that_the_network_learned(
    tier: str, family: str, symmetry: Symmetry, cut: tuple[int, int]
) -> None:
    """A frame that begins on another photosite, or lies on its side, has the maps of the frame as it was."""
    camera = np.random.default_rng(0).uniform(0.1, 0.5, (312, 312, 3)).astype(np.float32)
    cfa, chosen = CANONICAL[family], replace(settings(denoise=1), quality=tier)

    def maps_of(image: Image, array: Cfa) -> Image:
        return np.asarray(
            find_maps(image, NOISE, replace(frame(), cfa=array), chosen, every=True).noise, np.float32
        )

    turned = cfa.moved(symmetry, (312, 312))
    moved = np.ascontiguousarray(symmetry.apply(camera)[cut[0] :, cut[1] :])
    found = maps_of(moved, turned.shift(*cut))
    expected = symmetry.apply(maps_of(camera, cfa))[cut[0] :, cut[1] :]
    inner = np.s_[96:-96, 96:-96]
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-4)
    assert np.abs(found[inner]).max() > 1e-3
