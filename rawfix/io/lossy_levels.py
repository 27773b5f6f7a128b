"""The black level of lossy DNGs, which LibRaw leaves out.

A lossy DNG holds 8-bit codes. By the specification black is taken off and white set to 1 first, and the
polynomials of OpcodeList2 expand what comes of it; LibRaw expands ``code / 255``. As each code gives one
value, its table is undone exactly, and the right one applied.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapters 5 and 7 (MapPolynomial).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rawfix.errors import UnsupportedRawError
from rawfix.io.dng_opcodes import MAP_POLYNOMIAL, parse
from rawfix.io.dng_tags import RawTags

_CODES = np.arange(256) / 255
_FULL = 65535
_MOST_PLANES = 16


def needs_levels(raw: RawTags) -> bool:
    """Whether a lossy DNG's black or white is another than that of its codes, 0 and 255."""
    black = 0.0 if raw.black is None else float(np.abs(raw.black).max())
    return black > 0 or any(level != 255 for level in raw.white)


def apply_levels(path: Path, samples: NDArray[Any], raw: RawTags) -> NDArray[np.uint16]:
    """What LibRaw expanded, expanded by the file's own levels.

    Parameters
    ----------
    path
        For the message.
    samples
        ``(H, W)`` or ``(H, W, 3)`` as LibRaw gives them.
    raw
        The directory they come from.

    Returns
    -------
    NDArray
        The same shape, uint16: black at 0 and clipped there, white at 65535.

    Raises
    ------
    UnsupportedRawError
        The samples are not what the file's polynomials make of codes.
    """
    planes = np.atleast_3d(samples)
    try:
        polynomials = _polynomials(raw.opcodes, planes.shape[2])
        black, white = _levels(raw, planes.shape[2])
    except (ValueError, IndexError, struct.error):
        polynomials, black, white = [], [], []
    expanded = np.empty(planes.shape, np.uint16)
    for plane, (coefficients, low, high) in enumerate(zip(polynomials, black, white, strict=True)):
        theirs = (np.polyval(coefficients, _CODES) * _FULL).astype(np.uint16)
        linear = np.clip((255 * _CODES - low) / (high - low), 0, 1)
        ours = np.clip(np.rint(np.polyval(coefficients, linear) * _FULL), 0, _FULL).astype(np.uint16)
        found, code_of = np.unique(theirs, return_index=True)
        place = np.minimum(np.searchsorted(found, planes[..., plane]), len(found) - 1)
        if not (found[place] == planes[..., plane]).all():
            polynomials = []
            break
        expanded[..., plane] = ours[code_of[place]]
    if not polynomials:
        raise UnsupportedRawError(
            f"{path.name}: the black level of its lossy samples cannot be applied; convert the original again, "
            "to an uncompressed or lossless DNG"
        )
    return expanded.reshape(samples.shape)


def _polynomials(opcodes: bytes, planes: int) -> list[NDArray[np.float64]]:
    """Coefficients of each plane, the highest power first; raises ValueError where one has none, or two."""
    found: dict[int, NDArray[np.float64]] = {}
    for opcode in parse(opcodes):
        if opcode.number != MAP_POLYNOMIAL:
            raise ValueError("another opcode comes between")
        first, count, _, _, degree = struct.unpack_from(">5I", opcode.data, 16)
        if first + count > _MOST_PLANES:
            raise ValueError("planes that no picture has")
        ascending = struct.unpack_from(f">{degree + 1}d", opcode.data, 36)
        for plane in range(first, first + count):
            if plane in found:
                raise ValueError("two polynomials of one plane")
            found[plane] = np.array(ascending[::-1])
    if not set(range(planes)) <= set(found):
        raise ValueError("a plane without a polynomial")
    return [found[plane] for plane in range(planes)]


def _levels(raw: RawTags, planes: int) -> tuple[list[float], list[float]]:
    """Black and white of each plane, in codes."""
    black = np.zeros((1, 1, planes)) if raw.black is None else raw.black
    if black.shape != (1, 1, planes):
        raise ValueError("black differs from pixel to pixel")
    white = list(raw.white) or [255.0]
    white = white * planes if len(white) == 1 else white
    if len(white) != planes or any(high <= low for high, low in zip(white, black[0, 0], strict=True)):
        raise ValueError("white is not above black")
    return [float(level) for level in black[0, 0]], white
