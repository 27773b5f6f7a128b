"""How sharp a picture is at its sharpest: the width of its strongest edges.

An edge is read along rows and along columns, from the plateau before it to the plateau behind it. Only edges that
stand far above the noise, between two plateaus, count; their rise from 10 % to 90 % is put at right angles to the
edge. The sharper ones tell of lens and focus, the softer ones of depth of field: a low quantile is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

_REACH = 9
"""Pixels on each side of an edge that are looked at: widths up to about 10 are measured."""
_PLATEAU = 4
_LEAST_SNR, _LEAST_CONTRAST, _LEAST_RATIO = 20.0, 0.02, 0.3
_CLIPPED = 0.95
_STEEPEST = 0.6
"""Tangent of the angle between edge and line of sight up to which an edge is read along that line."""
_MOST, _FEWEST = 2000, 30
_QUANTILE = 0.25
_LINES = 4

Edges = tuple[Image, Image, Image]
"""Contrast over noise ``(N,)``; profiles ``(N, 2·n)`` from 0 to 1; cosine of the slant ``(N,)``."""


def edge_width(light: Image, shot: float, read: float) -> float | None:
    """The 10–90 % rise of the sharper strong edges, in pixels.

    Parameters
    ----------
    light
        ``(H, W)`` float32, one channel, linear, saturating at 1; every fourth row and column is read.
    shot, read
        Its noise: variance per unit signal and in the dark.

    Returns
    -------
    float or None
        About 1 for an ideal edge; None where fewer than 30 edges stand out.
    """
    both = [_edges(light, shot, read), _edges(light.T, shot, read)]
    snr, profiles, cosine = (np.concatenate(parts) for parts in zip(*both, strict=True))
    strongest = np.argsort(-snr, kind="stable")[:_MOST]
    widths = rise(profiles[strongest]) * cosine[strongest]
    widths = widths[np.isfinite(widths)]
    return float(np.quantile(widths, _QUANTILE)) if widths.size >= _FEWEST else None


def rise(profiles: Image) -> NDArray[np.float64]:
    """Pixels from 10 % to 90 % of profiles ``(N, 2·n)`` that cross 50 % in their middle; NaN where one does not."""
    middle = profiles.shape[1] // 2
    right = _crossing(profiles[:, middle - 1 :], 0.9)
    left = _crossing(1 - profiles[:, middle::-1], 0.9)
    return left + right - 1


def _crossing(values: Image, level: float) -> NDArray[np.float64]:
    """Where rows first reach a level, from their start, linear between samples; NaN where they never do."""
    reached = values >= level
    after = reached.argmax(1)
    index = np.arange(len(values))
    inside = reached.any(1) & (after > 0)
    low, high = values[index, after - 1], values[index, after]
    place = after - (high - level) / np.where(inside, high - low, 1)
    return np.where(inside, place, np.nan)


def _edges(light: Image, shot: float, read: float) -> Edges:
    """Edges that rise or fall along rows."""
    lines, above, below = light[1:-1:_LINES], light[:-2:_LINES], light[2::_LINES]
    nothing = np.empty(0, np.float32)
    if lines.shape[0] == 0 or lines.shape[1] < 2 * _REACH + 2:
        return nothing, np.empty((0, 2 * _REACH), np.float32), nothing
    step = np.abs(lines[:, 2:] - lines[:, :-2])
    noise = np.sqrt(np.maximum(lines[:, 1:-1], 0) * np.float32(shot) + np.float32(read))
    inside = np.s_[:, _REACH : step.shape[1] - _REACH]
    least = np.maximum(4 * noise, np.float32(_LEAST_CONTRAST / _REACH))
    rows, columns = np.nonzero(step[inside] > least[inside])
    columns += _REACH
    near = step[rows[:, None], columns[:, None] + np.arange(-3, 4)]
    is_peak = near.argmax(1) == 3
    rows, columns = rows[is_peak], columns[is_peak] + 1
    # The profile's middle lies half a pixel before or behind the steepest pixel, whichever side is at 50 %.
    at = columns[:, None] + np.arange(-_REACH, _REACH)
    raw = lines[rows[:, None], at]
    before, behind = raw[:, :_PLATEAU], raw[:, -_PLATEAU:]
    low, high = before.mean(1), behind.mean(1)
    contrast, level = np.abs(high - low), np.maximum(low, high)
    sigma = np.sqrt(np.maximum(level, 0) * np.float32(shot) + np.float32(read))
    unrest = np.maximum(np.ptp(before, axis=1), np.ptp(behind, axis=1))
    down = np.abs((below[rows[:, None], at] - above[rows[:, None], at]).sum(1)) / 2
    slope = down / np.maximum(contrast, np.float32(1e-9))
    good = (
        (contrast > _LEAST_SNR * sigma)
        & (contrast > np.maximum(_LEAST_CONTRAST, _LEAST_RATIO * level))
        & (unrest < 0.1 * contrast + 4 * sigma)
        & (raw.max(1) < _CLIPPED)
        & (slope < _STEEPEST)
    )
    profiles = (raw[good] - low[good, None]) / (high - low)[good, None]
    return contrast[good] / sigma[good], profiles, 1 / np.sqrt(1 + slope[good] ** 2)
