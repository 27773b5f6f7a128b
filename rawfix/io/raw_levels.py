"""Black, white and filter array of a decoded file, phased to its first visible pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.errors import UnsupportedRawError
from rawfix.io.dng_tags import RawTags
from rawfix.io.raw_planes import cfa_of

_COLORS = {"R": 0, "G": 1, "B": 2}


def choose_cfa(
    name: str,
    pattern: NDArray[np.integer],
    color_letters: str,
    raw: RawTags | None,
    color_matrix: NDArray[np.float64] | None,
    origin: tuple[int, int],
) -> Cfa:
    """The filter array, phased to the first visible pixel.

    Parameters
    ----------
    name
        File name, for the message.
    pattern
        LibRaw's pattern from the first visible pixel, indices into ``color_letters``.
    color_letters
        For instance ``"RGBG"``: index 3 is the second green.
    raw
        A DNG's own directory, trusted over LibRaw, which folds 4×4 patterns to 2×2; or None.
    color_matrix
        XYZ → camera ``(planes, 3)``, where the DNG states it: tells infrared from a fourth color.
    origin
        ``(y, x)`` of the first visible pixel from the DNG's active area.

    Raises
    ------
    UnsupportedRawError
        Colors other than red, green, blue and infrared, or a staggered layout.
    """
    if raw is not None and raw.pattern is not None:
        return cfa_of(name, raw, color_matrix).shift(*origin)
    letters = [color_letters[index : index + 1] for index in range(4)]
    if not {letters[int(index)] for index in np.unique(pattern)} <= set(_COLORS):
        raise UnsupportedRawError(
            f"{name}: its filter array has the colors {color_letters}; rawfix develops red, green and blue"
        )
    lookup = np.array([_COLORS.get(letter, 0) for letter in letters])
    return Cfa.from_array(lookup[pattern])


def site_black(
    levels: Sequence[float], pattern: NDArray[np.integer] | None, raw: RawTags | None, origin: tuple[int, int]
) -> NDArray[np.float32]:
    """Black per site, ``(period_y, period_x)`` float32, from the DNG's BlackLevel or else from LibRaw.

    ``levels`` are LibRaw's in color-index order (red, green, blue, second green), so they go through
    ``pattern``; without one (full color) their least counts.
    """
    if raw is not None and raw.black is not None:
        return reduce_period(np.roll(raw.black.min(axis=2), (-origin[0], -origin[1]), (0, 1)))
    values = np.array(levels, np.float32)
    if pattern is None:
        return np.full((1, 1), values[:3].min(), np.float32)
    # LibRaw's index of a color that it took from a broken tag can exceed its four levels.
    return reduce_period(values[np.minimum(pattern, len(values) - 1)])


def to_multiple(black: NDArray[np.float32], cfa: Cfa) -> NDArray[np.float32]:
    """Repeat levels until their period is a multiple of the array's; a single level stays ``(1, 1)``."""
    if black.shape == (1, 1):
        return black
    repeats = [math.lcm(have, need) // have for have, need in zip(black.shape, cfa.period, strict=True)]
    return np.tile(black, repeats)


def channel_white(
    white_level: float, per_channel: Sequence[float] | None, raw: RawTags | None
) -> tuple[float, float, float]:
    """Saturation per channel: the DNG's WhiteLevel, the camera's own per-channel levels, LibRaw's maximum."""
    if raw is not None and raw.white and min(raw.white) > 0:
        white = raw.white if len(raw.white) >= 3 else raw.white[:1] * 3
        return float(white[0]), float(white[1]), float(white[2])
    if per_channel is not None and all(0 < level <= max(white_level, 1) for level in per_channel):
        return float(per_channel[0]), float(min(per_channel[1], per_channel[3])), float(per_channel[2])
    return (float(white_level),) * 3


def common_black(
    samples: NDArray[Any], white: tuple[float, float, float], levels: RawTags | None
) -> tuple[NDArray[Any], tuple[float, float, float]]:
    """Bring the channels of a full-color file to one black level, the least, where theirs differ."""
    if levels is None or levels.black is None or levels.black.shape[2] < 3:
        return samples, white
    offsets = levels.black.mean(axis=(0, 1))[:3] - levels.black.min()
    if not offsets.any():
        return samples, white
    red, green, blue = (float(level - offset) for level, offset in zip(white, offsets, strict=True))
    return samples.astype(np.float32) - offsets.astype(np.float32), (red, green, blue)


def delta(values: NDArray[np.float32] | None, start: int, length: int) -> NDArray[np.float32] | None:
    """The visible part of BlackLevelDeltaH or V; None where it is absent, all zero, or does not cover it."""
    if values is None or not values.any() or start < 0 or start + length > len(values):
        return None
    return values[start : start + length].copy()


def reduce_period(unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(1, 1)`` where all sites share one level."""
    unit = np.asarray(unit, np.float32)
    return unit[:1, :1].copy() if bool((unit == unit[0, 0]).all()) else unit


def channel_means(
    samples: NDArray[Any],
    cfa: Cfa | None,
    black: NDArray[np.float32],
    white: tuple[float, float, float],
    bad: NDArray[np.bool_] | None = None,
) -> tuple[float, float, float]:
    """Mean light of red, green and blue, of about every eighth row; clipped and bad samples left out."""
    height, width = samples.shape[:2]
    period = 1 if cfa is None else cfa.period[0]
    rows = np.nonzero(np.arange(height) // period % 8 == 0)[0]
    light = samples[rows].astype(np.float32) - float(black.mean())
    index = None if cfa is None else cfa.channels((height, width))[rows]
    if index is not None and bad is not None:
        index = np.where(bad[rows], -1, index)
    means = []
    for channel, level in enumerate(white):
        values = light[..., channel] if index is None else light[index == channel]
        values = values[values < 0.95 * (level - float(black.mean()))]
        means.append(float(values.mean()) if values.size else 0.0)
    return means[0], means[1], means[2]
