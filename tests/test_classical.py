"""Noise and blur without restoration networks, in the whole way of the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rawfix.errors import SettingsError
from rawfix.frame import Image, PsfModel, RawFrame
from rawfix.metrics import psnr
from rawfix.negative import develop_negative
from rawfix.physics.psf import blur, gaussian
from rawfix.pipeline import develop
from rawfix.settings import Settings, Strengths

pytestmark = pytest.mark.models
MakeFrame = Callable[..., RawFrame]
PLAIN = Settings(
    tone="none", linear=True, bits=32, highlights="clip", space="camera",
    denoise_method="classical", deblur_method="richardson-lucy",
)  # fmt: skip


def bars(size: int = 256) -> Image:
    """Slanted bars of two colors over a gradient: edges that a camera can tell from its filter array."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    inside = (0.97 * x + 0.24 * y) % 60 < 30
    light = np.where(inside[..., None], np.array((0.5, 0.6, 0.4)), np.array((0.12, 0.1, 0.08)))
    return (light * (1 + y / size / 4)[..., None]).astype(np.float32)


def with_strengths(denoise: float = 0.0, deblur: float = 0.0) -> Settings:
    return replace(PLAIN, strengths=Strengths(denoise, deblur))


def gain(made: Image, before: Image, light: Image) -> float:
    return psnr(made, light, border=8) - psnr(before, light, border=8)


def test_zero_strength_is_identity(make_frame: MakeFrame) -> None:
    frame = make_frame(iso=3200)
    network = replace(PLAIN, denoise_method="network", deblur_method="network")
    assert np.array_equal(develop(frame, PLAIN).display, develop(frame, network).display)


def test_denoising_gains_four_decibels_at_iso_6400(make_frame: MakeFrame) -> None:
    light = blur(bars(), (gaussian(0.9),) * 3)
    frame = make_frame(light, iso=6400)
    untreated = develop(frame, PLAIN).display
    assert gain(develop(frame, with_strengths(denoise=1)).display, untreated, light) > 4


def test_strengths_of_noise_are_between_and_beyond(make_frame: MakeFrame) -> None:
    light = np.full((96, 96, 3), 0.2, np.float32)
    frame = make_frame(light, iso=6400, black=2048, white=65535)
    spread = [
        float(develop(frame, with_strengths(denoise=d)).display[8:-8, 8:-8].std()) for d in (-1, 0, 0.5, 1)
    ]
    assert spread[0] > 1.7 * spread[1] > 3 * spread[2] > 3.9 * spread[3]


def test_deblurring_by_the_known_blur_gains_two_decibels(make_frame: MakeFrame) -> None:
    light = bars()
    sigma = float(np.sqrt(1.2**2 + 1 / 12))
    frame = make_frame(blur(light, (gaussian(1.2),) * 3), iso=100)
    frame = replace(frame, psf=PsfModel((sigma,) * 3, (sigma,) * 3, "calibrated"))
    untreated = develop(frame, PLAIN).display
    developed = develop(frame, with_strengths(deblur=1))
    assert gain(developed.display, untreated, light) > 2
    assert any("calibrated PSF" in note for note in developed.notes)


def test_blur_is_estimated_from_edges(make_frame: MakeFrame) -> None:
    light = bars(320)
    frame = make_frame(blur(light, (gaussian(0.9),) * 3), iso=100)
    developed = develop(frame, with_strengths(deblur=1))
    assert any("estimated from" in note for note in developed.notes)
    assert gain(developed.display, develop(frame, PLAIN).display, light) > 1.5


def test_a_frame_without_edges_is_left_as_it_is(make_frame: MakeFrame) -> None:
    frame = make_frame(np.full((96, 96, 3), 0.3, np.float32))
    developed = develop(frame, with_strengths(deblur=1))
    assert np.array_equal(developed.display, develop(frame, PLAIN).display)
    assert any("not deblurred" in note for note in developed.notes)


def test_negatives_are_restored_too(make_frame: MakeFrame) -> None:
    frame = make_frame(np.full((96, 96, 3), 0.3, np.float32), iso=6400)
    raw = replace(PLAIN, space="srgb", tone="standard", linear=False, format="dng-cfa", bits=16)
    before = develop_negative(frame, raw).samples.astype(float)
    after = develop_negative(frame, replace(raw, strengths=Strengths(1.0))).samples.astype(float)
    assert after[::2, ::2].std() < 0.5 * before[::2, ::2].std()


@pytest.mark.parametrize("pattern", ["G", None])
def test_frames_that_need_no_demosaicing_are_served(make_frame: MakeFrame, pattern: str | None) -> None:
    light = np.full((96, 96, 3), 0.3, np.float32)
    frame = make_frame(light, iso=6400, pattern="G", wb=(1.0, 1.0, 1.0))
    if pattern is None:
        rng = np.random.default_rng(0)
        counts = 512 + 15871 * (0.3 + 0.0147 * rng.standard_normal((96, 96, 3)))
        frame = replace(frame, cfa=None, mosaic=counts.astype(np.uint16))
    before = develop(frame, PLAIN).display
    assert develop(frame, with_strengths(denoise=1)).display.std() < 0.5 * before.std()


def test_what_a_mosaic_cannot_give_is_refused() -> None:
    with pytest.raises(SettingsError, match="brightness and color"):
        Settings(denoise_method="classical", strengths=Strengths(denoise_luma=1.0, denoise_chroma=0.5))
    with pytest.raises(SettingsError, match="--deblur-method blind"):
        Settings.from_dict({"deblur_method": "blind"})
    with pytest.raises(SettingsError, match="auto"):
        Settings(denoise_method="classical", strengths=Strengths(denoise="auto"))
