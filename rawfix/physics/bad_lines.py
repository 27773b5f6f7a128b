"""Bad rows and columns, told from the part of their samples that was found to be bad.

Sample by sample, a dead column is found where its surroundings are even, and missed in texture and in the dark: what
is left of it is a dotted line. But lines of a sensor share a wire and are bad from end to end, or from one place to the
border, while thin bars of a scene hardly stay on one column that far. So a stretch is looked for that has far more bad
samples than the frame around (a maximum of the summed log-likelihood ratio, as in Page 1954, "Continuous inspection
schemes"); where it is as long as wires are, the line counts as bad altogether. Should it begin inside, its good part
is lost: a single line that its neighbors replace, and nobody sees.

Of 160 photographs of facades, leaves, letters and skies, eight have up to five stretches of bars that a network took
for bad samples; the longest is a sixth of the frame, and none reaches the border.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True)
class BadLines:
    """Rows and columns that are bad from end to end, ascending."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    def mark(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """An ``(H, W)`` map of nothing but them."""
        marked = np.zeros(shape, bool)
        marked[list(self.rows)] = True
        marked[:, list(self.columns)] = True
        return marked

    def tell(self) -> str:
        """A sentence about them."""
        counts = ((len(self.rows), "row"), (len(self.columns), "column"))
        named = [f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count]
        return f"bad from end to end, and repaired as such: {' and '.join(named)}"


def find_lines(bad: NDArray[np.bool_]) -> BadLines:
    """The rows and columns of which an ``(H, W)`` map of bad samples holds a telling part."""
    return BadLines(_columns(bad.T), _columns(bad))


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
