"""How pictures are made small, and the least change of a large one that changes its small one as wanted.

Two ways, those that super-resolution networks are trained against: photosites average the light that falls on them;
programs filter encoded values with a bicubic kernel. Planes, separable, borders repeated. Sums are taken in one order,
so that a part of a plane gives bit for bit what the whole gives there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

Method = Literal["area", "bicubic"]
_PERIOD = 64
"""Pixels of the ring on which the inverse filter is found: it has decayed long before."""
_REACH = 6
"""Small pixels to either side that a correction spreads to; what it leaves there is below 1e-3."""


@dataclass(frozen=True, slots=True, eq=False)
class Shrinking:
    """A way of making planes small by a whole factor.

    Attributes
    ----------
    scale
        The factor.
    taps
        ``(n,)`` weights over large pixels, sum 1; symmetric about the small pixel's center.
    back
        ``(scale, 2·reach + 1)``: for each large pixel of a small one, the weights of the small pixels around it with
        which a correction is spread. Shrinking undoes it but for `_REACH`'s cut.
    """

    scale: int
    taps: Image
    back: Image

    @property
    def reach(self) -> int:
        """Small pixels to either side that a round of shrinking and spreading looks at."""
        margin = (len(self.taps) - self.scale) // 2
        return -(-margin // self.scale) + int(self.back.shape[1]) // 2

    def shrink(self, plane: Image) -> Image:
        """``(scale·h, scale·w)`` float32 → ``(h, w)``."""
        return self._shrink_rows(self._shrink_rows(plane).T).T

    def spread(self, small: Image) -> Image:
        """``(h, w)`` float32 → the smooth plane ``(scale·h, scale·w)`` that shrinks to it."""
        return self._spread_rows(self._spread_rows(small).T).T

    def _shrink_rows(self, plane: Image) -> Image:
        margin = (len(self.taps) - self.scale) // 2
        padded = np.pad(plane, ((margin, margin), (0, 0)), mode="edge") if margin else plane
        count = plane.shape[0] // self.scale
        total = self.taps[0] * padded[: count * self.scale : self.scale]
        for offset, tap in enumerate(self.taps[1:], start=1):
            total += tap * padded[offset : offset + count * self.scale : self.scale]
        return np.asarray(total)

    def _spread_rows(self, small: Image) -> Image:
        reach = self.back.shape[1] // 2
        padded = np.pad(small, ((reach, reach), (0, 0)), mode="edge")
        out = np.empty((small.shape[0] * self.scale, small.shape[1]), np.float32)
        for phase, weights in enumerate(self.back):
            total = weights[0] * padded[: small.shape[0]]
            for offset, weight in enumerate(weights[1:], start=1):
                total += weight * padded[offset : offset + small.shape[0]]
            out[phase :: self.scale] = total
        return out


@cache
def shrinking(method: Method, scale: int) -> Shrinking:
    """The way of that name.

    ``area``: means of ``scale × scale`` pixels; corrections are spread by Keys' interpolation. ``bicubic``: Keys'
    kernel (a = −1/2) widened by the scale, as MATLAB's imresize has it; corrections are spread by its transpose, so
    that they are the least ones. Both are then sharpened until shrinking returns them.

    References
    ----------
    Keys 1981, doi:10.1109/TASSP.1981.1163711; Irani, Peleg 1991, "Improving resolution by image registration",
    doi:10.1016/1049-9652(91)90045-L (back-projection).
    """
    if method == "area":
        taps = np.full(scale, 1 / scale)
        phase = (np.arange(scale) + 0.5) / scale - 0.5
        rough = keys(phase[:, None] - np.arange(-_REACH, _REACH + 1))
    else:
        taps = keys((np.arange(4 * scale) - (4 * scale - 1) / 2) / scale)
        taps /= taps.sum()
        margin = (len(taps) - scale) // 2
        index = np.arange(scale)[:, None] + margin - scale * np.arange(-_REACH, _REACH + 1)
        rough = np.where((index >= 0) & (index < len(taps)), taps[np.clip(index, 0, len(taps) - 1)], 0.0)
    sharp = _sharpened(taps, rough / rough.sum(1, keepdims=True), scale)
    return Shrinking(scale, taps.astype(np.float32), sharp.astype(np.float32))


def keys(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic kernel, a = −1/2."""
    d = np.abs(distance)
    inner, outer = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, inner, np.where(d < 2, outer, 0.0))


def _sharpened(taps: NDArray[np.float64], rough: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    """Weights that spread what ``rough`` spreads after the inverse of shrinking ∘ spreading; each phase sums to 1."""
    reach, margin = rough.shape[1] // 2, (len(taps) - scale) // 2
    impulse = np.zeros((_PERIOD, scale))
    for offset in range(-reach, reach + 1):
        impulse[-offset % _PERIOD] = rough[:, offset + reach]
    fine = impulse.reshape(-1)
    response = np.array(
        [
            sum(tap * fine[(scale * i + t - margin) % len(fine)] for t, tap in enumerate(taps))
            for i in range(_PERIOD)
        ]
    )
    spectrum = np.fft.fft(impulse, axis=0) / np.fft.fft(response)[:, None]
    exact = np.fft.ifft(spectrum, axis=0).real
    sharp = np.stack([exact[-offset % _PERIOD] for offset in range(-reach, reach + 1)], 1)
    return np.asarray(sharp / sharp.sum(1, keepdims=True))
