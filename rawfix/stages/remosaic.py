"""From light back to counts: the inverse of normalizing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image, RawFrame

_STRIP = 256


def remosaic(camera: Image, light: Image, frame: RawFrame) -> NDArray[np.uint16]:
    """Sample full color through the sensor's filter array, in its own counts.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, balanced as ``frame``, signed; not mutated.
    light
        ``(H, W)`` float32: ``frame`` normalized.
    frame
        What the camera recorded: a mosaic of red, green and blue.

    Returns
    -------
    NDArray
        ``(H, W)`` uint16, black and white as in ``frame``. A sample whose light did not change keeps its
        count bit for bit; the others are rounded, and clipped to what 16 bits hold.
    """
    assert frame.cfa is not None
    height, width = light.shape
    wb, white = np.asarray(frame.wb, np.float32), np.asarray(frame.white, np.float32)
    counts = np.array(frame.mosaic, np.uint16)
    rows, columns = frame.black.shape
    black = np.tile(frame.black, (1, -(-width // columns)))[:, :width]
    for y in range(0, height, _STRIP):
        strip = np.s_[y : min(y + _STRIP, height)]
        cfa = frame.cfa.shift(y, 0)
        sampled = cfa.mosaic(camera[strip])
        index = cfa.channels((sampled.shape[0], width))
        level = black[np.arange(y, y + sampled.shape[0]) % rows]
        span = white[index] - level
        if frame.black_columns is not None:
            level = level + frame.black_columns
        if frame.black_rows is not None:
            level = level + frame.black_rows[strip, None]
        made = np.clip(np.rint(sampled * span / wb[index] + level), 0, 65535).astype(np.uint16)
        np.copyto(counts[strip], made, where=sampled != light[strip])
    return counts
