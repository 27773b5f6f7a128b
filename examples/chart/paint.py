"""Brushes: formulas, polygons and letters, each averaged over sub-pixels in linear light.

Pictures are ``(H, W, 3)`` float32, linear sRGB; ``y, x`` are in pixels, pixel centres at one half.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage  # noqa: TID251 - the example draws letters and polygons with Pillow
from PIL import ImageDraw, ImageFont  # noqa: TID251

from rawfix.frame import Image
from rawfix.physics.scene import SRGB_DECODE

Coordinates = NDArray[np.float32]
ColorAt = Callable[[Coordinates, Coordinates], NDArray[np.floating]]
"""``(y, x) -> color``: coordinates ``(n, 1)`` and ``(1, m)``, color ``(n, m, channels)``."""

_STRIP = 16


def color(code: str) -> Image:
    """``"#c8563c"`` in linear light, ``(3,)``."""
    return SRGB_DECODE[[int(code[start : start + 2], 16) for start in (1, 3, 5)]]


def mix(first: NDArray[np.floating], second: NDArray[np.floating], amount: NDArray[np.floating]) -> Image:
    """``first`` where ``amount`` (without a channel axis) is 0, ``second`` where it is 1."""
    return np.asarray(first + (second - first) * amount[..., None], np.float32)


def smooth(low: float, high: float, value: NDArray[np.floating]) -> NDArray[np.floating]:
    """0 below ``low``, 1 above ``high``, without a kink in between."""
    part = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part))


def shrink(fine: NDArray[np.floating], factor: int) -> Image:
    """Average blocks of ``factor × factor`` sub-pixels."""
    height, width = fine.shape[0] // factor, fine.shape[1] // factor
    return np.asarray(fine.reshape(height, factor, width, factor, -1).mean((1, 3)), np.float32)


def shade(height: int, width: int, color_at: ColorAt, factor: int = 4) -> Image:
    """Paint a formula, ``factor²`` samples a pixel, strip by strip to spare memory."""
    x = _centres(0, width, factor)[None, :]
    strips = []
    for top in range(0, height, _STRIP):
        rows = min(_STRIP, height - top)
        y = _centres(top, rows, factor)[:, None]
        strips.append(shrink(np.asarray(color_at(y, x), np.float32), factor))
    return np.concatenate(strips)


def _centres(start: int, count: int, factor: int) -> Coordinates:
    """Centres of the sub-pixels of ``count`` pixels from ``start`` on."""
    return np.asarray(start + (np.arange(count * factor) + 0.5) / factor, np.float32)


class Sheet:
    """A sheet of 8-bit sRGB sub-pixels for overlapping shapes; lengths are in pixels of the result."""

    def __init__(self, height: int, width: int, paper: str, factor: int = 4) -> None:
        self.factor = factor
        self._picture = PillowImage.new("RGB", (width * factor, height * factor), paper)
        self._draw = ImageDraw.Draw(self._picture)

    def polygon(self, y: NDArray[np.floating], x: NDArray[np.floating], fill: tuple[int, int, int]) -> None:
        """Fill a polygon."""
        self._draw.polygon(self._points(y, x), fill)

    def line(
        self, y: NDArray[np.floating], x: NDArray[np.floating], width: float, fill: tuple[int, int, int]
    ) -> None:
        """Stroke a polyline; the width is rounded to sub-pixels, one at least."""
        self._draw.line(self._points(y, x), fill, max(1, round(width * self.factor)), "curve")

    def fill_rows(self, linear: Image) -> None:
        """Paint the whole sheet with one linear color per pixel row, ``(H, 3)``."""
        codes = np.clip(np.rint(np.interp(linear, SRGB_DECODE, np.arange(256))), 0, 255).astype(np.uint8)
        column = PillowImage.fromarray(np.repeat(codes, self.factor, 0)[:, None])
        self._picture.paste(column.resize(self._picture.size, PillowImage.Resampling.NEAREST))

    def develop(self) -> Image:
        """The sheet in linear light, at its final size."""
        fine = np.asarray(self._picture)
        step = _STRIP * self.factor
        tops = range(0, fine.shape[0], step)
        return np.concatenate([shrink(SRGB_DECODE[fine[top : top + step]], self.factor) for top in tops])

    def _points(self, y: NDArray[np.floating], x: NDArray[np.floating]) -> list[float]:
        return [float(value) for value in (np.stack([x, y], 1) * self.factor).ravel()]


def letters(text: str, size: float, factor: int = 4) -> Image:
    """Coverage of a line of text, ``(H, W)`` in 0…1, in Pillow's own font; ``size`` in pixels."""
    font = ImageFont.load_default(size * factor)
    width = -(-int(font.getlength(text)) // factor) + 2
    height = int(size * 1.4) + 1
    sheet = PillowImage.new("L", (width * factor, height * factor), 0)
    ImageDraw.Draw(sheet).text((0, round(size * factor)), text, 255, font, anchor="ls")
    return shrink(np.asarray(sheet, np.float32) / 255, factor)[..., 0]


def write(
    picture: Image, text: str, y: float, x: float, size: float, ink: Image, align: str = "left"
) -> None:
    """Write a line into a picture, in place; ``y`` is the top of its capitals' box, cut at the edges."""
    coverage = letters(text, size)
    left = round(x) - {"left": 0, "center": coverage.shape[1] // 2, "right": coverage.shape[1]}[align]
    top = round(y)
    coverage = coverage[: max(picture.shape[0] - top, 0), : max(picture.shape[1] - left, 0)]
    window = picture[top : top + coverage.shape[0], left : left + coverage.shape[1]]
    window[...] = mix(window, ink, coverage)
