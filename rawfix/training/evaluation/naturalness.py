"""How far a picture's statistics are from those of good photographs: NIQE, without a truth to compare with.

Mittal, Soundararajan and Bovik 2013, "Making a completely blind image quality analyzer",
doi:10.1109/LSP.2012.2227726. Luma, freed of its local mean and contrast, is described patch by patch by generalised
Gaussians, of itself and of the products of neighbours, at two scales. The distance between the Gaussian of these
figures and that of photographs is the measure: less is more natural. The photographs are the caller's, so figures
compare within one run and not with those of the authors' own photographs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from rawfix.training.evaluation.protocol import Photo
from rawfix.training.shrink import shrink_bicubic

PATCH = 96
SHARP = 0.75
"""Patches of the photographs count whose mean contrast is above this share of the picture's sharpest one's."""
_LUMA = np.array((65.481, 128.553, 24.966)) / 255
_NEIGHBORS = ((0, 1), (1, 0), (1, 1), (1, -1))
_SHAPES = np.arange(0.2, 10.001, 0.001)
_GAMMA = np.vectorize(math.gamma)
_RATIOS = _GAMMA(2 / _SHAPES) ** 2 / (_GAMMA(1 / _SHAPES) * _GAMMA(3 / _SHAPES))
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Naturalness:
    """The statistics of photographs: mean ``(36,)`` and covariance ``(36, 36)`` of their patches' figures."""

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, photographs: Iterable[Photo]) -> Naturalness:
        """From 8-bit sRGB pictures ``(H, W, 3)``; raises `ValueError` where they hold too few patches of 96 pixels."""
        found = [
            figures[sharp > SHARP * sharp.max()]
            for figures, sharp in map(_patches, photographs)
            if len(sharp)
        ]
        rows = np.concatenate(found) if found else np.zeros((0, 36))
        if len(rows) < 100:
            raise ValueError(f"{len(rows)} sharp patches of {PATCH} pixels: naturalness needs 100 or more")
        return cls(rows.mean(0), np.cov(rows, rowvar=False))

    def distance(self, picture: Photo) -> float:
        """NIQE of an 8-bit sRGB picture ``(H, W, 3)``, with sides of at least 192 pixels: less is more natural."""
        rows, _ = _patches(picture)
        off = rows.mean(0) - self.mean
        pooled = (np.cov(rows, rowvar=False) + self.covariance) / 2
        return float(np.sqrt(off @ np.linalg.pinv(pooled) @ off))


def _patches(picture: Photo) -> tuple[Floats, Floats]:
    """Figures ``(n, 36)`` and mean contrast ``(n,)`` of the whole patches of a picture."""
    height, width = (length // PATCH * PATCH for length in picture.shape[:2])
    luma = torch.from_numpy(picture[:height, :width] @ _LUMA + 16)[None, None]
    each, sharp = [], np.zeros(0)
    for scale in (1, 2):
        side = PATCH // scale
        plain, contrast = _normalized(luma)
        blocks = _blocks(plain, side)
        each.append(np.concatenate([_own(blocks), *(_products(blocks, move) for move in _NEIGHBORS)], 1))
        if scale == 1:
            sharp = _blocks(contrast, side).mean((1, 2))
            luma = shrink_bicubic(luma, 2)
    return np.concatenate(each, 1), sharp


def _normalized(luma: torch.Tensor) -> tuple[Floats, Floats]:
    """Luma freed of its local mean and contrast, and the contrast: a Gaussian window of 7 pixels."""
    window = torch.exp(-0.5 * (torch.arange(-3, 4, dtype=torch.float64) / (7 / 6)) ** 2)
    window = window / window.sum()

    def blur(plane: torch.Tensor) -> torch.Tensor:
        padded = F.pad(plane, (3, 3, 3, 3), mode="replicate")
        return F.conv2d(F.conv2d(padded, window[None, None, :, None]), window[None, None, None])

    mean = blur(luma)
    contrast = (blur(luma * luma) - mean * mean).abs().sqrt()
    return ((luma - mean) / (contrast + 1))[0, 0].numpy(), contrast[0, 0].numpy()


def _blocks(plane: Floats, side: int) -> Floats:
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    return plane.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def _own(blocks: Floats) -> Floats:
    """Shape and scale of the samples: ``(n, 2)``."""
    shape, left, right = _asymmetric(blocks)
    return np.stack((shape, (left + right) / 2), 1)


def _products(blocks: Floats, move: tuple[int, int]) -> Floats:
    """Shape, mean and both scales of the products of neighbours: ``(n, 4)``."""
    shape, left, right = _asymmetric(blocks * np.roll(blocks, move, (1, 2)))
    mean = (right - left) * _GAMMA(2 / shape) / _GAMMA(1 / shape)
    return np.stack((shape, mean, left, right), 1)


def _asymmetric(blocks: Floats) -> tuple[Floats, Floats, Floats]:
    """Asymmetric generalised Gaussian by moments (Lasmar, Stitou and Berthoumieu 2009): shape, left and right scale."""
    flat = blocks.reshape(len(blocks), -1)

    def deviation(side: NDArray[np.bool_]) -> Floats:
        return np.sqrt((flat**2 * side).sum(1) / np.maximum(side.sum(1), 1)) + 1e-12

    left, right = deviation(flat < 0), deviation(flat > 0)
    skew = left / right
    ratio = np.abs(flat).mean(1) ** 2 / ((flat**2).mean(1) + 1e-12)
    ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = _SHAPES[np.abs(_RATIOS - ratio[:, None]).argmin(1)]
    spread = np.sqrt(_GAMMA(1 / shape) / _GAMMA(3 / shape))
    return shape, left * spread, right * spread
