"""The exposure that every figure is measured under; see `rawfix.training.evaluation`."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rawfix import metrics
from rawfix.cfa import INFRARED, Cfa
from rawfix.frame import Image
from rawfix.physics import noise, scene
from rawfix.physics.sensor import SRGB_TO_XYZ

EXPOSURE = 0.9
WB: Image = np.array([2.0, 1.0, 1 / 0.65, 1.0], np.float32)
"""Multipliers of red, green, blue and infrared."""
BORDER = 10
FULL_WELL, READ_ELECTRONS = 90_000.0, 2.5

Develop = Callable[[Image], Image]
"""A mosaic before white balance, white at 1, → white-balanced camera light ``(H, W, 3)``; noise and all."""
Photo = NDArray[np.uint8]
_Value = TypeVar("_Value", bound=np.generic)


def generator(*words: object) -> np.random.Generator:
    """Draws that depend on these words alone: equal on every machine and in any order."""
    return np.random.default_rng(zlib.crc32(" ".join(map(str, words)).encode()))


def noise_at(iso: float) -> tuple[float, float]:
    """Shot and read variance before white balance."""
    gain = iso / 100
    return gain / FULL_WELL, (READ_ELECTRONS / FULL_WELL * gain) ** 2


def to_light(photo: Photo) -> Image:
    """8-bit sRGB → white-balanced camera light ``(H, W, 3)``, exposed."""
    return scene.linearize(photo) * np.float32(EXPOSURE)


def multipliers(cfa: Cfa, shape: tuple[int, ...]) -> Image:
    """White-balance multiplier of each photosite, ``(H, W)``."""
    return WB[cfa.channels((shape[0], shape[1]))]


def with_infrared(light: Image) -> Image:
    """A fourth channel for filter arrays that measure one: the mean of the others, as no picture knows better."""
    return np.concatenate((light, light.mean(2, keepdims=True)), 2)


def expose(light: Image, cfa: Cfa) -> Image:
    """White-balanced light ``(H, W, 3)`` → noiseless mosaic ``(H, W)`` before white balance, white at 1."""
    if INFRARED in cfa.unit():
        light = with_infrared(light)
    return cfa.mosaic(light) / multipliers(cfa, light.shape)


def sigma(plane: Image, iso: float) -> Image:
    """The noise model's deviation at observed values, before white balance."""
    return np.sqrt(noise.variance(plane, *noise_at(iso)))


def grain(plane: Image, iso: float, rng: np.random.Generator) -> Image:
    """A draw of the noise that a noiseless mosaic would have."""
    return noise.draw_white(plane, *noise_at(iso), rng)


def shown(camera: Image) -> Photo:
    """White-balanced camera light → the 8-bit sRGB picture that is compared."""
    return metrics.srgb8(camera[..., :3] / EXPOSURE)


def inside(image: NDArray[_Value]) -> NDArray[_Value]:
    """What is left when the border is cut."""
    return image[BORDER:-BORDER, BORDER:-BORDER]


def to_lab(photo: Photo) -> NDArray[np.float64]:
    """8-bit sRGB → L*a*b*, D65."""
    return metrics.to_lab(scene.linearize(photo).astype(np.float64) @ SRGB_TO_XYZ.T)
