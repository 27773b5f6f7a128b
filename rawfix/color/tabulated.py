"""A transfer curve by points, for pictures whose profile says it: decoded and encoded again without a loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.color.transfer import CURVES, Curve
from rawfix.frame import Image

_POINTS = 4096
_LEAST_RISE = 1e-9
"""Between two points, so that every curve can be undone."""


@dataclass(frozen=True, slots=True, eq=False)
class Tabulated:
    """Encoded values 0…1 ↔ linear light 0…1, straight between points.

    Attributes
    ----------
    encoded, linear
        ``(n,)`` float64, rising strictly, from 0 or more to 1.
    """

    encoded: NDArray[np.float64]
    linear: NDArray[np.float64]

    @classmethod
    def of_points(cls, linear: NDArray[np.float64]) -> Tabulated:
        """From light at evenly spaced encoded values 0…1; where it does not rise, it is made to, by a hair."""
        rising = np.maximum.accumulate(np.clip(linear, 0, None)) + _LEAST_RISE * np.arange(len(linear))
        return cls(np.linspace(0, 1, len(linear)), rising / rising[-1])

    @classmethod
    def of_formula(cls, curve: Curve, offset: float = 0.0, toe_offset: float = 0.0) -> Tabulated:
        """From a formula of the ICC's parametric kind: ``(a·v + b)^gamma + offset``, ``slope·v + toe_offset``."""
        v = np.linspace(0, 1, _POINTS + 1)
        power = np.maximum(curve.a * v + curve.b, 0) ** curve.gamma + offset
        return cls.of_points(np.where(v < curve.knee, curve.slope * v + toe_offset, power))

    def decode(self, encoded: NDArray[np.floating]) -> Image:
        """Encoded values, clipped to 0…1, as light; float32."""
        return np.asarray(np.interp(encoded, self.encoded, self.linear), np.float32)

    def encode(self, linear: Image) -> Image:
        """Inverse of `decode`; light is clipped to 0…1."""
        return np.asarray(np.interp(linear, self.linear, self.encoded), np.float32)


SRGB = Tabulated.of_formula(CURVES["srgb"])
"""What pictures without a profile are taken for."""
