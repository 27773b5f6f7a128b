"""Undo what the lens did: a multiplication, and one resampling for everything that moves light."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

Gains = Callable[[int, int], Image]
"""Of rows from … to: ``(rows, W, 1 or 3)`` multipliers."""
Sources = Callable[[int, int], list[tuple[NDArray[np.float32], NDArray[np.float32]]]]
"""Of rows from … to: for each channel, or once for all three, rows and columns ``(rows, W)`` in the picture at hand."""

_STRIP_PIXELS = 1 << 16
_MOST_ROWS = 64


def multiply(camera: Image, gains: Gains) -> Image:
    """Multiply every sample, in place; works in strips.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, signed, unclipped; written over.
    gains
        1 leaves a sample's bits as they are.
    """
    for start, end in _strips(camera):
        camera[start:end] *= gains(start, end)
    return camera


def move(camera: Image, sources: Sources, threads: int = 1) -> Image:
    """Fetch every sample from where its light fell.

    Catmull-Rom's cubic: its weights sum to one everywhere, so a flat stays flat, and a place that is a pixel's own
    gives that pixel's very sample. Beyond the edges the border goes on.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, signed, unclipped; C-contiguous or copied.
    sources
        Places that are no numbers are taken for the corner.
    threads
        Strips at a time; their number changes no bit.

    Returns
    -------
    Image
        A new array of the same size.

    References
    ----------
    Keys 1981, IEEE Trans. ASSP 29(6), a = −1/2.
    """
    camera = np.ascontiguousarray(camera)
    flat = camera.reshape(-1)
    moved = np.empty_like(camera)

    def run(strip: tuple[int, int]) -> None:
        start, end = strip
        places = sources(start, end)
        taps = [_taps(y, x, camera.shape[0], camera.shape[1]) for y, x in places]
        for channel in range(3):
            moved[start:end, :, channel] = _weigh(flat, channel, *taps[min(channel, len(taps) - 1)])

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, _strips(camera)):
            pass
    return moved


Taps = tuple[list[NDArray[np.intp]], list[NDArray[np.float32]]]


def _taps(y: NDArray[np.float32], x: NDArray[np.float32], height: int, width: int) -> tuple[Taps, Taps]:
    """Offsets of four rows and four columns in the flat array of three channels, and their weights."""
    return _axis(y, height, width * 3), _axis(x, width, 3)


def _axis(place: NDArray[np.float32], size: int, stride: int) -> Taps:
    # fmin and fmax let go of what is no number.
    place = np.fmin(np.fmax(place, np.float32(-1)), np.float32(size))
    floor = np.floor(place)
    t = place - floor
    first = floor.astype(np.intp)
    offsets = [np.clip(first + tap, 0, size - 1) * stride for tap in range(-1, 3)]
    half = np.float32(0.5)
    weights = [
        ((1 - half * t) * t - half) * t,
        (np.float32(1.5) * t - np.float32(2.5)) * t * t + 1,
        ((2 - np.float32(1.5) * t) * t + half) * t,
        (half * t - half) * t * t,
    ]
    return offsets, weights


def _weigh(flat: Image, channel: int, rows: Taps, columns: Taps) -> Image:
    total = np.zeros(rows[1][0].shape, np.float32)
    for row, row_weight in zip(*rows, strict=True):
        line = np.zeros_like(total)
        base = row + channel
        for column, weight in zip(*columns, strict=True):
            line += np.take(flat, base + column) * weight
        total += line * row_weight
    return total


def _strips(camera: Image) -> list[tuple[int, int]]:
    height, width = camera.shape[:2]
    rows = min(max(_STRIP_PIXELS // max(width, 1), 1), _MOST_ROWS)
    return [(start, min(start + rows, height)) for start in range(0, height, rows)]
