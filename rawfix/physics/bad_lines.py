"""Bad rows and columns: those of one value, and those of which a telling part of the samples was found to be bad.

Sample by sample, a dead column is found where its surroundings are even, and missed in texture and in the dark: what
is left of it is a dotted line. But lines of a sensor share a wire and are bad from end to end, or from one place to the
border, while thin bars of a scene hardly stay on one column that far. So a stretch is looked for that has far more bad
samples than the frame around (a maximum of the summed log-likelihood ratio, as in Page 1954, "Continuous inspection
schemes"); where it is as long as wires are, the line counts as bad altogether. Should it begin inside, its good part
is replaced from its neighbors, too.

A line that reads one value throughout needs no network: nothing that is seen through a lens is even along one line and
differs from the lines on both sides.

Of 160 photographs of facades, leaves, letters and skies, eight have up to five stretches of bars that a network took
for bad samples; the longest is a sixth of the frame, and none reaches the border.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel, with_infrared
from rawfix.physics.noise import variance

_SHARE = 0.15
"""Of the samples of a bad line, this share is expected to be found."""
_LEAST_SHARE = 1e-4
"""Of all other samples, at least this one is expected to be."""
_FEWEST, _SCORE = 8, 40.0
"""Samples found, and log-likelihood ratio, that a line has at least."""
_THROUGH, _TO_BORDER, _SHORTEST = 0.5, 0.25, 64
"""Least length of a stretch over the frame's: anywhere, and where it reaches the border; and its samples."""
_NEAR = 0.05
"""How near to the border, over the frame's length, a stretch that reaches it ends."""
_SAMPLES = 256
"""Of each color of a line, so many at most are looked at."""
_EVEN = (0.01, 0.99)
"""Quantiles of a line that reads one value, not more than `_SIGMAS` deviations of the noise apart."""
_SIGMAS = 5.0
_FROZEN, _TOGETHER = 0.5, 12
"""A line that is even to within so many deviations has no noise: it is no light, and up to so many may lie together."""
_APART = 0.25
"""Share of such a line that differs from the next lines of the same colors, on both sides, by more than that."""


@dataclass(frozen=True, slots=True)
class BadLines:
    """Rows and columns that are bad from end to end, ascending."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def __or__(self, other: BadLines) -> BadLines:
        rows, columns = {*self.rows, *other.rows}, {*self.columns, *other.columns}
        return BadLines(tuple(sorted(rows)), tuple(sorted(columns)))

    def mark(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """An ``(H, W)`` map of nothing but them."""
        marked = np.zeros(shape, bool)
        marked[list(self.rows)] = True
        marked[:, list(self.columns)] = True
        return marked

    def any(self) -> bool:
        """Whether there is a line."""
        return bool(self.rows or self.columns)

    def tell(self) -> str:
        """A sentence about them."""
        counts = ((len(self.rows), "row"), (len(self.columns), "column"))
        named = [f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count]
        return f"bad from end to end, and repaired as such: {' and '.join(named)}"


def find_lines(bad: NDArray[np.bool_]) -> BadLines:
    """The rows and columns of which an ``(H, W)`` map of bad samples holds a telling part."""
    return BadLines(_columns(bad.T), _columns(bad))


def find_constant(mosaic: Image, cfa: Cfa, wb: tuple[float, float, float], noise: NoiseModel) -> BadLines:
    """The rows and columns of a mosaic that read one value from end to end, unlike those on both sides of them.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, balanced with ``wb``.
    cfa
        Phased to ``mosaic[0, 0]``.
    wb
        Multipliers.
    noise
        Before white balance.
    """
    gain = with_infrared(wb)
    shot, read = with_infrared(noise.shot) * gain, with_infrared(noise.read) * gain**2
    unit = cfa.unit()
    rows = _constant(mosaic.T, shot[unit.T], read[unit.T])
    return BadLines(rows, _constant(mosaic, shot[unit], read[unit]))


def _constant(mosaic: Image, shot: Image, read: Image) -> tuple[int, ...]:
    """Columns of one value; the noise by place in the filter array."""
    height, width = mosaic.shape
    tall, wide = shot.shape
    if height < _SHORTEST or width < 2 * wide + 1:
        return ()
    index = np.arange(width)
    even, frozen = np.ones((2, width), bool)
    places = []
    for y in range(tall):
        lines = mosaic[y :: max(1, height // tall // _SAMPLES) * tall]
        low, middle, high = np.quantile(lines, (_EVEN[0], 0.5, _EVEN[1]), axis=0)
        deviation = np.sqrt(variance(middle.astype(np.float32), shot[y][index % wide], read[y][index % wide]))
        even &= high - low <= _SIGMAS * deviation
        frozen &= high - low <= _FROZEN * deviation
        places.append((lines, middle, _SIGMAS * deviation))
    bad = []
    for x in np.flatnonzero(even).tolist():
        beside = _beside(frozen, x, wide)
        if beside and all(
            (np.abs(lines[:, beside] - middle[x]) > least[x]).all(1).mean() >= _APART
            for lines, middle, least in places
        ):
            bad.append(x)
    return tuple(bad)


def _beside(frozen: NDArray[np.bool_], x: int, wide: int) -> list[int]:
    """The columns that one is held against: the next ones like it on both sides that are not frozen.

    There is none beyond the border, where scans have black rims, nor where more than `_TOGETHER` of them lie side by
    side, which is the scene's.
    """
    found = []
    for step in (-wide, wide):
        at = x + step
        while 0 <= at < frozen.size and frozen[at] and abs(at - x) < _TOGETHER:
            at += step
        if not 0 <= at < frozen.size:
            return []
        found.append(at)
    return [] if frozen[found].any() else found


def _columns(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    counts = bad.sum(0)
    if not bad.size:
        return ()
    rest = counts[counts < _FEWEST]
    usual = max(float(np.median(counts)), float(rest.mean()) if rest.size else 0.0) / bad.shape[0]
    density = max(2 * usual, _LEAST_SHARE)
    if density >= _SHARE / 2:
        return ()
    candidates = np.flatnonzero(counts >= _FEWEST).tolist()
    return tuple(position for position in candidates if _is_line(bad[:, position], density))


def _is_line(found: NDArray[np.bool_], density: float) -> bool:
    """Whether ``(N,)`` samples have a stretch that makes them a bad line."""
    yes, no = np.log(_SHARE / density), np.log((1 - _SHARE) / (1 - density))
    score = np.concatenate(([0.0], np.cumsum(np.where(found, yes, no))))
    above = score - np.minimum.accumulate(score)
    stop = int(above.argmax())
    start = int(score[: stop + 1].argmin())
    length, size = stop - start, found.size
    if above[stop] < _SCORE or found[start:stop].sum() < _FEWEST or length < _SHORTEST:
        return False
    reaches = min(start, size - stop) <= _NEAR * size
    return length >= (_TO_BORDER if reaches else _THROUGH) * size
