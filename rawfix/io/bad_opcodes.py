"""A DNG's opcode list in a file of its own, read as a list of bad pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import SettingsError
from rawfix.io.bad_lists import content_of
from rawfix.io.dng_bad_pixels import decode_bad_pixels


def read_opcodes(
    path: Path, mosaic: NDArray[np.uint16] | NDArray[np.float32], origin: tuple[int, int] = (0, 0)
) -> NDArray[np.bool_]:
    """The samples that the opcode list in a file calls bad.

    Parameters
    ----------
    path
        The file; may be gzipped.
    mosaic
        ``(H, W)`` samples; an empty one to see whether the list is well formed.
    origin
        Row and column of ``mosaic[0, 0]`` on the whole sensor.

    Returns
    -------
    ``(H, W)`` bool.

    Raises
    ------
    SettingsError
        The file cannot be read, or is no such list.
    """
    try:
        return decode_bad_pixels(content_of(path), mosaic, origin)
    except ValueError as error:
        raise SettingsError(f"{path}: is no opcode list of a DNG ({error}); name another") from error
