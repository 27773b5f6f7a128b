"""Enlarging finished pictures: encoded values in, encoded values out.

Light is decoded for the network and encoded after it. The guard works where the picture was made: programs that resize
filter encoded values, the literature's protocol does, and a picture's rounding steps are even there; so by default
the enlarged picture, made small by a bicubic filter of its encoded values, is the picture that was given, within half
a rounding step. Whoever knows that the picture was averaged in linear light, as by a sensor, asks for ``area``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.color.tabulated import Tabulated
from rawfix.frame import Image
from rawfix.nn.threads import thread_share
from rawfix.stages.back_project import back_project
from rawfix.upscaling import Enlarging, Progress, enlarge

Guard = Literal["bicubic", "area", "off"]
_ROWS = 256


def enlarge_picture(
    samples: NDArray[Any],
    curve: Tabulated,
    how: Enlarging,
    guard: Guard = "bicubic",
    bits: Literal[8, 16] = 16,
    progress: Progress | None = None,
) -> tuple[NDArray[Any], str]:
    """Enlarge a picture.

    Parameters
    ----------
    samples
        ``(H, W, C)`` uint8 or uint16, full range; C is 3, or 1 for gray.
    curve
        The picture's transfer curve, one for all channels.
    how, progress
        See `rawfix.upscaling.enlarge`.
    guard
        How the picture is held to have been made small (`rawfix.physics.shrinking.shrinking`): of encoded values
        (``bicubic``), of light (``area``); or ``off``.
    bits
        Of the result.

    Returns
    -------
    display, model
        ``(s·H, s·W, C)`` uint8 or uint16, and the network's id.

    Raises
    ------
    ModelError
        See `rawfix.upscaling.enlarge`.
    """
    threads = thread_share(how.threads or None)
    peak = np.iinfo(samples.dtype).max
    light = curve.decode(np.arange(peak + 1) / peak)[samples]
    fine, model = enlarge(light, how, progress)
    return settle(fine, samples, light, curve, guard, bits, threads), model


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
        As for `enlarge_picture`.
    threads
        The result is the same for any number.
    """
    peak = np.iinfo(samples.dtype).max
    if guard == "area":
        back_project(fine, light, "area", threads=threads)
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
