"""Digests by which a reader can tell whether a DNG's samples are still those that were written.

Reference: DNG specification 1.7.1.0, NewRawImageDigest: "the details of the algorithm are documented in the
Adobe DNG SDK" (``dng_negative::FindNewRawImageDigest``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TILE = 256


def raw_digest(samples: NDArray[Any]) -> bytes:
    """MD5 over the MD5s of tiles of 256 × 256, plane after plane, little-endian.

    Parameters
    ----------
    samples
        ``(H, W)`` or ``(H, W, C)``, as decoded from the file.

    Returns
    -------
    bytes
        16 of them.
    """
    height, width = samples.shape[:2]
    little = samples.dtype.newbyteorder("<")
    return digest_of(
        np.ascontiguousarray(
            np.moveaxis(np.atleast_3d(samples[y : y + _TILE, x : x + _TILE]), 2, 0), little
        ).tobytes()
        for y in range(0, height, _TILE)
        for x in range(0, width, _TILE)
    )


def digest_of(chunks: Iterable[bytes]) -> bytes:
    """MD5 over the MD5s of chunks; over its tiles as stored, the digest of a JPEG XL picture."""
    whole = hashlib.md5(usedforsecurity=False)
    for chunk in chunks:
        whole.update(hashlib.md5(chunk, usedforsecurity=False).digest())
    return whole.digest()


def file_digest(path: Path) -> bytes:
    """MD5 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
