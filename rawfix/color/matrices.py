"""Three-by-three matrices between RGB spaces and XYZ, derived from chromaticities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Chromaticity = tuple[float, float]
"""CIE 1931 ``(x, y)``."""

D50: Chromaticity = (0.3457, 0.3585)
D60: Chromaticity = (0.32168, 0.33767)
"""The ACES white (TB-2018-001), near but not on the daylight locus."""
D65: Chromaticity = (0.3127, 0.3290)

BRADFORD: NDArray[np.float64] = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
"""XYZ → Bradford's sharpened cones (Lam 1985; ICC.1:2022 annex E)."""


@dataclass(frozen=True, slots=True)
class Space:
    """An RGB space.

    Attributes
    ----------
    name
        As the command line says it.
    primaries
        Chromaticities of red, green, blue.
    white
        Chromaticity of (1, 1, 1).
    transfer
        Name of the transfer curve, a key of `rawfix.color.transfer.CURVES`.
    title
        The name that people know it by; stands in the ICC profile.
    """

    name: str
    primaries: tuple[Chromaticity, Chromaticity, Chromaticity]
    white: Chromaticity
    transfer: str
    title: str


def xy_to_xyz(xy: Chromaticity) -> NDArray[np.float64]:
    """XYZ with Y = 1 of a chromaticity, ``(3,)`` float64."""
    x, y = xy
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


def xyz_to_xy(xyz: NDArray[np.float64]) -> Chromaticity:
    """Chromaticity of an XYZ triple."""
    total = float(xyz.sum())
    return float(xyz[0]) / total, float(xyz[1]) / total


def adaptation(source: Chromaticity, target: Chromaticity) -> NDArray[np.float64]:
    """Bradford's linear adaptation: XYZ seen under white ``source`` → XYZ under white ``target``.

    Returns
    -------
    NDArray
        ``(3, 3)`` float64, column vectors; the identity for equal whites.
    """
    if source == target:
        return np.eye(3)
    return adaptation_xyz(xy_to_xyz(source), xy_to_xyz(target))


def adaptation_xyz(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """`adaptation` between whites given in XYZ."""
    ratio = (BRADFORD @ target) / (BRADFORD @ source)
    return np.asarray(np.linalg.solve(BRADFORD, ratio[:, None] * BRADFORD), np.float64)


def rgb_to_xyz(space: Space) -> NDArray[np.float64]:
    """Linear RGB → XYZ under the space's own white, (1, 1, 1) ↦ that white with Y = 1.

    Returns
    -------
    NDArray
        ``(3, 3)`` float64, column vectors.

    References
    ----------
    SMPTE RP 177-1993, derivation of basic television color equations.
    """
    columns = np.stack([xy_to_xyz(primary) for primary in space.primaries], axis=1)
    weights = np.linalg.solve(columns, xy_to_xyz(space.white))
    return np.asarray(columns * weights)


def xyz_to_rgb(space: Space, white: Chromaticity = D65) -> NDArray[np.float64]:
    """XYZ under ``white`` → linear RGB of ``space``, adapted to its white; ``(3, 3)`` float64."""
    return np.linalg.inv(rgb_to_xyz(space)) @ adaptation(white, space.white)


def convert(source: Space, target: Space) -> NDArray[np.float64]:
    """Linear RGB of ``source`` → linear RGB of ``target``; white maps to white. ``(3, 3)`` float64."""
    return xyz_to_rgb(target, source.white) @ rgb_to_xyz(source)
