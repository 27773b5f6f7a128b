"""Hard places of the training pictures: where least-squares demosaicing errs most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from rawfix.cfa import Cfa
from rawfix.training.data import Photo, turned

BLOCK = 48
"""Side of a block whose error is judged, in pixels."""
SHARE = 0.08
"""Share of all blocks that count as hard."""
MOST_OF_ONE = 0.02
"""Share of the hard blocks that one picture may have, so that a single moiré is not learnt by heart."""


@dataclass(frozen=True, slots=True)
class HardPlaces:
    """Blocks to draw crops around: ``places (N, 3)`` int, of picture, row and column of the block's corner."""

    photos: tuple[tuple[str, Photo], ...]
    places: np.ndarray

    def draw(self, size: int, rng: np.random.Generator) -> Photo:
        """A crop ``(size, size, 3)`` that holds a hard block as far as it fits, flipped and transposed at random."""
        index, y, x = self.places[rng.integers(len(self.places))]
        photo = self.photos[index][1]
        room = np.array((size - BLOCK, size - BLOCK))
        corner = np.array((y, x)) - rng.integers(np.minimum(room, 0), np.maximum(room, 0) + 1)
        top, left = np.clip(corner, 0, np.array(photo.shape[:2]) - size)
        return turned(photo[top : top + size, left : left + size], rng)


def _block_errors(photo: Photo, cfa: Cfa, linear: nn.Module) -> np.ndarray:
    """Mean squared error of linear demosaicing in encoded light, a block: ``(rows, columns)``."""
    rows, columns = (side // BLOCK for side in photo.shape[:2])
    truth = photo[: rows * BLOCK, : columns * BLOCK].astype(np.float32) / np.float32(255)
    mosaic = torch.from_numpy(cfa.mosaic(truth))[None, None]
    found = linear(mosaic)[0].permute(1, 2, 0).numpy()
    squared = ((found - truth) ** 2).mean(2)
    return np.asarray(squared.reshape(rows, BLOCK, columns, BLOCK).mean((1, 3)))


def find(photos: tuple[tuple[str, Photo], ...], cfa: Cfa, linear: nn.Module) -> HardPlaces:
    """Judge every block of every picture.

    Parameters
    ----------
    photos
        Named 8-bit sRGB pictures ``(H, W, 3)``, each side a block or more.
    cfa
        Canonical pattern, of three colors and a period that divides a block.
    linear
        A linear demosaic: ``(1, 1, H, W)`` → ``(1, 3, H, W)``.
    """
    blocks: list[tuple[float, int, int, int]] = []
    for index, (_, photo) in enumerate(photos):
        errors = _block_errors(photo, cfa, linear)
        blocks += [(float(errors[i, j]), index, i * BLOCK, j * BLOCK) for i, j in np.ndindex(errors.shape)]
    blocks.sort(reverse=True)
    hardest = blocks[: max(round(SHARE * len(blocks)), 1)]
    most = max(round(MOST_OF_ONE * len(hardest)), 1)
    taken: Counter[int] = Counter()
    kept: list[tuple[int, int, int]] = []
    for _, index, y, x in hardest:
        taken[index] += 1
        if taken[index] <= most:
            kept.append((index, y, x))
    return HardPlaces(photos, np.array(kept))
