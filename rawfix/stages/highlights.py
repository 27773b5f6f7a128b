"""Give blown highlights back a color that is not magenta.

After white balance every channel saturates at another height, ``clip[c] = wb[c]``, so a white cloud that
blows the sensor reads (2, 1, 1.5): pink. Three facts mend it: channels that still measure tell how bright the
place is; unclipped pixels around it tell its color; and where nothing measures, white is the best guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

_NEAR, _FULL = 0.90, 0.98
"""Share of its clipping point where a channel starts to be doubted, and where it is no longer believed:
interpolation and noise spread the edge of clipping over a few percent."""

_BLOCK = 16
_STRIP = 4 * _BLOCK
_DECAY = 2.0
_EPSILON = 1e-6


def rebuild_highlights(
    camera: Image, clip: NDArray[np.floating] | tuple[float, float, float], *, in_place: bool = False
) -> Image:
    """Estimate clipped channels from the unclipped ones and from the color of the surroundings.

    A channel at fraction t of its clipping point is replaced in part, smoothly from t = 0.90 and wholly from
    0.98 on, by ``brightness · color``: *color* is the mean share of each channel among unclipped pixels
    nearby, bright ones counting more, spread into blown areas by a pull–push pyramid that fades to neutral
    with distance; *brightness* is the least-squares fit of that color to the channels that still measure.
    An estimate never falls below what was measured, since the light was at least that strong, nor rises
    above ``max(clip)``, where every channel meets and the picture is neutral white. So all transitions are
    continuous, and a place where everything is clipped becomes exactly ``max(clip)`` in all channels.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, white-balanced, signed, unclipped; not mutated but for ``in_place``.
    clip
        Value at which each channel saturates: the as-shot multipliers, when white is 1.
    in_place
        Write into ``camera`` and return it, where nobody else needs it: saves a copy of the picture.

    Returns
    -------
    Image
        ``(H, W, 3)`` float32. Pixels whose channels all lie below 0.90 of their clipping points are kept bit
        for bit; when that is every pixel, ``camera`` itself is returned. Besides the result, memory for a few
        strips and the color field, 1/256 of the picture.

    References
    ----------
    Pull–push: Gortler et al. 1996, "The Lumigraph". The idea of neighbours' ratios: Masood, Zhu & Tappen
    2009, "Automatic correction of saturated regions in photographs".
    """
    ceiling = np.asarray(clip, np.float32)
    near = ceiling * np.float32(_NEAR)
    strips = [
        y for y in range(0, camera.shape[0], _STRIP) if (camera[y : y + _STRIP].max(0).max(0) >= near).any()
    ]
    if not strips:
        return camera
    color = _color_field(camera, ceiling)
    rebuilt = camera if in_place else camera.copy()
    for y in strips:
        strip = camera[y : y + _STRIP]
        # Channel by channel: NumPy crawls along an axis of three.
        red, green, blue = (strip[..., channel] >= near[channel] for channel in range(3))
        rows, columns = np.nonzero(red | green | blue)
        if rows.size:
            colors = _sample(color, rows + y, columns)
            rebuilt[rows + y, columns] = _rebuild(strip[rows, columns], colors, ceiling)
    return rebuilt


def _rebuild(pixels: Image, colors: Image, clip: NDArray[np.float32]) -> Image:
    """New values of ``(N, 3)`` pixels of which some channel is near its clipping point."""
    doubt = _smooth_step(pixels / clip, _NEAR, _FULL)
    belief = 1.0 - doubt
    ceiling = clip.max()
    fit = belief * colors
    brightness = (fit * pixels).sum(-1) / ((fit * colors).sum(-1) + np.float32(_EPSILON))
    floor = np.minimum(pixels, ceiling)
    estimate = np.clip(brightness[:, None] * colors, floor, ceiling)
    # A believed channel that hardly takes part in the color (blue in a flame) says little: trust it less.
    trust = np.minimum(3.0 * fit.sum(-1), 1.0)[:, None]
    estimate = floor + trust * (estimate - floor)
    # Where the last channel fades, so does the estimate, into white.
    measured = belief.max(-1)[:, None]
    estimate = ceiling + measured * (estimate - ceiling)
    # No light is magenta: green is not below both red and blue, which are at least what they read.
    estimate[:, 1] = np.maximum(estimate[:, 1], np.minimum(floor[:, 0], floor[:, 2]))
    rebuilt: Image = pixels + doubt * (estimate - pixels)
    rebuilt[(doubt >= 1.0).all(-1)] = ceiling
    return rebuilt


def _color_field(camera: Image, clip: NDArray[np.float32]) -> Image:
    """Shares of the channels, summing to 1, for every block of 16 × 16: ``(h, w, 3)``, filled everywhere."""
    height, width = camera.shape[:2]
    across = np.arange(0, width, _BLOCK)
    sums = np.empty((-(-height // _BLOCK), across.size, 3), np.float32)
    for row, y in enumerate(range(0, height, _BLOCK)):
        channels = [np.maximum(camera[y : y + _BLOCK, :, channel], 0.0) for channel in range(3)]
        red, green, blue = (values / clip[channel] for channel, values in enumerate(channels))
        level = np.maximum(np.maximum(red, green), blue)
        weight = np.where(level < _NEAR, level * level, 0.0)
        weight *= weight
        weighed = np.stack([(values * weight).sum(0) for values in channels], -1)
        sums[row] = np.add.reduceat(weighed, across, axis=0)
    total = sums.sum(-1, keepdims=True)
    # A block counts in full when a twentieth of it is bright and unclipped.
    confidence = np.minimum(total / np.float32(0.05 * _BLOCK * _BLOCK), 1.0)
    return _fill(sums / (total + np.float32(_EPSILON)), confidence)


def _fill(color: Image, confidence: Image) -> Image:
    """Pull–push: where a level is not sure, take the next coarser one; neutral at the coarsest."""
    height, width = color.shape[:2]
    if max(height, width) <= 2:
        coarse = np.full_like(color, 1.0 / 3.0)
    else:
        weighed = _halve(color * confidence)
        half = _halve(confidence)
        shares = weighed / (half + np.float32(_EPSILON))
        coarse = _double(_fill(shares, np.minimum(half * np.float32(_DECAY), 1.0)), height, width)
    filled: Image = coarse + confidence * (color - coarse)
    filled /= filled.sum(-1, keepdims=True)
    return filled


def _halve(field: Image) -> Image:
    """Means of 2 × 2; an odd last row or column is repeated."""
    padded = np.pad(field, ((0, field.shape[0] % 2), (0, field.shape[1] % 2), (0, 0)), mode="edge")
    return 0.25 * (padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2])


def _double(field: Image, height: int, width: int) -> Image:
    """Twice the size, linear between the centres, cut to ``(height, width)``."""
    rows, columns = np.mgrid[:height, :width]
    return _bilinear(field, (rows - 0.5) * 0.5, (columns - 0.5) * 0.5)


def _sample(color: Image, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Image:
    """The block field at pixels, linear between the blocks' centres: ``(N, 3)``."""
    return _bilinear(color, (rows + 0.5) / _BLOCK - 0.5, (columns + 0.5) / _BLOCK - 0.5)


def _bilinear(field: Image, y: NDArray[np.float64], x: NDArray[np.float64]) -> Image:
    y = np.clip(y, 0, field.shape[0] - 1)
    x = np.clip(x, 0, field.shape[1] - 1)
    y0, x0 = y.astype(np.intp), x.astype(np.intp)
    y1, x1 = np.minimum(y0 + 1, field.shape[0] - 1), np.minimum(x0 + 1, field.shape[1] - 1)
    down, right = (y - y0).astype(np.float32)[..., None], (x - x0).astype(np.float32)[..., None]
    upper = field[y0, x0] + right * (field[y0, x1] - field[y0, x0])
    lower = field[y1, x0] + right * (field[y1, x1] - field[y1, x0])
    interpolated: Image = upper + down * (lower - upper)
    return interpolated


def _smooth_step(value: Image, low: float, high: float) -> Image:
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    smooth: Image = t * t * (3.0 - 2.0 * t)
    return smooth
