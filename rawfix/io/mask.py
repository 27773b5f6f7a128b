"""A map of pixels as a picture: white where true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from rawfix.errors import SettingsError
from rawfix.io.atomic import replacing


def write_mask(path: Path, mask: NDArray[np.bool_], overwrite: bool) -> None:
    """Write ``(H, W)`` bool as an 8-bit gray PNG, 255 where true; raises `OutputError`."""
    with replacing(path, overwrite) as temporary:
        Picture.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(temporary, format="PNG")


def read_mask(path: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read what `write_mask` wrote: ``(H, W)`` bool, True from mid gray on.

    Raises `SettingsError` where the file is no picture, or of another size.
    """
    try:
        with Picture.open(path) as picture:
            gray = np.asarray(picture.convert("L"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read as a map of bad pixels; name a PNG or a list") from error
    if gray.shape != shape:
        raise SettingsError(
            f"{path}: is {gray.shape[1]}×{gray.shape[0]} pixels, the sensor {shape[1]}×{shape[0]}; choose another"
        )
    return np.asarray(gray >= 128)
