"""A picture as nature has them: leaves of any size over one another, some of them dark."""

from __future__ import annotations

import numpy as np

from rawfix.frame import Image
from rawfix.physics.psf import blur, gaussian


def dead_leaves(
    height: int, width: int, seed: int = 0, *, colorful: float = 0.3, sharp: float = 0.7
) -> Image:
    """``(H, W, 3)`` float32 linear light in 0…0.8; colors are ``colorful`` times as strong as brightness."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.full((height, width, 3), 0.2, np.float32)
    for _ in range(700):
        radius = 4 * (1 - rng.random()) ** -0.6
        row, column = rng.random(2) * (height, width)
        top, left = max(0, int(row - radius)), max(0, int(column - radius))
        part = np.s_[top : int(row + radius) + 2, left : int(column + radius) + 2]
        inside = (y[part] - row) ** 2 + (x[part] - column) ** 2 < radius**2
        level = 0.01 * 60 ** rng.random()
        picture[part][inside] = level * (1 + colorful * rng.uniform(-1, 1, 3))
    kernel = gaussian(sharp)
    return np.asarray(blur(picture, (kernel, kernel, kernel)), np.float32)
