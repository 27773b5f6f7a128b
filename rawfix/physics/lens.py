"""What a lens did to a picture, in the terms of DNG's opcodes: where light went, and how much of it was lost.

References: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapter 7: WarpRectilinear, WarpFisheye,
FixVignetteRadial, GainMap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

Places = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Rows and columns, in pixels; they broadcast against each other."""


@dataclass(frozen=True, slots=True)
class Area:
    """The picture that a correction speaks of, in pixels of the image at hand: what is a share of it scales."""

    top: float
    left: float
    height: float
    width: float

    def center(self, y: float, x: float) -> tuple[float, float]:
        """The pixel at shares of height and width: 0 is the first one, 1 the last one."""
        return self.top + y * (self.height - 1), self.left + x * (self.width - 1)

    def reach(self, y: float, x: float) -> float:
        """Distance from the pixel at these shares to the farthest corner."""
        return max(math.hypot(max(y, 1 - y) * (self.height - 1), max(x, 1 - x) * (self.width - 1)), 1.0)

    def scaled(self, by_y: float, by_x: float) -> Area:
        """The same area in an image that is as many times as high and as wide."""
        return Area(self.top * by_y, self.left * by_x, self.height * by_y, self.width * by_x)


@dataclass(frozen=True, slots=True)
class RadialGain:
    """FixVignetteRadial: light is multiplied by 1 + k0·r² + k1·r⁴ + …, r = 1 in the farthest corner.

    Attributes
    ----------
    terms
        k0, k1 …
    center
        Shares of height and width.
    """

    terms: tuple[float, ...]
    center: tuple[float, float] = (0.5, 0.5)

    @property
    def is_identity(self) -> bool:
        """Whether it leaves every sample."""
        return not any(self.terms)

    def gains(self, places: Places, area: Area) -> Image:
        """``(h, w, 1)`` float32 multipliers at these places."""
        dy, dx = _offsets(places, area, self.center)
        square = dy * dy + dx * dx
        total = np.zeros_like(square)
        for term in reversed(self.terms):
            total = (total + np.float32(term)) * square
        return np.asarray(total + np.float32(1), np.float32)[..., None]


