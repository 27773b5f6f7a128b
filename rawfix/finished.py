"""Enlarging finished pictures: encoded values in, encoded values out.

Light is decoded for the network and encoded after it. The guard works where the picture was made: programs that resize
filter encoded values, the literature's protocol does, and a picture's rounding steps are even there; so by default
the enlarged picture, made small by a bicubic filter of its encoded values, is the picture that was given, within half
a rounding step. Whoever knows that the picture was averaged in linear light, as by a sensor, asks for ``area``.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.color.tabulated import Tabulated
from rawfix.nn.threads import thread_share
from rawfix.settling import Guard, settle
from rawfix.upscaling import Enlarging, Progress, enlarge


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
