"""Charts in linear light whose truth is a formula: slanted edge, zone plate, stars."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.physics.psf import blur, gaussian, spot

ANGLE = 5.0
"""Slant of an edge, degrees (ISO 12233)."""
OPTICS = 0.45
"""Deviation in pixels of the Gaussian that stands for a sharp lens; with the pixel's box, MTF50 is near 0.34."""
_EDGE_FINE, _ZONE_FINE = 8, 4
"""Sub-pixels along each axis: an edge has all frequencies, a zone plate none above Nyquist."""


def _grid(side: int, factor: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centers of the sub-pixels, in pixels from the middle of the chart: (y, x)."""
    axis = (np.arange(side * factor) + 0.5) / factor - side / 2
    return axis[:, None], axis[None, :]


def _sampled(fine: NDArray[np.float64], factor: int) -> Image:
    """Through the lens, and summed over the pixels."""
    soft = blur(fine.astype(np.float32)[..., None], (gaussian(OPTICS * factor),))[..., 0]
    side = len(fine) // factor
    return np.asarray(soft.reshape(side, factor, side, factor).mean((1, 3)), np.float32)


@lru_cache(maxsize=4)
def _edge_share(side: int) -> Image:
    """How much of each pixel lies on the right of an edge 5° off the vertical; ``(side, side)``, read-only."""
    y, x = _grid(side, _EDGE_FINE)
    share = _sampled((x - np.tan(np.deg2rad(ANGLE)) * y > 0) * 1.0, _EDGE_FINE)
    share.setflags(write=False)
    return share


def slanted_edge(side: int, dark: Image, bright: Image, *, upright: bool = True) -> Image:
    """An edge 5° off the vertical, or off the horizontal, from ``dark`` to ``bright`` (3,): ``(side, side, 3)``."""
    share = _edge_share(side) if upright else _edge_share(side).T
    return np.asarray(dark + share[..., None] * (bright - dark), np.float32)


@lru_cache(maxsize=2)
def _rings(side: int) -> Image:
    """The zone plate's wave, −1…1, sampled; ``(side, side)``, read-only."""
    y, x = _grid(side, _ZONE_FINE)
    squared = y**2 + x**2
    rings = _sampled(np.where(squared < (side / 2) ** 2, np.cos(np.pi * squared / side), 0), _ZONE_FINE)
    rings.setflags(write=False)
    return rings


def zone_plate(side: int) -> Image:
    """Gray rings, 0.05 to 0.85, whose frequency grows from the middle to Nyquist at the middle of each side."""
    return np.repeat(np.float32(0.45) + np.float32(0.4) * _rings(side)[..., None], 3, axis=2)


def ring_frequency(side: int) -> NDArray[np.float64]:
    """Frequency of the zone plate at each pixel, in cycles a pixel; beyond 0.5 it is plain gray."""
    axis = np.arange(side) + 0.5 - side / 2
    return np.asarray(np.hypot(axis[:, None], axis[None, :]) / side)


@dataclass(frozen=True, slots=True, eq=False)
class Stars:
    """A field of stars.

    Attributes
    ----------
    light
        ``(H, W, 3)`` linear; sky included.
    sky
        Level between the stars.
    places
        ``(N, 2)`` pixel nearest to each star's center, (y, x).
    widths, peaks
        ``(N,)``: Gaussian deviation in pixels, and brightness of the center's pixel at best, above the sky.
    """

    light: Image
    sky: float
    places: NDArray[np.intp]
    widths: NDArray[np.float64]
    peaks: NDArray[np.float64]


STAR_WIDTHS = (0.6, 0.8, 1.0, 1.5)
PITCH = 24


def star_field(side: int, rng: np.random.Generator, sky: float = 0.01) -> Stars:
    """White stars of every width of `STAR_WIDTHS`, one in each cell of `PITCH` pixels, anywhere in its middle."""
    cells = side // PITCH
    light = np.full((side, side), sky)
    places, widths, peaks = [], [], []
    for row, col in np.ndindex(cells, cells):
        width = STAR_WIDTHS[(row + col) % len(STAR_WIDTHS)]
        peak = float(np.exp(rng.uniform(np.log(0.05), np.log(0.8))))
        cy, cx = rng.uniform(PITCH / 2 - 2, PITCH / 2 + 2, 2)
        patch = spot((PITCH, PITCH), (cy, cx), width)
        best = spot((PITCH, PITCH), (PITCH / 2 + 0.5, PITCH / 2 + 0.5), width).max()
        light[row * PITCH : (row + 1) * PITCH, col * PITCH : (col + 1) * PITCH] += peak / best * patch
        places.append((row * PITCH + int(cy), col * PITCH + int(cx)))
        widths.append(width)
        peaks.append(peak)
    image = np.repeat(light.astype(np.float32)[..., None], 3, axis=2)
    return Stars(image, sky, np.array(places), np.array(widths), np.array(peaks))
