"""White balance and camera matrix from what a file and LibRaw know, in a stated order of fallbacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rawfix.frame import RawFrame
from rawfix.io.raw_levels import channel_means
from rawfix.physics.sensor import SRGB_TO_XYZ

GRAY_WORLD = "the file has no white balance: estimated from the picture (gray world); --wb R,G,B sets it"


def to_wb(multipliers: Sequence[float]) -> tuple[float, float, float] | None:
    """Multipliers with green = 1, or None where one of the three is missing, zero, negative or not finite."""
    values = np.array(multipliers[:3], np.float64)
    if len(values) < 3 or not np.isfinite(values).all() or values.min() <= 0:
        return None
    red, green, blue = (float(value) for value in values)
    return red / green, 1.0, blue / green


def as_shot(multipliers: list[float], neutral: Sequence[float], order: Sequence[int]) -> list[float]:
    """Multipliers of red, green and blue as shot; those of AsShotNeutral where LibRaw's are incomplete.

    LibRaw drops some of them where a DNG has four plane colors but speaks of three planes.

    Parameters
    ----------
    multipliers
        LibRaw's, of red, green and blue.
    neutral
        The file's AsShotNeutral, one value a plane, or empty.
    order
        The planes that hold red, green and blue.
    """
    if to_wb(multipliers) is not None or len(neutral) <= max(order):
        return multipliers
    with np.errstate(divide="ignore", invalid="ignore"):
        return [float(value) for value in 1 / np.array([neutral[plane] for plane in order])]


def choose_wb(
    camera: Sequence[float],
    daylight: Sequence[float],
    xyz_to_cam: NDArray[np.float64] | None,
    means: Sequence[float],
) -> tuple[tuple[float, float, float], str | None]:
    """As-shot white balance and a note about the fallback taken, if any.

    The order: the camera's own; LibRaw's daylight multipliers, where a matrix is known (without one they
    are a placeholder 1, 1, 1); the matrix's response to D65; the picture's own mean (gray world).

    Parameters
    ----------
    camera, daylight
        The camera's own, see `as_shot`, and LibRaw's ``daylight_whitebalance``.
    xyz_to_cam
        ``(3, 3)`` XYZ → camera before white balance, or None when unknown.
    means
        Mean light of the picture's red, green and blue samples.
    """
    own = to_wb(camera)
    if own is not None:
        return own, None
    fallback = to_wb(daylight)
    if fallback is not None and fallback != (1.0, 1.0, 1.0):
        return fallback, "the file has no white balance: the camera's daylight balance is used"
    if xyz_to_cam is not None:
        from_matrix = daylight_wb(xyz_to_cam)
        if from_matrix is not None:
            return from_matrix, "the file has no white balance: the color matrix's daylight balance is used"
    return gray_world(means), GRAY_WORLD


def gray_world(means: Sequence[float]) -> tuple[float, float, float]:
    """Multipliers that make a picture's mean gray; 1 each where it tells nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return to_wb(list(1 / np.asarray(means, np.float64))) or (1.0, 1.0, 1.0)


def without_bad(frame: RawFrame) -> RawFrame:
    """The frame with a white balance of its own mean to which samples known to be bad add nothing; or as it is."""
    if not frame.wb_from_mean:
        return frame
    means = channel_means(frame.mosaic, frame.cfa, frame.black, frame.white, frame.known_bad)
    return replace(frame, wb=gray_world(means))


def daylight_wb(xyz_to_cam: NDArray[np.float64] | None) -> tuple[float, float, float] | None:
    """Multipliers that make D65 white on a sensor of that matrix; None where it is unknown or degenerate."""
    if xyz_to_cam is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return to_wb(list(1 / (xyz_to_cam @ SRGB_TO_XYZ.sum(axis=1))))


def choose_cam_to_xyz(
    cam_to_srgb: NDArray[np.float64],
    table_xyz_to_cam: NDArray[np.float64],
    tag_xyz_to_cam: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, str | None]:
    """White-balanced camera → XYZ (D65), the XYZ → camera it came from, and a note about a missing matrix.

    The order: the file's own, as LibRaw read it; the file's own ColorMatrix tag; LibRaw's table for the
    camera model; linear sRGB, with a note.

    Parameters
    ----------
    cam_to_srgb
        LibRaw's ``color_matrix``, at least ``(3, 3)``; zeros where the file has none.
    table_xyz_to_cam
        LibRaw's ``rgb_xyz_matrix``, at least ``(3, 3)``; zeros for cameras it does not know.
    tag_xyz_to_cam
        The DNG's ColorMatrix, or None.
    """
    table = np.array(table_xyz_to_cam, np.float64)[:3, :3]
    xyz_to_cam = next((m for m in (tag_xyz_to_cam, table) if m is not None and _is_usable(m)), None)
    own = np.array(cam_to_srgb, np.float64)[:3, :3]
    if _is_usable(own) and (own.sum(axis=1) > 0).all():
        return SRGB_TO_XYZ @ (own / own.sum(axis=1, keepdims=True)), xyz_to_cam, None
    if xyz_to_cam is not None:
        return from_xyz_to_cam(xyz_to_cam), xyz_to_cam, None
    return (
        SRGB_TO_XYZ.copy(),
        None,
        "the camera's color matrix is unknown: colors are approximate (sRGB primaries)",
    )


def from_xyz_to_cam(xyz_to_cam: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert a DNG-style ``(3, 3)`` matrix so that white-balanced (1, 1, 1) becomes the D65 white point.

    Rows of XYZ → camera, taken in sRGB primaries, are scaled to sum 1 before the inversion, as dcraw's
    ``cam_xyz_coeff`` does: that scaling is the white balance for D65.
    """
    srgb_to_cam = xyz_to_cam @ SRGB_TO_XYZ
    srgb_to_cam = srgb_to_cam / srgb_to_cam.sum(axis=1, keepdims=True)
    return SRGB_TO_XYZ @ np.linalg.inv(srgb_to_cam)


def _is_usable(matrix: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(matrix).all()) and abs(float(np.linalg.det(matrix))) > 1e-6
