"""From counts to light: black subtracted, white at 1, white-balanced."""

from __future__ import annotations

from math import lcm

import numpy as np

from rawfix.frame import Image, RawFrame, with_infrared

_STRIP = 256


def normalize(frame: RawFrame) -> Image:
    """Linear, white-balanced light from counts.

    ``(counts − black) / (white − black) · wb``: black at 0, signed below, green saturates at 1, every other
    channel at its own multiplier, infrared at 1. Nothing is clipped.

    Returns
    -------
    ``(H, W)`` float32 for a mosaic, ``(H, W, 3)`` for a frame that holds full color.
    """
    light = np.empty(frame.mosaic.shape, np.float32)
    height, width = frame.mosaic.shape[0], frame.mosaic.shape[1]
    wb, white = with_infrared(frame.wb), with_infrared(frame.white)
    period_y, period_x = len(frame.black), frame.black[0].size
    if frame.cfa is not None:
        period_y, period_x = lcm(frame.cfa.period[0], period_y), lcm(frame.cfa.period[1], period_x)
    strip = -(-_STRIP // period_y) * period_y
    repeats = (period_y // frame.black.shape[0], period_x // frame.black.shape[1])
    black = np.tile(np.tile(frame.black, repeats), (1, -(-width // period_x)))[:, :width]
    if frame.cfa is not None:
        index = frame.cfa.channels((period_y, width))
        span, gain = white[index] - black, wb[index]
    else:
        black = black[..., None]
        span, gain = white[:3] - black, np.broadcast_to(wb[:3], (1, 1, 3))
    if frame.black_columns is not None:
        black = black + (frame.black_columns if black.ndim == 2 else frame.black_columns[:, None])
    scale = gain / span
    for y in range(0, height, strip):
        counts = frame.mosaic[y : y + strip]
        rows = -(-len(counts) // period_y)
        level = np.concatenate([black] * rows)[: len(counts)]
        if frame.black_rows is not None:
            deltas = frame.black_rows[y : y + strip]
            level = level + deltas.reshape(-1, *([1] * (level.ndim - 1)))
        light[y : y + strip] = counts
        light[y : y + strip] -= level
        light[y : y + strip] *= np.concatenate([scale] * rows)[: len(counts)]
    return light
