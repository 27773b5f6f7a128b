"""Take the infrared out of the visible channels, and drop its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import SettingsError
from rawfix.frame import Image

HELP = "three shares R,G,B of the infrared sample, or a 3×4 matrix (12 numbers, row by row)"
_NEAR, _FULL = 0.90, 0.98
_STRIP = 128


def crosstalk_matrix(text: str) -> NDArray[np.float64]:
    """What makes red, green, blue from red, green, blue, infrared: ``(3, 4)`` float64, in the sensor's units.

    Parameters
    ----------
    text
        ``""``: nothing is taken away. Three numbers, by commas: the shares ``c`` of the infrared sample that
        lie on red, green and blue, ``visible = rgb − c · infrared``. Twelve: the matrix itself, row by row.

    Raises
    ------
    SettingsError
        Another count, no numbers, or numbers beyond 10.
    """
    plain = np.eye(3, 4)
    if not text:
        return plain
    try:
        numbers = np.array([float(part) for part in text.split(",")])
    except ValueError:
        numbers = np.zeros(0)
    if numbers.size not in (3, 12) or not (np.isfinite(numbers).all() and np.abs(numbers).max() <= 10):
        raise SettingsError(f"--ir-crosstalk {text!r} is not understood; give {HELP}, within ±10")
    if numbers.size == 12:
        matrix = numbers.reshape(3, 4)
        if not matrix[:, :3].any(1).all():
            raise SettingsError(
                f"--ir-crosstalk {text!r}: a row without red, green and blue makes a channel black"
            )
        return matrix
    plain[:, 3] = -numbers
    return plain


def remove_infrared(
    camera: Image, wb: tuple[float, float, float], matrix: NDArray[np.float64] | None = None
) -> Image:
    """The visible channels of a picture with infrared.

    Parameters
    ----------
    camera
        ``(H, W, 4)`` float32: red, green, blue, infrared, linear, signed; white-balanced, infrared by 1.
        Not mutated.
    wb
        The multipliers that ``camera`` carries.
    matrix
        ``(3, 4)`` from `crosstalk_matrix`, of the sensor's own units, so that one matrix serves every white
        balance. None only drops the infrared channel.

    Returns
    -------
    Image
        ``(H, W, 3)`` float32. What the matrix changes in a channel fades out between 0.90 and 0.98 of where
        the channel saturates: a clipped sample does not tell its infrared share, and must still be seen to
        be clipped by what rebuilds highlights.
    """
    visible = np.array(camera[..., :3], np.float32, order="C")
    if matrix is None or (matrix == np.eye(3, 4)).all():
        return visible
    gain = np.asarray(wb, np.float64)
    balanced = gain[:, None] * matrix / np.append(gain, 1.0)
    weights = np.ascontiguousarray((balanced - np.eye(3, 4)).T.astype(np.float32))
    clip = gain.astype(np.float32)
    for y in range(0, visible.shape[0], _STRIP):
        strip = visible[y : y + _STRIP]
        belief = np.clip((np.float32(_FULL) - strip / clip) * np.float32(1.0 / (_FULL - _NEAR)), 0.0, 1.0)
        strip += belief * np.matmul(camera[y : y + _STRIP], weights)
    return visible
