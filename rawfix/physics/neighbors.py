"""The nearest samples of the same color, for any filter array; and what they say about a worthless one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image

_FILL_COUNT = 24


@lru_cache(maxsize=32)
def same_color_offsets(cfa: Cfa, count: int, channel: int | None = None) -> NDArray[np.intp]:
    """``(period_y, period_x, count, 2)``: (dy, dx) of the nearest same-color sites of each site, nearest first.

    With ``channel``, of the nearest sites that measure it; a site never counts itself. Sites at one distance come
    in an order of their own, so a ``count`` that cuts through them takes some.
    """
    unit = cfa.unit()
    period_y, period_x = cfa.period
    reach = 2 * max(period_y, period_x) + int(np.ceil(np.sqrt(count)))
    steps = np.arange(-reach, reach + 1)
    dy, dx = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    order = np.lexsort((dx, dy, dy**2 + dx**2))[1:]
    dy, dx = dy[order], dx[order]
    found = np.empty((period_y, period_x, count, 2), np.intp)
    for y in range(period_y):
        for x in range(period_x):
            color = unit[y, x] if channel is None else channel
            same = unit[(y + dy) % period_y, (x + dx) % period_x] == color
            found[y, x] = np.stack((dy[same], dx[same]), 1)[:count]
    return found


def inward(index: NDArray[np.intp], size: int, period: int) -> NDArray[np.intp]:
    """Indices beyond a frame moved inside by whole periods, so that the color stays; never onto the border's own.

    A frame of less than three periods cannot hold that promise: there the index is only brought inside.
    """
    before = period + index % period
    last = size - 2 * period
    after = last + (index - last) % period
    moved = np.where(index < 0, before, np.where(index >= size, after, index))
    return np.clip(moved, 0, size - 1)


def samples_at(
    mosaic: Image,
    bad: NDArray[np.bool_],
    sites: tuple[NDArray[np.intp], NDArray[np.intp]],
    offsets: NDArray[np.intp],
) -> tuple[Image, NDArray[np.bool_]]:
    """The samples at ``(N, count, 2)`` offsets from ``N`` sites, and which are inside and good: both ``(N, count)``."""
    (height, width), (rows, columns) = mosaic.shape, sites
    y, x = rows[:, None] + offsets[..., 0], columns[:, None] + offsets[..., 1]
    good = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    good &= ~bad[y, x]
    return mosaic[y, x], good


def fill(mosaic: Image, cfa: Cfa, known_bad: NDArray[np.bool_]) -> Image:
    """A copy of a mosaic whose worthless samples are means of good same-color ones around them.

    What stood there before has no influence, be it NaN. Neighbors weigh with their inverse squared distance; a
    sample without a good one among its 24 nearest takes the mean of its color.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, any linear scale.
    cfa
        Phased to ``mosaic[0, 0]``.
    known_bad
        ``(H, W)`` bool.

    Returns
    -------
    ``(H, W)`` float32; good samples unchanged, bit for bit.
    """
    filled = mosaic.copy()
    rows, columns = np.nonzero(known_bad)
    if not rows.size:
        return filled
    offsets = same_color_offsets(cfa, _FILL_COUNT)[rows % cfa.period[0], columns % cfa.period[1]]
    values, good = samples_at(mosaic, known_bad, (rows, columns), offsets)
    weights = np.where(good, 1 / (offsets**2).sum(-1), 0).astype(np.float32)
    values = np.where(good, values, 0)
    total = weights.sum(1)
    lonely = total == 0
    filled[rows, columns] = (weights * values).sum(1) / np.where(lonely, 1, total)
    if lonely.any():
        channels = cfa.channels((mosaic.shape[0], mosaic.shape[1]))
        for channel in np.unique(channels[rows[lonely], columns[lonely]]):
            same = mosaic[(channels == channel) & ~known_bad]
            chosen = lonely & (channels[rows, columns] == channel)
            filled[rows[chosen], columns[chosen]] = same.mean(dtype=np.float64) if same.size else 0
    return filled
