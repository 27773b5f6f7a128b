"""What a network flagged, by the kind that rawfix counts it as: told from the map and the mosaic, without the truth.

`rawfix.physics.bad_kinds` counts; here each sample gets its kind, by the same rules: a test ties the two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image
from rawfix.physics.bad_kinds import HOT, LINE_GAP, LINE_LEAST, SATURATED
from rawfix.physics.neighbors import same_color_offsets
from rawfix.training.evaluation.protocol import sigma

Bool = NDArray[np.bool_]
KINDS = ("warm", "hot", "dead", "stuck", "quiet", "cluster", "line")
"""Single samples by value, those that touch (patches too), and those of rows and columns."""
_NEIGHBORS = 12


def touching(points: Bool) -> Bool:
    """Points that have another among their eight neighbors."""
    height, width = points.shape
    padded = np.pad(points, 1).astype(np.int8)
    around = sum(
        (padded[y : y + height, x : x + width] for y in range(3) for x in range(3)),
        np.zeros(points.shape, np.int8),
    )
    return points & (around > 1)


def in_lines(found: Bool) -> Bool:
    """Which samples of an ``(H, W)`` map belong to rows or columns."""
    return _in_rows(found) | _in_rows(found.T).T


def sort_verdicts(observed: Image, found: Bool, cfa: Cfa, iso: float) -> dict[str, Bool]:
    """Every flagged sample under one of `KINDS`.

    Parameters
    ----------
    observed
        ``(H, W)`` mosaic before white balance, white at 1, defects and all.
    found
        ``(H, W)``, what was flagged.
    cfa, iso
        Of the mosaic; the noise of that speed tells what is no outlier.
    """
    lines = in_lines(found)
    clusters = touching(found & ~lines)
    sorted_by = {"cluster": clusters, "line": lines}
    rows, columns = np.nonzero(found & ~lines & ~clusters)
    for kind, chosen in _by_value(observed, found, cfa, iso, (rows, columns)).items():
        sorted_by[kind] = np.zeros(found.shape, bool)
        sorted_by[kind][rows[chosen], columns[chosen]] = True
    return {kind: sorted_by[kind] for kind in KINDS}


def _by_value(
    observed: Image, found: Bool, cfa: Cfa, iso: float, sites: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> dict[str, Bool]:
    """Which of the sites are of which kind, against samples of the same color nearby that were not flagged."""
    rows, columns = sites
    height, width = found.shape
    offsets = same_color_offsets(cfa, _NEIGHBORS)[rows % cfa.period[0], columns % cfa.period[1]]
    y, x = rows[:, None] + offsets[..., 0], columns[:, None] + offsets[..., 1]
    within = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    value = observed[rows, columns].astype(np.float64)
    around = np.where(within & ~found[y, x], observed[y, x], np.nan)
    unknown = np.isnan(around).all(1)
    around[unknown] = value[unknown, None]
    surround = np.nanmedian(around, axis=1) if rows.size else value
    excess = value - surround
    quiet = np.abs(excess) <= 3 * sigma(surround.astype(np.float32), iso)
    stuck = ~quiet & (value >= SATURATED)
    bright = ~quiet & ~stuck & (excess > 0)
    hot = bright & (excess >= HOT)
    return {
        "warm": bright & ~hot,
        "hot": hot,
        "dead": ~quiet & (excess < 0) & ~stuck,
        "stuck": stuck,
        "quiet": quiet,
    }


def _in_rows(found: Bool) -> Bool:
    belongs = np.zeros(found.shape, bool)
    for row in np.flatnonzero(2 * found.sum(1) >= LINE_LEAST):
        places = np.flatnonzero(found[row])
        for run in np.split(places, np.flatnonzero(np.diff(places) > LINE_GAP + 1) + 1):
            length = run[-1] - run[0] + 1
            belongs[row, run] = length >= LINE_LEAST and 2 * run.size >= length
    return belongs
