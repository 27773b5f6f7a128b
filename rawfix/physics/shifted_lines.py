"""Bad rows and columns that read too much or too little by one amount, or by one factor: those whose amplifier has a
wrong zero, or a wrong gain, which is an amount of the logarithm.

On even skin such a line is plain, yet no sample of it is far off. But it differs from its neighbors by the same amount
all along, whatever the scene does, and the lines beside it do not: a bar of a scene changes with the light on it,
leaves its column where it is tilted, and optics spread it over several lines. What passes for a shifted line is a bar
sharper than a Gaussian of 0.55 px, on one column to a tenth of a pixel from end to end, under light that is even to
1.6 times.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, with_infrared
from rawfix.physics.bad_lines import BadLines

_STRETCHES, _LIKE = 16, 14
"""A line is cut into so many, of which so many are alike."""
_SAMPLES = 64
"""Of each stretch, about so many are looked at."""
_SHORTEST = 16
"""Samples of a stretch at least."""
_LEAST, _LEAST_FACTOR, _SIGMAS, _USUAL = 0.004, 0.04, 4.0, 6.0
"""Least shift: of white or of itself, of its own standard error, and of that of all lines (row noise)."""
_DARK = 0.004
"""Of white: how much is added before logarithms, where a factor changes little that is seen."""
_ALIKE = (0.4, 2.5)
"""Shift of a stretch over the line's."""
_STEADY = 0.25
"""Distance of the quartiles of the stretches' shifts over the line's, beside half their standard error."""
_SAME, _NEXT, _NEAR = 0.35, 0.15, 0.3
"""How far the next line of the same colors may be from minus half of the shift (the line itself is half of what it is
held against), and the next lines and all others near from none, over the shift. Optics of 0.6 px would bring a sixth
there."""
_AT_LIMIT, _FREE = 0.003, 4
"""How near to the frame's extremes a stretch is cut off, and the fewest others that tell whether a line is steady."""
_MOST = 0.01
"""Share of all lines that may be bad so, and at least eight; where there are more, it is the scene's stripes."""


def find_shifted(mosaic: Image, cfa: Cfa, wb: tuple[float, float, float]) -> BadLines:
    """The rows and columns of a mosaic that differ from their neighbors by one amount, or factor, from end to end.

    Of 321 pictures one holds such a line, a plot. Of columns and rows shifted by 0.02 of white, four in ten are found,
    by 0.05 two thirds, from 0.1 on 70 to 75 %; the others lie in texture.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, balanced with ``wb``. Lines of fewer than 256 samples are not looked at, nor those
        within two periods of the border.
    cfa
        Phased to ``mosaic[0, 0]``.
    wb
        Multipliers: a sensor's zero is off before them.
    """
    gain = with_infrared(wb)[cfa.unit()]
    rows, columns = _off(mosaic.T, gain.T), _off(mosaic, gain)
    return BadLines(rows, columns)


def _off(mosaic: Image, gain: Image) -> tuple[int, ...]:
    """Columns that are off by an amount or a factor; the multipliers by place in the filter array."""
    amounts = _shifted(mosaic, gain, _as_is, _LEAST)
    return tuple(sorted({*amounts, *_shifted(mosaic, gain, _in_stops, _LEAST_FACTOR)}))


def _as_is(light: Image) -> Image:
    return light


def _in_stops(light: Image) -> Image:
    """The natural logarithm, but of what is dark."""
    return np.asarray(np.log(np.maximum(light, 0) + np.float32(_DARK)), np.float32)


def _shifted(mosaic: Image, gain: Image, scale: Callable[[Image], Image], least: float) -> tuple[int, ...]:
    """Columns that are shifted, on a scale."""
    height, width = mosaic.shape
    wide = gain.shape[1]
    length = height // _STRETCHES
    if length < _SHORTEST or width < 8 * wide:
        return ()
    step = max(1, length // _SAMPLES)
    while gcd(step, len(gain)) > 1:  # every row of the array in turn
        step += 1
    multiplier = np.tile(gain, (1, -(-width // wide)))[:, :width]
    shifts = np.zeros((_STRETCHES, width), np.float32)
    errors, levels = np.full_like(shifts, np.inf), np.empty_like(shifts)
    low, high = np.inf, -np.inf
    for index in range(_STRETCHES):
        y = np.arange(index * length, (index + 1) * length, step)
        lines = mosaic[y] / multiplier[y % len(gain)]
        low, high = min(low, float(lines.min())), max(high, float(lines.max()))
        levels[index] = _middle(lines)
        lines = scale(lines)
        apart: Image = lines[:, wide:-wide] - (lines[:, : -2 * wide] + lines[:, 2 * wide :]) / np.float32(2)
        shifts[index, wide:-wide] = middle = _middle(apart)
        errors[index, wide:-wide] = 1.48 * _middle(np.abs(apart - middle)) / np.sqrt(len(y))
    shift = np.median(shifts, 0)
    size, sign = np.abs(shift), np.sign(shift)
    usual = 1.48 * float(np.median(size))
    telling = np.median(np.abs(shifts) / (errors + 1e-6), 0) >= _SIGMAS
    candidates = np.flatnonzero(telling & (size >= max(least, _USUAL * usual)))
    candidates = candidates[(candidates >= 2 * wide) & (candidates < width - 2 * wide)]
    found, steady = [], []
    for x in candidates.tolist():
        along = shifts[:, x] * sign[x]
        cut = levels[:, x] <= low + _AT_LIMIT if sign[x] < 0 else levels[:, x] >= high - _AT_LIMIT
        like = (along > _ALIKE[0] * size[x]) & (along < _ALIKE[1] * size[x])
        if not _alone(shift, x, wide) or (like | (cut & (along > -_AT_LIMIT))).sum() < _LIKE:
            continue
        free = np.flatnonzero(~cut)
        first, third = np.quantile(along[free] if free.size >= _FREE else along, (0.25, 0.75))
        is_even = third - first < _STEADY * size[x] + float(np.median(errors[:, x])) / 2
        halves = (free[free < _STRETCHES // 2], free[free >= _STRETCHES // 2])
        stays = all(_alone(np.median(shifts[half], 0), x, wide) for half in halves if half.size)
        found.append(x)
        steady.append(bool(is_even and stays))
    if len(found) > max(8, _MOST * width) or 2 * sum(steady) < len(found):
        return ()  # where most of them change along the line, they are the scene's, and the steady ones, too
    return tuple(x for x, yes in zip(found, steady, strict=True) if yes)


def _middle(lines: Image) -> Image:
    """The median of each column, the upper one of two: a quarter of the time of `numpy.median`."""
    half = len(lines) // 2
    return np.asarray(np.partition(lines, half, axis=0)[half])


def _alone(shift: NDArray[np.float32], x: int, wide: int) -> bool:
    """Whether no line near is shifted but by what this one is to it."""
    near = shift[x - wide - 1 : x + wide + 2] / (shift[x] or np.inf)
    expected, tolerance = np.zeros(2 * wide + 3), np.full(2 * wide + 3, _NEAR)
    tolerance[[wide, wide + 2]] = _NEXT
    expected[[1, -2]], tolerance[[1, -2]] = -0.5, _SAME
    expected[wide + 1] = 1
    return bool((np.abs(near - expected) < tolerance).all())
