"""Blur of a picture by Richardson-Lucy deconvolution: no network, and a measure for those that are.

References
----------
W. H. Richardson, JOSA 62(1), 1972, doi:10.1364/JOSA.62.000055; L. B. Lucy, AJ 79, 1974, doi:10.1086/111605. Read noise
as light that is added: D. L. Snyder, A. M. Hammoud, R. L. White, JOSA A 10(5), 1993, doi:10.1364/JOSAA.10.001014.
Damping: R. L. White, "Image restoration using the damped Richardson-Lucy method", Proc. SPIE 2198, 1994,
doi:10.1117/12.176819.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, PsfModel

ITERATIONS = 20
DAMPING = 2.0
"""Deviations of noise within which a sample counts as explained; twice as much as that is followed in full."""
_TILE = 384
_HALO = 32
_POWER = 10
"""White's N: how sharply damping sets in."""


def blur_map(
    camera: Image,
    psf: PsfModel,
    shot: Image,
    read: Image,
    clip: Image,
    *,
    iterations: int = ITERATIONS,
    damping: float = DAMPING,
    progress: Callable[[int, int], None] | None = None,
) -> Image:
    """Estimate what blur did to every value, observed − restored.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, white-balanced, signed, unclipped.
    psf
        Width of a Gaussian point spread function by channel and distance from the center.
    shot, read
        ``(3,)`` variance per unit signal and in the dark, after white balance, of the noise that ``camera`` has.
    clip
        ``(3,)`` light at which each channel saturates; around saturated places the map fades to 0, because what
        was cut there is not known.
    iterations
        At which to stop.
    damping
        In deviations of noise; 0 follows the noise too.
    progress
        Called with tiles done and their number.

    Returns
    -------
    ndarray
        ``(H, W, 3)`` float32. Tiles overlap by twice 32 pixels and are faded into each other, each with the PSF
        of its center.
    """
    height, width = camera.shape[:2]
    out = np.zeros_like(camera)
    tops, lefts = range(0, height, _TILE), range(0, width, _TILE)
    done = 0
    for top in tops:
        for left in lefts:
            y0, y1 = max(top - _HALO, 0), min(top + _TILE + _HALO, height)
            x0, x1 = max(left - _HALO, 0), min(left + _TILE + _HALO, width)
            fade = (
                _fade(y0, y1, top, min(top + _TILE, height), height)[:, None]
                * _fade(x0, x1, left, min(left + _TILE, width), width)[None]
            )
            window = camera[y0:y1, x0:x1]
            fade *= _distance_from_clipped(window, clip)
            sigmas = psf.at(_radius(height, width, (y0 + y1) / 2, (x0 + x1) / 2))
            for channel, sigma in enumerate(sigmas):
                restored = _richardson_lucy(
                    np.ascontiguousarray(window[..., channel]), taps(sigma), float(shot[channel]),
                    float(read[channel]), iterations, damping,
                )  # fmt: skip
                out[y0:y1, x0:x1, channel] += fade * (window[..., channel] - restored)
            done += 1
            if progress:
                progress(done, len(tops) * len(lefts))
    return out


def taps(sigma: float) -> NDArray[np.float32]:
    """One axis of a Gaussian of variance ``sigma²`` (pixels), odd length, sum 1.

    A Gaussian integrated over pixels, as much narrower as integration widens it: one sampled at pixels would lose
    variance below half a pixel.
    """
    radius = max(1, int(np.ceil(3.5 * sigma)))
    squares = np.arange(-radius, radius + 1) ** 2
    low, high = 1e-3, sigma + 0.5
    for _ in range(40):
        middle = (low + high) / 2
        steps = [erf((k - 0.5) / (middle * sqrt(2))) for k in range(-radius, radius + 2)]
        weights = np.diff(steps) / (steps[-1] - steps[0])
        low, high = (middle, high) if (weights * squares).sum() < sigma * sigma else (low, middle)
    return np.asarray(weights, np.float32)


def _richardson_lucy(
    observed: Image, kernel: NDArray[np.float32], shot: float, read: float, iterations: int, damping: float
) -> Image:
    """One channel of one tile. Light in the dark, read/shot, makes the read noise a photon noise too."""
    shot = max(shot, 1e-9)
    dark = np.float32(max(read / shot, 1e-3))
    least = np.float32(1e-6)
    light = np.maximum(observed + dark, least)
    estimate = light.copy()
    for _ in range(iterations):
        seen = np.maximum(convolved(estimate, kernel), least)
        ratio = light / seen
        if damping:
            # White's U: the log-likelihood ratio of a sample, in units of the threshold, at most 1.
            excess = seen - light + light * np.log(ratio)
            excess *= np.float32(2 / (damping * damping * shot))
            np.clip(excess, 0, 1, out=excess)
            ratio -= 1
            ratio *= excess ** (_POWER - 1) * (_POWER - (_POWER - 1) * excess)
            ratio += 1
        estimate *= convolved(ratio, kernel)
    return np.asarray(estimate + (observed - light), np.float32)


def convolved(image: Image, kernel: NDArray[np.float32]) -> Image:
    """``(H, W)`` by a symmetric kernel along both axes, the outermost values repeated beyond the edges."""
    radius = len(kernel) // 2
    for axis in (0, 1):
        pad = ((radius, radius), (0, 0)) if axis == 0 else ((0, 0), (radius, radius))
        wide = np.pad(image, pad, mode="edge")
        size = image.shape[axis]
        parts = [wide[k : k + size] if axis == 0 else wide[:, k : k + size] for k in range(len(kernel))]
        sums = kernel[radius] * parts[radius]
        for k in range(radius):
            pair = parts[k] + parts[-1 - k]
            pair *= kernel[k]
            sums += pair
        image = sums
    return image


def _fade(start: int, stop: int, inner: int, inner_stop: int, size: int) -> Image:
    """A tile's weights along one axis: neighbors' sum to 1 where they overlap."""
    at = np.arange(start, stop, dtype=np.float32) + 0.5
    rise: Image = np.ones_like(at) if inner == 0 else np.clip((at - inner) / (2 * _HALO) + 0.5, 0, 1)
    fall: Image = (
        np.ones_like(at) if inner_stop == size else np.clip((inner_stop - at) / (2 * _HALO) + 0.5, 0, 1)
    )
    return np.asarray(rise * fall, np.float32)


def _radius(height: int, width: int, y: float, x: float) -> float:
    """Distance from the center in half diagonals."""
    return float(np.hypot(y - height / 2, x - width / 2) / np.hypot(height / 2, width / 2))


def _distance_from_clipped(window: Image, clip: Image) -> Image:
    """``(H, W)``: 0 within 4 pixels of saturated values, rising to 1 eight pixels off."""
    clipped = (window >= np.float32(0.99) * clip).any(2)
    if not clipped.any():
        return np.ones(clipped.shape, np.float32)
    near = clipped.astype(np.float32)
    for axis in (0, 1):
        pad = ((8, 8), (0, 0)) if axis == 0 else ((0, 0), (8, 8))
        near = np.lib.stride_tricks.sliding_window_view(np.pad(near, pad), 17, axis).max(-1)
    soft = np.full(9, 1 / 9, np.float32)
    return np.asarray(1 - np.clip(convolved(np.asarray(near, np.float32), soft), 0, 1), np.float32)
