"""Which multipliers make the light white.

The mosaic is always normalised with the as-shot multipliers; another choice reaches the picture later, as a
ratio folded into `to_working`'s matrix. So one run of the networks serves every white balance.

What is known of the sensor: `RawFrame.cam_to_xyz` is the inverse of the native XYZ → camera matrix after its
rows were scaled to answer (1, 1, 1) to D65. With ``d`` the multipliers that make D65 white,

    native = diag(1 / d) · inverse(cam_to_xyz)

up to a common factor. The scale of the rows, ``d``, is lost in `cam_to_xyz`; a caller who still has the
native matrix passes it. Without it ``d = as_shot`` is assumed, that is, a photograph taken in daylight:
"daylight" then is as-shot, and a temperature counts from 6504 K as the as-shot light. The direction and size
of the step are right, its starting point is a guess.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.color.matrices import D65, Chromaticity, xy_to_xyz, xyz_to_xy
from rawfix.color.temperature import kelvin_to_xy, xy_to_kelvin
from rawfix.errors import SettingsError
from rawfix.frame import Image

Multipliers = tuple[float, float, float]

HELP = "as-shot, daylight, auto, KELVIN, KELVIN,TINT or R,G,B"
_BLOCK = 8
_MINKOWSKI = 6.0
_DARK, _CLIPPED = 0.02, 0.95


def wb_multipliers(
    choice: str,
    as_shot: Multipliers,
    cam_to_xyz: NDArray[np.float64],
    camera: Image | None = None,
    xyz_to_native: NDArray[np.float64] | None = None,
) -> Multipliers:
    """Multipliers for the sensor's unbalanced values.

    Parameters
    ----------
    choice
        ``as-shot``; ``daylight`` (D65); ``auto`` (from the picture); ``R,G,B`` (multipliers, e.g.
        ``2.1,1,1.4``); ``KELVIN`` or ``KELVIN,TINT`` (``5200,-8``), see `rawfix.color.temperature`.
    as_shot
        The camera's multipliers.
    cam_to_xyz
        ``(3, 3)`` white-balanced camera → XYZ (D65).
    camera
        ``(H, W, 3)`` float32, linear, balanced with ``as_shot``; only ``auto`` looks at it.
    xyz_to_native
        ``(3, 3)`` XYZ → unbalanced camera, at any scale, where known (a DNG's ColorMatrix for D65).

    Returns
    -------
    tuple of float
        Red, green, blue; green = 1.

    Raises
    ------
    SettingsError
        The choice cannot be understood, is out of range, or gives a light this sensor cannot see as white.
    """
    if choice == "as-shot":
        return _green_one(np.asarray(as_shot, np.float64), choice)
    if choice == "auto":
        if camera is None:
            raise ValueError("auto white balance needs the picture")
        return _green_one(np.asarray(as_shot) * _gray_ratio(camera, as_shot), choice)
    if choice == "daylight":
        light: Chromaticity = D65
    else:
        numbers = _numbers(choice)
        if len(numbers) == 3:
            return _green_one(np.asarray(numbers), choice)
        try:
            light = kelvin_to_xy(*numbers)
        except SettingsError as error:
            raise SettingsError(f"--wb {choice}: {error}; give {HELP}") from None
    native = _native(as_shot, cam_to_xyz, xyz_to_native)
    return _green_one(1.0 / np.maximum(native @ xy_to_xyz(light), 1e-12), choice)


def wb_ratio(chosen: Multipliers, as_shot: Multipliers) -> Multipliers:
    """What `to_working` applies on top of the as-shot balance; exactly (1, 1, 1) for the as-shot choice."""
    red, green, blue = (c / a for c, a in zip(chosen, as_shot, strict=True))
    return red / green, 1.0, blue / green


def wb_to_kelvin(
    wb: Multipliers,
    as_shot: Multipliers,
    cam_to_xyz: NDArray[np.float64],
    xyz_to_native: NDArray[np.float64] | None = None,
) -> tuple[float, float]:
    """Temperature and tint of the light that ``wb`` makes white, for information."""
    native = _native(as_shot, cam_to_xyz, xyz_to_native)
    xyz = np.asarray(np.linalg.solve(native, 1.0 / np.asarray(wb)), np.float64)
    return xy_to_kelvin(xyz_to_xy(xyz))


def _native(
    as_shot: Multipliers, cam_to_xyz: NDArray[np.float64], xyz_to_native: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    if xyz_to_native is not None:
        return xyz_to_native
    return np.asarray(np.linalg.inv(cam_to_xyz) / np.asarray(as_shot, np.float64)[:, None])


def _numbers(choice: str) -> list[float]:
    try:
        numbers = [float(part) for part in choice.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2, 3) or not np.isfinite(numbers).all():
        raise SettingsError(f"--wb {choice}: is not understood; give {HELP}")
    return numbers


def _green_one(wb: NDArray[np.float64], choice: str) -> Multipliers:
    if not (np.isfinite(wb).all() and (wb > 0).all()):
        raise SettingsError(f"--wb {choice}: has a multiplier that is not positive; give {HELP}")
    red, green, blue = (float(value) for value in wb / wb[1])
    if max(red, blue) > 100.0 or min(red, blue) < 0.01:
        raise SettingsError(f"--wb {choice}: is out of this sensor's reach; give {HELP}")
    return red, green, blue


def _gray_ratio(camera: Image, as_shot: Multipliers) -> NDArray[np.float64]:
    """Shades of gray: the sixth-power mean of the picture is taken for gray.

    Means over blocks of 8 × 8 come first, so that noise, which differs from channel to channel, is not
    raised to the sixth power. Blocks with a pixel near its clipping point or darker than 2 % are left out.
    The sixth power leans on the bright parts, which show the light's color best (Finlayson & Trezzi 2004).

    Returns
    -------
    NDArray
        ``(3,)`` factors on top of the as-shot balance, green = 1; ones for a picture without such blocks.
    """
    clip = np.asarray(as_shot, np.float32)
    height, width = (size // _BLOCK * _BLOCK for size in camera.shape[:2])
    total = np.zeros(3)
    for y in range(0, height, _BLOCK):
        rows = camera[y : y + _BLOCK, :width]
        columns = rows.reshape(_BLOCK, width // _BLOCK, _BLOCK, 3)
        mean = columns.mean((0, 2))
        below = (columns.max((0, 2)) < _CLIPPED * clip).all(-1) & (mean.min(-1) > 0) & (mean.max(-1) > _DARK)
        total += (mean[below].astype(np.float64) ** _MINKOWSKI).sum(0)
    if (total <= 0).any():
        return np.ones(3)
    shades = total ** (1.0 / _MINKOWSKI)
    return np.asarray(shades[1] / shades)
