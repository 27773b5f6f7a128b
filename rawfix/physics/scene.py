"""From a finished photograph back to the light a camera saw.

A finished photograph is 8-bit sRGB; its light, with drawn white balance and color matrix undone, is what a
sensor would have measured.

References
----------
Brooks et al. 2019, "Unprocessing Images for Learned Raw Denoising", arXiv:1811.11127.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import Image

SRGB_DECODE: Image = np.where(
    np.arange(256) <= 10,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
).astype(np.float32)
"""Linear light of each 8-bit sRGB value (IEC 61966-2-1)."""


@dataclass(frozen=True, slots=True)
class Light:
    """How a scene meets a camera.

    Attributes
    ----------
    exposure
        Factor on linear light.
    wb
        White-balance multipliers (red, green, blue), green = 1: the camera's raw neutral is ``1 / wb``.
    rgb_to_camera
        ``(3, 3)`` linear sRGB → white-balanced camera, rows sum to 1 so that grays stay gray.
    """

    exposure: float
    wb: tuple[float, float, float]
    rgb_to_camera: NDArray[np.float32]


def linearize(photograph: NDArray[np.uint8]) -> Image:
    """8-bit sRGB → linear sRGB light, ``(H, W, 3)`` float32 in 0…1."""
    return SRGB_DECODE[photograph]


def saturation_matrix(amounts: NDArray[np.float64]) -> NDArray[np.float32]:
    """A camera matrix from six crosstalk amounts: unit row sums, off-diagonals ``amounts`` in order."""
    matrix = np.zeros((3, 3))
    matrix[~np.eye(3, dtype=bool)] = amounts
    np.fill_diagonal(matrix, 1 - matrix.sum(1))
    return matrix.astype(np.float32)


def to_camera(linear: Image, light: Light) -> Image:
    """Linear sRGB → white-balanced camera light ``(H, W, 3)``, float32, unclipped (may exceed 1)."""
    return np.asarray((linear * np.float32(light.exposure)) @ light.rgb_to_camera.T, np.float32)
