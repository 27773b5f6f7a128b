"""Synthetic night skies."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf

import numpy as np

from rawfix.frame import Image

SKY = 0.004


@dataclass(frozen=True, slots=True)
class Star:
    """Center and width (Gaussian, of the lens) in pixels; light collected, in pixels of green at white."""

    y: float
    x: float
    width: float
    flux: float


def night_sky(size: tuple[int, int], number: int, rng: np.random.Generator) -> tuple[Image, list[Star]]:
    """Stars of 6.5 magnitudes, from the noise to blown, and of many colors, over a dark sky.

    Widths from 0.6 to 1.5 px; ``(H, W, 3)`` float32, white-balanced, unclipped; the Gaussians are integrated over
    each pixel exactly.
    """
    light = np.full((*size, 3), SKY, np.float64)
    stars = []
    for _ in range(number):
        star = Star(
            rng.uniform(12, size[0] - 12), rng.uniform(12, size[1] - 12), rng.uniform(0.6, 1.5),
            10 ** rng.uniform(np.log10(0.05), np.log10(20)),
        )  # fmt: skip
        hue = rng.uniform(-0.7, 0.7)
        top, left = int(star.y) - 10, int(star.x) - 10
        profile = _integrated(star.y - top, star.width)[:, None] * _integrated(star.x - left, star.width)
        color = np.array([2**hue, 1, 2**-hue])
        light[top : top + 21, left : left + 21] += star.flux * profile[..., None] * color
        stars.append(star)
    return light.astype(np.float32), stars


def _integrated(center: float, width: float) -> np.ndarray:
    edges = [erf((edge - 0.5 - center) / (width * np.sqrt(2))) for edge in range(22)]
    return np.diff(edges) / 2
