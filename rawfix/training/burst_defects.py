"""Dark frames and what they tell: the fixed pattern, the defects, and how a defect is replaced."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image
from rawfix.physics.defects import Bool
from rawfix.training.burst_bundle import Counts

DEFECT_DEVIATIONS = 12.0
"""Departure, in robust deviations of a dark frame, above which a site counts as defective: telegraph noise stays."""
_DEAF_SHARE = 0.1
"""Of the light of their neighbours, deaf sites see less."""


def average_frames(frames: Iterable[Counts]) -> Image:
    """Mean of frames ``(H, W)``, float32; raises ValueError where there is none."""
    total: NDArray[np.float64] | None = None
    count = 0
    for frame in frames:
        total = frame.astype(np.float64) if total is None else total + frame
        count += 1
    if total is None:
        raise ValueError("no frames to average")
    return np.asarray(total / count, np.float32)


def site_level(average: Image, period: tuple[int, int]) -> Image:
    """Median of every site class of the filter array, ``(H, W)`` float32: the dark level without its hot pixels."""
    level = np.empty_like(average)
    for y in range(period[0]):
        for x in range(period[1]):
            level[y :: period[0], x :: period[1]] = np.median(average[y :: period[0], x :: period[1]])
    return level


def find_defects(
    darks: Iterable[Counts], average: Image, period: tuple[int, int], threshold: float | None = None
) -> tuple[Bool, float]:
    """Sites whose dark average, or any of whose dark frames, departs from the dark by more than a threshold.

    Parameters
    ----------
    darks
        Dark frames ``(H, W)`` counts.
    average
        ``(H, W)`` float32: their average.
    period
        Of the filter array.
    threshold
        Counts; None for `DEFECT_DEVIATIONS` robust deviations (1.4826 MAD) of the first frame.

    Returns
    -------
    bad, threshold
        ``(H, W)`` bool, and the threshold used, in counts.
    """
    bad = np.zeros(average.shape, bool)
    for frame in darks:
        departure = np.abs(frame - average)
        if threshold is None:
            # Noise of less than a count rounds to no deviation at all: rounding has 0.29.
            threshold = DEFECT_DEVIATIONS * max(1.4826 * float(np.median(departure)), 0.29)
        bad |= departure > threshold
    if threshold is None:
        return bad, 0.0
    return bad | (np.abs(average - site_level(average, period)) > threshold), threshold


def find_deaf(mean: Image, period: tuple[int, int], threshold: float) -> Bool:
    """Sites without light where all four neighbours of their color have plenty: no dark frame shows them.

    Parameters
    ----------
    mean
        ``(H, W)`` float32: average of lit frames less the dark, in counts.
    threshold
        Counts; neighbours that exceed it count as lit.
    """
    y, x = period
    padded = np.pad(mean, ((y, y), (x, x)), mode="reflect")
    rows, cols = mean.shape
    neighbors = [padded[:rows, x:-x], padded[2 * y :, x:-x], padded[y:-y, :cols], padded[y:-y, 2 * x :]]
    darkest = np.min(neighbors, axis=0)
    return (mean < _DEAF_SHARE * darkest) & (darkest > threshold)


def replace_bilinear(mosaic: Image, bad: Bool, period: tuple[int, int]) -> Image:
    """Replace bad sites by the mean of their nearest sound neighbours of the same site class, along row and column.

    With all four neighbours sound this is bilinear interpolation. Returns a copy; sites without any sound neighbour in
    their row and column stay.
    """
    out = mosaic.copy()
    height, width = mosaic.shape
    rows, cols = np.nonzero(bad)
    total, weight = np.zeros(rows.size), np.zeros(rows.size)
    for distance in range(1, max(height // period[0], width // period[1]) + 1):
        open_ = np.flatnonzero(weight == 0)
        if not open_.size:
            break
        for step_y, step_x in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            y = rows[open_] + step_y * distance * period[0]
            x = cols[open_] + step_x * distance * period[1]
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            inside[inside] = ~bad[y[inside], x[inside]]
            total[open_[inside]] += mosaic[y[inside], x[inside]]
            weight[open_[inside]] += 1
    found = weight > 0
    out[rows[found], cols[found]] = total[found] / weight[found]
    return out
