"""Bad pixels in a DNG's opcode lists: FixBadPixelsConstant and FixBadPixelsList.

Reference: Adobe, "Digital Negative (DNG) Specification", version 1.7.1.0, chapter 7, "Opcode List Processing".
Both opcodes state the Bayer phase: 0 red, 1 green in a green/red row, 2 green in a green/blue row,
3 blue at the top left.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from rawfix.cfa import Cfa
from rawfix.io.dng_opcodes import Opcode, build, parse

FIX_CONSTANT, FIX_LIST = 4, 5
_VERSION = 0x01030000
_OPTIONAL = 1
_PHASES = ("RG/GB", "GR/BG", "GB/RG", "BG/GR")


def decode_bad_pixels(
    data: bytes,
    mosaic: NDArray[np.uint16] | NDArray[np.float32],
    origin: tuple[int, int] = (0, 0),
    linearization: NDArray[np.uint16] | None = None,
    *,
    by_value: bool = True,
) -> NDArray[np.bool_]:
    """The samples that an opcode list calls bad.

    Parameters
    ----------
    data
        Bytes of OpcodeList1. Other opcodes in it are passed over.
    mosaic
        ``(H, W)`` samples: the values that FixBadPixelsConstant speaks of.
    origin
        Stored row and column of ``mosaic[0, 0]``: the list speaks of the image as stored.
    linearization
        The table that ``mosaic`` went through, or None: the list speaks of samples before it.
    by_value
        Whether FixBadPixelsConstant is heeded.

    Returns
    -------
    ``(H, W)`` bool. What lies outside is ignored.

    Raises
    ------
    ValueError
        The bytes end inside an opcode.
    """
    bad = np.zeros(mosaic.shape[:2], bool)
    for opcode in parse(data):
        parameters = opcode.data
        if opcode.number == FIX_CONSTANT and by_value:
            constant, _ = _unpack(">II", parameters)
            if linearization is not None:
                constant = int(linearization[min(constant, len(linearization) - 1)])
            bad |= mosaic == constant
        elif opcode.number == FIX_LIST:
            _, points, areas = _unpack(">III", parameters)
            if len(parameters) < 12 + 8 * points + 16 * areas:
                raise ValueError("FixBadPixelsList ends before its last pixel")
            numbers = np.frombuffer(parameters, ">u4", 2 * points + 4 * areas, 12).astype(np.int64)
            sites = numbers[: 2 * points].reshape(-1, 2) - origin
            sites = sites[((sites >= 0) & (sites < bad.shape)).all(1)]
            bad[sites[:, 0], sites[:, 1]] = True
            corners = numbers[2 * points :].reshape(-1, 4) - (*origin, *origin)
            for top, left, bottom, right in np.maximum(corners, 0):
                bad[top:bottom, left:right] = True
    return bad


def encode_bad_pixels(bad: NDArray[np.bool_], cfa: Cfa) -> bytes:
    """An opcode list of one FixBadPixelsList with every True of ``(H, W)``.

    Rows and columns that are bad from end to end become one rectangle each. Readers that do not know the opcode
    may skip it.

    Raises
    ------
    ValueError
        The filter array is no Bayer pattern: the opcode has no phase for it.
    """
    if cfa.letters not in _PHASES:
        raise ValueError(f"FixBadPixelsList has no phase for the filter array {cfa.letters}")
    height, width = bad.shape
    rows, columns = np.nonzero(bad.all(1))[0].tolist(), np.nonzero(bad.all(0))[0].tolist()
    points = bad.copy()
    points[rows] = False
    points[:, columns] = False
    sites = np.argwhere(points)
    areas = [(row, 0, row + 1, width) for row in rows] + [
        (0, column, height, column + 1) for column in columns
    ]
    parameters = struct.pack(">III", _PHASES.index(cfa.letters), len(sites), len(areas))
    parameters += sites.astype(">u4").tobytes() + np.array(areas, ">u4").tobytes()
    return build([Opcode(FIX_LIST, _VERSION, _OPTIONAL, parameters)])


def encode_constant(constant: int, cfa: Cfa) -> bytes:
    """An opcode list of one FixBadPixelsConstant: every sample of that value is bad; raises as the other."""
    if cfa.letters not in _PHASES:
        raise ValueError(f"FixBadPixelsConstant has no phase for the filter array {cfa.letters}")
    parameters = struct.pack(">II", constant, _PHASES.index(cfa.letters))
    return build([Opcode(FIX_CONSTANT, _VERSION, _OPTIONAL, parameters)])


def _unpack(format: str, data: bytes) -> tuple[int, ...]:
    if len(data) < struct.calcsize(format):
        raise ValueError("an opcode list ends in the middle of a number")
    return struct.unpack_from(format, data)
