"""Which photosites of a body are bad: from dark frames, or from many ordinary ones, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel
from rawfix.physics.neighbors import inward, same_color_offsets
from rawfix.physics.noise import variance
from rawfix.physics.point_sources import are_point_sources

Learnt = Literal["warm", "hot", "dead", "stuck"]

MIN_ORDINARY = 8
"""Ordinary frames below which content cannot be told from defects."""
SATURATED = 0.98
HOT = 0.25
"""Mean excess, share of white, from which a warm pixel is called hot."""
_NEIGHBORS = 8
_TRIMMED = 2
"""Neighbors left out at either end: as many as a bad row or column puts among the eight."""
_VOTE = 4.0
_DETAIL = 0.015
"""Ordinary frames: an outlier is `_VOTE` times as far off as noise, the spread of its neighbors and this share of
their light together."""
_FLAT = 6.0
"""Surroundings are flat up to this spread, in noise deviations."""
_BRIGHTEST, _DARKEST = 0.85, 12.0
"""A bright outlier shows below this share of white, a dark one above so many noise deviations."""
_CHANGED = 10.0
"""Surroundings have changed from frame to frame when they span so many noise deviations."""
_LEAST_SEEN = 4
"""Frames that must have been able to show a defect."""
_DARK_VOTE = 2.5
_DARK_OUTLIER = 6.0
"""Dark frames: mean residual in deviations of all sites' mean residuals."""
_DARK_LEAST = 3.0
"""And in deviations of one frame: weaker defects drown in the noise of any picture."""
_STRIP = 240


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one strip of a frame says: the site's residual, the deviation expected of it, and its surroundings.

    All ``(rows, columns)`` float32 of one phase of the filter array: value minus the neighbors' median, noise
    deviation, median, and the spread of the neighbors between their trimmed extremes.
    """

    residual: Image
    sigma: Image
    median: Image
    spread: Image


class Learner:
    """Per-site statistics of one body that grow with its sensor, not with the number of frames.

    Parameters
    ----------
    shape, cfa
        Of every frame that is to come.
    dark
        Whether the frames are dark frames (lens cap on): then every departure from the neighbors counts that
        is no noise. In ordinary frames one counts only against flat surroundings, and no point of light does.
    """

    def __init__(self, shape: tuple[int, int], cfa: Cfa, *, dark: bool) -> None:
        self.shape, self.cfa, self.dark, self.frames = shape, cfa, dark, 0
        self._seen = np.zeros((2, *shape), np.uint16)
        self._votes = np.zeros((2, *shape), np.uint16)
        self._total = np.zeros(shape, np.float32)
        self._low = np.full(shape, np.inf, np.float32)
        self._high = np.full(shape, -np.inf, np.float32)
        self._dimmest = np.full(shape, np.inf, np.float16)
        self._brightest = np.full(shape, -np.inf, np.float16)
        self._sigma = 0.0

    def add(self, mosaic: Image, noise: NoiseModel) -> None:
        """Take one frame in.

        Parameters
        ----------
        mosaic
            ``(H, W)`` float32, black 0, white 1, before white balance, signed.
        noise
            Of that frame; dark frames are measured instead.
        """
        residual = np.empty(self.shape, np.float32)
        high, low = np.zeros(self.shape, bool), np.zeros(self.shape, bool)
        sigma = 0.0
        for sites, seen in _judge(mosaic, self.cfa, noise):
            residual[sites] = seen.residual
            self._dimmest[sites] = np.minimum(self._dimmest[sites], seen.median)
            self._brightest[sites] = np.maximum(self._brightest[sites], seen.median)
            flat = seen.spread < _FLAT * seen.sigma
            bright, deep = seen.median < _BRIGHTEST, seen.median > _DARKEST * seen.sigma
            detail = np.float32(_DETAIL) * np.maximum(seen.median, 0)
            outlier = np.abs(seen.residual) > _VOTE * (seen.sigma + seen.spread + detail)
            high[sites] = flat & bright & outlier & (seen.residual > 0)
            low[sites] = flat & deep & outlier & (seen.residual < 0)
            self._seen[0][sites] += flat & bright
            self._seen[1][sites] += flat & deep
            sigma += float(np.mean(seen.sigma)) * seen.sigma.size / mosaic.size
        if self.dark:
            sigma = _deviation(residual)
            high, low = residual > _DARK_VOTE * sigma, residual < -_DARK_VOTE * sigma
        else:
            rows, columns = np.nonzero(high)
            found = (rows, columns)
            high[found] = ~are_point_sources(mosaic, found, self.cfa, (1.0, 1.0, 1.0), noise)
        self._votes[0] += high
        self._votes[1] += low
        self._total += residual
        np.minimum(self._low, mosaic, out=self._low)
        np.maximum(self._high, mosaic, out=self._high)
        self._sigma += sigma
        self.frames += 1

    def result(self) -> dict[Learnt, NDArray[np.bool_]]:
        """The bad sites by kind, disjoint ``(H, W)`` masks.

        In dark frames a site is bad that is an outlier in at least half of them, and whose mean residual is one
        among all sites. In ordinary frames, one that is an outlier of one sign in most frames that could have
        shown it, or of either sign where its value never changes; but only where its surroundings changed: of what
        stood still nobody can tell whether it was content.
        """
        excess, sigma = self._total / np.float32(max(self.frames, 1)), self._sigma / max(self.frames, 1)
        if self.dark:
            least = max(_DARK_OUTLIER * _deviation(excess), _DARK_LEAST * sigma)
            high = (excess > least) & (2 * self._votes[0] >= self.frames)
            low = (
                (excess < -least) & (2 * self._votes[1] >= self.frames) & (self._high < -_DARK_LEAST * sigma)
            )
            frozen = np.zeros(self.shape, bool)
        else:
            changed = np.subtract(self._brightest, self._dimmest, dtype=np.float32) > _CHANGED * sigma
            high, low = (self._prevails(sign) & changed for sign in (0, 1))
            still = self._high - self._low <= 2 * sigma
            votes = self._votes.sum(0)
            frozen = still & changed & (votes >= _LEAST_SEEN) & (votes > self._seen.max(0) / 2)
        stuck = (high & (self._low >= SATURATED)) | (frozen & ~low)
        bright = high & ~stuck
        hot = bright & (excess >= HOT)
        return {"warm": bright & ~hot, "hot": hot, "dead": low, "stuck": stuck}

    def _prevails(self, sign: int) -> NDArray[np.bool_]:
        """Sites that are outliers of a sign in most frames that could show it, and hardly ever of the other."""
        votes, seen = self._votes[sign], self._seen[sign]
        return np.asarray((seen >= _LEAST_SEEN) & (votes > seen / 2) & (votes >= 3 * self._votes[1 - sign]))


def _judge(mosaic: Image, cfa: Cfa, noise: NoiseModel) -> Iterator[tuple[tuple[slice, slice], Judged]]:
    """Every site against its eight nearest of the same color, phase by phase, strip by strip."""
    (height, width), (period_y, period_x) = mosaic.shape, cfa.period
    offsets = same_color_offsets(cfa, _NEIGHBORS)
    reach = int(np.abs(offsets).max())
    columns = inward(np.arange(-reach, width + reach), width, period_x)
    strip = -(-_STRIP // period_y) * period_y
    for top in range(0, height, strip):
        bottom = min(top + strip, height)
        rows = inward(np.arange(top - reach, bottom + reach), height, period_y)
        part = mosaic.take(rows, axis=0).take(columns, axis=1)
        for y, x in product(range(min(period_y, bottom - top)), range(min(period_x, width))):
            around = np.stack(
                [
                    part[
                        reach + y + dy : reach + bottom - top + dy : period_y,
                        reach + x + dx : reach + width + dx : period_x,
                    ]
                    for dy, dx in offsets[y, x].tolist()
                ],
                axis=-1,
            )
            around.sort(axis=-1)
            half = _NEIGHBORS // 2
            median = np.asarray((around[..., half - 1] + around[..., half]) / 2, np.float32)
            spread = around[..., -1 - _TRIMMED] - around[..., _TRIMMED]
            channel = min(cfa.pattern[y][x], 2)
            sigma = np.sqrt(variance(median, noise.shot[channel], noise.read[channel]))
            sites = np.s_[top + y : bottom : period_y, x::period_x]
            yield sites, Judged(mosaic[sites] - median, sigma, median, spread)


def _deviation(values: NDArray[np.floating]) -> float:
    """Standard deviation of all but the hundredth that is farthest off; of coarse steps, too."""
    sample = values.reshape(-1)[:: max(1, values.size // (1 << 20))]
    off = np.abs(sample - np.median(sample))
    return float(np.sqrt(np.mean(off[off <= np.quantile(off, 0.99)] ** 2, dtype=np.float64)))
