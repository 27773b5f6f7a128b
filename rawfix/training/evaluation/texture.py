"""How much of the fine, quiet detail of a picture is left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.training.evaluation.protocol import Photo

Float = NDArray[np.float64]
QUIET, STRONG = 1.5, 8.0
"""Deviations, in 8-bit levels, between which a neighbourhood is texture: neither flat nor an edge."""


def _smooth(plane: Float, weights: Float) -> Float:
    """Separable filter of ``(H, W)``, edges reflected; same shape."""
    radius = len(weights) // 2
    for _ in range(2):
        padded = np.pad(plane, ((radius, radius), (0, 0)), mode="reflect")
        plane = sum(
            (w * padded[k : k + plane.shape[0]] for k, w in enumerate(weights)), np.zeros(plane.shape)
        ).T
    return plane


def _detail(photo: Photo) -> Float:
    luma = photo @ np.array([0.299, 0.587, 0.114])
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    return luma - _smooth(luma, weights / weights.sum())


def texture_kept(image: Photo, reference: Photo) -> float:
    """Slope of a picture's fine detail on the reference's, where the reference has texture.

    Detail is BT.601 luma less its Gaussian blur of 1.5 pixels; texture is where its deviation over 9×9 pixels lies
    between `QUIET` and `STRONG`. Noise that has nothing to do with the detail does not change the expectation.

    Parameters
    ----------
    image, reference
        8-bit sRGB ``(H, W, 3)``.

    Returns
    -------
    1 where all of it is kept, less where it is smoothed, more where it is sharpened; NaN where there is none.
    """
    wanted, found = _detail(reference), _detail(image)
    spread = np.sqrt(np.maximum(_smooth(wanted**2, np.full(9, 1 / 9)), 0))
    where = (spread > QUIET) & (spread < STRONG)
    energy = float((wanted[where] ** 2).sum())
    return float((wanted[where] * found[where]).sum()) / energy if energy else float("nan")
