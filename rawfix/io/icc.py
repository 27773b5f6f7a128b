"""ICC profiles for the spaces rawfix writes, made from the same numbers as the pixels."""

from __future__ import annotations

import hashlib
import struct

import numpy as np

from rawfix.color.matrices import Space, adaptation_xyz, rgb_to_xyz, xy_to_xyz
from rawfix.color.transfer import CURVES, Curve

PCS_WHITE = np.array([0xF6D6, 0x10000, 0xD32D]) / 65536.0
"""The profile connection space's D50, exactly as the standard's fixed-point numbers give it."""


def profile(space: Space, linear: bool = False) -> bytes:
    """A version 4.3 matrix/TRC display profile; the same bytes for the same space, always.

    Parameters
    ----------
    space
        Primaries, white and transfer curve.
    linear
        Describe the space's linear twin, with identity curves.

    Returns
    -------
    bytes
        The profile. Colorants are adapted to D50 with Bradford's matrix, which also stands in ``chad``, and
        rounded so that they add up to the white exactly: a gray stays neutral in every reader.

    References
    ----------
    ICC.1:2022 (profile version 4.4), sections 7.2, 8.3.3, 9.2, 10.6, 10.18, 10.22, 10.31.
    """
    curve = CURVES["linear" if linear else space.transfer]
    title = f"{space.title}, linear" if curve.gamma == 1.0 else space.title
    adapt = adaptation_xyz(xy_to_xyz(space.white), PCS_WHITE)
    colorants = np.rint(adapt @ rgb_to_xyz(space) * 65536.0)
    colorants[:, 1] += PCS_WHITE * 65536.0 - colorants.sum(1)
    curve_tag = _curve(curve)
    tags = {
        b"desc": _text(title),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(PCS_WHITE * 65536.0),
        b"chad": b"sf32\0\0\0\0" + struct.pack(">9i", *(int(v) for v in np.rint(adapt * 65536.0).flat)),
        b"rXYZ": _xyz(colorants[:, 0]),
        b"gXYZ": _xyz(colorants[:, 1]),
        b"bXYZ": _xyz(colorants[:, 2]),
        b"rTRC": curve_tag,
        b"gTRC": curve_tag,
        b"bTRC": curve_tag,
    }
    return _assemble(tags)


def _assemble(tags: dict[bytes, bytes]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    placed: dict[bytes, int] = {}
    for signature, data in tags.items():
        if data not in placed:
            placed[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", signature, placed[data], len(data))
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI4sI8sI3I4s",
        start + len(body),
        b"",
        0x04300000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        *(2024, 1, 1, 0, 0, 0),
        b"acsp",
        b"",
        0,
        b"",
        0,
        b"",
        1,
        *(int(v) for v in np.rint(PCS_WHITE * 65536.0)),
        b"",
    ).ljust(128, b"\0")
    # The identifier is the hash of the profile with flags, intent and identifier zeroed (7.2.18).
    unsigned = header[:64] + bytes(4) + header[68:] + table + body
    identifier = hashlib.md5(unsigned, usedforsecurity=False).digest()
    return header[:84] + identifier + header[100:] + table + body


def _curve(curve: Curve) -> bytes:
    if curve.gamma == 1.0:
        return b"curv\0\0\0\0" + struct.pack(">I", 0)
    if not curve.slope:
        return b"para\0\0\0\0" + struct.pack(">HHi", 0, 0, round(curve.gamma * 65536))
    values = (curve.gamma, curve.a, curve.b, curve.slope, curve.knee)
    return b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(value * 65536) for value in values))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _xyz(fixed: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(int(v) for v in fixed))
