"""Samples on disk: uncompressed strips, or compressed tiles.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, "Compression" and "JPEG XL".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from rawfix.io import ljpeg
from rawfix.io.dng_digest import digest_of, raw_digest
from rawfix.io.dng_ifd import Directory, append, long, short

_STRIP_BYTES = 1 << 20
_TILE = 256
_JXL_TILE = 1024
_COMPRESSION, _JPEG, _JPEG_XL = 259, 7, 52546


def append_samples(file: BinaryIO, samples: NDArray[Any], compression: str) -> tuple[Directory, bytes]:
    """Append the samples; returns the entries that say how they lie, and NewRawImageDigest.

    Parameters
    ----------
    file
        Open for writing, binary.
    samples
        ``(H, W)`` or ``(H, W, C)`` uint16.
    compression
        ``none``; ``ljpeg``: lossless JPEG, a mosaic's row as two components, as Adobe's converter does; or
        ``jxl``: lossless JPEG XL.
    """
    if compression == "none":
        return _strips(file, samples), raw_digest(samples)
    side = _TILE if compression == "ljpeg" else _JXL_TILE
    encoded = [_encode(tile, compression) for tile in _tiles(samples, side)]
    offsets = [append(file, data) for data in encoded]
    entries = {
        _COMPRESSION: short(_JPEG if compression == "ljpeg" else _JPEG_XL),
        322: long(side),
        323: long(side),
        324: long(*offsets),
        325: long(*map(len, encoded)),
    }
    # The SDK takes JPEG XL for lossy, and then digests what is stored instead of what it decodes to.
    return entries, raw_digest(samples) if compression == "ljpeg" else digest_of(encoded)


def _strips(file: BinaryIO, samples: NDArray[Any]) -> Directory:
    height = samples.shape[0]
    rows = max(1, min(height, _STRIP_BYTES // max(1, samples[:1].nbytes)))
    little = samples.dtype.newbyteorder("<")
    offsets, sizes = [], []
    for y in range(0, height, rows):
        strip = np.ascontiguousarray(samples[y : y + rows], little)
        offsets.append(append(file, strip.tobytes()))
        sizes.append(strip.nbytes)
    return {273: long(*offsets), 278: long(rows), 279: long(*sizes)}


def _tiles(samples: NDArray[Any], side: int) -> Iterator[NDArray[Any]]:
    """Whole tiles, row by row; those at the border are filled up by repeating it."""
    height, width = samples.shape[:2]
    for y in range(0, height, side):
        for x in range(0, width, side):
            tile = samples[y : y + side, x : x + side]
            missing = [(0, side - tile.shape[0]), (0, side - tile.shape[1])]
            yield np.pad(tile, missing + [(0, 0)] * (tile.ndim - 2), mode="edge")


def _encode(tile: NDArray[Any], compression: str) -> bytes:
    if compression == "jxl":
        return bytes(imagecodecs.jpegxl_encode(tile, lossless=True, usecontainer=False))
    return ljpeg.encode(tile.reshape(tile.shape[0], -1, 2) if tile.ndim == 2 else tile)
