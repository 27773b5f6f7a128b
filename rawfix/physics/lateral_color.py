"""Lateral chromatic aberration: red and blue are imaged a little larger or smaller than green.

Registration of small blocks against green, and a radial law through what they say. Blocks without edges, with clipped
samples, or whose channels differ by more than place, have no say.

References
----------
Radial law: Mallon and Whelan 2007, "Calibration and removal of lateral chromatic aberration in images".
Registration: Lucas and Kanade 1981.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

Rows = Callable[[int, int], Image]
"""Rows from one up to another of a camera image, ``(h, W, 3)`` float32."""
Float = NDArray[np.float64]
Law = tuple[float, float]

BLOCK, MARGIN = 32, 8
"""Side of a block and what is read around it, in pixels."""
GRID = 24
"""Cells along the longer side; each sends its most telling block."""
LEAST_BLOCKS = 16
FARTHEST = 6.0
"""Greatest shift that is believed, in pixels."""
_FLOOR = 0.05
"""Pixels that a block may be wrong beyond what its residual tells."""
_SURE, _LEAST_SHIFT = 30.0, 0.05
"""Square of deviations from zero, and greatest shift in pixels, from which on a law is believed."""


@dataclass(frozen=True, slots=True)
class LateralColor:
    """Shift of red and of blue outwards from green's place, in pixels: ``a·r + b·r³``.

    ``r`` is the distance from the picture's center in half diagonals. All zero where nothing was found.
    """

    red: Law = (0.0, 0.0)
    blue: Law = (0.0, 0.0)

    def reach(self) -> float:
        """Greatest shift of either channel, in pixels."""
        r = np.linspace(0, 1, 65)
        return max(float(np.abs(_basis(r) @ np.asarray(law)).max()) for law in (self.red, self.blue))

    def toward(self, other: LateralColor, share: float) -> LateralColor:
        """The law at a share of the way to another; the very law at 0."""
        if not share:
            return self
        red, blue = (
            tuple(float(a + share * (b - a)) for a, b in zip(mine, its, strict=True))
            for mine, its in ((self.red, other.red), (self.blue, other.blue))
        )
        return LateralColor((red[0], red[1]), (blue[0], blue[1]))


def estimate_lateral_color(
    rows: Rows, shape: tuple[int, int], clip: tuple[float, float, float]
) -> LateralColor:
    """Find how red and blue are shifted against green.

    Parameters
    ----------
    rows
        The camera image, linear, white-balanced.
    shape
        Its height and width; its center is the lens's.
    clip
        Value at which each channel saturates; infinite where none does.

    Returns
    -------
    LateralColor
        Zero for a channel of which fewer than `LEAST_BLOCKS` blocks tell anything, or whose law is no more than
        chance.
    """
    blocks, places = _telling_blocks(rows, shape, np.asarray(clip, np.float32))
    if len(blocks) < LEAST_BLOCKS:
        return LateralColor()
    center = (np.asarray(shape) - 1) / 2
    offsets = (places + (BLOCK - 1) / 2 - center) / np.hypot(*center)
    red, blue = (_law(blocks[..., channel], blocks[..., 1], offsets) for channel in (0, 2))
    return LateralColor(red, blue)


def _telling_blocks(rows: Rows, shape: tuple[int, int], clip: NDArray[np.float32]) -> tuple[Image, Float]:
    """``(N, side, side, 3)`` blocks with their margin, and ``(N, 2)`` rows and columns where they begin inside it."""
    height, width = shape
    across = (width - 2 * MARGIN) // BLOCK
    lines = range(MARGIN, height - MARGIN - BLOCK + 1, BLOCK)
    if across < 1 or not lines:
        return np.empty((0, 1, 1, 3), np.float32), np.empty((0, 2))
    cell = max(1, round(max(height, width) / GRID / BLOCK))
    side = BLOCK + 2 * MARGIN
    best: dict[tuple[int, int], tuple[float, Image, tuple[int, int]]] = {}
    for number, y in enumerate(lines):
        strip = rows(y - MARGIN, y + BLOCK + MARGIN)
        for column, energy in enumerate(_energies(strip, across, clip)):
            key = (number // cell, column // cell)
            if energy > 0 and (key not in best or energy > best[key][0]):
                x = MARGIN + column * BLOCK
                best[key] = (energy, strip[:, x - MARGIN : x - MARGIN + side].copy(), (y, x))
    if not best:
        return np.empty((0, side, side, 3), np.float32), np.empty((0, 2))
    _, blocks, places = zip(*best.values(), strict=True)
    return np.stack(blocks), np.asarray(places, np.float64)


def _energies(strip: Image, across: int, clip: NDArray[np.float32]) -> Float:
    """How much green's edges of each block of a strip tell, relative to its light; 0 where a sample is clipped."""
    green = strip[MARGIN:-MARGIN, MARGIN : MARGIN + across * BLOCK, 1]
    parts = green.reshape(BLOCK, across, BLOCK)
    energy = (np.diff(parts, axis=0) ** 2).sum((0, 2)) + (np.diff(parts, axis=2) ** 2).sum((0, 2))
    level = np.maximum(parts.mean((0, 2)), 1e-3)
    wide = strip[:, : 2 * MARGIN + across * BLOCK]
    blown = (wide >= 0.9 * clip).any((0, 2))
    edges = np.arange(across) * BLOCK
    counted = np.concatenate(([0], np.cumsum(blown)))
    clipped = counted[edges + BLOCK + 2 * MARGIN] > counted[edges]
    return np.where(clipped, 0.0, energy / level).astype(np.float64)


