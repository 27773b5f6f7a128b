"""Make an enlarged picture agree with the one that it was made of: what is added never contradicts what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rawfix.frame import Image
from rawfix.physics.shrinking import Method, Shrinking, shrinking

ROUNDS: dict[Method, int] = {"area": 3, "bicubic": 10}
"""Where values run into the ends of their range, encoded ones need more."""
_BLOCK = 256
"""Small pixels along the side of what is worked on at a time."""
_FAR = 4
"""Rounds whose whole reach a block's margin covers; those after it change what lies farther by less than 1e-6."""


def back_project(
    fine: Image,
    seen: Image,
    method: Method,
    *,
    white: Sequence[float] | None = None,
    step: float = 0.0,
    rounds: int = 0,
    threads: int = 1,
) -> Image:
    """Correct an enlarged image until it shrinks to the one that was seen.

    Each round shrinks the enlarged image, spreads what is missing smoothly over it, and takes back what left the
    range; what was taken back is remembered, and the steps are accelerated: ascent on the dual of the least change
    under these constraints. After the rounds of ``area``, every block of pixels is scaled about its floor or its
    ceiling to the mean that was seen, so that exposure and color are kept to float accuracy, in every pixel.

    Parameters
    ----------
    fine
        ``(s·H, s·W, C)`` float32; written over.
    seen
        ``(H, W, C)`` float32.
    method
        ``area``: both are linear light, signed and unbounded. No value is left below 0, or below the least one seen
        within a pixel's distance where noise brought that below 0; see also ``white``. ``bicubic``: both are encoded
        values; they stay within 0…1.
    white
        For ``area``, where each channel is saturated: no value is left above, or above the most seen within a pixel's
        distance where that is more. What comes after would cut it off, and darken the picture. None: nowhere.
    step
        Of the whole numbers that ``seen`` was rounded to: within half of it, nothing is contradicted, and the rounding
        is not carried over.
    rounds
        Of correction; 0: `ROUNDS`.
    threads
        Blocks that are worked on at a time; the result is the same for any number.

    Returns
    -------
    ndarray
        ``fine``. Beside it there are two strips of at most `_BLOCK` rows of ``seen`` and their margins.

    References
    ----------
    Irani, Peleg 1991, doi:10.1016/1049-9652(91)90045-L (back-projection); Beck, Teboulle 2009, doi:10.1137/080716542
    (acceleration).
    """
    rounds = rounds or ROUNDS[method]
    height, width, channels = seen.shape
    way = shrinking(method, fine.shape[0] // height)
    halo = min(rounds, _FAR) * way.reach + 1
    places = [(left, channel) for channel in range(channels) for left in range(0, width, _BLOCK)]
    with ThreadPoolExecutor(threads) as pool:
        for strip in _strips(fine, height, way.scale, halo):

            def correct(place: tuple[int, int], strip: _Strip = strip) -> None:
                left, channel = place
                right = min(left + _BLOCK, width)
                before, behind = max(left - halo, 0), min(right + halo, width)
                plane, part = strip.part(seen, before, behind, channel, way.scale)
                top = np.inf if white is None else white[channel]
                done = _corrected(plane, part, way, method, step, rounds, np.float32(top))
                columns = slice((left - before) * way.scale, (right - before) * way.scale)
                fine[strip.rows(way.scale), left * way.scale : right * way.scale, channel] = done[
                    strip.inner(way.scale), columns
                ]

            for _ in pool.map(correct, places):
                pass
    return fine


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """Rows of the small image, ``first ≤ top < bottom ≤ last``, and a copy of the large ones, margins included."""

    first: int
    top: int
    bottom: int
    last: int
    fine: Image

    def part(self, seen: Image, before: int, behind: int, channel: int, scale: int) -> tuple[Image, Image]:
        """One channel of the large and of the small image, between columns of the small one."""
        large = np.ascontiguousarray(self.fine[:, before * scale : behind * scale, channel])
        return large, np.ascontiguousarray(seen[self.first : self.last, before:behind, channel])

    def rows(self, scale: int) -> slice:
        """Of the large image."""
        return slice(self.top * scale, self.bottom * scale)

    def inner(self, scale: int) -> slice:
        """The same rows, within the copy."""
        return slice((self.top - self.first) * scale, (self.bottom - self.first) * scale)


def _strips(fine: Image, height: int, scale: int, halo: int) -> Iterator[_Strip]:
    """From top to bottom. The margin above comes from the strip before, as it was: by now it is written over."""
    kept: Image | None = None
    for top in range(0, height, _BLOCK):
        bottom = min(top + _BLOCK, height)
        first, last = max(top - halo, 0), min(bottom + halo, height)
        fresh = fine[top * scale : last * scale]
        strip = fresh.copy() if kept is None else np.concatenate((kept, fresh))
        kept = strip[(max(bottom - halo, 0) - first) * scale : (bottom - first) * scale].copy()
        yield _Strip(first, top, bottom, last, strip)


def _corrected(
    plane: Image, seen: Image, way: Shrinking, method: Method, step: float, rounds: int, white: np.float32
) -> Image:
    """One channel of a block, margins included."""
    limits = _range(seen, white) if method == "area" else None
    low: ArrayLike = 0.0 if limits is None else _repeated(limits[0], way.scale)
    high: ArrayLike = 1.0 if limits is None else _repeated(limits[1], way.scale)
    before = ahead = plane
    for k in range(rounds):
        missing = seen - way.shrink(np.clip(ahead, low, high))
        if step:
            missing -= np.clip(missing, np.float32(-step / 2), np.float32(step / 2))
        after = ahead + way.spread(missing)
        ahead = after + np.float32(k / (k + 3)) * (after - before)
        before = after
    plane = np.clip(before, low, high)
    return plane if limits is None else _scaled(plane, seen, way, *limits)


def _range(seen: Image, white: np.float32) -> tuple[Image, Image]:
    """Least and most that each small pixel's block may hold."""
    return np.minimum(_nearby(seen, np.minimum), 0), np.maximum(_nearby(seen, np.maximum), white)


def _scaled(plane: Image, seen: Image, way: Shrinking, floor: Image, ceiling: Image) -> Image:
    """Blocks that are too dark, below a ceiling, come nearer to it, all others to their floor or away from it."""
    mean = way.shrink(plane)
    pivot = np.where((mean < seen) & (ceiling < np.inf), ceiling, floor)
    span = mean - pivot
    some = np.abs(span) > np.float32(1e-12)
    gain = np.divide(seen - pivot, span, out=np.zeros_like(span), where=some)
    pivot = _repeated(np.where(some, pivot, seen), way.scale)
    plane -= pivot
    plane *= _repeated(gain, way.scale)
    plane += pivot
    return plane


def _repeated(small: Image, scale: int) -> Image:
    return small.repeat(scale, 0).repeat(scale, 1)


def _nearby(plane: Image, extreme: Callable[[Image, Image], Image]) -> Image:
    """The least, or the most, of each pixel's 3×3, borders repeated."""
    padded = np.pad(plane, 1, mode="edge")
    rows = extreme(extreme(padded[:-2], padded[1:-1]), padded[2:])
    return extreme(extreme(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
