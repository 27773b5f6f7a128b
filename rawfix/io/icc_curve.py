"""The transfer curve that an embedded ICC profile states.

Reference: ICC.1:2022, sections 7.2, 7.3, 10.6 (curveType), 10.18 (parametricCurveType).
"""

from __future__ import annotations

import struct

import numpy as np

from rawfix.color.tabulated import Tabulated
from rawfix.color.transfer import Curve

_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
"""Numbers of each kind of parametric curve."""


def profile_space(icc: bytes) -> str:
    """The color space of the profile's device side: ``RGB``, ``GRAY``, ``CMYK``, …; "" where it says none."""
    return icc[16:20].decode("ascii", "replace").strip() if len(icc) >= 128 else ""


def profile_curve(icc: bytes) -> Tabulated | None:
    """The curve of gray, or of green for all three channels; None where the profile holds none that can be read."""
    try:
        (count,) = struct.unpack_from(">I", icc, 128)
        tags = {
            icc[132 + 12 * i : 136 + 12 * i]: struct.unpack_from(">II", icc, 136 + 12 * i)
            for i in range(min(count, 100))
        }
        for name in (b"gTRC", b"kTRC"):
            if name in tags:
                offset, size = tags[name]
                return _curve(icc[offset : offset + size])
    except (struct.error, ValueError, OverflowError):
        return None
    return None


def _curve(tag: bytes) -> Tabulated | None:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return Tabulated.of_formula(Curve(1.0))
        if count == 1:
            return Tabulated.of_formula(Curve(struct.unpack_from(">H", tag, 12)[0] / 256))
        points = np.array(struct.unpack_from(f">{count}H", tag, 12), np.float64) / 65535
        return Tabulated.of_points(points) if points[-1] > 0 else None
    if tag[:4] != b"para":
        return None
    (kind,) = struct.unpack_from(">H", tag, 8)
    gamma, *rest = (v / 65536 for v in struct.unpack_from(f">{_PARAMETERS.get(kind, 0)}i", tag, 12))
    if kind == 0:
        return Tabulated.of_formula(Curve(gamma))
    a, b = rest[:2]
    if kind in (1, 2):  # the toe is flat: (a·v + b)^gamma + c from −b/a on, c below
        offset = rest[2] if kind == 2 else 0.0
        return Tabulated.of_formula(Curve(gamma, a, b, 0.0, -b / a if a else 0.0), offset, offset)
    slope, knee, offset, toe = (*rest[2:], 0.0, 0.0)[:4]
    return Tabulated.of_formula(Curve(gamma, a, b, slope, knee), offset, toe)
