"""Edge sharpness: the spatial frequency response of a slanted edge.

References
----------
ISO 12233:2017, annex D, edge-based SFR (e-SFR), without its polynomial fit: these edges are straight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
OVERSAMPLING = 4


def _fit(plane: Float) -> tuple[float, float]:
    """Where the edge crosses each row: ``x = offset + slope·row``, from the centroids of the rows' derivatives.

    Three times, each with a Hamming window about the line before, so that noise far off does not count.
    """
    step = np.diff(plane, axis=1)
    rows, x = np.arange(len(plane)), np.arange(step.shape[1]) + 0.5
    center = np.full(len(plane), x.mean())
    half = step.shape[1] / 2
    slope = offset = 0.0
    for _ in range(3):
        distance = x[None, :] - center[:, None]
        window = np.where(np.abs(distance) < half, 0.54 + 0.46 * np.cos(np.pi * distance / half), 0)
        weighted = step * window
        rise = weighted.sum(1)
        sound = rise > 0.2
        if sound.mean() < 0.5:
            raise ValueError("no edge: most rows do not rise across the middle")
        centroid = (weighted[sound] * x).sum(1) / rise[sound]
        slope, offset = (float(value) for value in np.polyfit(rows[sound], centroid, 1))
        center = offset + slope * rows
        half = max(16.0, step.shape[1] / 8)
    return offset, slope


def edge_response(plane: NDArray[np.floating]) -> tuple[Float, Float]:
    """Frequencies in cycles a pixel, and the modulation transfer at each; 1 at 0.

    Parameters
    ----------
    plane
        ``(H, W)`` linear light with one near-vertical edge across its middle; transpose for a near-horizontal
        one. The slant must cross at least one pixel column.

    Raises
    ------
    ValueError
        Where there is no edge.
    """
    wide = np.asarray(plane, np.float64)
    low, high = (float(side.mean()) for side in (wide[:, :4], wide[:, -4:]))
    if abs(high - low) < 1e-6:
        raise ValueError("no edge: both sides of the plane are equally bright")
    wide = (wide - low) / (high - low)
    offset, slope = _fit(wide)
    rows, cols = np.indices(wide.shape)
    distance = (cols - offset - slope * rows) / np.hypot(1, slope)
    reach = min(wide.shape[1] // 4, 32)
    index = np.floor((distance + reach) * OVERSAMPLING).astype(np.intp)
    count = 2 * reach * OVERSAMPLING
    valid = (index >= 0) & (index < count)
    total = np.bincount(index[valid], wide[valid], count)
    spread = total / np.maximum(np.bincount(index[valid], minlength=count), 1)
    line = np.convolve(spread, [0.5, 0, -0.5], "valid")
    line *= np.hamming(len(line))
    transfer = np.abs(np.fft.rfft(line, 8 * count))
    frequency = np.fft.rfftfreq(8 * count, 1 / OVERSAMPLING)
    # The difference over two bins is a filter too: its response is divided out (as ISO 12233 does); a bin's box too.
    filters = np.sinc(2 * frequency / OVERSAMPLING) * np.sinc(frequency / OVERSAMPLING)
    keep = frequency <= 1.0
    corrected = transfer[keep] / np.maximum(filters[keep], 0.1)
    return np.asarray(frequency[keep], np.float64), np.asarray(corrected / corrected[0], np.float64)


def mtf50(plane: NDArray[np.floating]) -> float:
    """The frequency, in cycles a pixel, at which half of the modulation is left; see `edge_response`."""
    frequency, transfer = edge_response(plane)
    below = int(np.argmax(transfer < 0.5))
    if not below:
        return float(frequency[-1])
    step = (transfer[below - 1] - 0.5) / (transfer[below - 1] - transfer[below])
    return float(frequency[below - 1] + step * (frequency[below] - frequency[below - 1]))
