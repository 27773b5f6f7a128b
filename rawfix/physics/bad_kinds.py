"""What kinds of defects a map of bad pixels holds: single ones by value, clusters, rows, columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import RawFrame
from rawfix.physics.neighbors import same_color_offsets

KINDS = ("warm", "hot", "dead", "stuck", "quiet", "cluster", "patch", "row", "column")
"""Single pixels: brighter than their surroundings by less, or more, than a quarter of white; darker; at white; or
no outlier in this frame. 2 to 9 that touch; more that touch; and lines."""
HOT = 0.25
SATURATED = 0.98
CLUSTER_MOST = 9
LINE_LEAST = 16
"""Length from which bad pixels in a row or column are a line, gaps of up to `LINE_GAP` included."""
LINE_GAP = 3
_NEIGHBORS = 12

Sites = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Bad pixels by how they lie.

    Attributes
    ----------
    singles
        ``(rows, columns)`` of pixels that touch no other.
    clusters, patches, rows, columns
        How many of each.
    """

    singles: Sites
    clusters: int
    patches: int
    rows: int
    columns: int


def in_lines(bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels of an ``(H, W)`` map belong to bad rows or columns."""
    y, x = np.nonzero(bad)
    belongs = np.zeros(bad.shape, bool)
    in_row, _, in_column, _ = _both(y, x)
    belongs[y, x] = in_row | in_column
    return belongs


def split_shapes(bad: NDArray[np.bool_]) -> Shapes:
    """Take lines out of an ``(H, W)`` map, then group what touches, corners included."""
    y, x = np.nonzero(bad)
    in_row, rows, in_column, columns = _both(y, x)
    rest = ~(in_row | in_column)
    y, x = y[rest], x[rest]
    if not y.size:
        return Shapes((y, x), 0, 0, rows, columns)
    _, group, sizes = np.unique(_components(y, x, bad.shape[1]), return_inverse=True, return_counts=True)
    alone = sizes[group] == 1
    clusters = int(((sizes > 1) & (sizes <= CLUSTER_MOST)).sum())
    return Shapes((y[alone], x[alone]), clusters, int((sizes > CLUSTER_MOST).sum()), rows, columns)


def count_kinds(frame: RawFrame, bad: NDArray[np.bool_]) -> dict[str, int]:
    """How many defects of each of `KINDS` an ``(H, W)`` map holds; clusters and lines count one each.

    Values are judged in this frame's counts against good samples of the same color nearby.
    """
    shapes = split_shapes(bad)
    rows, columns = shapes.singles
    counts = dict.fromkeys(KINDS, 0)
    counts |= {
        "cluster": shapes.clusters,
        "patch": shapes.patches,
        "row": shapes.rows,
        "column": shapes.columns,
    }
    if frame.cfa is None or not rows.size:
        return counts
    offsets = same_color_offsets(frame.cfa, _NEIGHBORS)[
        rows % frame.cfa.period[0], columns % frame.cfa.period[1]
    ]
    height, width = bad.shape
    y, x = rows[:, None] + offsets[..., 0], columns[:, None] + offsets[..., 1]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    around = np.where(inside & ~bad[y, x], _light(frame, y, x), np.nan)
    noise = frame.noise
    channel = np.minimum(frame.cfa.unit()[rows % frame.cfa.period[0], columns % frame.cfa.period[1]], 2)
    shot = np.asarray(noise.shot if noise else (0.0,) * 3)[channel]
    read = np.asarray(noise.read if noise else (1e-6,) * 3)[channel]
    found = judge(
        _light(frame, rows, columns), around, lambda light: np.sqrt(shot * np.maximum(light, 0) + read)
    )
    counts |= {kind: int(chosen.sum()) for kind, chosen in found.items()}
    return counts


def judge(
    value: NDArray[np.float64],
    around: NDArray[np.float64],
    sigma: Callable[[NDArray[np.float64]], NDArray[np.floating]],
) -> dict[str, NDArray[np.bool_]]:
    """Which of ``(N,)`` single samples are ``warm``, ``hot``, ``dead``, ``stuck``, or ``quiet``: no outlier here.

    Parameters
    ----------
    value, around
        ``(N,)``, and ``(N, count)`` good samples of the same color nearby, NaN where there is none; white at 1.
    sigma
        The noise's deviation at some light.
    """
    unknown = np.asarray(np.isnan(around).all(axis=1))
    surround = np.nanmedian(np.where(unknown[:, None], value[:, None], around), axis=1)
    excess = value - surround
    quiet = np.abs(excess) <= 3 * sigma(surround)
    stuck = ~quiet & (value >= SATURATED)
    bright = ~quiet & ~stuck & (excess > 0)
    hot = bright & (excess >= HOT)
    dead = ~quiet & ~stuck & (excess < 0)
    return {"warm": bright & ~hot, "hot": hot, "dead": dead, "stuck": stuck, "quiet": quiet}


def describe_kinds(counts: dict[str, int]) -> str:
    """The counts that are not zero, in words: ``"3 hot, 1 dead, 2 clusters, 1 column"``."""
    plural = {"cluster": "clusters", "patch": "patches", "row": "rows", "column": "columns"}
    words = [
        f"{number} {plural.get(kind, kind) if number > 1 else kind}"
        for kind, number in counts.items()
        if number
    ]
    return ", ".join(words)


def _light(frame: RawFrame, y: NDArray[np.intp], x: NDArray[np.intp]) -> NDArray[np.float64]:
    """Samples between black (0) and white (1)."""
    assert frame.cfa is not None
    black = frame.black[y % frame.black.shape[0], x % frame.black.shape[1]].astype(np.float64)
    if frame.black_rows is not None:
        black = black + frame.black_rows[y]
    if frame.black_columns is not None:
        black = black + frame.black_columns[x]
    channel = np.minimum(frame.cfa.unit()[y % frame.cfa.period[0], x % frame.cfa.period[1]], 2)
    return np.asarray((frame.mosaic[y, x] - black) / (np.asarray(frame.white)[channel] - black))


def _both(y: NDArray[np.intp], x: NDArray[np.intp]) -> tuple[NDArray[np.bool_], int, NDArray[np.bool_], int]:
    """Which pixels belong to rows, how many rows, and the same of columns; what is long both ways is neither."""
    none = np.zeros(y.size, bool)
    in_row, _ = _lines(y, x, none)
    in_column, _ = _lines(x, y, none)
    return (*_lines(y, x, in_column), *_lines(x, y, in_row))


def _lines(
    across: NDArray[np.intp], along: NDArray[np.intp], crossed: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], int]:
    """Which pixels belong to lines of one ``across``, and how many lines there are: half ``crossed``, it is none."""
    belongs = np.zeros(across.size, bool)
    if not across.size:
        return belongs, 0
    order = np.lexsort((along, across))
    a, b = across[order], along[order]
    run = np.cumsum(np.r_[0, (np.diff(a) != 0) | (np.diff(b) > LINE_GAP + 1)])
    first, last = (np.zeros(run[-1] + 1, np.intp) for _ in range(2))
    last[run], first[run[::-1]] = b, b[::-1]
    length, number = last - first + 1, np.bincount(run)
    is_line = (length >= LINE_LEAST) & (2 * number >= length)
    is_line &= 2 * np.bincount(run, crossed[order]) < number
    belongs[order] = is_line[run]
    return belongs, int(is_line.sum())


def _components(y: NDArray[np.intp], x: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """A label for each pixel, the same for pixels that touch; they come sorted by row, then column."""
    stride = width + 2
    place = y * stride + x + 1
    pairs = []
    for step in (1, stride - 1, stride, stride + 1):
        found = np.minimum(np.searchsorted(place, place + step), place.size - 1)
        touching = np.nonzero(place[found] == place + step)[0]
        pairs.append(np.stack((touching, found[touching])))
    one, other = np.concatenate(pairs, axis=1)
    label = np.arange(place.size)
    while True:
        least = np.minimum(label[one], label[other])
        before = label.copy()
        np.minimum.at(label, before[one], least)
        np.minimum.at(label, before[other], least)
        label = label[label]
        if (label == before).all():
            return label
