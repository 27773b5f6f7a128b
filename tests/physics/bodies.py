"""Simulated bodies with known defects, and scenes for them to photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.frame import Image, NoiseModel
from rawfix.physics.noise import draw_white, quantize
from rawfix.physics.psf import blur, gaussian
from tests.conftest import noise_at

SIZE = (192, 256)
WHITE = 15871
CFA = Cfa.from_rows("RG", "GB")


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Defects that stay where they are: ``(H, W)`` masks, and what the bright ones add, of white."""

    warm: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    stuck: NDArray[np.bool_]
    added: Image

    @property
    def bad(self) -> NDArray[np.bool_]:
        """All of them."""
        return self.warm | self.dead | self.stuck


def make_body(rng: np.random.Generator, number: int = 150, column: int | None = 101) -> Body:
    """Single defects, a third of each kind, and one column that is 0.2 too bright."""
    masks = [np.zeros(SIZE, bool) for _ in range(3)]
    sites = rng.choice(SIZE[0] * SIZE[1], number, replace=False)
    for index, site in enumerate(sites):
        masks[index % 3].flat[site] = True
    warm, dead, stuck = masks
    added = np.where(warm, np.exp(rng.uniform(np.log(0.05), np.log(0.8), SIZE)), 0).astype(np.float32)
    if column is not None:
        added[:, column] = 0.2
        warm[:, column] = True
    return Body(warm & ~dead & ~stuck, dead, stuck, added)


def photograph(light: Image, body: Body, iso: float, rng: np.random.Generator) -> tuple[Image, NoiseModel]:
    """``(H, W)`` mosaic before white balance, black 0, white 1, and the noise it was made with."""
    noise = noise_at(iso)
    signal = CFA.mosaic(light / np.float32([2, 1, 1.5])) + body.added
    signal = signal + draw_white(signal, noise.shot[1], noise.read[1], rng)
    signal[body.dead] = 0
    signal[body.stuck] = 1
    return quantize(np.minimum(signal, 1), WHITE, black=512), noise


def scene(rng: np.random.Generator) -> Image:
    """Edges, discs, bars, and gratings of random color through a good lens: ``(H, W, 3)``."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    light = np.full((*SIZE, 3), rng.uniform(0.02, 0.3), np.float32)
    for _ in range(20):
        angle = rng.uniform(0, np.pi)
        dy, dx = y - rng.uniform(0, SIZE[0]), x - rng.uniform(0, SIZE[1])
        along, across = dy * np.cos(angle) + dx * np.sin(angle), dx * np.cos(angle) - dy * np.sin(angle)
        shape = (
            across > 0,
            np.hypot(along, across) < rng.uniform(1, 30),
            (np.abs(across) < rng.uniform(0.4, 2)) & (np.abs(along) < rng.uniform(10, 80)),
            (np.hypot(along, across) < 40) * (np.sin(across * rng.uniform(0.3, 2)) / 2 + 0.5),
        )[rng.integers(4)]
        light += np.float32(shape)[..., None] * (rng.uniform(0, 0.5, 3).astype(np.float32) - light * 0.2)
    return blur(np.clip(light, 0, 1.2), (gaussian(0.6),) * 3)
