"""Bad pixels: planted outliers, clusters and lines, with the truth of where they are.

Signals are linear mosaics, black 0, white 1. Draws and scales follow the data recipe of US 2025/0265683 A1;
the scale of the Laplace and Cauchy draws is a choice made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

Bool = NDArray[np.bool_]
Draw = Literal["zero", "saturation", "uniform", "laplace", "cauchy"]
Mode = Literal["substitute", "add", "multiply"]

DRAWS: tuple[Draw, ...] = ("zero", "saturation", "uniform", "laplace", "cauchy")
MODES: tuple[Mode, ...] = ("substitute", "add", "multiply")


@dataclass(frozen=True, slots=True)
class Defects:
    """How often each kind of defect occurs.

    Attributes
    ----------
    probability
        Bernoulli probability that a site is bad, shared evenly by `DRAWS` and `MODES`.
    clusters
        Expected clusters of touching sites, per million pixels.
    lines
        Expected whole or part rows and columns, per frame.
    blocks
        Share of the clusters that are blocks of 1×2 to 3×3, the others being chains of 2–4 sites; where there are
        blocks, half of all clusters read one value throughout.
    scale
        Scale of the Laplace and Cauchy draws, of white.
    """

    probability: float = 1e-3
    clusters: float = 0.0
    lines: float = 0.0
    scale: float = 0.25
    blocks: float = 0.5


_BLOCKS = ((2, 2), (2, 2), (2, 2), (1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2), (3, 3))
"""Heights and widths of blocks, each as often as it stands here: what hits a sensor hits whole neighborhoods."""


def mark(shape: tuple[int, int], defects: Defects, rng: np.random.Generator) -> tuple[Bool, Bool]:
    """Draw where defects sit: ``(points, lines)``, two ``(H, W)`` masks; points hold single sites and clusters."""
    groups, lines = _draw_places(shape, defects, rng)
    return groups > 0, lines


def _draw_places(
    shape: tuple[int, int], defects: Defects, rng: np.random.Generator
) -> tuple[NDArray[np.int32], Bool]:
    """As `mark`; of the points: 1 for a single site, another number for each cluster, 0 for good ones."""
    height, width = shape
    groups = (rng.random(shape) < defects.probability).astype(np.int32)
    for index in range(rng.poisson(defects.clusters * height * width / 1e6)):
        y, x = int(rng.integers(height)), int(rng.integers(width))
        if defects.blocks and rng.random() < defects.blocks:
            tall, wide = _BLOCKS[int(rng.integers(len(_BLOCKS)))]
            groups[y : y + tall, x : x + wide] = index + 2
            continue
        for _ in range(int(rng.integers(2, 5))):
            groups[y, x] = index + 2
            step_y, step_x = rng.integers(-1, 2, 2)
            y, x = int(np.clip(y + step_y, 0, height - 1)), int(np.clip(x + step_x, 0, width - 1))
    lines = np.zeros(shape, bool)
    for _ in range(rng.poisson(defects.lines)):
        is_column = rng.random() < 0.6
        along, across = (height, width) if is_column else (width, height)
        position = int(rng.integers(across))
        start = 0 if rng.random() < 0.5 else int(rng.integers(along))
        if is_column:
            lines[start:, position] = True
        else:
            lines[position, start:] = True
    return groups, lines


def corrupt(values: Image, draw: Draw, mode: Mode, scale: float, rng: np.random.Generator) -> Image:
    """New values of bad sites ``(N,)``; "zero" and "saturation" always substitute. Not clipped."""
    if draw == "zero":
        return np.zeros_like(values)
    if draw == "saturation":
        return np.ones_like(values)
    if draw == "uniform":
        delta = rng.uniform(-1, 1, values.shape)
        centered = 0.5 + delta / 2
    elif draw == "laplace":
        delta = rng.laplace(0, scale, values.shape)
        centered = 0.5 + delta
    else:
        delta = scale * rng.standard_cauchy(values.shape)
        centered = 0.5 + delta
    if mode == "substitute":
        return np.asarray(centered, np.float32)
    return np.asarray(values + delta if mode == "add" else values * np.abs(1 + 4 * delta), np.float32)


def plant(mosaic: Image, defects: Defects, rng: np.random.Generator) -> tuple[Image, Bool]:
    """Plant defects in a copy of a mosaic.

    Parameters
    ----------
    mosaic
        ``(H, W)`` float32, linear, 0…1 of white.
    defects
        How often what happens.

    Returns
    -------
    corrupted, bad
        ``(H, W)`` float32, bad sites clipped to 0…1; and the bool truth.
    """
    groups, lines = _draw_places((mosaic.shape[0], mosaic.shape[1]), defects, rng)
    points = groups > 0
    out = mosaic.copy()
    values = mosaic[points]
    draws, modes = rng.integers(len(DRAWS), size=values.size), rng.integers(len(MODES), size=values.size)
    new = values.copy()
    for index, draw in enumerate(DRAWS):
        for which, mode in enumerate(MODES):
            chosen = (draws == index) & (modes == which)
            if chosen.any():
                new[chosen] = corrupt(values[chosen], draw, mode, defects.scale, rng)
    group = groups[points]
    for cluster in np.unique(group[group > 1]):
        if defects.blocks and rng.random() < 0.5:
            one = values[group == cluster].mean(keepdims=True)
            draw = DRAWS[int(rng.integers(len(DRAWS)))]
            new[group == cluster] = corrupt(one, draw, "substitute", defects.scale, rng)
    out[points] = np.clip(new, 0, 1)
    if lines.any():
        kind = rng.integers(4)
        offset = np.float32(rng.choice((-1, 1)) * rng.uniform(0.02, 0.3))
        changed = (np.zeros(1), np.ones(1), mosaic[lines] + offset, mosaic[lines] * (1 + offset))[kind]
        out[lines] = np.clip(changed, 0, 1)
    return out, points | lines
