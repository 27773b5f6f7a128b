"""An enlarged picture's light as encoded samples, held against the picture that it was made of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.color.tabulated import Tabulated
from rawfix.frame import Image
from rawfix.physics.shrinking import shrinking
from rawfix.stages.back_project import back_project

Guard = Literal["bicubic", "area", "off"]
_ROWS, _MARGIN = 256, 4


def settle(
    fine: Image,
    samples: NDArray[Any],
    light: Image,
    curve: Tabulated,
    guard: Guard,
    bits: Literal[8, 16] = 8,
    threads: int = 1,
) -> NDArray[Any]:
    """An enlarged picture's light as the picture itself, held against what it was made of.

    Parameters
    ----------
    fine
        ``(s·H, s·W, C)`` float32, linear; written over.
    samples, light
        The picture that was given, ``(H, W, C)``, and its light.
    curve, guard, bits
        As for `rawfix.finished.enlarge_picture`.
    threads
        The result is the same for any number.
    """
    peak = np.iinfo(samples.dtype).max
    if guard == "area":
        back_project(fine, light, "area", white=(1.0,) * fine.shape[2], threads=threads)
    strips = [slice(y, y + _ROWS) for y in range(0, fine.shape[0], _ROWS)]
    display = np.empty(fine.shape, np.uint8 if bits == 8 else np.uint16)

    def encode(rows: slice) -> None:
        fine[rows] = curve.encode(fine[rows])

    def quantize(rows: slice) -> None:
        display[rows] = np.rint(fine[rows] * np.float32((1 << bits) - 1))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(encode, strips))
        if guard == "bicubic":
            seen = samples.astype(np.float32) / np.float32(peak)
            back_project(fine, seen, "bicubic", step=1 / float(peak), threads=threads)
        list(pool.map(quantize, strips))
    return display


def agreement(display: NDArray[Any], samples: NDArray[Any], guard: Guard, threads: int = 1) -> float:
    """How well an enlarged picture, made small as ``bicubic`` does, agrees with what it was made of: PSNR in dB.

    Parameters as of `settle` and its result. Infinite for ``area``, which agrees otherwise, and for ``off``.
    """
    if guard != "bicubic":
        return float("inf")
    height, scale = samples.shape[0], display.shape[0] // samples.shape[0]
    way = shrinking("bicubic", scale)
    large, small = (np.float32(1 / np.iinfo(picture.dtype).max) for picture in (display, samples))

    def squares(top: int) -> float:
        bottom = min(top + _ROWS, height)
        first, last = max(top - _MARGIN, 0), min(bottom + _MARGIN, height)
        total = 0.0
        for channel in range(samples.shape[2]):
            plane = display[first * scale : last * scale, :, channel] * large
            missing = (
                way.shrink(plane)[top - first : bottom - first] - samples[top:bottom, :, channel] * small
            )
            total += float(np.vdot(missing, missing))
        return total

    with ThreadPoolExecutor(threads) as pool:
        mean = sum(pool.map(squares, range(0, height, _ROWS))) / samples.size
    return float("inf") if mean == 0 else float(-10 * np.log10(mean))
