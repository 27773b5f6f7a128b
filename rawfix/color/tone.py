"""Tone curves: unbounded scene light to display light."""

from __future__ import annotations

import numpy as np

from rawfix.frame import Image

TONES = ("none", "standard")

MIDDLE_GRAY = 0.18
DISPLAY_GRAY = 0.20
HIGHEST = 4.0
"""Scene light that reaches display white: two stops above a white sheet, room for rebuilt highlights."""

_A = (MIDDLE_GRAY**1.5, HIGHEST**1.5)
_K = _A[0] * (1.0 - DISPLAY_GRAY) / (DISPLAY_GRAY - _A[0] / _A[1])
_GAIN = 1.0 + _K / _A[1]


def standard(light: Image) -> Image:
    """The filmic curve ``f(x) = gain · x^1.5 / (x^1.5 + k)``, odd below zero.

    A log-logistic curve, straight in the mid-tones of a film's characteristic (density over log exposure),
    rounded in both ends. Its three numbers are fixed by f(0.18) = 0.20, f(4) = 1 and the exponent 1.5,
    which gives a contrast of 1.2 at middle gray: k ≈ 0.321, gain ≈ 1.040. White paper, x = 1, lands at 0.79.
    It rises strictly and is smooth everywhere; above 4 it goes on to 1.04, which `render` clips.

    Parameters
    ----------
    light
        float32 of any shape, linear; not mutated.

    Returns
    -------
    Image
        float32, display-linear.

    References
    ----------
    Naka & Rushton 1966, J. Physiol. 185; the same family as darktable's sigmoid.
    """
    power = np.abs(light)
    power *= np.sqrt(power)
    toned = power + np.float32(_K)
    np.divide(power, toned, out=toned)
    toned *= np.float32(_GAIN)
    np.copysign(toned, light, out=toned)
    return toned


def apply_tone(name: str, working: Image) -> Image:
    """Bring scene light to display light and keep the hue.

    The curve is applied to a pixel's greatest and least channel; the middle one keeps its relative place
    between them, so the hue angle (of HSV) is exactly kept, where a curve on each channel would turn orange
    to yellow. Saturation falls towards white in the highlights, as on film.

    Parameters
    ----------
    name
        ``"none"``: returns ``working`` itself; ``"standard"``: see `standard`.
    working
        ``(H, W, 3)`` float32, linear, unbounded; not mutated.

    Returns
    -------
    Image
        ``(H, W, 3)`` float32, display-linear, not clipped. A gray stays a gray to the last bit.
    """
    if name == "none":
        return working
    if name != "standard":
        raise ValueError(f"tone {name!r} is none of {TONES}")
    red, green, blue = working[..., 0], working[..., 1], working[..., 2]
    least = np.minimum(np.minimum(red, green), blue)
    greatest = np.maximum(np.maximum(red, green), blue)
    low = standard(least)
    slope = standard(greatest)
    slope -= low
    greatest -= least
    np.divide(slope, greatest, out=slope, where=greatest > 0)
    toned = np.empty(working.shape, np.float32)
    for channel in range(3):  # NumPy crawls along an axis of three
        plane = working[..., channel] - least
        plane *= slope
        np.add(plane, low, out=toned[..., channel])
    return toned
