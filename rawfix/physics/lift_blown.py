"""Blown samples lifted to the light around them, so that dark detail before blown light keeps its color.

Balanced channels saturate at different heights: a blown white reads (2, 1, 1.5), and whoever fills in the missing
colors of a twig before such a sky fills in pink or blue. A saturated sample says no more than that the light was at
least so strong; neighbors of other colors that still measure, or saturate higher, say how strong, if it was white.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, with_infrared

Window = Callable[[int, int, int, int], Image]

SATURATED = 0.98
_FEW, _MOST = 0.1, 0.8
"""Share of a color's samples around that are blown, too, up to which nothing is lifted, and from which on all."""
_VISIBLE = 3


def lifted(mosaic: Image, cfa: Cfa, wb: tuple[float, float, float]) -> Window | None:
    """Windows of a mosaic with its blown samples lifted; None where nothing is blown.

    A blown sample takes the mean of the samples of other colors around it that measure and are at least as bright;
    without such, the greatest saturation of the blown ones of other colors; without these, it stays. None is lowered,
    and where few of its color are blown, at the edge of the blown area, it is lifted by a part.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, balanced, not mutated.
    cfa
        Phased to ``mosaic[0, 0]``.
    wb
        The multipliers that ``mosaic`` carries: where its channels saturate.
    """
    clip = with_infrared(wb)
    unit, (rows, columns) = cfa.unit(), cfa.period
    if not any(
        (mosaic[y::rows, x::columns] >= np.float32(SATURATED * clip[unit[y, x]])).any()
        for y in range(min(rows, mosaic.shape[0]))
        for x in range(min(columns, mosaic.shape[1]))
    ):
        return None
    reach = _reach(unit)

    def window(y0: int, y1: int, x0: int, x1: int) -> Image:
        top, left = max(y0 - reach, 0), max(x0 - reach, 0)
        seen = mosaic[top : y1 + reach, left : x1 + reach]
        raised = _lift(seen, cfa.shift(top, left).channels((seen.shape[0], seen.shape[1])), clip, reach)
        return raised[y0 - top : y1 - top, x0 - left : x1 - left]

    return window


def lift_all(mosaic: Image, cfa: Cfa, wb: tuple[float, float, float]) -> Image:
    """The whole mosaic with its blown samples lifted, see `lifted`; the very one where nothing is blown."""
    window = lifted(mosaic, cfa, wb)
    return mosaic if window is None else window(0, mosaic.shape[0], 0, mosaic.shape[1])


def _reach(unit: NDArray[np.uint8]) -> int:
    """Half the side of the least square that holds every color, around any site."""
    visible = np.unique(unit[unit < _VISIBLE])
    for reach in range(max(unit.shape)):
        offsets = range(-reach, reach + 1)
        shown = [np.roll(unit, (dy, dx), (0, 1)) for dy in offsets for dx in offsets]
        if all((np.stack(shown) == channel).any(0).all() for channel in visible):
            return reach
    return int(max(unit.shape))


def _lift(mosaic: Image, channels: NDArray[np.uint8], clip: NDArray[np.float32], reach: int) -> Image:
    levels = clip[channels].astype(np.float32)
    blown = (mosaic >= np.float32(SATURATED) * levels) & (channels < _VISIBLE)
    if not blown.any():
        return mosaic
    result = mosaic.copy()
    for channel in np.unique(channels[blown]):
        own = blown & (channels == channel)
        others = (channels != channel) & (channels < _VISIBLE)
        measured = others & ~blown & (mosaic >= np.float32(SATURATED * clip[channel]))
        light = _around(np.where(measured, mosaic, 0), reach, np.add)
        count = _around(measured.astype(np.float32), reach, np.add)
        beyond = _around(np.where(others & blown, levels, 0), reach, np.maximum)
        told = np.where(count > 0, light / np.maximum(count, 1), beyond)
        same = _around((channels == channel).astype(np.float32), reach, np.add)
        share = _around(own.astype(np.float32), reach, np.add) / np.maximum(same, 1)
        told = mosaic + np.clip((share - _FEW) / (_MOST - _FEW), 0, 1) * (told - mosaic)
        np.maximum(mosaic, told, out=result, where=own)
    return result


def _around(plane: Image, reach: int, gather: np.ufunc) -> Image:
    """Sum or greatest over the square around every pixel, of nothing below 0; what is outside counts as 0."""
    for axis in (0, 1):
        size = plane.shape[axis]
        total = plane.copy()
        for step in range(1, min(reach, size - 1) + 1):
            near, far = [slice(None)] * 2, [slice(None)] * 2
            near[axis], far[axis] = slice(0, size - step), slice(step, size)
            gather(total[tuple(near)], plane[tuple(far)], out=total[tuple(near)])
            gather(total[tuple(far)], plane[tuple(near)], out=total[tuple(far)])
        plane = total
    return plane