def _law(channel: Image, green: Image, offsets: Float) -> Law:
    """The radial law of one channel's blocks."""
    shifts = np.zeros((len(channel), 2))
    fine = _smooth(channel, 1), _smooth(green, 1)
    coarse = _smooth(fine[0], 3), _smooth(fine[1], 3)
    for planes in (coarse, coarse, fine, fine):
        found, information = _register(*planes, shifts)
        shifts = np.clip(shifts + np.clip(found, -1.5, 1.5), -FARTHEST, FARTHEST)
    law, _ = _fit(shifts, information, offsets)
    for _ in range(2):
        start = _shift_of(law, offsets)
        found, information = _register(*fine, start)
        law, sure = _fit(start + np.clip(found, -1.0, 1.0), information, offsets)
    peak = float(np.abs(_basis(np.linspace(0, 1, 65)) @ law).max())
    if sure < _SURE or not _LEAST_SHIFT <= peak <= FARTHEST:
        return (0.0, 0.0)
    # Of as many digits as single precision holds: what is kept in a file is what was used.
    a, b = (float(np.float32(value)) for value in law)
    return a, b


def _register(channel: Image, green: Image, shifts: Float) -> tuple[Float, Float]:
    """What is left of the shift of each block, ``(N, 2)`` in y and x, and its inverse covariance ``(N, 2, 2)``.

    The channel, moved back by the shifts, is explained by green and its slopes: ``α·green + β + α·shift·∇green``.
    """
    inner = np.s_[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    moved = _moved(channel, shifts)[inner].reshape(len(channel), -1)
    slope_y = (0.5 * (np.roll(green, -1, 1) - np.roll(green, 1, 1)))[inner]
    slope_x = (0.5 * (np.roll(green, -1, 2) - np.roll(green, 1, 2)))[inner]
    columns = [green[inner], np.ones_like(slope_y), slope_y, slope_x]
    design = np.stack([c.reshape(len(channel), -1) for c in columns], 1).astype(np.float64)
    gram = design @ design.transpose(0, 2, 1)
    gram += 1e-9 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(4)
    target = moved.astype(np.float64)[..., None]
    solution = np.linalg.solve(gram, design @ target)[..., 0]
    left = ((target - design.transpose(0, 2, 1) @ solution[..., None]) ** 2).mean((1, 2))
    spread = moved.var(1)
    scale = solution[:, 0]
    usable = (scale > 0.05) & (left < 0.1 * spread)
    scale = np.where(usable, scale, 1.0)
    # Neighboring samples are alike: a ninth of them counts.
    covariance = np.linalg.inv(gram)[:, 2:, 2:] * (9 * np.maximum(left, 1e-12) / scale**2)[:, None, None]
    information = np.linalg.inv(covariance + _FLOOR**2 * np.eye(2)) * usable[:, None, None]
    return np.where(usable[:, None], -solution[:, 2:] / scale[:, None], 0.0), information


def _fit(shifts: Float, information: Float, offsets: Float) -> tuple[Float, float]:
    """The law through blocks' shifts, outliers set aside, and how far from zero it is: squared deviations."""
    radius = np.maximum(np.hypot(*offsets.T), 1e-9)
    design = offsets[..., None] * (_basis(radius) / radius[:, None])[:, None, :]
    weights = np.ones(len(shifts))
    law, sure = np.zeros(2), 0.0
    for _ in range(20):
        weighed = information * weights[:, None, None]
        normal = np.einsum("nai,nab,nbj->ij", design, weighed, design) + 0.1 * np.eye(2)
        law = np.linalg.solve(normal, np.einsum("nai,nab,nb->i", design, weighed, shifts))
        left = shifts - design @ law
        distance = np.einsum("na,nab,nb->n", left, information, left)
        said = information[:, 0, 0] > 0
        if np.count_nonzero(said) < LEAST_BLOCKS:
            return np.zeros(2), 0.0
        spread = max(
            float(np.median(distance[said])) / 1.386, 1.0
        )  # the median of χ² with two degrees of freedom
        weights = 1 / (1 + distance / (4 * spread))
        sure = float(law @ normal @ law) / spread
    return law, sure


def _basis(radius: Float) -> Float:
    return np.stack((radius, radius**3), -1)


def _shift_of(law: Float, offsets: Float) -> Float:
    radius = np.maximum(np.hypot(*offsets.T), 1e-9)
    return np.asarray(offsets * (_basis(radius) @ law / radius)[:, None])


def _smooth(blocks: Image, passes: int) -> Image:
    """Binomial smoothing along both axes; blocks' rims wrap around, inside their margin."""
    for _ in range(passes):
        for axis in (1, 2):
            blocks = 0.5 * blocks + 0.25 * (np.roll(blocks, 1, axis) + np.roll(blocks, -1, axis))
    return blocks


def _moved(blocks: Image, shifts: Float) -> Image:
    """Each block as seen from its shift: ``moved(p) = block(p + shift)``, cubic (Catmull-Rom)."""
    for axis in (1, 2):
        shift = shifts[:, axis - 1]
        whole = np.floor(shift)
        u = (shift - whole)[:, None, None]
        weights = (
            ((2 - u) * u - 1) * u / 2,
            ((3 * u - 5) * u * u + 2) / 2,
            ((4 - 3 * u) * u + 1) * u / 2,
            (u - 1) * u * u / 2,
        )
        places = np.arange(blocks.shape[axis]) + whole[:, None].astype(int)
        of = np.arange(len(blocks))[:, None]
        lines = blocks if axis == 1 else blocks.transpose(0, 2, 1)
        moved = np.zeros(lines.shape, np.float32)
        for tap, weight in enumerate(weights, start=-1):
            index = np.clip(places + tap, 0, blocks.shape[axis] - 1)
            moved += weight.astype(np.float32) * lines[of, index]
        blocks = moved if axis == 1 else moved.transpose(0, 2, 1)
    return blocks
