"""What a DNG says about color: neutral, matrices, calibration illuminant.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapter 6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.color.matrices import D50, D65, adaptation, xy_to_xyz
from rawfix.frame import RawFrame
from rawfix.io.dng_ifd import Directory, rational, short

COLOR_MATRIX_1, NEUTRAL, ILLUMINANT_1, FORWARD_MATRIX_1 = 50721, 50728, 50778, 50964
_D65 = 21


def neutral_entry(
    wb: tuple[float, float, float], span: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Directory:
    """AsShotNeutral: what the camera answers to the light that ``wb`` makes white, greatest channel 1.

    ``span`` are factors that the samples carry on top of the frame's light, per channel.
    """
    neutral = np.asarray(span) / np.asarray(wb)
    return {NEUTRAL: rational(neutral / neutral.max())}


def matrix_entries(frame: RawFrame, span: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Directory:
    """ColorMatrix1 for D65 and, where the daylight balance is known, ForwardMatrix1.

    A reader that goes through the forward matrix, or scales the rows of the color matrix (dcraw's way), gets
    ``frame.cam_to_xyz`` exactly. Without a daylight balance the as-shot light is stated as D65: the colors
    are the same, a temperature slider starts at 6500 K.
    """
    daylight = np.asarray(frame.daylight_wb or frame.wb, np.float64)
    native = np.diag(np.asarray(span) / daylight) @ np.linalg.inv(frame.cam_to_xyz)
    # Scaled as the DNG SDK scales every matrix it reads: its greatest answer to D50 is 1.
    native /= (native @ xy_to_xyz(D50)).max()
    entries = {
        COLOR_MATRIX_1: rational(native, signed=True),
        ILLUMINANT_1: short(_D65),
    }
    if frame.daylight_wb is not None:
        entries[FORWARD_MATRIX_1] = rational(forward_matrix(frame.cam_to_xyz), signed=True)
    return entries


def forward_matrix(cam_to_xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """White-balanced camera → XYZ under D50, from the same under D65; maps (1, 1, 1) to D50."""
    return np.asarray(adaptation(D65, D50) @ cam_to_xyz)
