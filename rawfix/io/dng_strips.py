"""Samples on disk."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rawfix.io.dng_ifd import Directory, append, long

_STRIP_BYTES = 1 << 20


def append_strips(file: BinaryIO, samples: NDArray[Any]) -> Directory:
    """Append uncompressed strips of about a megabyte; returns the entries that say where they lie."""
    height = samples.shape[0]
    rows = max(1, min(height, _STRIP_BYTES // max(1, samples[:1].nbytes)))
    little = samples.dtype.newbyteorder("<")
    offsets, sizes = [], []
    for y in range(0, height, rows):
        strip = np.ascontiguousarray(samples[y : y + rows], little)
        offsets.append(append(file, strip.tobytes()))
        sizes.append(strip.nbytes)
    return {273: long(*offsets), 278: long(rows), 279: long(*sizes)}
