"""Noise of a mosaic by same-color non-local means: no network, and a measure for those that are.

Every sample is averaged with samples of its own color around places that look alike. Likeness is judged on values
whose noise has been made equal everywhere; averaged is the linear light itself, so that means do not shift. A second
pass compares places in the result of the first, where noise no longer blurs what is alike.

The noise is taken away before demosaicing: there it is independent from sample to sample, as the method assumes.

References
----------
A. Buades, B. Coll, J.-M. Morel, "Non-local means denoising", IPOL 1, 2011, doi:10.5201/ipol.2011.bcm_nlm; its
variance-stabilising transform after F. J. Anscombe, with Gaussian noise: J.-L. Starck, F. Murtagh, A. Bijaoui, "Image
Processing and Data Analysis", 1998, 2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

_TILE = (128, 512)
_OUTSIDE = np.float32(1e3)
_SPECK = 6.0
"""Deviations by which a sample exceeds all its neighbors of its color to be a defect or a star: left alone."""


@dataclass(frozen=True, slots=True)
class Search:
    """How one pass looks for likeness.

    Attributes
    ----------
    radius
        Farthest shift in samples of the mosaic, along an axis.
    patch
        Radius of the places that are compared; sides are ``2·patch + 1``.
    floor
        Mean squared difference (in noise variances) that noise alone makes: no difference counts below.
    width
        Mean squared difference above the floor at which a weight falls to 1/e.
    clip
        Squared difference at which one sample's say ends.
    """

    radius: int
    patch: int
    floor: float
    width: float
    clip: float


FIRST = Search(radius=8, patch=3, floor=2.0, width=0.25, clip=60.0)
SECOND = Search(radius=8, patch=1, floor=0.05, width=0.30, clip=60.0)


def noise_map(
    light: Image,
    channels: NDArray[np.integer] | None,
    shot: Image,
    read: Image,
    known_bad: NDArray[np.bool_] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Image:
    """Estimate the noise of every sample, observed − ideal.

    Parameters
    ----------
    light
        ``(H, W)`` mosaic or ``(H, W, 3)`` full color, float32, linear, signed, unclipped.
    channels
        ``(period_y, period_x)`` channel of each site of a mosaic; None for full color.
    shot, read
        ``(C,)`` variance per unit signal and in the dark, in the light's units, by channel.
    known_bad
        ``(H, W)`` bool: samples known to be worthless; none takes part.
    progress
        Called with tiles done and their number.

    Returns
    -------
    ndarray
        In the shape of ``light``. Zero where a sample is known to be bad, or stands so far off its neighbors that
        it is a defect or a star.
    """
    planes = light[None] if light.ndim == 2 else np.ascontiguousarray(np.moveaxis(light, 2, 0))
    unit = np.zeros((1, 1), np.intp) if channels is None else np.asarray(channels, np.intp)
    bad = np.zeros(planes.shape[1:], bool) if known_bad is None else known_bad
    equal = _equalized(planes, unit, shot, read)
    usable = ~(bad | _specks(equal, unit))
    tiles = _Tiles(planes.shape[1], planes.shape[2], 2, progress)
    pilot = _pass(planes, equal, usable, unit, FIRST, tiles)
    equal = np.where(usable, _equalized(pilot, unit, shot, read), equal)
    ideal = _pass(planes, equal, usable, unit, SECOND, tiles)
    found = np.where(usable, planes - ideal, np.float32(0))
    return np.asarray(found[0] if light.ndim == 2 else np.moveaxis(found, 0, 2), np.float32)


class _Tiles:
    """The windows of a frame, and how many of all passes are done."""

    def __init__(self, height: int, width: int, passes: int, progress: Callable[[int, int], None] | None):
        rows, columns = _TILE
        self.windows = [
            (y, x, min(y + rows, height), min(x + columns, width))
            for y in range(0, height, rows)
            for x in range(0, width, columns)
        ]
        self.total, self.done, self.progress = passes * len(self.windows), 0, progress

    def step(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total)


def _equalized(planes: Image, unit: NDArray[np.intp], shot: Image, read: Image) -> Image:
    """Values whose noise has deviation 1 at every signal; 0 for black. Exact for ``shot`` 0 too."""
    out = np.empty_like(planes)
    for y, row in enumerate(unit):
        for x, channel in enumerate(row):
            for plane, target in zip(range(len(planes)), out, strict=True):
                which = plane if len(planes) > 1 else channel
                values = planes[plane, y :: unit.shape[0], x :: unit.shape[1]]
                gain, dark = np.float32(shot[which]), np.float32(read[which] + 0.375 * shot[which] ** 2)
                root = np.sqrt(np.maximum(dark + gain * values, np.float32(0)))
                target[y :: unit.shape[0], x :: unit.shape[1]] = 2 * values / (root + np.sqrt(dark))
    return out


def _same(unit: NDArray[np.intp], dy: int, dx: int) -> NDArray[np.bool_]:
    """Which sites of the unit measure the color of the site ``(dy, dx)`` further on."""
    return np.asarray(unit == np.roll(unit, (-dy, -dx), (0, 1)))


def _shifts(unit: NDArray[np.intp], radius: int) -> list[tuple[int, int]]:
    """One of each pair of opposite shifts that bring at least half of the sites onto their own color."""
    return [
        (dy, dx)
        for dy in range(radius + 1)
        for dx in range(-radius, radius + 1)
        if (dy, dx) > (0, 0) and _same(unit, dy, dx).mean() >= 0.5
    ]


def _specks(equal: Image, unit: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Samples far above or below all of their nearest neighbors of the same color."""
    height, width = equal.shape[1:]
    low, high = np.full_like(equal, np.inf), np.full_like(equal, -np.inf)
    reach = max(2, *unit.shape)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            same = _same(unit, dy, dx)
            if (dy, dx) == (0, 0) or not same.any():
                continue
            here = np.s_[:, max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)]
            there = np.s_[:, max(dy, 0) : height - max(-dy, 0), max(dx, 0) : width - max(-dx, 0)]
            where = _tiled(same, here[1].start, here[2].start, low[here].shape[1:])
            np.minimum(low[here], equal[there], out=low[here], where=where)
            np.maximum(high[here], equal[there], out=high[here], where=where)
    return np.asarray(((equal > high + _SPECK) | (equal < low - _SPECK)).any(0))


