"""From the camera's own colors to linear Rec. 2020."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.color.matrices import xyz_to_rgb
from rawfix.color.spaces import WORKING
from rawfix.frame import Image

_STRIP = 128


def camera_to_working(
    cam_to_xyz: NDArray[np.float64],
    wb_ratio: tuple[float, float, float] = (1.0, 1.0, 1.0),
    exposure: float = 0.0,
) -> NDArray[np.float64]:
    """The one matrix of `to_working`, ``(3, 3)`` float64, column vectors."""
    balance = np.diag(np.asarray(wb_ratio, np.float64) * 2.0**exposure)
    return np.asarray(xyz_to_rgb(WORKING) @ cam_to_xyz @ balance)


def to_working(
    camera: Image,
    cam_to_xyz: NDArray[np.float64],
    wb_ratio: tuple[float, float, float] = (1.0, 1.0, 1.0),
    exposure: float = 0.0,
    *,
    in_place: bool = False,
) -> Image:
    """Convert camera colors to the working space, with white balance and exposure in the same matrix.

    Parameters
    ----------
    camera
        ``(H, W, 3)`` float32, linear, balanced with the as-shot multipliers, signed; not mutated but for
        ``in_place``.
    cam_to_xyz
        ``(3, 3)`` white-balanced camera → XYZ (D65), as in `RawFrame`.
    wb_ratio
        The chosen multipliers over the as-shot ones (`white_balance.wb_ratio`).
    exposure
        Stops, applied as a factor ``2 ** exposure``.
    in_place
        Write into ``camera``, where it is C-contiguous and nobody else needs it: saves a copy of the picture.

    Returns
    -------
    Image
        ``(H, W, 3)`` float32, linear Rec. 2020, signed and unclipped. Works in strips.
    """
    matrix = np.ascontiguousarray(camera_to_working(cam_to_xyz, wb_ratio, exposure).T.astype(np.float32))
    working = camera if in_place and camera.flags.c_contiguous else np.empty(camera.shape, np.float32)
    for y in range(0, camera.shape[0], _STRIP):
        np.matmul(camera[y : y + _STRIP], matrix, out=working[y : y + _STRIP])
    return working
