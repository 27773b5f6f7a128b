"""Color fringes as a map: lateral ones by moving red and blue back onto green, purple ones around blown light.

References
----------
Interpolation: Keys 1981, "Cubic convolution interpolation for digital image processing", its six-point kernel.
Color differences of an edge lie between those of its ends: Chung, Kim and Song 2010, doi:10.1117/1.3455505.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, Place

_TAPS = 3
_GLOW, _RAMP, _RIM = 8, 4, 2
"""Pixels: how far purple reaches from blown light, over how many it fades, and what demosaicing smears of clipping."""
_FLAT = 0.05
"""Change from pixel to pixel, relative to the light, up to which a place is no edge."""
_BLOWN = 0.9
_NOISY = 3.0
"""Deviations of noise that a color may be off."""
_KEYS = np.array(
    [
        [0, 1, -2, 1],
        [0, -8, 15, -7],
        [12, 0, -28, 16],
        [0, 8, 20, -16],
        [0, -1, -6, 7],
        [0, 0, 1, -1],
    ],
    np.float64,
)
"""Twelve times the weights of samples −2…3 as polynomials of the fraction: columns are powers 0…3."""
REACH = _GLOW + 2 * _RAMP + _RIM
Law = tuple[float, float]
Plane = NDArray[Any]


def reach_of(red: Law, blue: Law) -> int:
    """Pixels around a pixel that its fringe depends on."""
    farthest = max(abs(a * r + b * r**3) for a, b in (red, blue) for r in np.linspace(0, 1, 65).tolist())
    return int(REACH + math.ceil(farthest) + _TAPS)


def fringe_map(
    camera: Image,
    place: Place,
    red: Law,
    blue: Law,
    clip: tuple[float, float, float],
    noise: tuple[Image, Image] | None = None,
) -> Image:
    """What color fringes add to a camera image.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, white-balanced, signed, unclipped: a picture, or a window of it. Not mutated.
    place
        Where in the picture the window lies.
    red, blue
        Shift of the channel outwards from green's place, in pixels: ``a·r + b·r³``, r in half diagonals.
    clip
        Value at which each channel saturates; infinite where none does.
    noise
        Shot and read variance ``(3,)`` of noise that is still in the image: what it makes of a color is no fringe.

    Returns
    -------
    Image
        As ``camera``; right where `reach_of` pixels around are inside the window, or beyond the picture. Exactly 0
        where no channel is shifted and nothing near is blown.
    """
    moved = camera.copy()
    for channel, law in ((0, red), (2, blue)):
        if any(law):
            moved[..., channel] = _realigned(camera[..., channel], place, law)
    _take_purple(moved, np.asarray(clip, np.float32), noise)
    return np.subtract(camera, moved, out=moved)


def _realigned(plane: Image, place: Place, law: Law) -> Image:
    """The channel as it were without its shift, first along columns, then along rows."""
    center_y, center_x = (place.height - 1) / 2, (place.width - 1) / 2
    half = max(math.hypot(center_y, center_x), 1.0)
    y = ((np.arange(plane.shape[0]) + (place.y - center_y)) / half).astype(np.float32)[:, None]
    x = ((np.arange(plane.shape[1]) + (place.x - center_x)) / half).astype(np.float32)[None]
    scale = np.float32(law[0]) + np.float32(law[1]) * (y * y + x * x)
    return _shifted(_shifted(plane, scale * y, 0), scale * x, 1)


def _shifted(plane: Image, shift: Image, axis: int) -> Image:
    """``shifted(p) = plane(p + shift(p))`` along an axis; the rim is repeated."""
    whole = np.floor(shift).astype(np.int32)
    low, high = int(whole.min()), int(whole.max())
    before, after = max(0, 2 - low), max(0, high + 3)
    widths = [(0, 0), (0, 0)]
    widths[axis] = (before, after)
    padded = np.pad(plane, widths, mode="edge")
    result = np.empty_like(plane)
    for number in range(low, high + 1):
        chosen = whole == number
        rows, columns = (np.flatnonzero(chosen.any(1 - a)) for a in (0, 1))
        if not rows.size:
            continue
        box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        fraction = shift[box] - np.float32(number)
        samples = []
        for tap in range(-2, 4):
            starts, ends = [rows[0], columns[0]], [rows[-1] + 1, columns[-1] + 1]
            starts[axis] += before + number + tap
            ends[axis] += before + number + tap
            samples.append(padded[starts[0] : ends[0], starts[1] : ends[1]])
        value = np.zeros_like(fraction)
        for weights in _KEYS.T[:0:-1]:
            value += _sum(samples, weights)
            value *= fraction
        value += samples[2]
        np.copyto(result[box], value, where=chosen[box])
    return result


def _sum(samples: list[Image], weights: NDArray[np.float64]) -> Image:
    used = [(s, np.float32(w / 12)) for s, w in zip(samples, weights, strict=True) if w]
    total = used[0][0] * used[0][1]
    for sample, weight in used[1:]:
        total += sample * weight
    return total


def _take_purple(camera: Image, clip: NDArray[np.float32], noise: tuple[Image, Image] | None) -> None:
    """Bound red and blue over green, around blown light, by what flat places near show; in place.

    A place that shines through clipped samples is left to the rebuilding of highlights.
    """
    blown = np.zeros(camera.shape[:2], bool)
    for channel in range(3):
        blown |= camera[..., channel] >= _BLOWN * clip[channel]
    rows, columns = (np.flatnonzero(blown.any(1 - axis)) for axis in (0, 1))
    if not rows.size:
        return
    window = np.s_[
        max(0, rows[0] - REACH) : rows[-1] + REACH + 1, max(0, columns[0] - REACH) : columns[-1] + REACH + 1
    ]
    part, blown = camera[window], blown[window]
    hidden = _greatest(blown, _RIM)
    weight = _mean(_greatest(blown, _GLOW).astype(np.float32), _RAMP)
    weight[hidden] = 0
    flat = ~hidden
    for channel in range(3):
        flat &= _change(part[..., channel]) <= _FLAT * np.maximum(part[..., channel], np.float32(0.01))
    green = part[..., 1]
    known = _greatest(flat, _GLOW)
    for channel in (0, 2):
        difference = part[..., channel] - green
        bound = np.maximum(_greatest(np.where(flat, difference, np.float32(-np.inf)), _GLOW), 0)
        if noise is not None:
            shot, read = noise
            pair = (
                np.maximum(part[..., [channel, 1]], np.float32(0)) * shot[[channel, 1]] + read[[channel, 1]]
            )
            bound += np.float32(_NOISY) * np.sqrt(pair.sum(-1))
        excess = np.where(known, np.maximum(difference - bound, 0), 0)
        part[..., channel] -= weight * excess


def _change(plane: Image) -> Image:
    """Half the difference of the neighbors on both sides, the larger of both directions; 0 on the rim."""
    change = np.zeros_like(plane)
    change[1:-1] = np.abs(plane[2:] - plane[:-2])
    np.maximum(change[:, 1:-1], np.abs(plane[:, 2:] - plane[:, :-2]), out=change[:, 1:-1])
    change *= np.float32(0.5)
    return change


def _greatest(plane: Plane, radius: int) -> Plane:
    """Greatest value of the square around each pixel; in steps that double."""
    for axis in (0, 1):
        for sign in (1, -1):
            done = 0
            while done < radius:
                step = min(done + 1, radius - done)
                plane = _greater(plane, sign * step, axis)
                done += step
    return plane


def _greater(plane: Plane, step: int, axis: int) -> Plane:
    """Each value, or the one ``step`` further where that is greater."""
    result = plane.copy()
    to, of = (np.moveaxis(array, axis, 0) for array in (result, plane))
    if abs(step) < len(to):
        inner, outer = (to[step:], of[:-step]) if step > 0 else (to[:step], of[-step:])
        np.maximum(inner, outer, out=inner)
    return result


def _mean(plane: Image, radius: int) -> Image:
    """Mean of the square around each pixel, the rim repeated."""
    for axis in (0, 1):
        widths = [(0, 0), (0, 0)]
        widths[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(plane, widths, mode="edge"), axis, dtype=np.float64)
        size = plane.shape[axis]
        ends, starts = (np.take(sums, np.arange(at, at + size), axis) for at in (2 * radius + 1, 0))
        plane = ((ends - starts) / (2 * radius + 1)).astype(np.float32)
    return plane