def _tiled(same: NDArray[np.bool_], y: int, x: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The unit's mask over a window that starts at ``(y, x)``."""
    moved = np.roll(same, (-y, -x), (0, 1))
    return np.tile(moved, (-(-shape[0] // same.shape[0]), -(-shape[1] // same.shape[1])))[
        : shape[0], : shape[1]
    ]


def _pass(
    planes: Image,
    guide: Image,
    usable: NDArray[np.bool_],
    unit: NDArray[np.intp],
    search: Search,
    tiles: _Tiles,
) -> Image:
    """Average ``planes`` by the likeness of ``guide``."""
    margin = search.radius + search.patch
    halo = ((0, 0), (margin, margin), (margin, margin))
    shifts = _shifts(unit, search.radius)
    out = np.empty_like(planes)
    for y0, x0, y1, x1 in tiles.windows:
        window = _window(planes.shape[1:], y0, x0, y1, x1, margin)
        inner, missing = window
        pad = (halo[0], *missing)
        values = np.pad(planes[:, *inner], pad)
        likes = np.pad(guide[:, *inner], pad, constant_values=_OUTSIDE)
        counts = np.pad(usable[inner], missing).astype(np.float32)
        out[:, y0:y1, x0:x1] = _average(values, likes, counts, unit, (y0, x0), shifts, search)
        tiles.step()
    return out


def _window(
    shape: tuple[int, ...], y0: int, x0: int, y1: int, x1: int, margin: int
) -> tuple[tuple[slice, slice], tuple[tuple[int, int], tuple[int, int]]]:
    """What of a window with its margin lies in the frame, and how much is missing on each side."""
    top, bottom = max(y0 - margin, 0), min(y1 + margin, shape[0])
    left, right = max(x0 - margin, 0), min(x1 + margin, shape[1])
    missing = ((margin - (y0 - top), margin - (bottom - y1)), (margin - (x0 - left), margin - (right - x1)))
    return (slice(top, bottom), slice(left, right)), missing


def _average(
    values: Image,
    likes: Image,
    counts: Image,
    unit: NDArray[np.intp],
    origin: tuple[int, int],
    shifts: list[tuple[int, int]],
    search: Search,
) -> Image:
    """Weighted means of one window, its margin cut off; ``counts`` is 1 where a sample may take part."""
    margin = search.radius + search.patch
    height, width = values.shape[1] - 2 * margin, values.shape[2] - 2 * margin
    total = np.zeros((len(values), height + 2 * margin, width + 2 * margin), np.float32)
    weights = np.zeros_like(total[0])
    greatest = np.zeros_like(weights)
    side = 2 * search.patch + 1
    for dy, dx in shifts:
        # Weights are made wherever either end of the shift lies in the window: each serves both ends.
        rows = slice(margin - dy, margin + height)
        cols = slice(margin - max(dx, 0), margin + width - min(dx, 0))
        wide = _moved((rows, cols), 0, 0, search.patch)
        step = likes[:, *wide] - likes[:, *_moved(wide, dy, dx)]
        np.multiply(step, step, out=step)
        np.minimum(step, np.float32(search.clip), out=step)
        square = step[0] if len(step) == 1 else step.mean(0)
        same = _same(unit, dy, dx)
        if same.all():
            distance = _box(square, side)
            distance *= np.float32(1 / side**2)
        else:
            mask = _tiled(
                same, origin[0] + wide[0].start - margin, origin[1] + wide[1].start - margin, square.shape
            ).astype(np.float32)
            distance = _box(np.multiply(square, mask, dtype=np.float32), side)
            distance /= np.maximum(_box(mask, side), np.float32(1))
        distance -= np.float32(search.floor)
        np.maximum(distance, np.float32(0), out=distance)
        distance *= np.float32(-1 / search.width)
        weight = np.exp(distance, out=distance)
        if not same.all():
            weight *= mask[search.patch : -search.patch, search.patch : -search.patch]
        for here, there in (
            ((rows, cols), _moved((rows, cols), dy, dx)),
            (_moved((rows, cols), dy, dx), (rows, cols)),
        ):
            say = weight * counts[there]
            weights[here] += say
            np.maximum(greatest[here], say, out=greatest[here])
            for plane, sums in zip(values, total, strict=True):
                sums[here] += say * plane[there]
    core = (slice(margin, margin + height), slice(margin, margin + width))
    own = np.maximum(greatest[core], np.float32(1e-6)) * counts[core] + (1 - counts[core])
    held = total[:, *core] * counts[core] + own * values[:, *core]
    return np.asarray(held / (weights[core] * counts[core] + own), np.float32)


def _moved(window: tuple[slice, slice], dy: int, dx: int, by: int = 0) -> tuple[slice, slice]:
    """A window moved, and grown on every side."""
    rows, cols = window
    return (
        slice(rows.start + dy - by, rows.stop + dy + by),
        slice(cols.start + dx - by, cols.stop + dx + by),
    )


def _box(image: Image, side: int) -> Image:
    """Sums over ``side × side``, where they lie inside the image."""
    for axis in (0, 1):
        length = image.shape[axis] - side + 1
        parts = [image[k : k + length] if axis == 0 else image[:, k : k + length] for k in range(side)]
        sums = parts[0] + parts[1]
        for part in parts[2:]:
            sums += part
        image = sums
    return image
