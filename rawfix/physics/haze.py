"""Scattering between scene and camera: ``camera = light · t + airlight · (1 − t)``, and its estimate from one picture.

The dark channel prior in linear light: some channel of some pixel of any small place is dark, so what is not dark there
is airlight. Only places with contrast are believed; smooth ones (skies, walls) take the transmission of those
around them, and a picture that has none, or hardly any veil, has no haze.

References
----------
He, Sun and Tang 2009, doi:10.1109/CVPR.2009.5206515, and 2013, "Guided image filtering"; He and Sun 2015, "Fast
guided filter"; pull-push: Gortler et al. 1996.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rawfix.frame import Image, Place
from rawfix.physics.noise import LUMA

Rows = Callable[[int, int], Image]
"""Rows from one up to another of a camera image, ``(h, W, 3)`` float32."""

SIDE = 640
"""Longer side of the reduced picture that is looked at, at most."""
LEAST_TRANSMISSION = 0.1
_PATCH = 0.011
"""Radius of a patch, in longer sides: 15 × 15 at 640."""
_DARK = 0.06
"""What the dark channel of clear scenes comes to, in airlights."""
_PLAIN, _TELLING = 0.08, 0.2
"""Contrast of a patch, relative to its brightest, that tells nothing, and that is wholly believed."""
_WIDE = 0.1
"""Radius, in longer sides, within which a clear scene has something dark: bright walls and skies end somewhere."""
_LEAST_VEIL, _LEAST_SHARE = 0.06, 0.01
"""Mean veil by the wide patch, and share of the picture with contrast, from which on there is haze. On Kodak's 24
pictures 22 stay below; with an added veil of 0.2 each is above 0.15."""
_SMOOTH = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Haze:
    """What scatters in a picture.

    Attributes
    ----------
    airlight
        Light of haze of any depth, by channel, white-balanced.
    grid
        ``(h, w, 2)`` float32: transmission is ``grid[0] · guide + grid[1]``, see `guide_of`, between the middles of
        blocks.
    factor
        Side of a block in pixels.
    """

    airlight: tuple[float, float, float]
    grid: Image
    factor: int


def guide_of(camera: Image, airlight: tuple[float, float, float]) -> Image:
    """Root of the light's luma in airlights, 0…1: what transmission follows at edges."""
    bright = (camera @ LUMA) / np.float32(np.asarray(airlight) @ LUMA)
    return np.asarray(np.sqrt(np.clip(bright, 0, 1)), np.float32)


def transmission(camera: Image, place: Place, haze: Haze) -> Image:
    """Share of the scene's light that arrives, ``(H, W)`` in `LEAST_TRANSMISSION`…1, for a window of the picture."""
    coefficients = _sampled(haze.grid, haze.factor, place, camera.shape[0], camera.shape[1])
    share = coefficients[..., 0] * guide_of(camera, haze.airlight) + coefficients[..., 1]
    return np.asarray(np.clip(share, np.float32(LEAST_TRANSMISSION), np.float32(1)), np.float32)


