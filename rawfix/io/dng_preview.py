"""The two small pictures in a DNG: a thumbnail in the first directory, a JPEG preview beside the raw picture.

Reference: DNG specification 1.7.1.0, "SubIFD trees" and the Preview tags.
"""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from rawfix import __version__
from rawfix.io.dng_ifd import Directory, append, ascii, long, rational, short

_THUMBNAIL_SIDE = 256
_QUALITY = 90
_SRGB = 2
_RGB, _YCBCR, _JPEG = 2, 6, 7
_REDUCED = 1


def append_thumbnail(file: BinaryIO, preview: NDArray[np.uint8]) -> Directory:
    """Append the preview at 256 pixels a side, uncompressed; returns its directory."""
    picture = Pillow.fromarray(preview)
    picture.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Pillow.Resampling.BOX)
    small = np.asarray(picture)
    return {
        **_picture(small, compression=1, photometric=_RGB),
        273: long(append(file, small.tobytes())),
        279: long(small.nbytes),
    }


def append_preview(file: BinaryIO, preview: NDArray[np.uint8]) -> Directory:
    """Append the preview as one JPEG strip, without chroma subsampling; returns its directory."""
    stream = io.BytesIO()
    Pillow.fromarray(preview).save(stream, format="JPEG", quality=_QUALITY, subsampling=0)
    data = stream.getvalue()
    return {
        **_picture(preview, compression=_JPEG, photometric=_YCBCR),
        273: long(append(file, data)),
        279: long(len(data)),
        529: rational([0.299, 0.587, 0.114]),
        530: short(1, 1),
        531: short(1),
        532: rational([0, 255, 128, 255, 128, 255]),
    }


def _picture(picture: NDArray[np.uint8], compression: int, photometric: int) -> Directory:
    height, width = picture.shape[:2]
    return {
        254: long(_REDUCED),
        256: long(width),
        257: long(height),
        258: short(8, 8, 8),
        259: short(compression),
        262: short(photometric),
        277: short(3),
        278: long(height),
        284: short(1),
        50966: ascii("rawfix"),
        50967: ascii(__version__),
        50970: long(_SRGB),
    }
