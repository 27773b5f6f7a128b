"""A map of pixels as a picture: white where true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from rawfix.io.atomic import replacing


def write_mask(path: Path, mask: NDArray[np.bool_], overwrite: bool) -> None:
    """Write ``(H, W)`` bool as an 8-bit grey PNG, 255 where true; raises `OutputError`."""
    with replacing(path, overwrite) as temporary:
        Picture.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(temporary, format="PNG")
