"""Where a sensor really saturates, seen in a frame of it: many stay below the white level that their files state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa

_BINS = 512
"""Of the range from black to white."""
_LOWEST, _WHITE = 0.75, 0.985
"""Shares of the range between which a lower saturation is looked for; above, the white level stands."""
_WIDTH = 2
"""Bins to each side that belong to a pile."""
_BELOW = 8
"""Bins below a pile that tell what light there is."""
_STEEP = 10.0
"""A pile's bins hold so many times what the bins below it do."""
_LEAST, _LEAST_SHARE = 100, 1e-4
"""Samples that make a pile."""
_BEYOND = 0.01
"""Share of a pile that may lie above it: hot photosites have ends of their own."""
_AGREE = 0.006
"""Share of the range by which piles of two colors may differ."""
_UNLIKE = 1.05
"""Multipliers of two colors that pile up at one count: white paper piles them up at different ones."""
_MOST_SAMPLES = 1 << 20


def find_saturation(
    mosaic: NDArray[Any],
    cfa: Cfa,
    black: float,
    white: float,
    wb: tuple[float, float, float],
    bad: NDArray[np.bool_] | None = None,
) -> float | None:
    """The count at which samples pile up below white, or None where nothing does.

    Light of any color ends there at one and the same count, so two colors with different multipliers must agree. An
    even gray wall piles up, too, but every color at a count of its own.

    Parameters
    ----------
    mosaic
        ``(H, W)`` uint16 counts.
    cfa
        Phased to ``mosaic[0, 0]``.
    black, white
        Levels in counts.
    wb
        As-shot multipliers.
    bad
        ``(H, W)`` bool: samples that tell nothing.
    """
    rows, columns = cfa.period
    found: list[tuple[float, int]] = []
    for channel in range(3):
        sites = np.argwhere(cfa.unit() == channel)
        if not len(sites):
            return None
        every = max(1, sum(mosaic[y::rows, x::columns].size for y, x in sites) // _MOST_SAMPLES)
        parts = [np.s_[y :: rows * every, x::columns] for y, x in sites]
        seen = [mosaic[part].ravel() if bad is None else mosaic[part][~bad[part]] for part in parts]
        level = _pile(np.concatenate(seen), black, white)
        if level is not None:
            found.append((level, channel))
    pairs = [
        (first, second)
        for first, one in found
        for second, other in found
        if wb[one] >= _UNLIKE * wb[other] and abs(first - second) <= _AGREE * (white - black)
    ]
    if not pairs:
        return None
    level = float(np.median([level for pair in pairs for level in pair]))
    return level if level - black < _WHITE * (white - black) else None


def _pile(samples: NDArray[Any], black: float, white: float) -> float | None:
    """The count around which samples of one color end, or None where they do not."""
    width = (white - black) / _BINS
    counts, edges = np.histogram(samples, _BINS + _BINS // 16, (black, black + width * (_BINS + _BINS // 16)))
    lowest = int(_LOWEST * _BINS)
    kernel = np.ones(2 * _WIDTH + 1)
    piles = np.convolve(counts, kernel, "same")
    peak = lowest + int(piles[lowest:].argmax())
    pile = piles[peak]
    below = counts[peak - _WIDTH - _BELOW : peak - _WIDTH].mean()
    beyond = counts[peak + _WIDTH + 1 :].sum()
    if pile < max(_LEAST, _LEAST_SHARE * samples.size) or beyond > _BEYOND * pile:
        return None
    if pile < _STEEP * kernel.size * max(float(below), 1.0):
        return None
    inside = samples[
        (samples >= edges[peak - _WIDTH]) & (samples < edges[min(peak + _WIDTH + 1, len(edges) - 1)])
    ]
    return float(np.median(inside))
