"""Correlated color temperature and tint ↔ chromaticity of a white point.

Tint 0 lies on the CIE daylight locus from 5000 K up, on the Planckian locus below 2900 K, and on a smooth
blend of the two between. Tint moves off that curve at a right angle in the CIE 1960 diagram, 3000 steps a
unit (the scale of the DNG SDK): a positive tint is a greener light, hence a pinker picture. Adobe's tint
counts from the Planckian locus instead, so its daylight reads about 10 steps higher.
"""

from __future__ import annotations

import math

from rawfix.color.matrices import Chromaticity
from rawfix.errors import SettingsError

KELVIN_RANGE = (2000.0, 25000.0)
TINT_RANGE = (-150.0, 150.0)
_TINT_SCALE = 3000.0
_BLEND = (2900.0, 5000.0)


def kelvin_to_xy(kelvin: float, tint: float = 0.0) -> Chromaticity:
    """Chromaticity of a light.

    Parameters
    ----------
    kelvin
        Correlated color temperature, 2000…25000 K.
    tint
        Distance from the curve of common lights, −150…150; positive is greener light.

    Raises
    ------
    SettingsError
        A value lies outside its range or is no number.

    References
    ----------
    CIE 15:2004 (daylight locus); Krystek 1985, Color Research & Application 10(1):38 (Planckian locus).
    """
    for what, value, (low, high) in (("temperature", kelvin, KELVIN_RANGE), ("tint", tint, TINT_RANGE)):
        if not low <= value <= high:
            raise SettingsError(f"{what} {value:g} is out of range: {low:g} to {high:g}")
    u, v = _locus(kelvin)
    du, dv = _normal(kelvin)
    return _uv_to_xy(u + du * tint / _TINT_SCALE, v + dv * tint / _TINT_SCALE)


def xy_to_kelvin(xy: Chromaticity) -> tuple[float, float]:
    """Temperature and tint of a chromaticity, clipped to the range that `kelvin_to_xy` takes.

    The inverse of `kelvin_to_xy`, for information; far from the curve (a saturated light) the figures
    mean little. Found by bisection in mireds on the sign of the distance along the curve.
    """
    u, v = _xy_to_uv(xy)
    low, high = 1e6 / KELVIN_RANGE[1], 1e6 / KELVIN_RANGE[0]
    for _ in range(60):
        middle = 0.5 * (low + high)
        u0, v0 = _locus(1e6 / middle)
        du, dv = _normal(1e6 / middle)
        if (u - u0) * dv - (v - v0) * du > 0:
            low = middle
        else:
            high = middle
    kelvin = 1e6 / (0.5 * (low + high))
    u0, v0 = _locus(kelvin)
    du, dv = _normal(kelvin)
    tint = ((u - u0) * du + (v - v0) * dv) * _TINT_SCALE
    return min(max(kelvin, KELVIN_RANGE[0]), KELVIN_RANGE[1]), min(max(tint, TINT_RANGE[0]), TINT_RANGE[1])


def _locus(kelvin: float) -> tuple[float, float]:
    """CIE 1960 (u, v) of tint 0."""
    share = min(max((kelvin - _BLEND[0]) / (_BLEND[1] - _BLEND[0]), 0.0), 1.0)
    share = share * share * (3.0 - 2.0 * share)
    if share == 0.0:
        return _planckian(kelvin)
    daylight = _xy_to_uv(_daylight(kelvin))
    if share == 1.0:
        return daylight
    planckian = _planckian(kelvin)
    return tuple(share * d + (1.0 - share) * p for d, p in zip(daylight, planckian, strict=True))  # type: ignore[return-value]


def _normal(kelvin: float) -> tuple[float, float]:
    """Unit vector at a right angle to the curve, towards green (greater v)."""
    u0, v0 = _locus(kelvin * 0.999)
    u1, v1 = _locus(kelvin * 1.001)
    length = math.hypot(u1 - u0, v1 - v0)
    return (v0 - v1) / -length, (u0 - u1) / length


def _daylight(kelvin: float) -> Chromaticity:
    if kelvin <= 7000.0:
        x = ((-4.6070e9 / kelvin + 2.9678e6) / kelvin + 0.09911e3) / kelvin + 0.244063
    else:
        x = ((-2.0064e9 / kelvin + 1.9018e6) / kelvin + 0.24748e3) / kelvin + 0.237040
    return x, -3.0 * x * x + 2.870 * x - 0.275


def _planckian(kelvin: float) -> tuple[float, float]:
    u = (0.860117757 + 1.54118254e-4 * kelvin + 1.28641212e-7 * kelvin**2) / (
        1.0 + 8.42420235e-4 * kelvin + 7.08145163e-7 * kelvin**2
    )
    v = (0.317398726 + 4.22806245e-5 * kelvin + 4.20481691e-8 * kelvin**2) / (
        1.0 - 2.89741816e-5 * kelvin + 1.61456053e-7 * kelvin**2
    )
    return u, v


def _xy_to_uv(xy: Chromaticity) -> tuple[float, float]:
    x, y = xy
    divisor = -2.0 * x + 12.0 * y + 3.0
    return 4.0 * x / divisor, 6.0 * y / divisor


def _uv_to_xy(u: float, v: float) -> Chromaticity:
    divisor = 2.0 * u - 8.0 * v + 4.0
    return 3.0 * u / divisor, 2.0 * v / divisor
