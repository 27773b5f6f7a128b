"""The noise that a super-resolution network makes detail of: a function of seed and pixel, and of nothing else.

A generator without state: pixel (y, x) has the same value in whatever tile, order or process it is asked for. The
64-bit finalizer is that of SplitMix64; the normal deviate is looked up, so that no library's logarithm decides a bit.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

_BITS = 16
_ROW, _COLUMN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


def detail_noise(seed: int, y0: int, y1: int, x0: int, x1: int) -> Image:
    """A window of the plane of standard normal deviates that belongs to a seed.

    Parameters
    ----------
    seed
        0 to 2⁶³ − 1.
    y0, y1, x0, x1
        Rows and columns, the last ones excluded; 0 to 2⁶³.

    Returns
    -------
    ndarray
        ``(y1 − y0, x1 − x0)`` float32, N(0, 1) in 65,536 equally likely values up to ±4.3.

    References
    ----------
    Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", doi:10.1145/2660193.2660195.
    """
    key = _mix(np.array([seed], np.uint64) + _ROW)
    rows = np.arange(y0, y1, dtype=np.uint64) * _ROW + key
    columns = np.arange(x0, x1, dtype=np.uint64) * _COLUMN
    mixed = _mix(_mix(rows)[:, None] + columns)
    return _quantiles()[(mixed >> np.uint64(64 - _BITS)).astype(np.intp)]


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finalizer (variant 13 of Stafford), modulo 2⁶⁴."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@cache
def _quantiles() -> Image:
    """Normal deviates at the middles of equally likely intervals, exactly symmetric."""
    count, normal = 1 << _BITS, NormalDist()
    below = np.array([normal.inv_cdf((i + 0.5) / count) for i in range(count // 2)], np.float32)
    return np.concatenate((below, -below[::-1]))
