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
"""Share of its saturation from which a sample is taken for blown."""
_FEW, _MOST = 0.1, 0.8
"""Share of a color's samples around that are blown, up to which it counts as measured, and from which on as blown."""
_VISIBLE = 3


def lifted(mosaic: Image, cfa: Cfa, saturation: tuple[float, float, float]) -> Window | None:
    """Windows of a mosaic with its blown samples lifted; None where nothing is blown.

    A blown sample takes the greatest sample around of that other color which is the darkest by that, if it is brighter:
    colored light keeps its color, white light is white again. The deeper inside of an area where a color is blown, the
    nearer it counts as the highest saturation of all. None is lowered.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, balanced, not mutated.
    cfa
        Phased to ``mosaic[0, 0]``.
    saturation
        Where its channels saturate: mostly its multipliers.
    """
    clip = with_infrared(saturation)
    unit, (rows, columns) = cfa.unit(), cfa.period
    if not any(
        (mosaic[y::rows, x::columns] >= np.float32(SATURATED * clip[unit[y, x]])).any()
        for y in range(min(rows, mosaic.shape[0]))
        for x in range(min(columns, mosaic.shape[1]))
    ):
        return None
    reach = _reach(unit)
    margin = reach + 1

    def window(y0: int, y1: int, x0: int, x1: int) -> Image:
        top, left = max(y0 - margin, 0), max(x0 - margin, 0)
        seen = mosaic[top : y1 + margin, left : x1 + margin]
        raised = _lift(seen, cfa.shift(top, left).channels((seen.shape[0], seen.shape[1])), clip, reach)
        return raised[y0 - top : y1 - top, x0 - left : x1 - left]

    return window


def lift_all(mosaic: Image, cfa: Cfa, saturation: tuple[float, float, float]) -> Image:
    """The whole mosaic with its blown samples lifted, see `lifted`; the very one where nothing is blown."""
    window = lifted(mosaic, cfa, saturation)
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
    top = np.float32(clip[:_VISIBLE].max())
    shares, bright = [], []
    for channel in range(_VISIBLE):
        mine = channels == channel
        count = _around(mine.astype(np.float32), reach + 1, np.add)
        share = _around((mine & blown).astype(np.float32), reach + 1, np.add) / np.maximum(count, 1)
        shares.append(np.clip((share - _FEW) / (_MOST - _FEW), 0, 1))
        around = _around(np.where(mine, np.minimum(mosaic, clip[channel]), 0), reach, np.maximum)
        bright.append(around + shares[-1] * (top - around))
    result = mosaic.copy()
    for channel in np.unique(channels[blown]):
        own = blown & (channels == channel)
        told = np.minimum.reduce([light for other, light in enumerate(bright) if other != channel])
        told = mosaic + shares[channel] * (told - mosaic)
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