@dataclass(frozen=True, slots=True, eq=False)
class GainMap:
    """GainMap: multipliers on a grid, between whose points they change linearly; beyond it the border goes on.

    Attributes
    ----------
    grid
        ``(points down, points across, planes)`` float32.
    origin, spacing
        Of the grid's points, in shares of height and width.
    bounds
        Top, left, bottom, right of the pixels it is for, relative to the area; None: all.
    pitch
        It is for every so manieth row and column from the top left of the bounds.
    channels
        First and number of the channels it is for; beyond the last plane that one goes on.
    """

    grid: Image
    origin: tuple[float, float]
    spacing: tuple[float, float]
    bounds: tuple[int, int, int, int] | None = None
    pitch: tuple[int, int] = (1, 1)
    channels: tuple[int, int] = (0, 3)

    @property
    def is_identity(self) -> bool:
        """Whether it leaves every sample."""
        return bool((self.grid == 1).all())

    def gains(self, places: Places, area: Area) -> Image:
        """``(h, w, 1 or 3)`` float32 multipliers at these places; 1 where it does not apply."""
        rows, columns = (np.asarray(axis, np.float32) for axis in places)
        # A pixel's place is that of its middle.
        y, y_next, ty = self._between(
            (rows - np.float32(area.top) + np.float32(0.5)) / np.float32(area.height), 0
        )
        x, x_next, tx = self._between(
            (columns - np.float32(area.left) + np.float32(0.5)) / np.float32(area.width), 1
        )
        inside = self._inside(rows, columns, area)
        shape = np.broadcast_shapes(rows.shape, columns.shape)
        first, last = self.channels[0], min(sum(self.channels), 3)
        is_common = (first, last, self.grid.shape[2]) == (0, 3, 1)
        found = np.ones((*shape, 1 if is_common else 3), np.float32)
        for channel in range(first, 1 if is_common else last):
            plane = self.grid[..., min(channel - first, self.grid.shape[2] - 1)]
            above = plane[y, x] + (plane[y, x_next] - plane[y, x]) * tx
            below = plane[y_next, x] + (plane[y_next, x_next] - plane[y_next, x]) * tx
            found[..., channel] = np.where(inside, above + (below - above) * ty, np.float32(1))
        return found

    def scaled(self, by_y: float, by_x: float) -> GainMap:
        """For an image so many times as high and as wide; there it is for every row and column."""
        if self.bounds is None or (by_y, by_x) == (1.0, 1.0):
            return self
        top, left, bottom, right = self.bounds
        bounds = (round(top * by_y), round(left * by_x), round(bottom * by_y), round(right * by_x))
        return replace(self, bounds=bounds, pitch=(1, 1))

    def _between(
        self, share: NDArray[np.float32], axis: int
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        last = self.grid.shape[axis] - 1
        place = (share - np.float32(self.origin[axis])) / np.float32(self.spacing[axis])
        place = np.clip(place, 0, last)
        first = place.astype(np.intp)
        return first, np.minimum(first + 1, last), (place - first).astype(np.float32)

    def _inside(
        self, rows: NDArray[np.float32], columns: NDArray[np.float32], area: Area
    ) -> NDArray[np.bool_]:
        if self.bounds is None:
            return np.ones((1, 1), bool)
        top, left, bottom, right = self.bounds
        y, x = np.rint(rows - np.float32(area.top)), np.rint(columns - np.float32(area.left))
        held = (y >= top) & (y < bottom) & (x >= left) & (x < right)
        if self.pitch != (1, 1):
            held &= ((y - top) % self.pitch[0] == 0) & ((x - left) % self.pitch[1] == 0)
        return np.asarray(held)


@dataclass(frozen=True, slots=True)
class Warp:
    """WarpRectilinear or WarpFisheye: for every place of the corrected picture, its place in the one at hand.

    Attributes
    ----------
    radial
        For each channel, or once for all: k0 … k3. Rectilinear: a place moves to k0 + k1·r² + k2·r⁴ + … times its
        distance from the center, r = 1 in the farthest corner. Fisheye: to k0·θ + k1·θ³ + …, θ = arctan r.
    tangential
        As many pairs.
    center
        Shares of height and width.
    is_fisheye
        Which of the two.
    """

    radial: tuple[tuple[float, ...], ...]
    tangential: tuple[tuple[float, float], ...]
    center: tuple[float, float] = (0.5, 0.5)
    is_fisheye: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether every place stays."""
        return not self.is_fisheye and all(
            k[0] == 1 and not any(k[1:]) and not any(t)
            for k, t in zip(self.radial, self.tangential, strict=True)
        )

    def source(self, places: Places, area: Area, channel: int) -> Places:
        """Where a channel's light for these places lies."""
        at = min(channel, len(self.radial) - 1)
        terms, (first, second) = self.radial[at], self.tangential[at]
        dy, dx = _offsets(places, area, self.center)
        square = dy * dy + dx * dx
        if self.is_fisheye:
            radius = np.maximum(np.sqrt(square), np.float32(1e-6))
            angle = np.arctan(radius)
            factor = angle * _polynomial(terms, angle * angle) / radius
            excess = np.asarray(factor - np.float32(1), np.float32)
        else:
            excess = _polynomial((terms[0] - 1, *terms[1:]), square)
        reach = np.float32(area.reach(*self.center))
        cross = 2 * dx * dy
        moved_y = excess * dy + np.float32(second) * cross + np.float32(first) * (square + 2 * dy * dy)
        moved_x = excess * dx + np.float32(first) * cross + np.float32(second) * (square + 2 * dx * dx)
        return places[0] + reach * moved_y, places[1] + reach * moved_x


def _offsets(places: Places, area: Area, center: tuple[float, float]) -> Places:
    """Distances from the center, the farthest corner being 1 away."""
    y, x = area.center(*center)
    reach = np.float32(area.reach(*center))
    return (places[0] - np.float32(y)) / reach, (places[1] - np.float32(x)) / reach


def _polynomial(terms: tuple[float, ...], square: NDArray[np.float32]) -> NDArray[np.float32]:
    total: NDArray[np.float32] = np.zeros_like(square)
    for term in reversed(terms):
        total = np.asarray(total * square + np.float32(term), np.float32)
    return total