def estimate_haze(rows: Rows, shape: tuple[int, int], clip: tuple[float, float, float]) -> Haze | None:
    """Find the haze of a picture.

    Parameters
    ----------
    rows
        The camera image, linear, white-balanced.
    shape
        Its height and width.
    clip
        Value at which each channel saturates; airlight is looked for below. Infinite where none does.

    Returns
    -------
    Haze or None
        None where nothing tells of haze.
    """
    factor = -(-max(shape) // SIDE)
    small = _reduced(rows, shape, factor)
    radius = max(1, round(_PATCH * max(small.shape)))
    darkest = _least(small.min(-1), radius)
    whole = (small < 0.95 * np.asarray(clip, np.float32)).all(-1)
    if np.count_nonzero(whole) < 16:
        return None
    count = min(max(8, whole.size // 1000), int(np.count_nonzero(whole)))
    limit = np.partition(darkest[whole], -count)[-count]
    chosen = small[whole & (darkest >= limit)]
    airlight = tuple(float(np.float32(v)) for v in np.median(chosen, 0))
    if min(airlight) <= 0.01:
        return None
    red, green, blue = airlight
    contrast = _contrast(small @ LUMA, radius)
    weight = np.clip((contrast - _PLAIN) / (_TELLING - _PLAIN), 0, 1).astype(np.float32)
    in_airlights = (small / np.asarray(airlight, np.float32)).min(-1)
    veil = _veil(in_airlights, radius)
    wide = _veil(in_airlights, round(_WIDE * max(small.shape)))
    if float(wide.mean()) < _LEAST_VEIL or float((weight > 0).mean()) < _LEAST_SHARE:
        return None
    veil = _spread(veil * weight, weight)
    guide = guide_of(small, (red, green, blue))
    grid = _guided(guide, 1 - veil, 4 * radius)
    return Haze((red, green, blue), grid, factor)


def _contrast(bright: Image, radius: int) -> Image:
    """Difference of the brightest and the darkest of each place's surroundings, in its brightest, beyond noise."""
    calm = _mean(bright, 1)
    noise = 1.4826 * float(np.median(np.abs(bright - calm)))
    least, most = _least(calm, radius), -_least(-calm, radius)
    # Of a few hundred samples whose deviation is a third, the extremes lie six of them apart.
    return np.asarray(
        np.maximum(most - least - np.float32(2 * noise), 0) / np.maximum(most, np.float32(1e-4))
    )


def _reduced(rows: Rows, shape: tuple[int, int], factor: int) -> Image:
    """Means of ``factor × factor`` blocks; the last block of a line takes what there is."""
    height, width = shape
    starts = np.arange(0, width, factor)
    counts = np.diff(np.append(starts, width)).astype(np.float32)[:, None]
    lines = []
    for y in range(0, height, factor):
        block = rows(y, min(y + factor, height))
        lines.append(np.add.reduceat(block.mean(0, dtype=np.float32), starts, 0) / counts)
    return np.asarray(lines, np.float32)


def _veil(in_airlights: Image, radius: int) -> Image:
    """Share of airlight that the darkest of each place's surroundings allows."""
    veil = (_least(in_airlights, radius) - np.float32(_DARK)) / np.float32(1 - _DARK)
    return np.asarray(np.clip(veil, 0, 1), np.float32)


def _least(plane: Image, radius: int) -> Image:
    """Least value of the square around each pixel."""
    for axis in (0, 1):
        widths = [(0, 0), (0, 0)]
        widths[axis] = (radius, radius)
        padded = np.pad(plane, widths, mode="edge")
        window = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis)
        plane = window.min(-1)
    return plane


def _mean(plane: Image, radius: int) -> Image:
    """Mean of the square around each pixel, as far as the picture goes."""
    for axis in (0, 1):
        size = plane.shape[axis]
        sums = np.concatenate(
            (np.zeros_like(np.take(plane, [0], axis)), np.cumsum(plane, axis, np.float64)), axis
        )
        ends, starts = np.minimum(np.arange(size) + radius + 1, size), np.maximum(np.arange(size) - radius, 0)
        total = np.take(sums, ends, axis) - np.take(sums, starts, axis)
        counts = (ends - starts).reshape((-1, 1) if axis == 0 else (1, -1))
        plane = (total / counts).astype(np.float32)
    return plane


def _guided(guide: Image, values: Image, radius: int) -> Image:
    """Coefficients of the guided filter, ``(H, W, 2)``: slope and offset."""
    radius = min(radius, max(1, min(guide.shape) // 4))
    mean, level = _mean(guide, radius), _mean(values, radius)
    together = _mean(guide * values, radius) - mean * level
    spread = np.maximum(_mean(guide * guide, radius) - mean * mean, 0)
    slope = np.asarray(together / (spread + np.float32(_SMOOTH)), np.float32)
    return np.stack((_mean(slope, radius), _mean(level - slope * mean, radius)), -1)


def _spread(weighed: Image, weight: Image) -> Image:
    """Weighed values, and where nothing weighs what is around, by pull-push; 0 where nothing is."""
    if max(weight.shape) <= 1:
        return np.divide(weighed, weight, out=np.zeros_like(weighed), where=weight > 0)
    height, width = weight.shape
    padding = ((0, height % 2), (0, width % 2))
    halves = []
    for plane in (weighed, weight):
        padded = np.pad(plane, padding)
        halves.append(padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2])
    total = np.minimum(halves[1], 1)
    scale = np.divide(total, halves[1], out=np.zeros_like(total), where=halves[1] > 0)
    around = _doubled(_spread(halves[0] * scale, total), height, width)
    return weighed + (1 - weight) * around


def _doubled(field: Image, height: int, width: int) -> Image:
    """Twice the size, linear between the middles, cut to size."""
    return _sampled(field[..., None], 2, Place(height, width), height, width)[..., 0]


def _sampled(grid: Image, factor: int, place: Place, height: int, width: int) -> Image:
    """A grid of blocks at the pixels of a window, linear between the blocks' middles: ``(height, width, C)``."""
    lines, line_next, down = _between(grid.shape[0], factor, place.y, height)
    columns, column_next, right = _between(grid.shape[1], factor, place.x, width)
    down, right = down[:, None, None], right[None, :, None]
    rows = grid[lines] + down * (grid[line_next] - grid[lines])
    left = rows[:, columns]
    return np.asarray(left + right * (rows[:, column_next] - left), np.float32)


def _between(size: int, factor: int, start: int, count: int) -> tuple[np.ndarray, np.ndarray, Image]:
    """For pixels of an axis: the block before, the block behind, and the way between."""
    at = np.clip((np.arange(start, start + count) + 0.5) / factor - 0.5, 0, size - 1)
    before = at.astype(np.intp)
    return before, np.minimum(before + 1, size - 1), (at - before).astype(np.float32)
