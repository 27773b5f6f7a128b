"""The point spread function of lens and sensor from measured edges: over the field of a chart, or of any frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import PsfModel
from rawfix.physics.edges import Edge

Float = NDArray[np.float64]

LEAST, MOST = 0.4, 2.0
"""Deviations in pixels between which a width estimated from a frame of anything is believed, up to which a chart's."""
LEAST_EDGES = 8
_SHARPEST = 0.25
"""Share of a photograph's edges that are taken for sharp: the others are soft themselves, or out of focus."""
_ROUNDS = 20


def radius_of(edge: Edge, shape: tuple[int, int]) -> float:
    """Distance from the center in half diagonals."""
    height, width = shape
    return float(np.hypot(edge.y - height / 2, edge.x - width / 2) / np.hypot(height / 2, width / 2))


def fit_field(edges: Sequence[Edge], shape: tuple[int, int]) -> PsfModel | None:
    """The widths of a chart's edges as a function of the distance from the center.

    ``variance = c₀ + c₁·radius²`` with ``c₁`` at least 0, by a robust line for each channel; constant where the edges
    span less than a third of the half diagonal. A channel with less than `LEAST_EDGES` edges takes green's line.

    Parameters
    ----------
    edges
        From `rawfix.physics.edges.find_edges`.
    shape
        ``(height, width)`` of the frame.

    Returns
    -------
    PsfModel or None
        ``source="calibrated"``; None where there are too few edges for any channel.
    """
    radius = np.array([radius_of(edge, shape) for edge in edges])
    widths = np.array([edge.sigmas for edge in edges], np.float64).reshape(-1, 3)
    lines = [_line(radius, widths[:, channel]) for channel in range(3)]
    default = next((lines[channel] for channel in (1, 0, 2) if lines[channel] is not None), None)
    if default is None:
        return None
    center, corner = [], []
    for line in lines:
        start, slope = line or default
        center.append(float(np.sqrt(max(start, 0.0))))
        corner.append(float(np.sqrt(max(start + slope, 0.0))))
    return PsfModel((center[0], center[1], center[2]), (corner[0], corner[1], corner[2]), "calibrated")


def _line(radius: Float, width: Float) -> tuple[float, float] | None:
    known = np.isfinite(width)
    if known.sum() < LEAST_EDGES:
        return None
    where, variance = radius[known] ** 2, width[known] ** 2
    if np.ptp(radius[known]) < 1 / 3:
        return float(np.median(variance)), 0.0
    weight = np.ones_like(variance)
    start, slope = float(np.median(variance)), 0.0
    for _ in range(_ROUNDS):
        mean_x, mean_y = np.average(where, weights=weight), np.average(variance, weights=weight)
        spread = np.average((where - mean_x) ** 2, weights=weight)
        slope = max(float(np.average((where - mean_x) * (variance - mean_y), weights=weight) / spread), 0.0)
        start = float(mean_y - slope * mean_x)
        residual = np.abs(variance - start - slope * where)
        scale = max(1.4826 * float(np.median(residual)), 1e-4)
        weight = 1 / (1 + (residual / scale) ** 2)
    return start, slope


def estimate_width(edges: Sequence[Edge]) -> PsfModel | None:
    """One width a channel from the sharpest quarter of a photograph's edges.

    Returns
    -------
    PsfModel or None
        ``source="estimated"``, the same everywhere, between `LEAST` and `MOST`; None where there are less than
        `LEAST_EDGES` edges.
    """
    widths = np.array([edge.sigmas for edge in edges], np.float64).reshape(-1, 3)
    known = np.isfinite(widths)
    if known.sum(0).max(initial=0) < LEAST_EDGES:
        return None
    best = int(np.argmax(known.sum(0)))
    found = []
    for channel in range(3):
        which = channel if known[:, channel].sum() >= LEAST_EDGES else best
        sharp = float(np.quantile(widths[known[:, which], which], _SHARPEST))
        found.append(min(max(sharp, LEAST), MOST))
    sigmas = (found[0], found[1], found[2])
    return PsfModel(sigmas, sigmas, "estimated")
