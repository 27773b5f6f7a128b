"""Noise has no mean: what a noise map holds of one over a wide area is the network's error, and shifts exposure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.maps import Half
from rawfix.physics.noise import variance

SIDE = 256
"""Of the areas, in pixels: wide enough that noise itself has no mean left in one, narrow enough to follow the light."""
_MARGIN = np.float32(3)
"""Deviations below saturation from which on noise is cut off, and does have a mean."""
_LEAST = 1 / 64
"""Share of an area's pixels that must count."""


def center(noise_map: Half, camera: Image, shot: Image, read: Image, white: Image) -> None:
    """Take the mean over areas of `SIDE` pixels, blended from one to the next, out of a noise map; in place.

    Parameters
    ----------
    noise_map
        ``(H, W, 3)``, observed − ideal.
    camera
        ``(H, W, 3)`` float32: the observed image, linear, white-balanced.
    shot, read, white
        ``(3,)`` float32: noise model after white balance; where each channel is saturated. What is near saturation
        does not count, for its noise is cut off on one side; an area of nothing else stays as it is.
    """
    rows, columns = (_edges(length) for length in noise_map.shape[:2])
    means = np.zeros((len(rows) - 1, len(columns) - 1, 3), np.float32)
    for row, column in np.ndindex(means.shape[:2]):
        area = np.s_[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
        means[row, column] = _mean(noise_map[area], camera[area], shot, read, white)
    if not means.any():
        return
    above, below, lower = _places(rows)
    left, right, farther = _places(columns)
    for start, end in pairwise(rows):
        band = slice(start, end)
        near = _between(means[above[band]], means[below[band]], lower[band, None, None])
        noise_map[band] -= _between(near[:, left], near[:, right], farther[None, :, None])


def _edges(length: int) -> list[int]:
    """Where the areas along an axis begin and end: all of about the same size."""
    count = max(round(length / SIDE), 1)
    return [length * k // count for k in range(count + 1)]


def _mean(noise: Half, camera: Image, shot: Image, read: Image, white: Image) -> NDArray[np.float32]:
    noise_map = noise.astype(np.float32)
    ideal = camera - noise_map
    counts = ideal + _MARGIN * np.sqrt(variance(ideal, shot, read)) < white
    number = counts.sum((0, 1))
    total = (noise_map * counts).sum((0, 1), dtype=np.float64)
    return np.where(number > _LEAST * counts[..., 0].size, total / np.maximum(number, 1), 0).astype(
        np.float32
    )


def _places(edges: list[int]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For every pixel along an axis: the areas with centers before and after it, and how near it is to the latter."""
    centers = (np.array(edges[:-1]) + np.array(edges[1:]) - 1) / 2
    pixels = np.arange(edges[-1])
    after = np.minimum(np.maximum(np.searchsorted(centers, pixels), 1), len(centers) - 1)
    before = np.maximum(after - 1, 0)
    span = np.maximum(centers[after] - centers[before], 1)
    return before, after, np.clip((pixels - centers[before]) / span, 0, 1).astype(np.float32)


def _between(first: Image, second: Image, share: NDArray[np.float32]) -> Image:
    return np.asarray(first + share * (second - first), np.float32)
