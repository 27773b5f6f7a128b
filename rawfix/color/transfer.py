"""Transfer curves: linear light ↔ encoded values, point by point.

Every curve maps 0 to 0 and 1 to 1, rises strictly, and continues oddly below zero (``f(-x) = -f(x)``) and
without bound above one, so that it can be undone whatever the values are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

Display = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
"""``(H, W, 3)``: uint8, uint16 (full range), or float32 (1 = display white)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Decoding ``((a·v + b) ^ gamma)``, from ``knee`` on; ``slope · v`` below it.

    The form of the ICC's parametric curve type 3, so that a profile says exactly what was done.
    """

    gamma: float
    a: float = 1.0
    b: float = 0.0
    slope: float = 0.0
    knee: float = 0.0


_ALPHA, _BETA = 1.09929682680944, 0.018053968510807

CURVES: dict[str, Curve] = {
    "linear": Curve(1.0),
    "srgb": Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "adobe": Curve(563 / 256),
    "rec2020": Curve(1 / 0.45, 1 / _ALPHA, (_ALPHA - 1) / _ALPHA, 1 / 4.5, 4.5 * _BETA),
    "prophoto": Curve(1.8, 1.0, 0.0, 1 / 16, 1 / 32),
}
"""IEC 61966-2-1; Adobe RGB (1998) 4.3.1.2; ITU-R BT.2020-2 table 4 (BT.709, more digits); ISO 22028-2."""


def encode(name: str, linear: Image) -> Image:
    """Linear light to encoded values.

    Parameters
    ----------
    name
        A key of `CURVES`.
    linear
        float32 of any shape; 1 is display white. Not clipped, not mutated.

    Returns
    -------
    Image
        float32, same shape; one temporary of the same size is used. ``linear`` itself for the linear curve.
    """
    curve = CURVES[name]
    if curve.gamma == 1.0:
        return linear
    encoded = np.abs(linear)
    if curve.slope:
        below = encoded < np.float32(curve.knee * curve.slope)
        toe = linear[below]
    np.power(encoded, np.float32(1.0 / curve.gamma), out=encoded)
    if curve.b:
        encoded -= np.float32(curve.b)
    if curve.a != 1.0:
        encoded *= np.float32(1.0 / curve.a)
    np.copysign(encoded, linear, out=encoded)
    if curve.slope:
        encoded[below] = toe * np.float32(1.0 / curve.slope)
    return encoded


def decode(name: str, encoded: Image) -> Image:
    """Encoded values to linear light: the inverse of `encode`, with its shapes, range and promises."""
    curve = CURVES[name]
    if curve.gamma == 1.0:
        return encoded
    linear = np.abs(encoded)
    if curve.slope:
        below = linear < np.float32(curve.knee)
        toe = encoded[below]
    if curve.a != 1.0:
        linear *= np.float32(curve.a)
    if curve.b:
        linear += np.float32(curve.b)
    np.power(linear, np.float32(curve.gamma), out=linear)
    np.copysign(linear, encoded, out=linear)
    if curve.slope:
        linear[below] = toe * np.float32(curve.slope)
    return linear
