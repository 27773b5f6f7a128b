"""NIQE knows photographs from what was made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from PIL import Image as Picture  # noqa: E402

from rawfix.errors import OutputError  # noqa: E402
from rawfix.training.evaluation.enlarging import _niqe  # noqa: E402
from rawfix.training.evaluation.naturalness import Naturalness, _asymmetric  # noqa: E402

pytestmark = pytest.mark.torch


def landscape(seed: int, side: int = 480) -> NDArray[np.uint8]:
    """A spectrum that falls with frequency, as photographs' do."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    waves = np.fft.rfft2(rng.standard_normal((side, side))) / np.maximum(frequency, 1 / side) ** 1.2
    light = np.fft.irfft2(waves, (side, side))
    plane = np.clip(128 + 45 * light / light.std(), 0, 255)
    return np.repeat(plane[..., None].astype(np.uint8), 3, 2)


def test_blur_and_noise_are_less_natural_than_what_they_were_made_of() -> None:
    natural = Naturalness.of(landscape(seed) for seed in range(12))
    picture = landscape(99)
    small = Picture.fromarray(picture).resize((240, 240), Picture.Resampling.BICUBIC)
    soft = np.asarray(small.resize((480, 480), Picture.Resampling.BICUBIC))
    grain = 20 * np.random.default_rng(0).standard_normal(picture.shape)
    noisy = np.clip(picture + grain, 0, 255).astype(np.uint8)
    assert natural.distance(picture) < 0.7 * natural.distance(soft)
    assert natural.distance(picture) < 0.7 * natural.distance(noisy)


def test_moments_give_back_the_shape_that_samples_were_drawn_with() -> None:
    rng = np.random.default_rng(1)
    gauss, laplace = rng.normal(0, 2, (1, 400, 400)), rng.laplace(0, 1, (1, 400, 400))
    for samples, shape, deviation in ((gauss, 2.0, 2.0), (laplace, 1.0, 2**0.5)):
        found, left, right = _asymmetric(samples)
        assert found[0] == pytest.approx(shape, rel=0.05)
        scale = deviation * (2**0.5 if shape == 2 else 2**-0.5)  # of exp(-(|x| / scale)**shape)
        assert (left[0], right[0]) == pytest.approx((scale, scale), rel=0.05)


def test_too_few_photographs_are_refused_with_their_number(tmp_path: Path) -> None:
    for seed in range(2):
        Picture.fromarray(landscape(seed, 192)).save(tmp_path / f"{seed}.png")
    with pytest.raises(OutputError, match=r"--natural .*needs 100"):
        _niqe(tmp_path)
